"""Decompress gzip and deflate bodies, up to a limit of bytes.

With isal (the extra `speed`) this takes half the time. Whenever isal fails, zlib reads
the body again and its verdict counts, so results and errors are the same without isal.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

from attrs import frozen

from nectar_async._http.request import Request, copy_with
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._json.cooperative import (
    PIECE_SIZE,
    CooperativeScheduler,
    Steps,
    run_at_once,
)
from nectar_async.errors import BodyCorruptError, BodyTooLargeError, TransportError

__all__ = [
    "Decompress",
    "build_too_large_error",
    "decompress_body",
    "load_isal",
    "read_head",
    "replace_body",
]

# Some servers name the charset, or a framing that the HTTP client has removed.
_IDENTITY = frozenset(
    {"", "identity", "none", "binary", "utf-8", "utf8", "us-ascii", "ascii"}
    | {"iso-8859-1", "aws-chunked", "chunked"}
)
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's `wbits` for each format
_ZLIB_CHECK = 31
_GZIP_MAGIC = b"\x1f\x8b"
_RESERVED = 0xE0  # flags that have to be zero by RFC 1952; isal does not check them
_FIRST_WINDOW = 64 * 1024
_NEXT_WINDOW = 512
_CORRUPT = "the compressed answer is corrupt"

# Decompressed JSON is about eight times as large.
_RATIO = 8


@frozen
class Decompress:
    """Decompress successful answers, after their permit was returned.

    It is inside `Retry`, so a corrupt answer is a failure like any other: the request
    is sent again within the deadline and the retry budget.
    """

    scheduler: CooperativeScheduler

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request and decompress the body of its answer."""
        response = await send(request)
        try:
            if "content-encoding" not in response.headers:
                _check_size(response.body, request.max_body_bytes)
                return response
            work = _decompress_in_steps(response, request.max_body_bytes)
            body = await self.scheduler.run(work, _RATIO * len(response.body))
        except TransportError as error:
            # The frames below hold the answer, and a traceback may show their locals.
            raise error.with_traceback(None) from None
        return replace_body(response, body)


def decompress_body(response: Response, limit: int | None = None) -> bytes:
    """Decompress the body of a response.

    Raises:
        BodyTooLargeError: the body has more than `limit` bytes, compressed or not.
        BodyCorruptError: the body is truncated, or not valid gzip or deflate.
    """
    return run_at_once(_decompress_in_steps(response, limit))


def read_head(response: Response, size: int) -> bytes:
    """Read the first `size` bytes of a body; empty if they cannot be decompressed."""
    body = response.body
    for encoding in _list_encodings(response):
        body = _decompress_head(encoding, body, size)
    return body[:size]


def _check_size(body: bytes, limit: int | None) -> None:
    """Raise `BodyTooLargeError` if a body has more bytes than allowed."""
    if limit is not None and len(body) > limit:
        raise build_too_large_error(limit)


def replace_body(response: Response, body: bytes) -> Response:
    """Copy a response with its decompressed body, without the old body's headers."""
    dropped = ("content-encoding", "content-length")
    headers = {
        name: text for name, text in response.headers.items() if name not in dropped
    }
    return copy_with(response, headers=headers, body=body)


def _list_encodings(response: Response) -> list[str]:
    """The encodings of a body, the outermost first."""
    encodings = response.headers.get("content-encoding", "")
    return encodings.lower().replace(" ", "").split(",")[::-1]


def _decompress_in_steps(response: Response, limit: int | None) -> Steps[bytes]:
    body = response.body
    _check_size(body, limit)
    for encoding in _list_encodings(response):
        if encoding in _IDENTITY or not body:
            continue
        wbits = _find_wbits(encoding, body)
        if wbits is None:
            raise BodyCorruptError(
                f"the answer is compressed as {encoding!r}, which was not asked for",
                is_permanent=True,
            )
        body = yield from _decompress_stream(body, wbits, limit)
    return body


