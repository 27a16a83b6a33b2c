"""Effects on a real connection: a sandbox breaks, delays and cuts its responses.

If several of these effects hit one request, only the one that was added first counts.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from aiohttp import web
from attrs import evolve, field, frozen

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import ConfigurationError
from nectar_async.faults.delivery import CutGzip, Disconnect, Drip, DropBody, StallBody
from nectar_async.faults.fault import Proceed
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.compression import compress_reply
from nectar_async.sandbox.server.messages import Deliver, Reply

__all__ = [
    "DELIVERIES",
    "CloseIdle",
    "Endless",
    "Reset",
    "SandboxEffect",
    "SocketResponse",
    "WrongLength",
    "close_instead",
]

# Enabled, with zero seconds: closing the socket then sends a reset.
_NO_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_PIECE: Final = b" " * 64 * 1024


@frozen
class SocketResponse(Response):
    """A response with the function that writes it to the connection."""

    deliver: Deliver | None = field(default=None, eq=False, repr=False)

    @classmethod
    def build(cls, response: Response, deliver: Deliver) -> SocketResponse:
        """Copy a response, and set how it is written."""
        return cls(
            response.status, response.headers, response.body, None, deliver=deliver
        )


class SandboxEffect:
    """An effect that needs the server of a sandbox."""

    async def serve(
        self, call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Respond to a request that a sandbox received as `call`."""
        raise NotImplementedError

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Raise an error, because there is no sandbox.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(
            f"{type(self).__name__} works in a sandbox only, not on a recording"
        )


class _SocketEffect(SandboxEffect):
    """An effect that changes how the normal response is written."""

    async def serve(
        self, call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return the normal response, to be written by `deliver`."""
        deliver = partial(self.deliver, call)
        return SocketResponse.build(await proceed(request), deliver)

    async def deliver(
        self, call: Call, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        """Write a response to the connection."""
        raise NotImplementedError


@frozen(kw_only=True)
class Reset(_SocketEffect):
    """Reset the connection (RST); the client may lose bytes that were sent."""

    share: float = 0.0
    """The share of the body that is sent first; 0 resets before the first byte."""

    async def deliver(
        self, _call: Call, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        """Write that share of the response, and reset the connection."""
        response: web.StreamResponse = web.Response()
        if self.share > 0:
            sent = reply.body[: int(len(reply.body) * self.share)]
            response = await _write(request, reply, [sent], has_end=False)
        if request.transport is not None:
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            request.transport.abort()
        return response


@frozen(kw_only=True)
class WrongLength(_SocketEffect):
    """Send a wrong `Content-Length`.

    If `by` is above 0, the body is shorter than announced, and then the connection
    closes. If it is below 0, the body is longer, and a client that reuses the
    connection reads the other bytes as the start of the next response.
    """

    by: int
    """This is added to the length; it may be negative."""

    async def deliver(
        self, _call: Call, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        """Write the response with the wrong length."""
        length = max(0, len(reply.body) + self.by)
        pieces = [reply.body[:length]]
        response = await _write(request, reply, pieces, length=length, has_end=False)
        if self.by >= 0:
            _close(request)
        elif request.transport is not None:
            # `response.write` refuses bytes beyond the length.
            request.transport.write(reply.body[length:])
        return response


@frozen
class Endless(_SocketEffect):
    """Send a body of spaces that never ends, as fast as the client reads it."""

    async def deliver(
        self, _call: Call, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        """Write the headers of the response, and spaces until the client leaves."""
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(_PIECE)
            await asyncio.sleep(0)  # so that a client in the same process can run
        return response


@frozen(kw_only=True)
class CloseIdle(_SocketEffect):
    """Close a connection soon after the response, although it is kept alive."""

    seconds: float = 0.0
    """How long the connection is idle before it is closed."""

    async def deliver(
        self, call: Call, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        """Write the response, and close the connection later."""
        response = await _write(request, reply, [reply.body])
        loop = asyncio.get_running_loop()
        loop.call_later(self.seconds, call.listener.close_connection, request.protocol)
        return response


async def close_instead(request: web.BaseRequest, _reply: Reply) -> web.StreamResponse:
    """Close the connection instead of sending a response."""
    _close(request)
    return web.Response()


async def _disconnect(
    _effect: Disconnect, request: web.BaseRequest, reply: Reply
) -> web.StreamResponse:
    return await close_instead(request, reply)


async def _drop_body(
    _effect: DropBody, request: web.BaseRequest, reply: Reply
) -> web.StreamResponse:
    half = reply.body[: len(reply.body) // 2]
    response = await _write(request, reply, [half], has_end=False)
    _close(request)
    return response


async def _stall_body(
    effect: StallBody, request: web.BaseRequest, reply: Reply
) -> web.StreamResponse:
    middle = len(reply.body) // 2
    halves = [reply.body[:middle], reply.body[middle:]]
    return await _write(request, reply, halves, pause=effect.seconds)


async def _drip(
    effect: Drip, request: web.BaseRequest, reply: Reply
) -> web.StreamResponse:
    starts = range(0, len(reply.body), effect.size)
    pieces = [reply.body[start : start + effect.size] for start in starts]
    return await _write(request, reply, pieces, pause=effect.seconds)


async def _cut_gzip(
    _effect: CutGzip, request: web.BaseRequest, reply: Reply
) -> web.StreamResponse:
    packed = compress_reply(reply)
    half = packed.body[: len(packed.body) // 2]
    return await _write(request, evolve(packed, body=half), [half])


_Write = Callable[[Any, web.BaseRequest, Reply], Awaitable[web.StreamResponse]]

DELIVERIES: Final[Mapping[type[Any], _Write]] = {
    Disconnect: _disconnect,
    DropBody: _drop_body,
    StallBody: _stall_body,
    Drip: _drip,
    CutGzip: _cut_gzip,
}
"""The functions that write a response, by the effect in `nectar_async.faults`."""


async def _write(
    request: web.BaseRequest,
    reply: Reply,
    pieces: Sequence[bytes],
    *,
    length: int | None = None,
    pause: float = 0.0,
    has_end: bool = True,
) -> web.StreamResponse:
    """Write the headers of a response and pieces of its body, `pause` seconds apart.

    `length` replaces the true `Content-Length`. Unless `has_end` is true, the response
    is not marked as complete.
    """
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body) if length is None else length
    await response.prepare(request)
    for number, piece in enumerate(pieces):
        if number > 0:
            await asyncio.sleep(pause)
        await response.write(piece)
    if has_end:
        await response.write_eof()
    return response


def _close(request: web.BaseRequest) -> None:
    if request.transport is not None:
        # Unlike `abort`, this still sends the bytes that were written.
        request.transport.close()
