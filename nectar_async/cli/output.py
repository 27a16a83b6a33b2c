"""Exit codes, error messages, and the wording of counts, the same for every command."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import Any, Final, TypeVar

from attrs import frozen

from nectar_async import errors
from nectar_async.cli.terminal import StdoutError, discard_stdout, echo

__all__ = [
    "EXIT_CODES",
    "ErrorOutput",
    "ExitCode",
    "MissingKeyError",
    "UnfinishedError",
    "allow_lost_report",
    "count_noun",
    "flush_output",
    "print_error",
    "print_error_facts",
    "read_notes",
    "run_guarded",
]

T = TypeVar("T")


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    """The code of a program that SIGPIPE ended."""
    TERMINATED = 143


EXIT_CODES: Final[Mapping[ExitCode, str]] = {
    ExitCode.OK: "success",
    ExitCode.FAILED: "a failure, even if only for some companies, or a full or closed"
    " stdout",
    ExitCode.USAGE: "a wrong option, argument or setting, or no API key",
    ExitCode.REFUSED: "the API refused the key (401, or 403 for every company)",
    ExitCode.UNREACHABLE: "the server cannot be reached or does not answer",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.PIPE_CLOSED: "the reader of a pipe closed it",
    ExitCode.TERMINATED: "terminated by SIGTERM",
}
"""The meaning of each exit code, for the help."""


class MissingKeyError(errors.ConfigurationError):
    """The environment has no API key."""


# The entry of the nearest base class of an error counts.
_CODES: Final[Mapping[type[BaseException], ExitCode]] = {
    Exception: ExitCode.FAILED,
    errors.ConfigurationError: ExitCode.USAGE,
    errors.InvalidArgumentError: ExitCode.USAGE,
    errors.AuthenticationError: ExitCode.REFUSED,
    errors.PermissionDeniedError: ExitCode.REFUSED,
    errors.ConnectionFailedError: ExitCode.UNREACHABLE,
    errors.AttemptTimeoutError: ExitCode.UNREACHABLE,
}

_HINTS: Final[Mapping[type[BaseException], str]] = {
    MissingKeyError: "export NECTAR_API_KEY=...; `nectar demo` needs no key",
    errors.AuthenticationError: "check NECTAR_API_KEY: it is wrong, was revoked, or"
    " belongs to another NECTAR_BASE_URL",
    errors.ConnectionFailedError: "check NECTAR_BASE_URL and the network connection",
    errors.MaintenanceError: "the API is under maintenance; try again later",
}
_WRONG_SERVER_HINT: Final = (
    "the answer does not look like one of the Nectar API; check NECTAR_BASE_URL"
)
# The API never answers these with 404, and its error bodies are JSON objects.
_NEVER_NOT_FOUND: Final = frozenset({"companies_list", "ping_get"})
_FORBIDDEN_HINT: Final = (
    "the API also answers 403 for an id that does not exist; check the id"
)
_PORT_HINT: Final = "--port 0 takes a free port"

# Names of the library's arguments at the start of a message, and the options of the
# command line that set them.
_OPTIONS: Final = {
    "clock_speed": "--clock-speed",
    "companies": "--companies",
    "company_id": "COMPANY_ID",
    "connection_owner_email": "--owner",
    "datasource_type": "--datasource-type",
    "date_type": "--date-type",
    "document_id": "DOCUMENT_ID",
    "end_date": "--end",
    "file": "FILE",
    "identifier": "--identifier",
    "job_id": "JOB_ID",
    "latency": "--latency",
    "max_concurrency": "--concurrency",
    "site_id": "--site",
    "sites": "--site",
    "start_date": "--start",
    "status": "--status",
    "target": "PATH",
    "timeout": "--timeout",
}
_ARGUMENT: Final = re.compile(rf"^({'|'.join(_OPTIONS)})(\[\d+\])?(?= )")
# Advice that only a Python program can follow.
_PYTHON_ADVICE: Final = re.compile(r" \(file_name= .*\)$")


@frozen(kw_only=True)
class ErrorOutput:
    """The form in which a command reports errors."""

    as_json: bool = False
    """Whether one JSON object is printed, also for an error."""
    is_to_stderr: bool = False
    """Whether standard output carries data. The JSON object is then all that is printed
    on standard error."""
    is_single_item: bool = False
    """Whether the command asks for one item only, so that 403 may mean a wrong id."""


class UnfinishedError(Exception):
    """Work stopped early; `__cause__` is the error that stopped it.

    Args:
        summary: what is done so far, for people.
        facts: the same as values for JSON.
    """

    def __init__(
        self, summary: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.facts: Mapping[str, Any] = facts or {}


def run_guarded(work: Callable[[], int], output: ErrorOutput | None = None) -> int:
    """Run the work of a command and return the exit code.

    Errors of the library and of the system become messages on standard error. Other
    exceptions are bugs and pass through.
    """
    output = ErrorOutput() if output is None else output
    sigterms: list[int] = []
    try:
        with _sigterm_as_sigint(sigterms):
            return work()
    except UnfinishedError as unfinished:
        error, so_far = unfinished.__cause__ or unfinished, unfinished
    except (KeyboardInterrupt, errors.NectarError, OSError) as failure:
        error, so_far = failure, UnfinishedError()
    is_sigterm = isinstance(error, KeyboardInterrupt) and bool(sigterms)
    return _ErrorReport(error, so_far, output, is_sigterm).write()


def flush_output(code: int) -> int:
    """Write the rest of the output at the end of a command; return the exit code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _report_lost_output(error, code)
    return code


