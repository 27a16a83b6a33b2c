"""Standard streams of the command: always open, and only with text fit to be shown."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, Final, TextIO

import rich.markup
import typer
from rich.console import Console

from nectar_async._text import make_one_line, make_printable

__all__ = [
    "StdoutError",
    "build_console",
    "check_stdout",
    "discard_stdout",
    "echo",
    "escape",
    "prepare_streams",
]

_STANDARD_DESCRIPTORS: Final = range(3)


class StdoutError(OSError):
    """Standard output cannot take the output; a closed pipe is a `BrokenPipeError`."""


def prepare_streams() -> None:
    """Open the standard streams that are closed, and escape unprintable characters.

    A socket that gets the descriptor of a closed stream would receive its output, and
    uvloop aborts the process. Characters that an encoding lacks are written as escapes.
    Standard output raises a `StdoutError` where it fails, also where it was closed.
    """
    for descriptor in _STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # opens the lowest free one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # What is written to a read-only file fails, as it does on a closed stream.
            flags = os.O_RDONLY if name == "stdout" else os.O_RDWR
            null = os.open(os.devnull, flags)
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8", closefd=False))
        elif isinstance(stream, TextIOWrapper) and mode == "w":
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = _name_errors(sys.stdout)


def check_stdout() -> None:
    """Check that standard output was open when the command began.

    Raises:
        StdoutError: it was closed, so that data would be lost.
    """
    if sys.__stdout__ is None:
        raise _build_stdout_error(errno.EBADF)


def discard_stdout() -> None:
    """Send the rest of standard output to the null device.

    Otherwise Python complains at exit that it cannot flush it.
    """
    _discard(sys.stdout)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text on standard output, or on standard error.

    A standard error that takes no text is ignored: there is nowhere to report it, and
    the exit code still says how the command ended.

    Raises:
        OSError: standard output cannot take the text.
    """
    try:
        typer.echo(make_printable(text), err=err)
    except OSError:
        if not err:
            raise
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    # A stream without a descriptor needs nothing.
    with suppress(OSError, ValueError):
        os.dup2(null, stream.fileno())
    os.close(null)


class _Stdout(FileIO):
    """Standard output, whose errors say that they are about it."""

    def write(self, data: Any, /) -> int:
        """Write some bytes.

        Raises:
            BrokenPipeError: the reader of the pipe closed it.
            StdoutError: the bytes cannot be written for another reason.
        """
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _build_stdout_error(error.errno or errno.EIO) from None


def _name_errors(stream: TextIO) -> TextIO:
    """Return a stream for standard output whose errors are `StdoutError`."""
    buffer = getattr(stream, "buffer", None)
    if type(getattr(buffer, "raw", buffer)) is not FileIO:
        return stream  # a Windows console, or no file at all
    stream.flush()
    return TextIOWrapper(
        BufferedWriter(_Stdout(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.isatty(),
    )


def _build_stdout_error(number: int) -> StdoutError:
    reason = os.strerror(number) + " (it is closed)" * (number == errno.EBADF)
    return StdoutError(number, reason, "standard output")


class _TextConsole(Console):
    """A console that lets the command decide what to do when the pipe is closed."""

    def on_broken_pipe(self) -> None:
        """Raise the error; the method of the base class exits with 1."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def build_console(*, stderr: bool = False) -> Console:
    """Build a console that replaces no `:name:` by an emoji."""
    return _TextConsole(stderr=stderr, emoji=False)


def escape(text: str) -> str:
    """Convert a text of a server to markup that shows it on one line as it is."""
    return rich.markup.escape(make_one_line(text))
