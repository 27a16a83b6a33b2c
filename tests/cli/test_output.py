"""Exit codes and error messages of commands."""

from __future__ import annotations

import errno
import json
import signal

import pytest

from nectar_async.cli.output import (
    ErrorOutput,
    ExitCode,
    MissingKeyError,
    UnfinishedError,
    run_guarded,
)
from nectar_async.errors import (
    AttemptTimeoutError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
)

Capture = pytest.CaptureFixture[str]


def run_raising(error: BaseException, cause: BaseException | None = None) -> int:
    def work() -> int:
        raise error from cause

    return run_guarded(work)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), ExitCode.USAGE),
        (InvalidArgumentError("x"), ExitCode.USAGE),
        (AuthenticationError("x"), ExitCode.REFUSED),
        (PermissionDeniedError("x"), ExitCode.REFUSED),
        (MissingKeyError("x"), ExitCode.USAGE),
        (ConnectionFailedError("x"), ExitCode.UNREACHABLE),
        (AttemptTimeoutError("x"), ExitCode.UNREACHABLE),
        (NotFoundError("x"), ExitCode.FAILED),
        (DecodeError("x"), ExitCode.FAILED),
    ],
)
def test_each_error_has_an_exit_code_and_a_message(
    error: Exception, code: ExitCode, capsys: Capture
) -> None:
    assert run_raising(error) is code
    assert capsys.readouterr().err.startswith("error: x\n")


def test_a_403_for_a_single_item_hints_at_a_wrong_id(capsys: Capture) -> None:
    def work() -> int:
        raise PermissionDeniedError("x", status=403)

    assert run_guarded(work, ErrorOutput(is_single_item=True)) is ExitCode.FAILED
    assert "403 for an id that does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("connection_owner_email is no e-mail", "--owner is no e-mail"),
        ("sites[1] is empty", "--site is empty"),
        ("companies must be between 1 and 9", "--companies must be between 1 and 9"),
        ("file ends in none (file_name= gives it another)", "FILE ends in none"),
        ("files are many", "files are many"),
    ],
)
def test_arguments_in_messages_are_named_as_options(
    message: str, printed: str, capsys: Capture
) -> None:
    run_raising(InvalidArgumentError(message))
    assert capsys.readouterr().err == f"error: {printed}\n"


def test_an_interrupt_is_reported_as_json_with_the_progress(
    capsys: Capture,
) -> None:
    def work() -> int:
        raise UnfinishedError("3 records", {"records": 3}) from KeyboardInterrupt()

    assert run_guarded(work, ErrorOutput(as_json=True)) is ExitCode.INTERRUPTED
    printed = capsys.readouterr()
    assert printed.err == "interrupted: 3 records\n"
    assert json.loads(printed.out) == {
        "records": 3,
        "error": {"type": "Interrupted", "message": "interrupted by SIGINT"},
    }


def test_an_error_of_several_lines_is_printed_on_one(capsys: Capture) -> None:
    run_raising(NotFoundError("first\n  second"))
    assert capsys.readouterr().err == "error: first second\n"


def test_notes_of_an_error_are_printed_below_it(capsys: Capture) -> None:
    error = NotFoundError("x")
    error.add_note("not tried again:\n the budget")

    def work() -> int:
        raise error

    assert run_guarded(work, ErrorOutput(as_json=True)) is ExitCode.FAILED
    printed = capsys.readouterr()
    assert printed.err == "error: x\nnote: not tried again: the budget\n"
    assert json.loads(printed.out)["error"]["notes"] == ["not tried again: the budget"]


def test_a_full_disk_is_an_error_that_names_the_file(capsys: Capture) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "usage.jsonl")
    assert run_raising(UnfinishedError("3 records"), full) is ExitCode.FAILED
    assert capsys.readouterr().err == (
        "error: usage.jsonl: No space left on device\nso far: 3 records\n"
    )


def test_an_interrupt_prints_the_progress(capsys: Capture) -> None:
    assert (
        run_raising(UnfinishedError("3 records"), KeyboardInterrupt())
        is ExitCode.INTERRUPTED
    )
    assert run_raising(KeyboardInterrupt()) is ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "interrupted: 3 records\ninterrupted\n"


@pytest.mark.parametrize(
    "interrupt",
    [signal.default_int_handler, signal.SIG_IGN],
    ids=["default", "ignored"],
)
def test_sigterm_interrupts_and_its_handler_is_restored(
    interrupt: signal.Handlers, capsys: Capture
) -> None:
    def work() -> int:
        signal.raise_signal(signal.SIGTERM)
        return ExitCode.OK

    former = signal.signal(signal.SIGINT, interrupt)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run_guarded(work) is ExitCode.TERMINATED
    finally:
        signal.signal(signal.SIGINT, former)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_bug_is_not_reported_as_an_error_message() -> None:
    with pytest.raises(ZeroDivisionError):
        run_raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run_raising(UnfinishedError(), ZeroDivisionError())
