"""Recordings: exchanges with the API, stored as files to review and to replay.

- `exchange`, `bodies`: one request with its answer
- `format`, `folder`: the files of a recording, and reading and writing them
- `log`, `replayer`, `request_log`: recording, replaying, counting requests
- `check`, `contents`, `diff`, `response_shape`: validate, summarize and compare
- `redaction`: replaces secrets and personal values by placeholders
- `formats`: HAR files and vcrpy cassettes

`transports.Recorder` and `transports.RecordedTransport` record and replay.
"""

from __future__ import annotations

from nectar_async.faults import Fault as Overlay
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
    "read_cassette",
    "read_har",
    "write_har",
]
