"""The file that a pull writes: JSON lines, whole ones only."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = ["LineFile"]

STDOUT = Path("-")

_PRIVATE: Final = 0o600


class LineFile:
    """A file of lines; whatever ends the program, its last line is complete.

    Nothing is buffered here, so what was written is there. A file that exists keeps its
    content until `begin` or the first block: a pull that gets nothing destroys nothing.
    A private one nobody but its owner may read.
    """

    def __init__(self, path: Path, *, is_private: bool = False) -> None:
        self.path = path
        self._mode = _PRIVATE if is_private else 0o644
        self.size: int = 0
        """Bytes that were written."""
        self._descriptor = -1
        self._is_new = False
        self._has_begun = False

    @property
    def name(self) -> str:
        """What to call it."""
        return "standard output" if self.path == STDOUT else str(self.path)

    @property
    def is_written(self) -> bool:
        """Whether its content is new, if only by being empty."""
        return self._has_begun

    def __enter__(self) -> Self:
        if self.path == STDOUT:
            self._descriptor = sys.stdout.fileno()
        else:
            self._is_new = not self.path.exists()
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, self._mode)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.path == STDOUT:
            return
        os.close(self._descriptor)
        if self._is_new and not self._has_begun:
            self.path.unlink(missing_ok=True)

    def write(self, block: bytes) -> None:
        """Append whole lines.

        Raises:
            OSError: it cannot be written; the lines are not in the file then.
        """
        self.begin()
        try:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            if error.errno != errno.EPIPE:
                error.filename = self.name
            self._cut()
            raise
        self.size += len(block)

    def begin(self) -> None:
        """Empty the file, once."""
        if not self._has_begun:
            self._has_begun = True
            self._cut()
            self._shut_others_out()

    def _cut(self) -> None:
        """Take a torn line back, where that can be done."""
        if self.path != STDOUT and self._is_regular():
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)

    def _shut_others_out(self) -> None:
        """Before the first line: the file may be an older one, that all may read."""
        if self._mode == _PRIVATE and self.path != STDOUT and self._is_regular():
            self.path.chmod(_PRIVATE)

    def _is_regular(self) -> bool:
        return stat.S_ISREG(os.fstat(self._descriptor).st_mode)
