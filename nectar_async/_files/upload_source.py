"""Sources of the bytes of an upload: memory, a file, or a stream."""

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

from nectar_async._files.file_kind import HEAD
from nectar_async._http.cancellation import close_in_thread, run_in_thread
from nectar_async.errors import InvalidArgumentError

__all__ = [
    "BytesSource",
    "FileSource",
    "StreamSource",
    "UploadSource",
    "build_file_source",
]

CHUNK: Final = 256 * 1024
"""The size of the largest chunk."""

# A file that is closed, or was opened for writing, raises ValueError.
_UNREADABLE: Final = (OSError, ValueError)


class UploadSource(Protocol):
    """The content of an upload, which is read chunk by chunk from an offset on."""

    name: str
    """The name of the file; may be empty."""
    size: int | None
    """The size in bytes; None if it is not known."""
    can_resend: bool
    """Whether it can be read a second time."""

    async def head(self) -> bytes:
        """Read the first bytes: at least `HEAD`, if there are as many."""
        ...

    async def read(self, offset: int) -> bytes:
        """Read a chunk from an offset on; empty at the end of the content."""
        ...

    def pdf_opener(self) -> Callable[[], BinaryIO] | None:
        """Return a function that opens the same bytes a second time.

        None if they cannot be opened again.
        """
        ...

    async def aclose(self) -> None:
        """Close what the source has opened."""
        ...


class BytesSource:
    """Bytes in memory. A bytearray cannot be resized until the source is closed."""

    can_resend = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        self._view = (view if view.c_contiguous else memoryview(bytes(view))).cast("B")
        self._data = data if isinstance(data, bytes) else self._view
        self.name = ""
        self.size: int | None = self._view.nbytes

    async def head(self) -> bytes:
        """Read the first bytes."""
        return await self.read(0)

    async def read(self, offset: int) -> bytes:
        """Copy the next bytes, so that later changes of the buffer do not matter."""
        return bytes(self._view[offset : offset + CHUNK])

    def pdf_opener(self) -> Callable[[], BinaryIO]:
        """Get a function that opens the same bytes as a file."""
        return partial(io.BytesIO, self._data)

    async def aclose(self) -> None:
        """Release the buffer."""
        self._data = b""
        self._view.release()


class FileSource:
    """A seekable file, opened from a path or by the caller.

    Every read seeks first, under a lock, so that a late read of an attempt that was
    abandoned cannot move the position of the next attempt.
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
    async def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the file at a path; `aclose` closes it.

        Raises:
            InvalidArgumentError: there is no regular file, or it is not readable.
        """
        opened: list[tuple[io.FileIO, int]] = []
        try:
            await run_in_thread(lambda: opened.append(_open(path)))
        except BaseException:
            # The call was cancelled while the thread opened the file.
            for file, _ in opened:
                file.close()
            raise
        file, size = opened[0]
        file_path = Path(path)
        return cls(file, name=file_path.name, size=size, start=0, path=file_path)

    async def head(self) -> bytes:
        """Read the first bytes."""
        return await self.read(0)

    async def read(self, offset: int) -> bytes:
        """Read the next bytes.

        Raises:
            InvalidArgumentError: the file cannot be read any more, or returns text.
        """
        try:
            async with self._lock:
                await _call(self._file.seek, self._start + offset)
                chunk = await _call(self._file.read, CHUNK)
        except _UNREADABLE as error:
            raise _build_read_error(error) from error
        return _to_bytes(chunk)

    def pdf_opener(self) -> Callable[[], BinaryIO] | None:
        """Return a function that opens the path again.

        None if the caller passed an open file.
        """
        path = self._path
        return None if path is None else lambda: path.open("rb")

    async def aclose(self) -> None:
        """Close the file, if it was opened from a path."""
        if self._path is not None:
            # Completes also when the caller is cancelled.
            await close_in_thread(self._file.close)


class StreamSource:
    """An async stream, which can be read once and has no known size."""

    can_resend = False

    def __init__(self, stream: AsyncIterable[bytes], name: str = "") -> None:
        self._stream = aiter(stream)
        self._buffer = b""
        self.name = name
        self.size: int | None = None

    async def head(self) -> bytes:
        """Read the first bytes, and keep them for `read`."""
        while len(self._buffer) < HEAD:
            chunk = await self._next()
            if not chunk:
                break
            self._buffer += chunk
        return self._buffer

    async def read(self, _: int) -> bytes:
        """Read the next bytes; a stream is always read in order."""
        buffer = self._buffer or await self._next()
        self._buffer = buffer[CHUNK:]
        return buffer[:CHUNK]

    def pdf_opener(self) -> None:
        """Return None: the pages of a stream cannot be counted before it is sent."""

    async def aclose(self) -> None:
        """Do nothing: the stream is the caller's."""

    async def _next(self) -> bytes:
        async for chunk in self._stream:
            if chunk:
                return _to_bytes(chunk)
        return b""


async def build_file_source(file: Any) -> UploadSource:
    """Build the source for an open file, which may be seekable or not.

    The file is read from its present position.
    """
    file_name = next(
        (
            name
            for name in (getattr(file, key, None) for key in ("filename", "name"))
            if isinstance(name, str)
        ),
        "",
    )
    if not (hasattr(file, "seekable") and hasattr(file, "tell")):
        return StreamSource(_ReadChunks(file), file_name)
    try:
        if not await _call(file.seekable):
            return StreamSource(_ReadChunks(file), file_name)
        start = await _call(file.tell)
        end = await _call(file.seek, 0, os.SEEK_END)
    except _UNREADABLE as error:
        raise _build_read_error(error) from error
    return FileSource(
        file, name=file_name, size=max(0, end - start), start=start, path=None
    )


class _ReadChunks:
    """Iterates over the chunks of a file that is not seekable."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await _call(self._file.read, CHUNK)
        except _UNREADABLE as error:
            raise _build_read_error(error) from error
        if not chunk:
            raise StopAsyncIteration
        return _to_bytes(chunk)


async def _call(method: Callable[..., Any], *arguments: object) -> Any:
    """Call a method of a file; in a thread if it is not async, because it may block."""
    if iscoroutinefunction(method):
        return await method(*arguments)
    result = await run_in_thread(partial(method, *arguments))
    return await result if isawaitable(result) else result


def _open(path: str | os.PathLike[str]) -> tuple[io.FileIO, int]:
    """Open a file that must be a regular one, and get its size."""
    try:
        is_regular = stat.S_ISREG(Path(path).stat().st_mode)
        file = io.FileIO(path) if is_regular else None
    except FileNotFoundError:
        raise InvalidArgumentError(
            f"file does not exist: {os.fspath(path)!r}; check the path"
        ) from None
    except _UNREADABLE as error:
        raise _build_read_error(error) from error
    if file is None:
        raise InvalidArgumentError(
            f"file is no regular file: {os.fspath(path)!r}; pass the path of one"
        )
    return file, os.fstat(file.fileno()).st_size


def _to_bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    raise InvalidArgumentError(
        f"file returns {type(chunk).__name__}, not bytes; open it as binary ('rb')"
    )


def _build_read_error(error: Exception) -> InvalidArgumentError:
    reason = getattr(error, "strerror", None)
    if reason is None:
        message = str(error).rstrip(".")
        return InvalidArgumentError(
            f"file cannot be read: {message}; pass one that is open for reading"
        )
    return InvalidArgumentError(
        f"file cannot be read: {reason}; check the path and its permissions"
    )
