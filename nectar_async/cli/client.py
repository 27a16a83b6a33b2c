"""The client of a command: as the environment says."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import typer

from nectar_async import transports
from nectar_async.cli.output import Exit, NoKeyError
from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.settings import Settings

__all__ = ["VARIABLE", "announce", "kept", "open_client", "replayed_path"]

VARIABLE: Final = "NECTAR_RECORD"
"""Has commands record, or replay: a mode and a path."""

_WRITING: Final = ("record", "new")
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
    recorder = _found()
    if recorder is None:
        return {}
    if not as_json:
        words = _WORDS[recorder.mode].format(path=recorder.path, variable=VARIABLE)
        typer.echo(words, err=True)
    return {"recording": {"mode": recorder.mode.value, "path": str(recorder.path)}}


class _NoSuccessError(Exception):
    """Leaves a client, so that it records nothing."""


@asynccontextmanager
async def open_client(
    is_success: Callable[[], bool] = lambda: True, **changes: Any
) -> AsyncIterator[NectarClient]:
    """A client with the environment's key and settings, and these changes.

    It records, or replays, as NECTAR_RECORD says. What is no success is not recorded:
    a recording that is there stays as it was.

    Args:
        is_success: asked at the end of the block, where nothing was raised.
        changes: of the settings.

    Raises:
        ConfigurationError: the environment makes no sense.
        NoKeyError: it has no key, and one is needed.
    """
    with suppress(_NoSuccessError):
        async with _client(changes) as client:
            yield client
            if not is_success():
                raise _NoSuccessError


def kept(code: int, *, is_silent: bool = False) -> int:
    """Say of a command that did not succeed that it recorded nothing; gives the code.

    Args:
        code: with which it ends.
        is_silent: whether standard error is for its JSON alone.
    """
    if code in {Exit.OK, Exit.PIPE_CLOSED} or is_silent:
        return code
    found = _found()
    if found is not None and found.mode in _WRITING:
        typer.echo(
            f"not written: the command did not succeed, so {found.path} is as it was",
            err=True,
        )
    return code


def replayed_path() -> Path | None:
    """The recording that all answers come from; None where the API is asked."""
    found = _found()
    return found.path if found is not None and not found.needs_key else None


def _client(changes: Mapping[str, Any]) -> NectarClient:
    settings = Settings.from_env(**changes)
    recorder = _recorder()
    is_needed = recorder is None or recorder.needs_key
    if is_needed and not os.environ.get("NECTAR_API_KEY", "").strip():
        raise NoKeyError("no API key: NECTAR_API_KEY is not set")
    return NectarClient(settings=settings, recorder=recorder)


def _found() -> transports.Recorder | None:
    """The recorder; None also where the environment makes no sense."""
    try:
        return _recorder()
    except ConfigurationError:
        return None


def _recorder() -> transports.Recorder | None:
    if not os.environ.get(VARIABLE, "").strip():
        return None  # and nothing is loaded for it
    return transports.Recorder.from_env()
