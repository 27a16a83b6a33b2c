"""Compression of replies; isal (the extra `speed`) takes a fraction of zlib's time."""

from __future__ import annotations

import zlib

from attrs import evolve

from nectar_async._http.compression import load_isal
from nectar_async.sandbox.server.messages import Reply

__all__ = ["compress_reply"]

_FASTEST = 1
_GZIP_WINDOW = 31


def compress_reply(reply: Reply) -> Reply:
    """Compress a reply's body with gzip, unless it is compressed already."""
    if "Content-Encoding" in reply.headers:
        return reply
    compressor = (load_isal() or zlib).compressobj(_FASTEST, wbits=_GZIP_WINDOW)
    return evolve(
        reply,
        body=compressor.compress(reply.body) + compressor.flush(),
        headers={**reply.headers, "Content-Encoding": "gzip"},
    )
