"""The destination of a download: a path, written through a `.part` file, or a sink."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from nectar_async._files.partial_file import (
    PartialFile,
    PartialState,
    check_part_path,
    to_part_path,
)
from nectar_async._files.validators import Validators
from nectar_async._http.callbacks import run_callback
from nectar_async._http.cancellation import run_in_thread
from nectar_async.errors import InvalidArgumentError

__all__ = [
    "PathDestination",
    "Sink",
    "SinkDestination",
    "build_destination",
    "to_safe_name",
    "to_unique_name",
]

# Characters that a file system forbids in names, and names that Windows takes for
# devices.
_FORBIDDEN: Final = frozenset('<>:"|?*')
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL"}
    | {f"{kind}{digit}" for kind in ("COM", "LPT") for digit in "123456789¹²³"}
)
# File systems allow 255 bytes, and `.part.json` is added to the name.
_MAX_NAME_BYTES: Final = 240
# Another download may use names with these endings.
_RESERVED_SUFFIXES: Final = (".part", ".part.json")

_RANDOM_VERSION: Final = 4
"""The version of random UUIDs."""
_ID_PREFIX: Final = 8
_MAX_ID: Final = 64

# The paths to which downloads of this process write at present.
_in_use: set[Path] = set()


@runtime_checkable
class Sink(Protocol):
    """An object that takes a file piece by piece: an open file, a `BytesIO`, ..."""

    def write(self, data: bytes, /) -> Any:
        """Write some bytes; may be `async`."""
        ...


class SinkDestination:
    """Writes to a sink, where written bytes cannot be replaced."""

    path: Path | None = None
    can_restart = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()

    @asynccontextmanager
    async def reserve(
        self, file_name: str | None, document_id: str
    ) -> AsyncIterator[None]:
        """Do nothing: a sink is the caller's."""
        del file_name, document_id
        yield

    async def begin(self, document_id: str) -> PartialState:
        """Return an empty state: a sink cannot continue an earlier download."""
        del document_id
        return PartialState()

    async def has_written(self, data: bytes) -> bool:
        """Whether the bytes written to the sink so far are exactly `data`."""
        digest = self._digest.digest()
        return await run_in_thread(lambda: hashlib.sha256(data).digest() == digest)

    async def write(self, offset: int, data: bytes, validators: Validators) -> None:
        """Write bytes at the end of the sink; the other arguments are ignored."""
        del offset, validators  # a sink is always written at its end
        await run_in_thread(self._digest.update, data)
        if not isinstance(self._sink, io.IOBase):
            await run_callback(self._sink.write, data)
            return
        # An open file may block, and a raw one may write less than it was passed.
        written = 0
        while written < len(data):
            chunk = data[written:] if written else data
            count = await run_callback(run_in_thread, self._sink.write, chunk)
            is_raw = isinstance(self._sink, io.RawIOBase)
            written += (count or 0) if is_raw else len(chunk)

    async def finish(self, size: int) -> None:
        """Do nothing: flushing and closing are up to the caller."""


class PathDestination:
    """Writes to a path, through its partial file."""

    can_restart = True

    def __init__(
        self, path: Path, *, file: Path, absolute: Path, is_folder: bool
    ) -> None:
        self._target = path
        self._file = file
        """The file to write; `path` may be a link to it."""
        self._absolute = absolute  # an argument, because to resolve a path blocks
        self._is_folder = is_folder
        self.path: Path = path
        self._part: PartialFile

    @asynccontextmanager
    async def reserve(
        self, file_name: str | None, document_id: str
    ) -> AsyncIterator[None]:
        """Choose the path, and reserve it for this download.

        Raises:
            InvalidArgumentError: another download of this process writes there.
        """
        if not self._is_folder:
            with _lock_path(self._absolute):
                yield
            return
        name = to_safe_name(file_name, document_id)
        unique = to_unique_name(name, document_id)
        # Locked before it is checked, so that no other download creates it in between.
        if self._absolute / name not in _in_use:
            with _lock_path(self._absolute / name):
                if await run_in_thread(
                    _is_free, self._absolute / name, self._absolute / unique
                ):
                    self.path = self._file = self._target / name
                    yield
                    return
        with _lock_path(self._absolute / unique):
            self.path = self._file = self._target / unique
            yield

    async def begin(self, document_id: str) -> PartialState:
        """Continue the partial file of an earlier download of the document."""
        self._part = PartialFile(self._file, document_id)
        return await run_in_thread(self._part.begin)

    async def write(self, offset: int, data: bytes, validators: Validators) -> None:
        """Write at an offset; at offset 0, the old content is removed."""
        await run_in_thread(self._part.write, offset, data, validators)

    async def finish(self, size: int) -> None:
        """Flush the bytes to the disk, and rename the file to its path."""
        await run_in_thread(self._part.finish, size)


