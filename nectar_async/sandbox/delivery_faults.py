"""The right answer, which does not arrive as it should.

See `faults` for how trouble is ordered. Of several effects of this kind on one call the
one that was added first counts.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web
from attrs import evolve, frozen

from nectar_async.sandbox.server.compression import gzipped
from nectar_async.sandbox.server.messages import Call, Proceed, Reply

__all__ = [
    "CloseIdle",
    "CutGzip",
    "Disconnect",
    "Drip",
    "DropBody",
    "Endless",
    "Reset",
    "StallBody",
    "WrongLength",
    "deliver_nothing",
]

if TYPE_CHECKING:
    from nectar_async.sandbox.server.listener import Listener
    from nectar_async.sandbox.server.messages import Deliver

# On, and no time to linger: closing sends a reset instead of a farewell.
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_PIECE = b" " * 64 * 1024


@frozen
class Disconnect:
    """The connection breaks before any byte of the answer."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, never sent."""
        return await _delivered(call, proceed, deliver_nothing)


@frozen
class DropBody:
    """The connection breaks in the middle of the body."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, half of it."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = await _begun(request, reply, len(reply.body))
        await response.write(reply.body[: len(reply.body) // 2])
        _close(request)
        return response


@frozen(kw_only=True)
class Reset:
    """The connection is reset (RST), so that what was sent may not even arrive."""

    share: float = 0.0
    """How much of the body goes before it; 0 is before any byte of the answer."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, that much of it."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response: web.StreamResponse = web.Response()
        if self.share > 0:
            response = await _begun(request, reply, len(reply.body))
            await response.write(reply.body[: int(len(reply.body) * self.share)])
        if request.transport is not None:
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            request.transport.abort()
        return response


@frozen
class StallBody:
    """Silence in the middle of the body, in seconds."""

    seconds: float

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer: half of it, and the other half late."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = await _begun(request, reply, len(reply.body))
        middle = len(reply.body) // 2
        await response.write(reply.body[:middle])
        await asyncio.sleep(self.seconds)
        await response.write(reply.body[middle:])
        await response.write_eof()
        return response


@frozen(kw_only=True)
class Drip:
    """The body comes in small pieces."""

    size: int = 1
    """Bytes of each piece."""
    seconds: float = 0.1
    """From one piece to the next."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, drop by drop."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = await _begun(request, reply, len(reply.body))
        for start in range(0, len(reply.body), self.size):
            if start > 0:
                await asyncio.sleep(self.seconds)
            await response.write(reply.body[start : start + self.size])
        await response.write_eof()
        return response


@frozen(kw_only=True)
class WrongLength:
    """`Content-Length` is wrong by so many bytes.

    Above 0 it promises more than there is, and the connection closes after that. Below
    0 it promises less, and the rest arrives where the next answer should.
    """

    by: int

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer under the wrong length."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        length = max(0, len(reply.body) + self.by)
        response = await _begun(request, reply, length)
        await response.write(reply.body[:length])
        if self.by >= 0:
            _close(request)
        elif request.transport is not None:
            # Beside the response, which lets no byte pass that is over the length.
            request.transport.write(reply.body[length:])
        return response


@frozen
class CutGzip:
    """The body is gzip that ends in the middle, under the length that it has."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, packed, half of it."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        packed = gzipped(reply)
        body = packed.body[: len(packed.body) // 2]
        response = await _begun(request, packed, len(body))
        await response.write(body)
        await response.write_eof()
        return response


@frozen
class Endless:
    """A body of white space that never ends, as fast as it is taken."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The status and the headers of the right answer."""
        return await _delivered(call, proceed, self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = await _begun(request, reply, None)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(_PIECE)
            await asyncio.sleep(0)  # whoever reads in the same process has its turn
        return response


@frozen(kw_only=True)
class CloseIdle:
    """The connection closes soon after the answer, though it was to be kept alive."""

    seconds: float = 0.0
    """How long it is idle."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, and then a connection that is no more."""
        return await _delivered(call, proceed, partial(self._deliver, call.listener))

    async def _deliver(
        self, listener: Listener, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = await _begun(request, reply, len(reply.body))
        await response.write(reply.body)
        await response.write_eof()
        loop = asyncio.get_running_loop()
        loop.call_later(self.seconds, listener.hang_up, request.protocol)
        return response


async def deliver_nothing(
    request: web.BaseRequest, _reply: Reply
) -> web.StreamResponse:
    """The connection closes instead of an answer."""
    _close(request)
    return web.Response()


async def _delivered(call: Call, proceed: Proceed, deliver: Deliver) -> Reply:
    return evolve(await proceed(call), deliver=deliver)


async def _begun(
    request: web.BaseRequest, reply: Reply, length: int | None
) -> web.StreamResponse:
    """The answer with its headers sent; without a length it comes in chunks."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = length
    await response.prepare(request)
    return response


def _close(request: web.BaseRequest) -> None:
    if request.transport is not None:
        # An ordinary close: what was written still arrives, and then nothing more.
        request.transport.close()
