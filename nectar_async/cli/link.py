"""The client of a command: as the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import typer

from nectar_async import transports
from nectar_async.cli.outcome import NoKeyError
from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.settings import Settings

__all__ = ["VARIABLE", "announce", "open_client"]

VARIABLE: Final = "NECTAR_RECORD"
"""Has commands record, or replay: a mode and a path."""

_WORDS: Final[Mapping[str, str]] = {
    "replay": "replay: the answers come from {path}, and none from the API",
    "record": "record: what the API answers is written to {path}",
    "new": "record: what {path} does not have is asked for, and added to it",
    "passthrough": "record: nothing, as {variable} says passthrough",
}


def announce(*, as_json: bool) -> Mapping[str, Any]:
    """Say on standard error where answers come from, if it is not the API alone.

    What makes no sense in the environment is said when the client is opened.

    Returns:
        The same for a report in JSON; nothing where no recording is involved.
    """
    try:
        recorder = _recorder()
    except ConfigurationError:
        return {}
    if recorder is None:
        return {}
    if not as_json:
        words = _WORDS[recorder.mode].format(path=recorder.path, variable=VARIABLE)
        typer.echo(words, err=True)
    return {"recording": {"mode": recorder.mode.value, "path": str(recorder.path)}}


def open_client(**changes: Any) -> NectarClient:
    """A client with the environment's key and settings, and these changes.

    It records, or replays, as NECTAR_RECORD says.

    Raises:
        ConfigurationError: the environment makes no sense.
        NoKeyError: it has no key, and one is needed.
    """
    settings = Settings.from_env(**changes)
    recorder = _recorder()
    is_needed = recorder is None or recorder.needs_key
    if is_needed and not os.environ.get("NECTAR_API_KEY", "").strip():
        raise NoKeyError("no API key: NECTAR_API_KEY is not set")
    return NectarClient(settings=settings, recorder=recorder)


def _recorder() -> transports.Recorder | None:
    if not os.environ.get(VARIABLE, "").strip():
        return None  # and nothing is loaded for it
    return transports.Recorder.from_env()
