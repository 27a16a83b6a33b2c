"""A form with one file in it, as a body that is made while it is sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping

from attrs import field, frozen

__all__ = ["Form", "quoted"]

# What would end the quoted text or the line is written as browsers write it (%22, %0D,
# %0A), so that every parser agrees where the name ends. Backslashes are read as escapes
# by some, so they go the same way.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')


def quoted(text: str) -> str:
    """A name between the quotes of a header; what is not ASCII stays, as UTF-8."""
    whole = text.encode("utf-8", "replace").decode()
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", whole)


def _boundary() -> str:
    # 128 random bits: nobody has to look whether they occur in the file.
    return f"nectar-{secrets.token_hex(16)}"


@frozen(kw_only=True)
class Form:
    """`multipart/form-data` (RFC 7578) with text fields and one file, in that order.

    The file is never held as a whole: `body` gives head, chunks and tail as they are
    asked for.
    """

    name: str
    """The name of the file's part."""
    file_name: str
    content_type: str
    """The media type of the file."""
    size: int | None
    """Bytes of the file; None when nobody knows before the end."""
    chunks: Callable[[], AsyncIterator[bytes]] = field(repr=False)
    """The file from its beginning; asked for each time that the body is."""
    fields: Mapping[str, str] = field(factory=dict, repr=False)
    boundary: str = field(factory=_boundary)

    @property
    def headers(self) -> dict[str, str]:
        """What the request says of its body; its length when that is known."""
        headers = {"Content-Type": f"multipart/form-data; boundary={self.boundary}"}
        if self.size is not None:
            length = len(self._head()) + self.size + len(self._tail())
            headers["Content-Length"] = str(length)
        return headers

    def body(self) -> AsyncIterator[bytes]:
        """The body from its beginning."""
        return _Body(self._head(), self.chunks(), self._tail())

    def _head(self) -> bytes:
        parts = [
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{quoted(name)}"\r\n\r\n'
            f"{value}\r\n"
            for name, value in self.fields.items()
        ]
        parts.append(
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{quoted(self.name)}";'
            f' filename="{quoted(self.file_name)}"\r\n'
            f"Content-Type: {self.content_type}\r\n\r\n"
        )
        return "".join(parts).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


class _Body:
    """Head, chunks, tail.

    No generator: one that is left in the middle is closed by whoever collects the
    garbage, and trio warns of it.
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