def print_error_facts(
    facts: Mapping[str, Any], code: int, *, is_to_stderr: bool = False
) -> int:
    """Print the JSON object of an error that has this exit code; return the exit code.

    Args:
        facts: the object.
        code: the exit code of the error. It is kept if standard output fails.
        is_to_stderr: whether the object is printed on standard error.
    """
    try:
        echo(json.dumps(facts, default=str), err=is_to_stderr)
    except OSError as error:
        return _report_lost_output(error, code)
    return code


@contextmanager
def allow_lost_report() -> Iterator[None]:
    """Let a command whose result is in a file succeed without its report.

    A full standard output is reported. A closed one is not: who closes it wants no
    report.
    """
    try:
        yield
    except StdoutError as error:
        discard_stdout()
        if error.errno != errno.EBADF:
            echo(f"the report is lost: {_describe_os_error(error)}", err=True)


def _report_lost_output(error: OSError, code: int) -> int:
    """Print that standard output failed, and return the exit code."""
    discard_stdout()
    if isinstance(error, BrokenPipeError):
        return ExitCode.PIPE_CLOSED
    print_error(_describe_os_error(error))
    return code or ExitCode.FAILED


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def print_error(problem: str, hint: str = "", notes: Sequence[str] = ()) -> None:
    """Print an error, its notes and a hint on standard error, one line each."""
    lines = [f"error: {problem}", *(f"note: {note}" for note in notes)]
    if hint:
        lines.append(f"hint: {hint}")
    for line in lines:
        echo(line, err=True)


def read_notes(error: BaseException) -> list[str]:
    """Read the notes that were added to an error, each as one line."""
    return [" ".join(note.split()) for note in getattr(error, "__notes__", ())]


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Format a count with its noun: `1 company`, `1,000 records`."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


@frozen
class _ErrorReport:
    """The report on the error that ended a command."""

    error: BaseException
    so_far: UnfinishedError
    output: ErrorOutput
    is_sigterm: bool

    def write(self) -> int:
        """Write the report and return the exit code."""
        error = self.error
        if os.environ.get("NECTAR_DEBUG", "") not in {"", "0"}:
            traceback.print_exception(error)
        if isinstance(error, BrokenPipeError):
            discard_stdout()
            return ExitCode.PIPE_CLOSED
        if not isinstance(error, KeyboardInterrupt | errors.NectarError | OSError):
            raise error
        as_json, is_to_stderr = self.output.as_json, self.output.is_to_stderr
        if not (as_json and is_to_stderr):
            self._write_text()
        code = self._find_exit_code()
        if isinstance(error, StdoutError):
            discard_stdout()
        if not as_json:
            return code
        facts = {**self.so_far.facts, "error": self._build_facts()}
        return print_error_facts(facts, code, is_to_stderr=is_to_stderr)

    def _write_text(self) -> None:
        summary = self.so_far.summary
        if isinstance(self.error, KeyboardInterrupt):
            suffix = f": {summary}" if summary else ""
            echo(f"interrupted{suffix}", err=True)
            return
        print_error(self._build_message(), self._find_hint(), read_notes(self.error))
        if summary:
            echo(f"so far: {summary}", err=True)

    def _find_exit_code(self) -> ExitCode:
        error, is_single_item = self.error, self.output.is_single_item
        if isinstance(error, KeyboardInterrupt):
            return ExitCode.TERMINATED if self.is_sigterm else ExitCode.INTERRUPTED
        if isinstance(error, errors.PermissionDeniedError) and is_single_item:
            return ExitCode.FAILED
        return _find_nearest(_CODES, error) or ExitCode.FAILED

    def _build_message(self) -> str:
        error = self.error
        if isinstance(error, OSError) and not isinstance(error, errors.NectarError):
            return _describe_os_error(error)
        message = " ".join(str(error).split())
        if isinstance(error, errors.InvalidArgumentError | errors.ConfigurationError):
            return _name_options(message)
        return message

    def _find_hint(self) -> str:
        error, is_single_item = self.error, self.output.is_single_item
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return _PORT_HINT
        if isinstance(error, errors.NotFoundError) and error.status:
            is_json = error.body[:1] == "{"
            is_foreign = error.operation in _NEVER_NOT_FOUND or not is_json
            return _WRONG_SERVER_HINT if is_foreign else ""
        if isinstance(error, errors.PermissionDeniedError) and is_single_item:
            return _FORBIDDEN_HINT
        return _find_nearest(_HINTS, error) or ""

    def _build_facts(self) -> dict[str, Any]:
        """Build the JSON form of the error."""
        error = self.error
        if isinstance(error, KeyboardInterrupt):
            signal_name = "SIGTERM" if self.is_sigterm else "SIGINT"
            return {"type": "Interrupted", "message": f"interrupted by {signal_name}"}
        facts: dict[str, Any] = {
            "type": type(error).__name__,
            "message": self._build_message(),
            "hint": self._find_hint() or None,
            "notes": read_notes(error),
        }
        if isinstance(error, errors.NectarError):
            facts |= {
                "operation": error.operation,
                "page": error.page,
                "cursor": error.cursor,
                "status": getattr(error, "status", None),
            }
        return facts


def _find_nearest(
    table: Mapping[type[BaseException], T], error: BaseException
) -> T | None:
    """Find the entry for the nearest base class of an error."""
    return next((table[base] for base in type(error).__mro__ if base in table), None)


def _name_options(message: str) -> str:
    """Replace the name of an argument by the option that sets it."""
    renamed = _ARGUMENT.sub(lambda match: _OPTIONS[match[1]], message)
    return _PYTHON_ADVICE.sub("", renamed)


@contextmanager
def _sigterm_as_sigint(received: list[int]) -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that files are closed and child processes end.

    Args:
        received: gets the number of each SIGTERM.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        # By now this is the event loop's own handler, which cancels the main task.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    former = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
