"""Gzip and deflate, undone within bounds."""

from __future__ import annotations

import zlib

from nectar_async.errors import BodyCorruptError, BodyTooLargeError

__all__ = ["beginning", "bounded", "inflated"]

_PLAIN = frozenset({"", "identity"})
_GZIP = 31  # zlib's word for it
_ZLIB_CHECK = 31
_GZIP_MAGIC = b"\x1f\x8b"
_FIRST_WINDOW = 512
_MOST_AT_ONCE = 256 * 1024


def bounded(body: bytes, limit: int | None) -> bytes:
    """The body, if it is not larger than that."""
    if limit is not None and len(body) > limit:
        raise _too_large(limit)
    return body


def inflated(encoding: str, body: bytes, limit: int | None) -> bytes:
    """The bytes behind one packing, at most `limit` of them.

    Raises:
        BodyTooLargeError: they are more.
        BodyCorruptError: they broke off, or the packing is none that was asked for.
    """
    if encoding in _PLAIN or not body:
        return body
    if (wbits := _wbits(encoding, body)) is not None:
        return _unpack(body, wbits, limit)
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
    return 15 if is_wrapped else -15


def _unpack(body: bytes, wbits: int, limit: int | None) -> bytes:
    """The bytes behind one gzip or zlib stream; further gzip members are appended.

    Each member is fed from a window that slides over the body and widens: what a
    decompressor hands back as unused is a copy, and many small members would copy for
    ever.
    """
    unpacked: list[bytes] = []
    size, at = 0, 0
    while True:
        unpacker = zlib.decompressobj(wbits)
        width = _FIRST_WINDOW
        while not unpacker.eof:
            window = unpacker.unconsumed_tail or body[at : at + width]
            if not window:
                raise BodyCorruptError("the packed answer broke off")
            at += 0 if unpacker.unconsumed_tail else len(window)
            width = min(2 * width, _MOST_AT_ONCE)
            part = _feed(unpacker, window, _MOST_AT_ONCE)
            unpacked.append(part)
            size += len(part)
            if limit is not None and size > limit:
                raise _too_large(limit)
        at -= len(unpacker.unused_data)
        # Gzip members may follow one another; anything else behind is padding.
        if wbits != _GZIP or body[at : at + 2] != _GZIP_MAGIC:
            return b"".join(unpacked)


def _feed(unpacker: zlib._Decompress, window: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(window, most)
    except zlib.error:
        pass
    # Out here, without a context: its frame holds the answer, which may quote the key.
    raise BodyCorruptError("the packed answer is damaged")


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the answer has more than {limit:,} bytes; raise max_body_bytes if it may",
        is_permanent=True,
    )
