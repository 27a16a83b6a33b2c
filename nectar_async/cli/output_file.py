"""The file of a command, which replaces the old one only when it is complete."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from nectar_async.cli.terminal import check_stdout

__all__ = ["STDOUT", "OutputFile"]

STDOUT: Final = Path("-")
"""The path that stands for standard output."""

_PRIVATE_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


class OutputFile:
    """A file that is written as `FILE.partial`, until `commit` gives it its name.

    Without `commit`, an old file stays as it was, and the partial file stays beside it.
    Writes are not buffered, so what is written survives a crash. Standard output,
    devices and pipes are written directly.

    Args:
        path: the path of the file; `STDOUT` for standard output. A link is followed.
        is_private: whether only the owner of the file may read it.
    """

    def __init__(self, path: Path, *, is_private: bool = False) -> None:
        self.path = path
        self.is_private = is_private
        self.size: int = 0
        """Number of bytes written."""
        self.is_committed: bool = False
        """Whether the file is complete and has its name."""
        self._target = path
        self._is_direct = True
        self._descriptor = -1

    @property
    def name(self) -> str:
        """The path, or "standard output"."""
        return "standard output" if self.path == STDOUT else str(self.path)

    @property
    def partial(self) -> Path | None:
        """The path of the partial file, if something was written and not committed."""
        is_partial = not (self._is_direct or self.is_committed) and self.size > 0
        return self._partial_path if is_partial else None

    @property
    def is_written(self) -> bool:
        """Whether the content has the name of the file, or was written directly."""
        return self.is_committed or (self._is_direct and self.size > 0)

    @property
    def _partial_path(self) -> Path:
        return self._target.with_name(f"{self._target.name}.partial")

    def __enter__(self) -> Self:
        if self.path == STDOUT:
            check_stdout()
            self._descriptor = sys.stdout.fileno()
            return self
        if self.path.is_symlink():
            self._target = Path(os.path.realpath(self.path))
        if self._target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self.name)
        self._is_direct = self._target.exists() and not self._target.is_file()
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0)
        if self._is_direct:
            self._descriptor = os.open(self._target, flags)
            return self
        if self._target.exists() and not os.access(self._target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.name)
        mode = _PRIVATE_MODE if self.is_private else _PUBLIC_MODE
        flags |= os.O_CREAT | os.O_TRUNC
        try:
            self._descriptor = os.open(self._partial_path, flags, mode)
        except OSError as error:
            error.filename = self.name
            raise
        if self.is_private:
            self._partial_path.chmod(_PRIVATE_MODE)  # an older one may be readable
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
        if not (self._is_direct or self.is_committed or self.size):
            self._partial_path.unlink(missing_ok=True)

    def write(self, block: bytes) -> None:
        """Append a block, such as whole lines.

        Raises:
            OSError: it cannot be written; then none of it is in the file.
        """
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

    def commit(self) -> None:
        """Give the complete file its name; it keeps the permissions of the old one."""
        self.is_committed = True
        if self._is_direct:
            return
        if self._target.exists() and not self.is_private:
            self._partial_path.chmod(stat.S_IMODE(self._target.stat().st_mode))
        self._partial_path.replace(self._target)

    def _truncate(self) -> None:
        """Remove a block that was not written completely, if this is a regular file."""
        if not self._is_direct:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
