"""Where the bytes of an upload come from: memory, a file, or a stream."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Callable
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, Self

import anyio
import anyio.to_thread

from nectar_async._http.cancellation import run_in_thread, run_to_end
from nectar_async.errors import InvalidArgumentError

__all__ = ["BytesSource", "FileSource", "Source", "StreamSource", "of_file"]

CHUNK: Final = 256 * 1024
"""The most that is held at once."""
_HEAD: Final = 8  # as long as the longest magic number

# A file that is closed, or was opened to be written, says so with a ValueError.
_UNREADABLE: Final = (OSError, ValueError)


class Source(Protocol):
    """Bytes that can be read from an offset on."""

    name: str
    """What it is called; may be empty."""
    size: int | None
    can_resend: bool

    async def head(self) -> bytes:
        """The first bytes, eight or more if there are as many."""
        ...

    async def read(self, offset: int) -> bytes:
        """Some bytes from an offset on; none at the end."""
        ...

    def pdf_file(self) -> Callable[[], BinaryIO] | None:
        """What opens the same bytes a second time, beside this one."""
        ...

    async def aclose(self) -> None:
        """Close what was opened here."""
        ...


class BytesSource:
    """Bytes in memory. A bytearray cannot be resized until it is closed."""

    can_resend = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        self._view = (view if view.c_contiguous else memoryview(bytes(view))).cast("B")
        self._data = data if isinstance(data, bytes) else self._view
        self.name = ""
        self.size: int | None = self._view.nbytes

    async def head(self) -> bytes:
        """The first bytes."""
        return await self.read(0)

    async def read(self, offset: int) -> bytes:
        """A copy of the next bytes, so that they are no view on what may change."""
        return bytes(self._view[offset : offset + CHUNK])

    def pdf_file(self) -> Callable[[], BinaryIO]:
        """A file over the same bytes."""
        return partial(io.BytesIO, self._data)

    async def aclose(self) -> None:
        """Let a bytearray go."""
        self._data = b""
        self._view.release()


class FileSource:
    """A file that can be sought: at a path, or open and the caller's.

    Every read seeks first and is alone: what an attempt that was given up still reads
    cannot move the file under the next attempt.
    """

    can_resend = True

    def __init__(
        self, file: Any, *, name: str, size: int, start: int, path: Path | None
    ) -> None:
        self._file = file
        self._start = start
        self._path = path
        self._lock = anyio.Lock()
        self.name = name
        self.size: int | None = size

    @classmethod
    async def at(cls, path: str | os.PathLike[str]) -> Self:
        """The file at a path; it is closed by `aclose`.

        Raises:
            InvalidArgumentError: it is not there, no regular file, or not readable.
        """
        opened: list[tuple[io.FileIO, int]] = []
        try:
            await run_in_thread(lambda: opened.append(_open(path)))
        except BaseException:
            # Cancelled while it was opened.
            for file, _ in opened:
                file.close()
            raise
        file, size = opened[0]
        here = Path(path)
        return cls(file, name=here.name, size=size, start=0, path=here)

    async def head(self) -> bytes:
        """The first bytes."""
        return await self.read(0)

    async def read(self, offset: int) -> bytes:
        """The next bytes.

        Raises:
            InvalidArgumentError: the file cannot be read any more, or gives text.
        """
        try:
            async with self._lock:
                await _call(self._file.seek, self._start + offset)
                chunk = await _call(self._file.read, CHUNK)
        except _UNREADABLE as error:
            raise _unreadable(error) from error
        return _bytes(chunk)

    def pdf_file(self) -> Callable[[], BinaryIO] | None:
        """The file at the path again; an open file is left alone."""
        path = self._path
        return None if path is None else lambda: path.open("rb")

    async def aclose(self) -> None:
        """Close the file, if it was opened here."""
        if self._path is not None:
            # Also when the caller is being cancelled.
            await run_to_end(partial(anyio.to_thread.run_sync, self._file.close))


class StreamSource:
    """An async stream: it comes once, and nobody knows how long it is."""

    can_resend = False

    def __init__(self, stream: AsyncIterable[bytes], name: str = "") -> None:
        self._stream = aiter(stream)
        self._held = b""
        self.name = name
        self.size: int | None = None

    async def head(self) -> bytes:
        """The first bytes; they stay to be read."""
        while len(self._held) < _HEAD:
            chunk = await self._next()
            if not chunk:
                break
            self._held += chunk
        return self._held

    async def read(self, _: int) -> bytes:
        """The next bytes, which are those at the offset: a stream does not go back."""
        held = self._held or await self._next()
        self._held = held[CHUNK:]
        return held[:CHUNK]

    def pdf_file(self) -> None:
        """Nothing: its pages cannot be counted before they are sent."""

    async def aclose(self) -> None:
        """Nothing: the stream is the caller's."""

    async def _next(self) -> bytes:
        async for chunk in self._stream:
            if chunk:
                return _bytes(chunk)
        return b""


async def of_file(file: Any) -> Source:
    """What an open file is: one that can be sought, or a stream.

    It is read from where it stands.
    """
    given = next(
        (
            name
            for name in (getattr(file, word, None) for word in ("filename", "name"))
            if isinstance(name, str)
        ),
        "",
    )
    if not (hasattr(file, "seekable") and hasattr(file, "tell")):
        return StreamSource(_Reads(file), given)
    try:
        if not await _call(file.seekable):
            return StreamSource(_Reads(file), given)
        start = await _call(file.tell)
        end = await _call(file.seek, 0, os.SEEK_END)
    except _UNREADABLE as error:
        raise _unreadable(error) from error
    return FileSource(
        file, name=given, size=max(0, end - start), start=start, path=None
    )


class _Reads:
    """A file that cannot be sought, as the chunks that reading it gives."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await _call(self._file.read, CHUNK)
        except _UNREADABLE as error:
            raise _unreadable(error) from error
        if not chunk:
            raise StopAsyncIteration
        return _bytes(chunk)


async def _call(method: Callable[..., Any], *arguments: object) -> Any:
    """What a method of a file gives; a plain one may block, so it has a thread."""
    if iscoroutinefunction(method):
        return await method(*arguments)
    answer = await run_in_thread(partial(method, *arguments))
    return await answer if isawaitable(answer) else answer


def _open(path: str | os.PathLike[str]) -> tuple[io.FileIO, int]:
    """The file and its size; what is no regular file is not even opened."""
    try:
        is_regular = stat.S_ISREG(Path(path).stat().st_mode)
        file = io.FileIO(path) if is_regular else None
    except FileNotFoundError:
        raise InvalidArgumentError(
            f"file does not exist: {os.fspath(path)!r}; check the path"
        ) from None
    except _UNREADABLE as error:
        raise _unreadable(error) from error
    if file is None:
        raise InvalidArgumentError(
            f"file is no regular file: {os.fspath(path)!r}; pass the path of one"
        )
    return file, os.fstat(file.fileno()).st_size


def _bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    raise InvalidArgumentError(
        f"file gives {type(chunk).__name__}, not bytes; open it as binary ('rb')"
    )


def _unreadable(error: Exception) -> InvalidArgumentError:
    words = getattr(error, "strerror", None)
    if words is None:
        said = str(error).rstrip(".")
        return InvalidArgumentError(
            f"file cannot be read: {said}; pass one that is open to be read"
        )
    return InvalidArgumentError(
        f"file cannot be read: {words}; check the path and who may read it"
    )
