"""Recordings: exchanges with the API as files that people can read, review and replay.

    in `exchange`, `bodies`   a question and its answer, and the key that finds it again
    in `format`, `folder`     the files of a recording, read and written at once
    in `take`, `player`       what is taken down, and what is given again
    in `redaction`            what must not be in it, and what stands there instead
    in `overlays`, `effects`  trouble laid over a replay
    in `compare`, `check`     what changed between two, and whether one is sound
    in `har`, `cassette`      the files of other tools

`transports.RecordedTransport` and `transports.Recorder` replay and record with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_async._facade import lazy

if TYPE_CHECKING:
    from nectar_async.recording.cassette import read_cassette
    from nectar_async.recording.exchange import Exchange, Question
    from nectar_async.recording.folder import Recording
    from nectar_async.recording.har import read_har
    from nectar_async.recording.har_export import write_har
    from nectar_async.recording.overlays import Overlay
    from nectar_async.recording.redaction import Redaction, Rule
    from nectar_async.recording.traffic import Imported
    from nectar_async.recording.witness import Witness

__all__ = [
    "Exchange",
    "Imported",
    "Overlay",
    "Question",
    "Recording",
    "Redaction",
    "Rule",
    "Witness",
    "read_cassette",
    "read_har",
    "write_har",
]

_HOMES: Final = {
    "Exchange": "exchange",
    "Imported": "traffic",
    "Overlay": "overlays",
    "Question": "exchange",
    "Recording": "folder",
    "Redaction": "redaction",
    "Rule": "redaction",
    "Witness": "witness",
    "read_cassette": "cassette",
    "read_har": "har",
    "write_har": "har_export",
}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
