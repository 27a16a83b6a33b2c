"""Effects on the connection: it breaks, stalls or is slow.

A replay has no connection, so `apply` produces what a client would see. A sandbox does
not call `apply`: it breaks or delays the real connection.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, Final

import anyio
from attrs import field, frozen

from nectar_async._http.clock import BoundedClock, Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import ConfigurationError, ConnectionFailedError
from nectar_async.faults.fault import Proceed, check_seconds, check_whole

__all__ = [
    "CutGzip",
    "Disconnect",
    "Drip",
    "DropBody",
    "IncompleteResponse",
    "Refuse",
    "Stall",
    "StallBody",
]

_GZIP_WINDOW: Final = 31


@frozen
class IncompleteResponse(Response):
    """A response whose body is cut off, so that a client repeats the request."""


@frozen
class Refuse:
    """Refuse the connection, so the request is certainly not sent."""

    seconds: float = field(default=0.0, validator=check_seconds)
    """How long a sandbox accepts no connections. It also closes idle connections, and
    finishes the requests that it is serving. A replay ignores this: it refuses only the
    requests that the fault hits."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Fail without a response."""
        raise ConnectionFailedError("the connection was refused", is_sent=False)


@frozen
class Disconnect:
    """Close the connection before the first byte of the response."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Fail without a response; the server may have processed the request."""
        raise ConnectionFailedError("the connection broke before the response")


@frozen
class DropBody:
    """Close the connection in the middle of the body."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Fail without a response; the server may have processed the request."""
        raise ConnectionFailedError(
            "the connection broke in the middle of the response"
        )


@frozen
class Stall:
    """Wait some seconds before the response."""

    seconds: float = field(validator=check_seconds)

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Wait, then return the normal response."""
        await _stall(proceed.clock, self.seconds)
        return await proceed(request)


@frozen
class StallBody:
    """Stop in the middle of the body, for some seconds or for ever.

    With a virtual clock, a stall without end lasts until the attempt times out.
    """

    seconds: float = field(default=math.inf, validator=check_seconds)

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Wait, then return the normal response."""
        await _stall(proceed.clock, self.seconds)
        return await proceed(request)


@frozen(kw_only=True)
class Drip:
    """Send the body in small pieces."""

    size: int = field(default=1, validator=check_whole(1))
    """Bytes in each piece."""
    seconds: float = field(default=0.1, validator=check_seconds)
    """The time between two pieces."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the normal response after the time that all of its pieces take."""
        response = await proceed(request)
        pieces = math.ceil(len(response.body) / self.size)
        await _stall(proceed.clock, max(0, pieces - 1) * self.seconds)
        return response


@frozen
class CutGzip:
    """Compress the body with gzip, and send half of it with the matching length."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return half of the compressed response."""
        response = await proceed(request)
        packer = zlib.compressobj(wbits=_GZIP_WINDOW)
        packed = packer.compress(response.body) + packer.flush()
        headers = {**response.headers, "content-encoding": "gzip"}
        return IncompleteResponse(response.status, headers, packed[: len(packed) // 2])


async def _stall(clock: Clock, seconds: float) -> None:
    if not isinstance(clock, BoundedClock):
        await (anyio.sleep_forever() if math.isinf(seconds) else clock.sleep(seconds))
        return
    if math.isinf(min(seconds, clock.left)):
        raise ConfigurationError(
            "this wait would never end, because virtual time only moves on to the next"
            " timeout and none is set; set attempt_timeout or deadline in the client's"
            " Settings"
        )
    await clock.stall(seconds)
