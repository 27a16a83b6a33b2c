"""How a command ends: its exit code, and what it says about it."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import TypeVar

from nectar_async import errors

__all__ = ["EXIT_CODES", "FOOT", "Exit", "StoppedError", "complain", "guarded"]

T = TypeVar("T")


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    """As a program that SIGPIPE ended: the reader had enough."""


EXIT_CODES: Mapping[Exit, str] = {
    Exit.OK: "all went well",
    Exit.FAILED: "something failed, if only for some of the companies",
    Exit.USAGE: "a wrong option or date, a missing key, a bad base URL",
    Exit.REFUSED: "the key was refused (401, or 403 for everything)",
    Exit.UNREACHABLE: "the server cannot be reached, or does not answer",
    Exit.INTERRUPTED: "interrupted by Ctrl-C or SIGTERM",
}

_CODES_IN_WORDS = "; ".join(f"{code.value} {said}" for code, said in EXIT_CODES.items())

FOOT = (
    "Environment: NECTAR_API_KEY; NECTAR_BASE_URL and NECTAR_API_VERSION where they"
    " differ from the defaults; NECTAR_DEBUG=1 shows tracebacks."
    f"\n\nExit codes: {_CODES_IN_WORDS}."
)
"""What every help ends with."""

# The nearest class in the error's line of descent counts.
_CODES: Mapping[type[BaseException], Exit] = {
    Exception: Exit.FAILED,
    errors.ConfigurationError: Exit.USAGE,
    errors.InvalidArgumentError: Exit.USAGE,
    errors.AuthenticationError: Exit.REFUSED,
    errors.PermissionDeniedError: Exit.REFUSED,
    errors.ConnectionFailedError: Exit.UNREACHABLE,
    errors.AttemptTimeoutError: Exit.UNREACHABLE,
}

_HINTS: Mapping[type[BaseException], str] = {
    errors.ConfigurationError: "export NECTAR_API_KEY=... and, where they differ from"
    " the defaults, NECTAR_BASE_URL and NECTAR_API_VERSION; `nectar demo` needs none",
    errors.AuthenticationError: "NECTAR_API_KEY is wrong, withdrawn, or for another"
    " NECTAR_BASE_URL",
    errors.ConnectionFailedError: "is NECTAR_BASE_URL right, and is the network up?",
    errors.MaintenanceError: "the API is being maintained; try again later",
}


class StoppedError(Exception):
    """Work stopped in the middle, because of its cause; says what is done by then."""


def guarded(work: Callable[[], int]) -> int:
    """The exit code of some work; what goes wrong becomes a line on standard error."""
    try:
        with _sigterm_as_sigint():
            return work()
    except StoppedError as stopped:
        return _end(stopped.__cause__ or stopped, str(stopped))
    except (KeyboardInterrupt, errors.NectarError, OSError) as error:
        return _end(error, "")


def complain(problem: str, hint: str = "") -> None:
    """One line on standard error, and a second one where it helps."""
    sys.stderr.write(f"error: {problem}\n")
    if hint:
        sys.stderr.write(f"hint: {hint}\n")


def _end(error: BaseException, account: str) -> int:
    if os.environ.get("NECTAR_DEBUG", "") not in {"", "0"}:
        traceback.print_exception(error)
    if isinstance(error, BrokenPipeError):
        _drop_stdout()
        return Exit.PIPE_CLOSED
    if isinstance(error, KeyboardInterrupt):
        sys.stderr.write(f"interrupted: {account}\n" if account else "interrupted\n")
        return Exit.INTERRUPTED
    if not isinstance(error, errors.NectarError | OSError):
        raise error
    complain(_words(error), _nearest(_HINTS, error) or "")
    if account:
        sys.stderr.write(f"so far: {account}\n")
    return _nearest(_CODES, error) or Exit.FAILED


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and not isinstance(error, errors.NectarError):
        what = error.strerror or str(error) or type(error).__name__
        return f"{error.filename}: {what}" if error.filename else what
    return " ".join(str(error).split())


def _nearest(table: Mapping[type[BaseException], T], error: BaseException) -> T | None:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


def _drop_stdout() -> None:
    """Keep Python from complaining that it cannot flush when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def _sigterm_as_sigint() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does, with its file and its child in order."""

    def handle(_number: int, frame: FrameType | None) -> None:
        # By now this is the event loop's own handler, which cancels what runs in it.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    former = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
