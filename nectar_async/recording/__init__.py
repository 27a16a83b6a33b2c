"""Recordings: exchanges with the API as files that people can read, review and replay.

    in `format`, `folder`     the files of a recording, read and written at once
    in `take`, `player`       what is taken down, and what is given again
    in `near`, `witness`      what a missing request resembles; what went through
    in `effects`              faults that a replay injects
    in `compare`, `check`     what changed between two, and whether one is sound

`transports.RecordedTransport` and `transports.Recorder` replay and record with it;
`redaction` keeps secrets and persons out, `interchange` has the files of other tools.
"""

from __future__ import annotations

from nectar_async.faults import Fault as Overlay
from nectar_async.recording import effects
from nectar_async.recording.exchange import Exchange, Question
from nectar_async.recording.folder import Recording
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.har_reader import read_har
from nectar_async.recording.formats.har_writer import write_har
from nectar_async.recording.formats.importer import Imported
from nectar_async.recording.redaction.redaction import Redaction, Rule
from nectar_async.recording.request_log import RequestLog

__all__ = [
    "Exchange",
    "Imported",
    "Overlay",
    "Question",
    "Recording",
    "Redaction",
    "RequestLog",
    "Rule",
    "effects",
    "read_cassette",
    "read_har",
    "write_har",
]
