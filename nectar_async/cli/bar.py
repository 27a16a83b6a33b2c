"""A file on its way, to look at: on standard error, if that is a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Column

__all__ = ["Bar"]

_BAR_WIDTH = 20

# Columns that stand beside the words: bar, size and speed; or the time.
_MEASURES = _BAR_WIDTH + 32
_CLOCK = 12
_LEAST_WORDS = 10


class Bar:
    """How far one file is. It counts also where nobody looks."""

    def __init__(self, words: str, *, is_wanted: bool) -> None:
        self.done: int = 0
        """Bytes that are there, or were sent."""
        console = Console(stderr=True)
        self._is_shown = is_wanted and console.is_terminal
        self._progress = Progress(
            _words_column(console, beside=_MEASURES),
            BarColumn(bar_width=_BAR_WIDTH),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
            # The file may be standard output, and errors are said when this is over.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(escape(words), total=None)

    def __enter__(self) -> Self:
        if self._is_shown:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_shown:
            self._progress.stop()

    def move(self, done: int, size: int | None) -> None:
        """So many bytes of so many; None where nobody knows how many."""
        self.done = done
        self._progress.update(self._task, completed=done, total=size)

    def wait(self, words: str) -> None:
        """The file is where it goes; what is waited for now is nothing to measure."""
        words_column = _words_column(self._progress.console, beside=_CLOCK)
        self._progress.columns = (SpinnerColumn(), words_column, TimeElapsedColumn())
        self._progress.reset(self._task, description=escape(words))


def _words_column(console: Console, *, beside: int) -> TextColumn:
    """Words on one line; where what is beside them leaves no room, their end is cut."""
    room = max(_LEAST_WORDS, console.width - beside)
    one_line = Column(no_wrap=True, overflow="ellipsis", max_width=room)
    return TextColumn("{task.description}", table_column=one_line)
