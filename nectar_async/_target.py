"""Where a download goes: to a path, by way of a `.part` file, or to a sink."""

from __future__ import annotations

import io
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import anyio.to_thread

from nectar_async.errors import InvalidArgumentError

__all__ = ["PathTarget", "Sink", "SinkTarget", "safe_name", "target_of"]

_OVERLAP: Final = 64 * 1024
"""So much of a `.part` is asked for again and compared before it is gone on with."""

# What some file system forbids in a name, and what some system takes for a device.
_FORBIDDEN: Final = frozenset('<>:"|?*')
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL"}
    | {f"{kind}{digit}" for kind in ("COM", "LPT") for digit in range(1, 10)}
)
_MOST_NAME_BYTES: Final = 240  # of the usual 255, with room for `.part`

# Paths that a download of this process writes to right now.
_in_use: set[Path] = set()


@runtime_checkable
class Sink(Protocol):
    """What takes a file piece by piece: an open file, a BytesIO, anything like it."""

    def write(self, data: bytes, /) -> Any:
        """Take some bytes; may be `async`."""
        ...


class SinkTarget:
    """A sink: what was given to it cannot be taken back."""

    path: Path | None = None
    can_restart = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    @contextmanager
    def reserved(self, file_name: str | None, document_id: str) -> Iterator[None]:
        """Nothing to reserve."""
        del file_name, document_id
        yield

    async def begin(self) -> tuple[int, bytes]:
        """A sink starts with nothing."""
        return 0, b""

    async def write(self, offset: int, data: bytes) -> None:
        """Give it the next bytes."""
        del offset  # a sink is always at its end
        if not isinstance(self._sink, io.IOBase):
            answer = self._sink.write(data)
            if isawaitable(answer):
                await answer
            return
        # An open file may block, and a raw one may take less than it is given.
        given = 0
        while given < len(data):
            rest = data[given:] if given else data
            taken = await anyio.to_thread.run_sync(self._sink.write, rest)
            is_raw = isinstance(self._sink, io.RawIOBase)
            given += (taken or 0) if is_raw else len(rest)

    async def finish(self, size: int) -> int:
        """What it holds is for the caller to know."""
        return size


class PathTarget:
    """A path. Every write opens the `.part` and closes it, so nothing stays open."""

    can_restart = True

    def __init__(self, path: Path, *, absolute: Path, is_folder: bool) -> None:
        self._given = path
        self._absolute = absolute  # asking for the working directory blocks
        self._is_folder = is_folder
        self.path: Path = path

    @contextmanager
    def reserved(self, file_name: str | None, document_id: str) -> Iterator[None]:
        """Decide on the path, and have it for this download alone.

        Raises:
            InvalidArgumentError: another download of this process writes there.
        """
        mark = self._absolute
        if self._is_folder:
            name = safe_name(file_name, document_id)
            self.path, mark = self._given / name, mark / name
        if mark in _in_use:
            raise InvalidArgumentError(
                f"target is being written by another download: {str(mark)!r}; wait for"
                " it, or pass another path"
            )
        _in_use.add(mark)
        try:
            yield
        finally:
            _in_use.discard(mark)

    @property
    def part(self) -> Path:
        """Where the bytes are until all of them are there."""
        return self.path.with_name(f"{self.path.name}.part")

    async def begin(self) -> tuple[int, bytes]:
        """How many bytes are there from an earlier time, and the last of them."""
        return await anyio.to_thread.run_sync(_state, self.part)

    async def write(self, offset: int, data: bytes) -> None:
        """Write at an offset; the first byte of all replaces what is there."""
        await anyio.to_thread.run_sync(_write, self.part, offset, data)

    async def finish(self, size: int) -> int:
        """Have the bytes on the disk, and the file under its name if the size is right.

        Returns:
            The size that it has.
        """
        return await anyio.to_thread.run_sync(_finish, self.part, self.path, size)


async def target_of(target: object) -> PathTarget | SinkTarget:
    """What a target is.

    Raises:
        InvalidArgumentError: nothing can be written there.
    """
    if isinstance(target, str | os.PathLike):
        return await anyio.to_thread.run_sync(_looked_at, os.fspath(target))
    if isinstance(target, Sink):
        return SinkTarget(target)
    raise InvalidArgumentError(
        f"target is a path or has write(bytes), not {type(target).__name__}"
    )


def safe_name(file_name: str | None, document_id: str) -> str:
    """The name of a document as the name of a file, wherever that is."""
    for name in (file_name or "", f"{document_id}.pdf"):
        # Neither folders nor hidden files, nor characters that nobody sees.
        base = name.replace("\\", "/").rpartition("/")[2]
        seen = "".join(
            "_" if one in _FORBIDDEN else one
            for one in base
            if unicodedata.category(one)[0] != "C"
        )
        stem, dot, suffix = seen.strip(" .").rpartition(".")
        if not dot:
            stem, suffix = suffix, ""
        if stem.upper() in _DEVICES:
            stem = f"_{stem}"
        room = _MOST_NAME_BYTES - len((dot + suffix).encode())
        stem = stem.encode()[: max(room, 0)].decode("utf-8", "ignore")
        if stem and room > 0:
            return f"{stem}{dot}{suffix}"
    return "document.pdf"


def _looked_at(text: str | bytes) -> PathTarget:
    if isinstance(text, bytes) or "\0" in text or not text:
        raise InvalidArgumentError(f"target is no path: {text!r}")
    path = Path(text)
    is_folder = path.is_dir()
    if not is_folder and text.endswith(("/", os.sep)):
        raise InvalidArgumentError(f"target is no folder: {text!r}; make it first")
    if not is_folder and not path.parent.is_dir():
        raise InvalidArgumentError(
            f"target is in a folder that does not exist: {str(path.parent)!r}; make it"
            " first"
        )
    if path.exists() and not is_folder and not stat.S_ISREG(path.stat().st_mode):
        raise InvalidArgumentError(f"target is no regular file: {text!r}")
    return PathTarget(path, absolute=path.absolute(), is_folder=is_folder)


def _state(part: Path) -> tuple[int, bytes]:
    try:
        with part.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _OVERLAP))
            return size, file.read(_OVERLAP)
    except FileNotFoundError:
        return 0, b""


def _write(part: Path, offset: int, data: bytes) -> None:
    with part.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(data)


def _finish(part: Path, path: Path, size: int) -> int:
    with part.open("r+b") as file:
        found = os.fstat(file.fileno()).st_size
        if found != size:
            return found
        os.fsync(file.fileno())
    part.replace(path)
    return found
