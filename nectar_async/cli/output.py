"""How a command ends: its exit code, and what it says about it."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import Any, TypeVar

from attrs import frozen

from nectar_async import errors
from nectar_async.cli.words import in_shell

__all__ = [
    "EXIT_CODES",
    "Ending",
    "Exit",
    "NoKeyError",
    "StoppedError",
    "complain",
    "guarded",
    "notes_of",
]

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
    TERMINATED = 143


EXIT_CODES: Mapping[Exit, str] = {
    Exit.OK: "all went well",
    Exit.FAILED: "something failed, if only for some of the companies",
    Exit.USAGE: "a wrong option or date, a missing key, a bad base URL",
    Exit.REFUSED: "the key was refused (401, or 403 for everything)",
    Exit.UNREACHABLE: "the server cannot be reached, or does not answer",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
    Exit.TERMINATED: "by SIGTERM",
}


class NoKeyError(errors.ConfigurationError):
    """The environment has no key."""


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
    NoKeyError: "export NECTAR_API_KEY=... and, where they differ from the defaults,"
    " NECTAR_BASE_URL and NECTAR_API_VERSION; `nectar demo` needs none",
    errors.AuthenticationError: "NECTAR_API_KEY is wrong, withdrawn, or for another"
    " NECTAR_BASE_URL",
    errors.ConnectionFailedError: "is NECTAR_BASE_URL right, and is the network up?",
    errors.MaintenanceError: "the API is being maintained; try again later",
}
_OTHER_SERVER = (
    "that does not look like the API's own answer: is NECTAR_BASE_URL right?"
)
# Of the API these are never 404, and what it says is JSON.
_WITHOUT_ID = frozenset({"companies_list", "ping_get"})
_NOT_THERE = "the API says 403 also for what is not there: is the id right?"
_PORT_TAKEN = "--port 0 takes a free one"


@frozen(kw_only=True)
class Ending:
    """How a command tells its end."""

    as_json: bool = False
    """Whether it also prints one JSON object, whatever happens."""
    is_to_stderr: bool = False
    """Whether standard output is taken: then the JSON is all that is said."""
    is_about_one: bool = False
    """Whether it asks for one thing only, where a 403 may mean that there is none."""


class StoppedError(Exception):
    """Work stopped in the middle, because of its cause; says what is done by then."""

    def __init__(
        self, account: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(account)
        self.account = account
        """For people."""
        self.facts: Mapping[str, Any] = facts or {}
        """The same for machines."""


def guarded(work: Callable[[], int], ending: Ending | None = None) -> int:
    """The exit code of some work; what goes wrong becomes a line on standard error."""
    ending = Ending() if ending is None else ending
    received: list[int] = []
    try:
        with _sigterm_as_sigint(received):
            return work()
    except StoppedError as stopped:
        error, so_far = stopped.__cause__ or stopped, stopped
    except (KeyboardInterrupt, errors.NectarError, OSError) as failure:
        error, so_far = failure, StoppedError()
    is_term = isinstance(error, KeyboardInterrupt) and bool(received)
    return _End(error, so_far, ending, is_term).told()


def complain(problem: str, hint: str = "", notes: Sequence[str] = ()) -> None:
    """One line on standard error, and further ones where they help."""
    sys.stderr.write(f"error: {problem}\n")
    sys.stderr.writelines(f"note: {one}\n" for one in notes)
    if hint:
        sys.stderr.write(f"hint: {hint}\n")


def notes_of(error: BaseException) -> list[str]:
    """What was added to an error on its way, each on one line."""
    return [" ".join(one.split()) for one in getattr(error, "__notes__", ())]


@frozen
class _End:
    """The end of work that did not go well."""

    error: BaseException
    so_far: StoppedError
    ending: Ending
    is_term: bool

    def told(self) -> Exit:
        """Say it, and give the exit code."""
        error = self.error
        if os.environ.get("NECTAR_DEBUG", "") not in {"", "0"}:
            traceback.print_exception(error)
        if isinstance(error, BrokenPipeError):
            _drop_stdout()
            return Exit.PIPE_CLOSED
        is_known = isinstance(error, KeyboardInterrupt | errors.NectarError | OSError)
        if not is_known:
            raise error
        if not (self.ending.as_json and self.ending.is_to_stderr):
            self._tell_people()
        if self.ending.as_json:
            out = sys.stderr if self.ending.is_to_stderr else sys.stdout
            facts = {**self.so_far.facts, "error": self._facts()}
            out.write(f"{json.dumps(facts, default=str)}\n")
        return self._code()

    def _tell_people(self) -> None:
        account = self.so_far.account
        if isinstance(self.error, KeyboardInterrupt):
            end = f": {account}" if account else ""
            sys.stderr.write(f"interrupted{end}\n")
            return
        complain(self._words(), self._hint(), notes_of(self.error))
        if account:
            sys.stderr.write(f"so far: {account}\n")

    def _code(self) -> Exit:
        error = self.error
        if isinstance(error, KeyboardInterrupt):
            return Exit.TERMINATED if self.is_term else Exit.INTERRUPTED
        if isinstance(error, errors.PermissionDeniedError) and self.ending.is_about_one:
            return Exit.FAILED
        return _nearest(_CODES, error) or Exit.FAILED

    def _words(self) -> str:
        error = self.error
        if isinstance(error, OSError) and not isinstance(error, errors.NectarError):
            what = error.strerror or str(error) or type(error).__name__
            return f"{error.filename}: {what}" if error.filename else what
        words = " ".join(str(error).split())
        kinds = errors.InvalidArgumentError | errors.ConfigurationError
        return in_shell(words) if isinstance(error, kinds) else words

    def _hint(self) -> str:
        error = self.error
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return _PORT_TAKEN
        if isinstance(error, errors.NotFoundError) and error.status:
            is_odd = error.operation in _WITHOUT_ID or error.body[:1] != "{"
            return _OTHER_SERVER if is_odd else ""
        if isinstance(error, errors.PermissionDeniedError) and self.ending.is_about_one:
            return _NOT_THERE
        return _nearest(_HINTS, error) or ""

    def _facts(self) -> dict[str, Any]:
        """The error for machines."""
        error = self.error
        if isinstance(error, KeyboardInterrupt):
            signal_name = "SIGTERM" if self.is_term else "SIGINT"
            return {"type": "Interrupted", "message": f"interrupted by {signal_name}"}
        facts: dict[str, Any] = {
            "type": type(error).__name__,
            "message": self._words(),
            "hint": self._hint() or None,
            "notes": notes_of(error),
        }
        if isinstance(error, errors.NectarError):
            facts |= {
                "operation": error.operation,
                "page": error.page,
                "cursor": error.cursor,
                "status": getattr(error, "status", None),
            }
        return facts


def _nearest(table: Mapping[type[BaseException], T], error: BaseException) -> T | None:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


def _drop_stdout() -> None:
    """Keep Python from complaining that it cannot flush when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def _sigterm_as_sigint(received: list[int]) -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does, with its file and its child in order."""

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
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
