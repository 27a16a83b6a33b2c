"""Gzip and deflate, undone within bounds.

With isal (the extra `speed`) that takes half the time. It only ever says yes:
what it refuses is zlib's to judge, so that an answer means the same without it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

from nectar_async._json.cooperative import PIECE, Steps
from nectar_async.errors import BodyCorruptError, BodyTooLargeError

__all__ = ["beginning", "bounded", "inflating"]

_PLAIN = frozenset({"", "identity"})
_GZIP, _ZLIB, _BARE = 31, 15, -15  # zlib's words for them
_ZLIB_CHECK = 31
_GZIP_MAGIC = b"\x1f\x8b"
_RESERVED = 0xE0  # flags of RFC 1952 that have to be zero; isal does not mind them
_FIRST_WINDOW = 64 * 1024
_NEXT_WINDOW = 512
_DAMAGED = "the packed answer is damaged"


def bounded(body: bytes, limit: int | None) -> bytes:
    """The body, if it is not larger than that."""
    if limit is not None and len(body) > limit:
        raise _too_large(limit)
    return body


def inflating(encoding: str, body: bytes, limit: int | None) -> Steps[bytes]:
    """The bytes behind one packing, at most `limit` of them, in pieces.

    Raises:
        BodyTooLargeError: they are more.
        BodyCorruptError: they broke off, or the packing is none that was asked for.
    """
    if encoding in _PLAIN or not body:
        return body
    if (wbits := _wbits(encoding, body)) is not None:
        return (yield from _unpack(body, wbits, limit))
    raise BodyCorruptError(
        f"the answer is packed as {encoding!r}, which nobody asked for",
        is_permanent=True,
    )


def beginning(encoding: str, body: bytes, size: int) -> bytes:
    """The first bytes behind one packing; nothing of what cannot be unpacked."""
    if encoding in _PLAIN or not body:
        return body
    if (wbits := _wbits(encoding, body)) is None:
        return b""
    try:
        return zlib.decompressobj(wbits).decompress(body, size)
    except zlib.error:
        return b""


def _wbits(encoding: str, body: bytes) -> int | None:
    """How zlib calls a packing; None for one that it does not know."""
    if encoding in {"gzip", "x-gzip"}:
        return _GZIP
    if encoding != "deflate":
        return None
    # The name means zlib's wrapping; some servers send the bare stream.
    # RFC 1950: the method is in the low half of the first byte, and the first two
    # are a multiple of 31.
    is_method = body[0] & 0x0F == zlib.DEFLATED
    is_wrapped = is_method and int.from_bytes(body[:2]) % _ZLIB_CHECK == 0
    return _ZLIB if is_wrapped else _BARE


def _unpack(body: bytes, wbits: int, limit: int | None) -> Steps[bytes]:
    """The bytes behind one gzip or zlib stream; further gzip members are appended."""
    quick = _quick()
    # A bare stream has no checksum by which two could know that they read the same.
    if quick is not None and wbits != _BARE:
        with suppress(Exception):  # whatever it is, zlib says what
            return (yield from _members(body, wbits, limit, quick))
    return (yield from _members(body, wbits, limit, zlib.decompressobj))


@cache
def _quick() -> Callable[[int], Any] | None:
    """What makes the decompressors of isal; None where it is not installed."""
    try:
        make: Callable[[int], Any] = import_module("isal.isal_zlib").decompressobj
    except ImportError:
        return None
    return make


def _members(
    body: bytes, wbits: int, limit: int | None, make: Callable[[int], Any]
) -> Steps[bytes]:
    """All members, each undone by what `make` makes.

    Each is fed from a window that slides over the body and widens: what a decompressor
    hands back as unused is a copy, and many small members would copy for ever.
    """
    unpacked: list[bytes] = []
    size, at, width = 0, 0, _FIRST_WINDOW
    done = 0
    while True:
        if wbits == _GZIP and any(flags & _RESERVED for flags in body[at + 3 : at + 4]):
            raise BodyCorruptError(_DAMAGED)
        unpacker = make(wbits)
        part = b""
        while not unpacker.eof:
            window = unpacker.unconsumed_tail or body[at : at + width]
            # It may have taken in all, and have more to give than fitted.
            if not window and len(part) < PIECE:
                raise BodyCorruptError("the packed answer broke off")
            at += 0 if unpacker.unconsumed_tail else len(window)
            width = min(2 * width, PIECE)
            part = _feed(unpacker, window, PIECE)
            unpacked.append(part)
            size += len(part)
            if limit is not None and size > limit:
                raise _too_large(limit)
            done += len(window) + len(part)
            if done >= PIECE:
                yield
                done = 0
        at -= len(unpacker.unused_data)
        # Gzip members may follow one another; anything else behind is padding.
        if wbits != _GZIP or body[at : at + 2] != _GZIP_MAGIC:
            return b"".join(unpacked)
        width = _NEXT_WINDOW


def _feed(unpacker: Any, window: bytes, most: int) -> bytes:
    try:
        part: bytes = unpacker.decompress(window, most)
    except zlib.error:
        pass
    else:
        return part
    # Out here, without a context: its frame holds the answer, which may quote the key.
    raise BodyCorruptError(_DAMAGED)


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the answer has more than {limit:,} bytes; raise max_body_bytes if it may",
        is_permanent=True,
    )
