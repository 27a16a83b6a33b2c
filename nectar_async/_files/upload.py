"""A file on its way to the API: what it is, and that it is one the API takes.

Paths, files that can be sought and bytes have a size and can be sent again; streams
come once. Nothing is held as a whole that was not in memory before.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from os import PathLike
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, Self

from nectar_async._files.pdf import count_pages
from nectar_async._files.progress import ByteProgress, tell
from nectar_async._files.upload_source import (
    BytesSource,
    FileSource,
    Source,
    StreamSource,
    of_file,
)
from nectar_async.errors import InvalidArgumentError

__all__ = ["MOST_BYTES", "MOST_PAGES", "Upload", "Uploadable"]

Uploadable = (
    str | PathLike[str] | bytes | bytearray | memoryview | AsyncIterable[bytes] | Any
)
"""A path, bytes, an open binary file (plain or async), or an async stream of bytes."""

MOST_BYTES: Final = 25 * 1024 * 1024
"""The upload guide says 25 MB; 2^20 is the larger reading of a megabyte."""
MOST_PAGES: Final = 150

_TYPES: Final = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_EXTENSIONS: Final = ", ".join(_TYPES)

# How files of the three kinds begin, and what one without a name is called.
_MAGIC: Final = (
    (b"%PDF-", "document.pdf"),
    (b"\x89PNG\r\n\x1a\n", "document.png"),
    (b"\xff\xd8\xff", "document.jpg"),
)


class Upload:
    """One file that was looked at and may be sent; open for as long as `async with`.

    Args:
        file: the file, see `Uploadable`.
        file_name: its name for the API; by default a path's own, and otherwise made up
            from the first bytes.

    Raises:
        InvalidArgumentError: on entering: it is none that the API takes.
    """

    def __init__(self, file: Uploadable, file_name: str | None = None) -> None:
        self._file = file
        self._given_name = file_name
        self._source: Source
        self.name = ""
        """How the API is told that it is called."""

    async def __aenter__(self) -> Self:
        self._source = await _source_of(self._file)
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
    def content_type(self) -> str:
        """The media type, by the extension."""
        return _TYPES[PurePath(self.name).suffix.lower()]

    @property
    def size(self) -> int | None:
        """Bytes; None for a stream, whose end nobody knows."""
        return self._source.size

    @property
    def can_resend(self) -> bool:
        """Whether it can be read from its beginning a second time."""
        return self._source.can_resend

    def chunks(self, on_progress: ByteProgress | None = None) -> AsyncIterator[bytes]:
        """The file from its beginning.

        Reading it raises `InvalidArgumentError` when it is not what it was: larger or
        smaller than its size, or a stream that turns out too large.

        Args:
            on_progress: is given the bytes that were taken and the size (None for a
                stream) whenever the next chunk is asked for.
        """
        return _Chunks(self._source, on_progress)

    async def _check(self) -> None:
        size = self._source.size
        if size is not None and size > MOST_BYTES:
            raise _too_large(f"has {size:,} bytes")
        head = await self._source.head()
        if not head:
            raise InvalidArgumentError("file is empty; pass one that holds a bill")
        self.name = self._named(head)
        is_pdf = self.content_type == _TYPES[".pdf"]
        pages = await count_pages(self._source.pdf_file() if is_pdf else None)
        if pages is not None and pages > MOST_PAGES:
            raise InvalidArgumentError(
                f"file has {pages} pages; the API takes {MOST_PAGES} at most: split it"
            )

    def _named(self, head: bytes) -> str:
        given = self._given_name
        if given is not None and not isinstance(given, str):
            raise InvalidArgumentError(
                f"file_name must be text, not {type(given).__name__}"
            )
        # The last part, whichever way the slashes lean.
        name = given or self._source.name
        name = name.replace("\\", "/").rpartition("/")[2].strip()
        if PurePath(name).suffix.lower() in _TYPES:
            return name
        if name:
            word = "file_name" if given else "file"
            raise InvalidArgumentError(
                f"{word} ends in none of {_EXTENSIONS}: {name!r}; the API takes no"
                " other kinds (file_name= gives a file another name)"
            )
        for magic, known in _MAGIC:
            if head.startswith(magic):
                return known
        raise InvalidArgumentError(
            "file has no name and does not begin like a PDF, PNG or JPEG; pass"
            f" file_name= with one of {_EXTENSIONS}"
        )


async def _source_of(file: object) -> Source:
    if isinstance(file, str | PathLike):
        return await FileSource.at(file)
    if isinstance(file, bytes | bytearray | memoryview):
        return BytesSource(file)
    if hasattr(file, "read"):
        return await of_file(file)
    if isinstance(file, AsyncIterable):
        return StreamSource(file)
    raise InvalidArgumentError(
        "file must be a path, bytes, an open binary file or an async stream of bytes,"
        f" not {type(file).__name__}"
    )


class _Chunks:
    """The chunks of a source, counted."""

    def __init__(self, source: Source, on_progress: ByteProgress | None) -> None:
        self._source = source
        self._on_progress = on_progress
        self._given = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        size = self._source.size
        if self._given:
            await tell(self._on_progress, self._given, size)
        chunk = await self._source.read(self._given)
        given = self._given + len(chunk)
        if size is None and given > MOST_BYTES:
            raise _too_large("has more than that")
        # Held against what was announced before a chunk too many goes out.
        if size is not None and (given > size or (not chunk and given < size)):
            now = "more" if given > size else f"{given:,}"
            raise InvalidArgumentError(
                f"file changed while it was sent: it had {size:,} bytes and has {now}"
                " now; nothing was submitted: send it again when it is complete"
            )
        self._given = given
        if not chunk:
            raise StopAsyncIteration
        return chunk


def _too_large(words: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"file is too large: the API takes {MOST_BYTES:,} bytes (25 MB) and it {words};"
        " split it, or scan with fewer dots"
    )