async def build_destination(target: object) -> PathDestination | SinkDestination:
    """Check a target, and build its destination.

    Raises:
        InvalidArgumentError: nothing can be written there.
    """
    if isinstance(target, str | os.PathLike):
        try:
            return await run_in_thread(_check_path, os.fspath(target))
        except OSError as error:
            raise InvalidArgumentError(
                f"target cannot be written: {error.strerror}: {str(target)!r}"
            ) from error
    if isinstance(target, Sink):
        return SinkDestination(target)
    raise InvalidArgumentError(
        f"target must be a path or have write(bytes), not {type(target).__name__}"
    )


def to_safe_name(file_name: str | None, document_id: str) -> str:
    """Convert the file name of a document to one that is safe on every system."""
    for name in (file_name or "", f"{document_id}.pdf"):
        # No folders, no hidden files, no invisible characters.
        base = name.replace("\\", "/").rpartition("/")[2]
        safe = "".join(
            "_" if character in _FORBIDDEN else character
            for character in base
            if unicodedata.category(character)[0] != "C"
        ).strip(" .")
        if safe.lower().endswith(_RESERVED_SUFFIXES):
            safe += "_"
        stem, dot, suffix = safe.rpartition(".")
        if not dot:
            stem, suffix = suffix, ""
        # On Windows, `CON.tar.gz` is still a device name: only the first part counts.
        if safe.partition(".")[0].rstrip().upper() in _DEVICES:
            stem = f"_{stem}"
        room = _MAX_NAME_BYTES - len((dot + suffix).encode())
        stem = stem.encode()[: max(room, 0)].decode("utf-8", "ignore")
        if stem and room > 0:
            return f"{stem}{dot}{suffix}"
    return "document.pdf"


def to_unique_name(name: str, document_id: str) -> str:
    """Add the id of a document to its file name.

    The first digits of a random id are enough to tell it from others; an id that counts
    or begins with the time is added as a whole.
    """
    try:
        is_random = UUID(document_id).version == _RANDOM_VERSION
    except ValueError:
        is_random = False
    mark = document_id[: _ID_PREFIX if is_random else _MAX_ID]
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    tail = f"-{to_safe_name(mark.replace('/', '_'), 'document')}{dot}{suffix}"
    room = max(0, _MAX_NAME_BYTES - len(tail.encode()))
    return stem.encode()[:room].decode("utf-8", "ignore") + tail


@contextmanager
def _lock_path(path: Path) -> Iterator[None]:
    """Keep other downloads of this process from writing to a path.

    Raises:
        InvalidArgumentError: another download writes there.
    """
    if path in _in_use:
        raise InvalidArgumentError(
            f"target is being written by another download: {str(path)!r}; wait for"
            " it, or pass another path"
        )
    _in_use.add(path)
    try:
        yield
    finally:
        _in_use.discard(path)


def _is_free(path: Path, unique: Path) -> bool:
    """Whether a download can use a path instead of its unique name.

    It can if there is nothing at the path, and no earlier download of the document used
    the unique name.
    """
    paths = (path, unique, to_part_path(unique))
    return not any(map(os.path.lexists, paths))


def _check_path(text: str | bytes) -> PathDestination:
    if isinstance(text, bytes) or "\0" in text or not text:
        raise InvalidArgumentError(
            f"target is no path: {text!r}; pass a str or a pathlib.Path"
        )
    path = Path(text)
    is_folder = path.is_dir()
    # A link to a file stays a link: the file behind it is written.
    is_link = path.is_symlink() and not is_folder
    if is_link:
        with suppress(FileNotFoundError):
            path.stat()  # fails for links in a circle, which `realpath` accepts
    file = Path(os.path.realpath(path)) if is_link else path
    if not is_folder and text.endswith(("/", os.sep)):
        raise InvalidArgumentError(f"target is no folder: {text!r}; create it first")
    if not is_folder and not file.parent.is_dir():
        raise InvalidArgumentError(
            f"target is in a folder that does not exist: {str(file.parent)!r}; create"
            " it first"
        )
    if path.exists() and not is_folder and not stat.S_ISREG(path.stat().st_mode):
        raise InvalidArgumentError(
            f"target is no regular file: {text!r}; pass another path"
        )
    if not is_folder:
        check_part_path(file)
    return PathDestination(
        path, file=file, absolute=file.absolute(), is_folder=is_folder
    )
