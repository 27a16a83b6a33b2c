"""A multipart form with one file, as a body that is built while it is sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping

from attrs import field, frozen

__all__ = ["MultipartForm", "quote_name"]

# Characters that would end the quoted text or the line are escaped as in browsers (%22,
# %0D, %0A), so that every parser finds the same end of the name. So are backslashes,
# because some parsers take them for escapes.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')


def quote_name(text: str) -> str:
    """Escape a name for the quotes of a header; other characters stay, as UTF-8."""
    valid = text.encode("utf-8", "replace").decode()
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", valid)


def _build_boundary() -> str:
    # 128 random bits, so that they do not occur in the file.
    return f"nectar-{secrets.token_hex(16)}"


@frozen(kw_only=True)
class MultipartForm:
    """`multipart/form-data` (RFC 7578) with text fields and one file, in that order.

    The file is never in memory as a whole: `body` reads its chunks while it is sent.
    """

    name: str
    """The name of the file's part."""
    file_name: str
    content_type: str
    """The media type of the file."""
    size: int | None
    """Bytes of the file; None if that is not known."""
    chunks: Callable[[], AsyncIterator[bytes]] = field(repr=False)
    """Returns the chunks of the file from its beginning; called by each `body`."""
    fields: Mapping[str, str] = field(factory=dict, repr=False)
    boundary: str = field(factory=_build_boundary)

    @property
    def headers(self) -> dict[str, str]:
        """The headers for the type of the body, and for its length if that is known."""
        headers = {"Content-Type": f"multipart/form-data; boundary={self.boundary}"}
        if self.size is not None:
            length = len(self._head()) + self.size + len(self._tail())
            headers["Content-Length"] = str(length)
        return headers

    def body(self) -> AsyncIterator[bytes]:
        """Iterate over the body from its beginning."""
        return _FormChunks(self._head(), self.chunks(), self._tail())

    def _head(self) -> bytes:
        parts = [
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{quote_name(name)}"\r\n\r\n'
            f"{value}\r\n"
            for name, value in self.fields.items()
        ]
        parts.append(
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{quote_name(self.name)}";'
            f' filename="{quote_name(self.file_name)}"\r\n'
            f"Content-Type: {self.content_type}\r\n\r\n"
        )
        return "".join(parts).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


class _FormChunks:
    """Iterates over head, chunks and tail.

    It is no generator: one that is not read to its end would be closed by the garbage
    collector, of which trio warns.
    """

    def __init__(self, head: bytes, chunks: AsyncIterator[bytes], tail: bytes) -> None:
        self._head: bytes | None = head
        self._chunks = chunks
        self._tail: bytes | None = tail

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._head is not None:
            head, self._head = self._head, None
            return head
        if self._tail is None:
            raise StopAsyncIteration
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            tail, self._tail = self._tail, None
            return tail
