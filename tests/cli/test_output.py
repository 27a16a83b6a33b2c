"""How commands end."""

from __future__ import annotations

import errno
import json
import signal

import pytest

from nectar_async.cli.output import Ending, Exit, NoKeyError, StoppedError, guarded
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


def raising(error: BaseException, cause: BaseException | None = None) -> int:
    def work() -> int:
        raise error from cause

    return guarded(work)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), Exit.USAGE),
        (InvalidArgumentError("x"), Exit.USAGE),
        (AuthenticationError("x"), Exit.REFUSED),
        (PermissionDeniedError("x"), Exit.REFUSED),
        (NoKeyError("x"), Exit.USAGE),
        (ConnectionFailedError("x"), Exit.UNREACHABLE),
        (AttemptTimeoutError("x"), Exit.UNREACHABLE),
        (NotFoundError("x"), Exit.FAILED),
        (DecodeError("x"), Exit.FAILED),
    ],
)
def test_each_error_has_its_code_and_its_line(
    error: Exception, code: Exit, capsys: Capture
) -> None:
    assert raising(error) is code
    assert capsys.readouterr().err.startswith("error: x\n")


def test_a_403_for_one_thing_may_mean_that_it_is_not_there(capsys: Capture) -> None:
    def work() -> int:
        raise PermissionDeniedError("x", status=403)

    assert guarded(work, Ending(is_about_one=True)) is Exit.FAILED
    assert "also for what is not there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("connection_owner_email is no e-mail", "--owner is no e-mail"),
        ("sites[1] is empty", "--site is empty"),
        ("file ends in none (file_name= gives it another)", "FILE ends in none"),
        ("files are many", "files are many"),
    ],
)
def test_arguments_are_called_as_in_the_shell(
    said: str, told: str, capsys: Capture
) -> None:
    raising(InvalidArgumentError(said))
    assert capsys.readouterr().err == f"error: {told}\n"


def test_machines_are_told_of_an_interrupt_and_of_what_was_done(
    capsys: Capture,
) -> None:
    def work() -> int:
        raise StoppedError("3 records", {"records": 3}) from KeyboardInterrupt()

    assert guarded(work, Ending(as_json=True)) is Exit.INTERRUPTED
    said = capsys.readouterr()
    assert said.err == "interrupted: 3 records\n"
    assert json.loads(said.out) == {
        "records": 3,
        "error": {"type": "Interrupted", "message": "interrupted by SIGINT"},
    }


def test_an_error_of_many_lines_becomes_one(capsys: Capture) -> None:
    raising(NotFoundError("first\n  second"))
    assert capsys.readouterr().err == "error: first second\n"


def test_what_was_added_to_an_error_stands_below_it(capsys: Capture) -> None:
    error = NotFoundError("x")
    error.add_note("not tried again:\n the budget")

    def work() -> int:
        raise error

    assert guarded(work, Ending(as_json=True)) is Exit.FAILED
    said = capsys.readouterr()
    assert said.err == "error: x\nnote: not tried again: the budget\n"
    assert json.loads(said.out)["error"]["notes"] == ["not tried again: the budget"]


def test_a_full_disk_names_the_file(capsys: Capture) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "usage.jsonl")
    assert raising(StoppedError("3 records"), full) is Exit.FAILED
    assert capsys.readouterr().err == (
        "error: usage.jsonl: No space left on device\nso far: 3 records\n"
    )


def test_an_interrupt_says_what_is_there(capsys: Capture) -> None:
    assert raising(StoppedError("3 records"), KeyboardInterrupt()) is Exit.INTERRUPTED
    assert raising(KeyboardInterrupt()) is Exit.INTERRUPTED
    assert capsys.readouterr().err == "interrupted: 3 records\ninterrupted\n"


@pytest.mark.parametrize(
    "interrupt", [signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"]
)
def test_sigterm_interrupts_and_is_handed_back(
    interrupt: signal.Handlers, capsys: Capture
) -> None:
    def work() -> int:
        signal.raise_signal(signal.SIGTERM)
        return Exit.OK

    former = signal.signal(signal.SIGINT, interrupt)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert guarded(work) is Exit.TERMINATED
    finally:
        signal.signal(signal.SIGINT, former)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_mistake_of_the_program_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        raising(StoppedError(), ZeroDivisionError())
