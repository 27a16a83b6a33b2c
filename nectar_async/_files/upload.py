"""Upload a file: check that the API accepts it, and read it in chunks.

Paths, seekable files and bytes have a size and can be sent again; streams can be read
only once. No file is read into memory as a whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from os import PathLike
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, Self

from nectar_async._files.file_kind import MEDIA_TYPES, find_media_type
from nectar_async._files.pdf_pages import count_pages
from nectar_async._files.progress import ByteProgress
from nectar_async._files.upload_source import (
    BytesSource,
    FileSource,
    StreamSource,
    UploadSource,
    build_file_source,
)
from nectar_async._http.callbacks import run_callback
from nectar_async.errors import InvalidArgumentError

__all__ = ["MAX_BYTES", "MAX_PAGES", "Upload", "Uploadable"]

Uploadable = (
    str | PathLike[str] | bytes | bytearray | memoryview | AsyncIterable[bytes] | Any
)
"""A path, bytes, an open binary file (plain or async), or an async stream of bytes."""

MAX_BYTES: Final = 25 * 1024 * 1024
"""The upload guide says 25 MB; a megabyte may mean 2^20 bytes, so that is allowed."""
MAX_PAGES: Final = 150

_EXTENSIONS: Final = ", ".join(MEDIA_TYPES)

_PDF: Final = MEDIA_TYPES[".pdf"]
_KINDS: Final = {
    _PDF: ("PDF", "document.pdf"),
    MEDIA_TYPES[".png"]: ("PNG", "document.png"),
    MEDIA_TYPES[".jpg"]: ("JPEG", "document.jpg"),
}
"""The name of each media type, and the file name of files that have none."""


class Upload:
    """A file that the API accepts, open inside its `async with`.

    Args:
        file: the file, see `Uploadable`.
        file_name: its name for the API; by default the name of the path, otherwise one
            with the extension that the first bytes show.

    Raises:
        InvalidArgumentError: on entering: the API would not accept the file.
    """

    def __init__(self, file: Uploadable, file_name: str | None = None) -> None:
        self._file = file
        self._file_name = file_name
        self._source: UploadSource
        self.name = ""
        """Its name for the API."""
        self.content_type = ""
        """Its media type, by its first bytes."""

    async def __aenter__(self) -> Self:
        self._source = await _build_source(self._file)
        try:
            await self._check()
        except BaseException:
            await self._source.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._source.aclose()

    @property
    def size(self) -> int | None:
        """The size of the file in bytes; None for a stream, whose size is unknown."""
        return self._source.size

    @property
    def can_resend(self) -> bool:
        """Whether the file can be read a second time; a stream cannot."""
        return self._source.can_resend

    def chunks(self, on_progress: ByteProgress | None = None) -> AsyncIterator[bytes]:
        """Iterate over the file from its beginning.

        The iterator raises `InvalidArgumentError` if the file has become larger or
        smaller, or if a stream is too large.

        Args:
            on_progress: is called before each further chunk, with the bytes that were
                read and the size (None for a stream).
        """
        return _Chunks(self._source, on_progress)

    async def _check(self) -> None:
        size = self._source.size
        if size is not None and size > MAX_BYTES:
            raise _build_size_error(f"has {size:,} bytes")
        head = await self._source.head()
        if not head:
            raise InvalidArgumentError("file is empty; pass one that contains a bill")
        media_type = find_media_type(head)
        self.name = self._choose_name(media_type)
        self.content_type = _check_kind(self.name, media_type)
        opener = self._source.pdf_opener() if media_type == _PDF else None
        pages = await count_pages(opener)
        if pages is not None and pages > MAX_PAGES:
            raise InvalidArgumentError(
                f"file has {pages} pages; the API accepts {MAX_PAGES} at most: split it"
            )

    def _choose_name(self, media_type: str | None) -> str:
        file_name = self._file_name
        if file_name is not None and not isinstance(file_name, str):
            raise InvalidArgumentError(
                f"file_name must be text, not {type(file_name).__name__}"
            )
        # The last part of a path, of Windows too.
        name = file_name or self._source.name
        name = name.replace("\\", "/").rpartition("/")[2].strip()
        if PurePath(name).suffix.lower() in MEDIA_TYPES:
            return name
        if name:
            argument = "file_name" if file_name else "file"
            raise InvalidArgumentError(
                f"{argument} ends in none of {_EXTENSIONS}: {name!r}; the API accepts"
                " no other kinds (file_name= sets another name)"
            )
        if media_type is None:
            raise _build_kind_error("file")
        _, default_name = _KINDS[media_type]
        return default_name


def _check_kind(name: str, media_type: str | None) -> str:
    """Check that a file is of the kind that its name says; return the media type."""
    if media_type is None:
        raise _build_kind_error(repr(name))
    expected = MEDIA_TYPES[PurePath(name).suffix.lower()]
    if media_type != expected:
        kind, suggested = _KINDS[media_type]
        raise InvalidArgumentError(
            f"{name!r} is a {kind} by its first bytes; pass file_name= with the"
            f" extension {PurePath(suggested).suffix}"
        )
    return media_type


def _build_kind_error(name: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{name} does not begin like a PDF, PNG or JPEG; the API accepts no other kinds"
    )


async def _build_source(file: object) -> UploadSource:
    """Build the source for a path, bytes, an open file or an async stream."""
    if isinstance(file, str | PathLike):
        return await FileSource.open(file)
    if isinstance(file, bytes | bytearray | memoryview):
        return BytesSource(file)
    if hasattr(file, "read"):
        return await build_file_source(file)
    if isinstance(file, AsyncIterable):
        return StreamSource(file)
    raise InvalidArgumentError(
        "file must be a path, bytes, an open binary file or an async stream of bytes,"
        f" not {type(file).__name__}"
    )


class _Chunks:
    """Iterates over the chunks of a source, and checks their size."""

    def __init__(self, source: UploadSource, on_progress: ByteProgress | None) -> None:
        self._source = source
        self._on_progress = on_progress
        self._done = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        size = self._source.size
        if self._done:
            await run_callback(self._on_progress, self._done, size)
        chunk = await self._source.read(self._done)
        done = self._done + len(chunk)
        if size is None and done > MAX_BYTES:
            raise _build_size_error("has more than that")
        # Compared before the chunk is sent, so that no byte too many is sent.
        if size is not None and (done > size or (not chunk and done < size)):
            now = "more" if done > size else f"{done:,}"
            raise InvalidArgumentError(
                f"file changed while it was sent: it had {size:,} bytes and has {now}"
                " now; nothing was submitted: send it again when it is complete"
            )
        self._done = done
        if not chunk:
            raise StopAsyncIteration
        return chunk


def _build_size_error(words: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"file is too large: the API accepts {MAX_BYTES:,} bytes (25 MB) and it"
        f" {words}; split it, or scan with a lower resolution"
    )
