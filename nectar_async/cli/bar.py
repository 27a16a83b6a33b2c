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
    TextColumn,
    TransferSpeedColumn,
)

__all__ = ["Bar"]


class Bar:
    """How far one file is. It counts also where nobody looks."""

    def __init__(self, words: str, *, is_wanted: bool) -> None:
        self.done: int = 0
        """Bytes that are there, or were sent."""
        console = Console(stderr=True)
        self._is_shown = is_wanted and console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
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

    def say(self, words: str) -> None:
        """What happens now."""
        self._progress.update(self._task, description=escape(words))
