"""`aioresponses` that works with aiohttp 3.12 to 3.14.

aiohttp 3.14 made `stream_writer` a required argument of `ClientResponse`, which
aioresponses 0.7.9 does not pass (https://github.com/pnuckowski/aioresponses). So the
responses are built from a class that adds it if the signature has it. aiohttp also
pauses a reader that was fed more than 128 KiB before anything reads from it; here the
limit is larger. To be deleted with a release of aioresponses that supports 3.14.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from aiohttp import ClientResponse, StreamReader
from aiohttp.client_proto import ResponseHandler
from aioresponses import aioresponses as _aioresponses, core

__all__ = ["aioresponses"]

_LARGEST = 1 << 30
_NEEDS_WRITER = "stream_writer" in inspect.signature(ClientResponse.__init__).parameters


class _Writer:
    """The part of a stream writer that a response uses."""

    output_size = 0


class _Answer(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _NEEDS_WRITER:
            kwargs.setdefault("stream_writer", _Writer())
        super().__init__(*args, **kwargs)


def _reader(loop: asyncio.AbstractEventLoop | None = None) -> StreamReader:
    loop = loop or asyncio.get_running_loop()
    return StreamReader(ResponseHandler(loop=loop), limit=_LARGEST, loop=loop)


vars(core)["stream_reader_factory"] = _reader


class aioresponses(_aioresponses):  # noqa: N801 - the name that users know
    """The original, with responses that the installed aiohttp accepts."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("response_class", _Answer)
        super().add(*args, **kwargs)
