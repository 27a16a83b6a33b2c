"""The client and the event loop of a command.

Key, settings and recorder of the client come from the environment.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

from nectar_async import transports
from nectar_async.cli.output import ExitCode, MissingKeyError
from nectar_async.cli.terminal import echo
from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.settings import Settings, SettingsChanges

__all__ = [
    "RECORD_VARIABLE",
    "announce_recording",
    "find_replayed_path",
    "open_client",
    "report_unwritten_recording",
    "run_async",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

RECORD_VARIABLE: Final = "NECTAR_RECORD"
"""The environment variable with the mode and the path of a recording."""

_WRITING_MODES: Final = ("record", "new")
_ANNOUNCEMENTS: Final[Mapping[str, str]] = {
    "replay": "replay: all answers come from {path}, none from the API",
    "record": "record: the answers of the API are written to {path}",
    "new": "record: requests that {path} lacks go to the API and are added to it",
    "passthrough": "record: nothing, because {variable} says passthrough",
}


class _NotRecordedError(Exception):
    """Leaves the client's block with an error, so that its recorder writes nothing."""


@asynccontextmanager
async def open_client(
    is_success: Callable[[], bool] = lambda: True, **changes: Unpack[SettingsChanges]
) -> AsyncIterator[NectarClient]:
    """Open a client with the environment's key and settings.

    It records or replays as NECTAR_RECORD says. Only a successful command is recorded;
    otherwise an existing recording stays as it was.

    Args:
        is_success: called at the end of a block that raised nothing.
        changes: settings that differ from those of the environment.

    Raises:
        ConfigurationError: the environment has a wrong setting.
        MissingKeyError: the environment has no key, and one is needed.
    """
    with suppress(_NotRecordedError):
        async with _build_client(changes) as client:
            yield client
            if not is_success():
                raise _NotRecordedError


def announce_recording(*, as_json: bool) -> Mapping[str, Any]:
    """Print on standard error where answers come from, if a recording is involved.

    A wrong NECTAR_RECORD is ignored here; `open_client` raises an error for it.

    Args:
        as_json: whether to print nothing, because the report has the returned facts.

    Returns:
        The facts for a report in JSON; empty without a recording.
    """
    recorder = _find_recorder()
    if recorder is None:
        return {}
    if not as_json:
        text = _ANNOUNCEMENTS[recorder.mode]
        echo(text.format(path=recorder.path, variable=RECORD_VARIABLE), err=True)
    return {"recording": {"mode": recorder.mode.value, "path": str(recorder.path)}}


def report_unwritten_recording(code: int, *, is_silent: bool = False) -> int:
    """Print that a failed command recorded nothing, and return its exit code.

    Args:
        code: the exit code of the command.
        is_silent: whether standard error is reserved for JSON.
    """
    if code in {ExitCode.OK, ExitCode.PIPE_CLOSED} or is_silent:
        return code
    recorder = _find_recorder()
    if recorder is not None and recorder.mode in _WRITING_MODES:
        echo(
            f"not recorded: the command failed, so {recorder.path} was not changed",
            err=True,
        )
    return code


def find_replayed_path() -> Path | None:
    """Find the recording that is replayed; None if the API is called."""
    recorder = _find_recorder()
    return None if recorder is None or recorder.needs_key else recorder.path


def run_async(work: Callable[[Unpack[Ts]], Awaitable[T]], *arguments: *Ts) -> T:
    """Run an async function in a new event loop, as the sandbox does."""
    # The sandbox imports its server, which would slow down `nectar --help`.
    from nectar_async.sandbox.run_loop import run_loop  # noqa: PLC0415

    return run_loop(work, *arguments)


def _build_client(changes: SettingsChanges) -> NectarClient:
    # A warning of Python would name a line of this package, which nobody can change.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = Settings.from_env(**changes)
    for warning in caught or ():
        echo(f"hint: {warning.message}", err=True)
    recorder = _read_recorder()
    needs_key = recorder is None or recorder.needs_key
    if needs_key and not os.environ.get("NECTAR_API_KEY", "").strip():
        raise MissingKeyError("no API key: NECTAR_API_KEY is not set")
    return NectarClient(settings=settings, recorder=recorder)


def _find_recorder() -> transports.Recorder | None:
    """Find the environment's recorder; None also if the environment is wrong."""
    try:
        return _read_recorder()
    except ConfigurationError:
        return None


def _read_recorder() -> transports.Recorder | None:
    if not os.environ.get(RECORD_VARIABLE, "").strip():
        return None  # without a recording its modules are not imported
    return transports.Recorder.from_env()