def _decompress_head(encoding: str, body: bytes, size: int) -> bytes:
    """The first `size` bytes of a compressed body; empty if it is not valid."""
    if encoding in _IDENTITY or not body:
        return body
    if (wbits := _find_wbits(encoding, body)) is None:
        return b""
    try:
        return zlib.decompressobj(wbits).decompress(body, size)
    except zlib.error:
        return b""


def _find_wbits(encoding: str, body: bytes) -> int | None:
    """The `wbits` argument of zlib for an encoding; None for an unknown one."""
    if encoding in {"gzip", "x-gzip"}:
        return _GZIP
    if encoding != "deflate":
        return None
    # The name means the zlib format, but some servers send a raw deflate stream.
    # RFC 1950: the method is in the low half of the first byte, and the first two
    # bytes are a multiple of 31.
    is_method = body[0] & 0x0F == zlib.DEFLATED
    is_zlib = is_method and int.from_bytes(body[:2]) % _ZLIB_CHECK == 0
    return _ZLIB if is_zlib else _RAW


def _decompress_stream(body: bytes, wbits: int, limit: int | None) -> Steps[bytes]:
    """Decompress one gzip, zlib or deflate stream, and the gzip members behind it."""
    isal = load_isal()
    # A raw stream has no checksum that would show that both libraries read the same.
    if isal is not None and wbits != _RAW:
        with suppress(Exception):  # zlib decides whether it is valid
            return (
                yield from _decompress_members(body, wbits, limit, isal.decompressobj)
            )
    return (yield from _decompress_members(body, wbits, limit, zlib.decompressobj))


@cache
def load_isal() -> Any:
    """Import isal's replacement of zlib; None if isal is not installed."""
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return None


def _decompress_members(
    body: bytes, wbits: int, limit: int | None, build: Callable[[int], Any]
) -> Steps[bytes]:
    """Decompress all members, each with its own decompressor from `build`.

    Each is fed from a window that slides over the body and widens. A decompressor
    copies the input that it did not use, so feeding the whole body to each of many
    small members would take quadratic time.
    """
    parts: list[bytes] = []
    size, at, width = 0, 0, _FIRST_WINDOW
    since_yield = 0
    while True:
        if wbits == _GZIP and any(flags & _RESERVED for flags in body[at + 3 : at + 4]):
            raise BodyCorruptError(_CORRUPT)
        decompressor = build(wbits)
        part = b""
        while not decompressor.eof:
            window = decompressor.unconsumed_tail or body[at : at + width]
            # All input may be consumed while output is left that did not fit.
            if not window and len(part) < PIECE_SIZE:
                raise BodyCorruptError("the compressed answer is truncated")
            at += 0 if decompressor.unconsumed_tail else len(window)
            width = min(2 * width, PIECE_SIZE)
            part = _feed(decompressor, window, PIECE_SIZE)
            parts.append(part)
            size += len(part)
            if limit is not None and size > limit:
                raise build_too_large_error(limit)
            since_yield += len(window) + len(part)
            if since_yield >= PIECE_SIZE:
                yield
                since_yield = 0
        at -= len(decompressor.unused_data)
        # Another gzip member may follow; anything else after the end is padding.
        if wbits != _GZIP or body[at : at + 2] != _GZIP_MAGIC:
            return b"".join(parts)
        width = _NEXT_WINDOW


def _feed(decompressor: Any, window: bytes, max_size: int) -> bytes:
    try:
        part: bytes = decompressor.decompress(window, max_size)
    except zlib.error:
        pass
    else:
        return part
    # Raised here without a context: the frame above holds the answer, which may quote
    # the key.
    raise BodyCorruptError(_CORRUPT)


def build_too_large_error(limit: int) -> BodyTooLargeError:
    """Build the error of a body with more bytes than allowed."""
    return BodyTooLargeError(
        f"the answer has more than {limit:,} bytes; raise max_body_bytes to allow it",
        is_permanent=True,
    )
