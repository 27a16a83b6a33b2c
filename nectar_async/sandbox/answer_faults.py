"""Answers that are not the API's; see `faults` for how they are ordered."""

from __future__ import annotations

import asyncio
import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import field, frozen

from nectar_async.sandbox.server.messages import Call, Proceed, Reply
from nectar_async.sandbox.server.wire_format import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Empty", "GzipBomb", "Html", "SendAway"]

_JSON = {"Content-Type": "application/json"}
# RFC 1952: magic, deflate, no flags, no time, of an unknown system.
_GZIP_HEAD = bytes.fromhex("1f8b08000000000000ff")
_RAW = -15
_MEBIBYTE = 1024 * 1024


@frozen(kw_only=True)
class Answer:
    """Another answer than the API's: a status, with any headers and any body."""

    status: int
    retry_after: str | None = None
    """The header `Retry-After`: seconds, or a date of HTTP."""
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | None = None
    """None for the contract's `detail` object."""

    async def apply(self, _call: Call, _proceed: Proceed, /) -> Reply:
        """The answer given, whatever was asked."""
        body = encode({"detail": f"Scripted answer {self.status}."})
        asked = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return Reply(
            status=self.status,
            headers={**_JSON, **asked, **self.headers},
            body=body if self.body is None else self.body,
        )


@frozen(kw_only=True)
class Html:
    """A page for people: of a proxy, of a login, or of a maintenance."""

    status: int = 200

    async def apply(self, _call: Call, _proceed: Proceed, /) -> Reply:
        """HTML, whatever was asked."""
        body = (
            f"<!DOCTYPE html>\n<html><head><title>{self.status}</title></head>"
            f"<body><h1>{self.status}</h1><hr>nginx</body></html>\n"
        )
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return Reply(status=self.status, headers=headers, body=body.encode())


@frozen(kw_only=True)
class Empty:
    """A success, as its status says, that brings nothing."""

    status: int = 200

    async def apply(self, _call: Call, _proceed: Proceed, /) -> Reply:
        """No byte."""
        return Reply(status=self.status, headers=_JSON)


@frozen(kw_only=True)
class SendAway:
    """A redirect of the same request: to another server, or to where it came."""

    origin: str = ""
    """As `http://host:port`; empty sends it here once more, for ever."""
    status: int = 307

    async def apply(self, call: Call, _proceed: Proceed, /) -> Reply:
        """The redirect."""
        return Reply(
            status=self.status, headers={"Location": f"{self.origin}{call.target}"}
        )


@frozen(kw_only=True)
class GzipBomb:
    """A small body that unpacks to `size` bytes of white space."""

    size: int = 1024 * _MEBIBYTE
    status: int = 200

    async def apply(self, _call: Call, _proceed: Proceed, /) -> Reply:
        """The bomb."""
        # In a thread: the check sum of a gigabyte takes a while.
        body = await asyncio.to_thread(_bomb, self.size)
        headers = {**_JSON, "Content-Encoding": "gzip"}
        return Reply(status=self.status, headers=headers, body=body)


@lru_cache(maxsize=8)
def _bomb(size: int) -> bytes:
    # One packed mebibyte stands in it again and again: a full flush lets it.
    blank = b" " * _MEBIBYTE
    count, rest = divmod(size, _MEBIBYTE)
    packer = zlib.compressobj(wbits=_RAW)
    block = packer.compress(blank) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(wbits=_RAW)
    end = packer.compress(blank[:rest]) + packer.flush()
    check = 0
    for _ in range(count):
        check = zlib.crc32(blank, check)
    check = zlib.crc32(blank[:rest], check)
    trailer = struct.pack("<LL", check, size % (1 << 32))
    return b"".join((_GZIP_HEAD, block * count, end, trailer))
