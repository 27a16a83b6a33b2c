"""Standard streams of the command: always open, and only with text fit to be shown."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Final

import rich.markup
import typer
from rich.console import Console

from nectar_async._text import make_one_line, make_printable

__all__ = [
    "build_console",
    "check_stdout",
    "discard_stdout",
    "echo",
    "escape",
    "prepare_streams",
]

_STANDARD_DESCRIPTORS: Final = range(3)


def prepare_streams() -> None:
    """Open the standard streams that are closed, and escape unprintable characters.

    A socket that gets the descriptor of a closed stream would receive its output, and
    uvloop aborts the process. Characters that an encoding lacks are written as escapes.
    """
    for descriptor in _STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # opens the lowest free one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8", closefd=False))
        elif isinstance(stream, TextIOWrapper) and mode == "w":
            stream.reconfigure(errors="backslashreplace")


def check_stdout() -> None:
    """Check that standard output was open when the command began.

    Raises:
        OSError: it was closed, so that data would be lost.
    """
    if sys.__stdout__ is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard output")


def discard_stdout() -> None:
    """Send the rest of standard output to the null device.

    Otherwise Python complains at exit that it cannot flush it.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    # A stream without a descriptor needs nothing.
    with suppress(OSError, ValueError):
        os.dup2(null, sys.stdout.fileno())
    os.close(null)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text on standard output, or on standard error."""
    typer.echo(make_printable(text), err=err)


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
