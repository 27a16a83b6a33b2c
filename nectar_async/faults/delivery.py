"""Effects on the way of an answer to the client.

`apply` has the outcome that a client sees, for replays. A sandbox has a connection, and
breaks or delays that instead; see `nectar_async.sandbox`.
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
    """A response whose body breaks off, so that a client asks again."""


@frozen
class Refuse:
    """Refuse the connection: the request is provably not sent."""

    seconds: float = field(default=0.0, validator=check_seconds)
    """How long a sandbox takes no connection at all. It closes those that are idle, and
    finishes the requests that it is serving. A replay refuses only the requests that
    the fault hits."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Fail without an answer."""
        raise ConnectionFailedError("the connection was refused", is_sent=False)


@frozen
class Disconnect:
    """Close the connection before the first byte of the answer."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Fail without an answer; the request may have been done."""
        raise ConnectionFailedError("the connection broke before an answer came")


@frozen
class DropBody:
    """Close the connection in the middle of the body."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Fail without an answer; the request may have been done."""
        raise ConnectionFailedError("the connection broke in the middle of the answer")


@frozen
class Stall:
    """Wait some seconds before the request is answered."""

    seconds: float = field(validator=check_seconds)

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Wait, then give the right answer."""
        await _stall(proceed.clock, self.seconds)
        return await proceed(request)


@frozen
class StallBody:
    """Stop in the middle of the body, for some seconds or for ever.

    On a virtual clock it lasts until the attempt times out by that clock.
    """

    seconds: float = field(default=math.inf, validator=check_seconds)

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Wait, then give the right answer."""
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
        """Give the right answer after the time that all of its pieces take."""
        response = await proceed(request)
        pieces = math.ceil(len(response.body) / self.size)
        await _stall(proceed.clock, max(0, pieces - 1) * self.seconds)
        return response


@frozen
class CutGzip:
    """Compress the body with gzip and send half of it, under the length it has."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Give half of the compressed answer."""
        whole = await proceed(request)
        packer = zlib.compressobj(wbits=_GZIP_WINDOW)
        packed = packer.compress(whole.body) + packer.flush()
        headers = {**whole.headers, "content-encoding": "gzip"}
        return IncompleteResponse(whole.status, headers, packed[: len(packed) // 2])


async def _stall(clock: Clock, seconds: float) -> None:
    if not isinstance(clock, BoundedClock):
        await (anyio.sleep_forever() if math.isinf(seconds) else clock.sleep(seconds))
        return
    if math.isinf(min(seconds, clock.left)):
        raise ConfigurationError(
            "this silence would never end: virtual time goes on to the next bound, and"
            " there is none; set attempt_timeout or deadline in the client's Settings"
        )
    await clock.stall(seconds)
