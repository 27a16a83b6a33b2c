"""A file of JSON lines that never holds part of a line."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from nectar_async.cli.terminal import check_stdout

__all__ = ["STDOUT", "JsonLinesFile"]

STDOUT: Final = Path("-")
"""The path that stands for standard output."""

_PRIVATE_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


class JsonLinesFile:
    """A file of lines, or standard output, whose last line is always complete.

    Writes are not buffered, so written lines survive a crash. An existing file keeps
    its content until the first write or `begin`, so a failed pull destroys nothing.

    Args:
        path: the path of the file; `STDOUT` for standard output.
        is_private: whether only the owner of the file may read it.
    """

    def __init__(self, path: Path, *, is_private: bool = False) -> None:
        self.path = path
        self._mode = _PRIVATE_MODE if is_private else _PUBLIC_MODE
        self.size: int = 0
        """Number of bytes written."""
        self._descriptor = -1
        self._is_new = False
        self._has_begun = False

    @property
    def name(self) -> str:
        """The path, or "standard output"."""
        return "standard output" if self.path == STDOUT else str(self.path)

    @property
    def is_written(self) -> bool:
        """Whether the old content was replaced, if only by an empty file."""
        return self._has_begun

    def __enter__(self) -> Self:
        if self.path == STDOUT:
            check_stdout()
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
            OSError: the lines cannot be written; then none of them is in the file.
        """
        self.begin()
        try:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            if error.errno != errno.EPIPE:
                error.filename = self.name
            self._truncate()
            raise
        self.size += len(block)

    def begin(self) -> None:
        """Replace the old content by an empty file; only the first call does this."""
        if not self._has_begun:
            self._has_begun = True
            self._truncate()
            self._restrict_access()

    def _truncate(self) -> None:
        """Remove lines that were not written completely, if this is a regular file."""
        if self.path != STDOUT and self._is_regular():
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)

    def _restrict_access(self) -> None:
        """Set the mode of a private file that existed before with a wider mode."""
        if self._mode == _PRIVATE_MODE and self.path != STDOUT and self._is_regular():
            self.path.chmod(_PRIVATE_MODE)

    def _is_regular(self) -> bool:
        return stat.S_ISREG(os.fstat(self._descriptor).st_mode)
