"""Where a download goes: to a path, by way of a `.part` file, or to a sink."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from nectar_async._files.partial_file import Part, Rest, check_part, part_of
from nectar_async._files.validators import Validators
from nectar_async._http.cancellation import run_in_thread
from nectar_async.errors import InvalidArgumentError

__all__ = ["PathTarget", "Sink", "SinkTarget", "own_name", "safe_name", "target_of"]

# What some file system forbids in a name, and what some system takes for a device.
_FORBIDDEN: Final = frozenset('<>:"|?*')
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL"}
    | {f"{kind}{digit}" for kind in ("COM", "LPT") for digit in "123456789¹²³"}
)
_MOST_NAME_BYTES: Final = 240  # of the usual 255, with room for `.part.json`
_OURS: Final = (".part", ".part.json")  # may be what is there of another download

_RANDOM: Final = 4
"""The version of a UUID that is random."""
_MARK: Final = 8
_LONGEST_MARK: Final = 64

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
        self._digest = hashlib.sha256()

    @asynccontextmanager
    async def reserved(
        self, file_name: str | None, document_id: str
    ) -> AsyncIterator[None]:
        """Nothing to reserve."""
        del file_name, document_id
        yield

    async def begin(self, document_id: str) -> Rest:
        """A sink starts with nothing."""
        del document_id
        return Rest()

    async def has(self, data: bytes) -> bool:
        """Whether these are the bytes that it was given."""
        given = self._digest.digest()
        return await run_in_thread(lambda: hashlib.sha256(data).digest() == given)

    async def write(self, offset: int, data: bytes, validators: Validators) -> None:
        """Give it the next bytes."""
        del offset, validators  # a sink is always at its end
        await run_in_thread(self._digest.update, data)
        if not isinstance(self._sink, io.IOBase):
            answer = self._sink.write(data)
            if isawaitable(answer):
                await answer
            return
        # An open file may block, and a raw one may take less than it is given.
        given = 0
        while given < len(data):
            rest = data[given:] if given else data
            taken = await run_in_thread(self._sink.write, rest)
            is_raw = isinstance(self._sink, io.RawIOBase)
            given += (taken or 0) if is_raw else len(rest)

    async def finish(self, size: int) -> None:
        """What it holds is for the caller to know."""


class PathTarget:
    """A path, by way of its `.part`."""

    can_restart = True

    def __init__(self, path: Path, *, absolute: Path, is_folder: bool) -> None:
        self._given = path
        self._absolute = absolute  # asking for the working directory blocks
        self._is_folder = is_folder
        self.path: Path = path
        self._part: Part

    @asynccontextmanager
    async def reserved(
        self, file_name: str | None, document_id: str
    ) -> AsyncIterator[None]:
        """Decide on the path, and have it for this download alone.

        Raises:
            InvalidArgumentError: another download of this process writes there.
        """
        if not self._is_folder:
            with _held(self._absolute):
                yield
            return
        name = safe_name(file_name, document_id)
        own = own_name(name, document_id)
        # First held, then looked for: nobody else can make it in between.
        if self._absolute / name not in _in_use:
            with _held(self._absolute / name):
                if await run_in_thread(
                    _is_free, self._absolute / name, self._absolute / own
                ):
                    self.path = self._given / name
                    yield
                    return
        with _held(self._absolute / own):
            self.path = self._given / own
            yield

    async def begin(self, document_id: str) -> Rest:
        """What is there of the document from an earlier time."""
        self._part = Part(self.path, document_id)
        return await run_in_thread(self._part.begin)

    async def write(self, offset: int, data: bytes, validators: Validators) -> None:
        """Write at an offset; the first byte of all replaces what is there."""
        await run_in_thread(self._part.write, offset, data, validators)

    async def finish(self, size: int) -> None:
        """Have the bytes on the disk, and the file under its name."""
        await run_in_thread(self._part.finish, size)


async def target_of(target: object) -> PathTarget | SinkTarget:
    """What a target is.

    Raises:
        InvalidArgumentError: nothing can be written there.
    """
    if isinstance(target, str | os.PathLike):
        try:
            return await run_in_thread(_looked_at, os.fspath(target))
        except OSError as error:
            raise InvalidArgumentError(
                f"target cannot be written: {error.strerror}: {str(target)!r}"
            ) from error
    if isinstance(target, Sink):
        return SinkTarget(target)
    raise InvalidArgumentError(
        f"target must be a path or have write(bytes), not {type(target).__name__}"
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
        ).strip(" .")
        if seen.lower().endswith(_OURS):
            seen += "_"
        stem, dot, suffix = seen.rpartition(".")
        if not dot:
            stem, suffix = suffix, ""
        # A device is one whatever stands behind its first dot.
        if seen.partition(".")[0].rstrip().upper() in _DEVICES:
            stem = f"_{stem}"
        room = _MOST_NAME_BYTES - len((dot + suffix).encode())
        stem = stem.encode()[: max(room, 0)].decode("utf-8", "ignore")
        if stem and room > 0:
            return f"{stem}{dot}{suffix}"
    return "document.pdf"


def own_name(name: str, document_id: str) -> str:
    """The name of a document where another file has that name already.

    Of an id that is random throughout, the first digits tell it from any other; of one
    that counts, or begins with the time, all of it is needed.
    """
    try:
        is_random = UUID(document_id).version == _RANDOM
    except ValueError:
        is_random = False
    mark = document_id[: _MARK if is_random else _LONGEST_MARK]
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    tail = f"-{safe_name(mark.replace('/', '_'), 'document')}{dot}{suffix}"
    room = max(0, _MOST_NAME_BYTES - len(tail.encode()))
    return stem.encode()[:room].decode("utf-8", "ignore") + tail


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """A path that no other download of this process writes to."""
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


def _is_free(path: Path, own: Path) -> bool:
    """Whether a document may have a path: nothing is there, nor under its own name."""
    return not any(map(os.path.lexists, (path, own, part_of(own))))


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
    if not is_folder:
        check_part(path)
    return PathTarget(path, absolute=path.absolute(), is_folder=is_folder)
