"""The recorded answer, which does not arrive as it should, or not at all.

See `scene` for how they are laid over it. A recorded answer comes as a whole, so one
that drips or stalls is a wait, and then all of it.
"""

from __future__ import annotations

import math
import zlib
from typing import Final

import anyio
from attrs import field, frozen

from nectar_async._http.clock import BoundedClock, Clock
from nectar_async._http.response import Response
from nectar_async.errors import ConfigurationError, ConnectionFailedError
from nectar_async.recording.fields import seconds, whole
from nectar_async.recording.scene import Play, Scene

__all__ = ["CutGzip", "Disconnect", "Drip", "DropBody", "Refuse", "Stall", "StallBody"]

_GZIP: Final = 31  # zlib's word for it


@frozen
class Refuse:
    """No connection comes about: the request is provably not sent."""

    async def apply(self, _scene: Scene, _proceed: Play, /) -> Response:
        """No answer."""
        raise ConnectionFailedError("the connection was refused", is_sent=False)


@frozen
class Disconnect:
    """The connection breaks before any byte of the answer."""

    async def apply(self, _scene: Scene, _proceed: Play, /) -> Response:
        """No answer, and nobody knows what came of the request."""
        raise ConnectionFailedError("the connection broke before an answer came")


@frozen
class DropBody:
    """The connection breaks in the middle of the body."""

    async def apply(self, _scene: Scene, _proceed: Play, /) -> Response:
        """No answer, and nobody knows what came of the request."""
        raise ConnectionFailedError("the connection broke in the middle of the answer")


@frozen
class Stall:
    """Silence before the answer, in seconds."""

    seconds: float = field(validator=seconds)

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The recorded answer, late."""
        await _be_silent(scene.clock, self.seconds)
        return await proceed()


@frozen
class StallBody:
    """Silence in the middle of the body: for ever, or so many seconds.

    On a virtual clock it lasts to the end of the attempt, by that clock.
    """

    seconds: float = field(default=math.inf, validator=seconds)

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The recorded answer, if it ever comes."""
        await _be_silent(scene.clock, self.seconds)
        return await proceed()


@frozen(kw_only=True)
class Drip:
    """The body comes in small pieces."""

    size: int = field(default=1, validator=whole(1))
    """Bytes of each piece."""
    seconds: float = field(default=0.1, validator=seconds)
    """From one piece to the next."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The recorded answer, after as long as all of its pieces take."""
        whole = await scene.look(proceed)
        pieces = math.ceil(len(whole.body) / self.size)
        await _be_silent(scene.clock, max(0, pieces - 1) * self.seconds)
        return await proceed()


@frozen
class CutGzip:
    """The body is gzip that ends in the middle, under the length that it has."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The recorded answer, packed, half of it."""
        whole = await scene.look(proceed)
        packer = zlib.compressobj(wbits=_GZIP)
        packed = packer.compress(whole.body) + packer.flush()
        headers = {**whole.headers, "content-encoding": "gzip"}
        return Response(whole.status, headers, packed[: len(packed) // 2])


async def _be_silent(clock: Clock, seconds: float) -> None:
    if not isinstance(clock, BoundedClock):
        await (anyio.sleep_forever() if math.isinf(seconds) else clock.sleep(seconds))
        return
    if math.isinf(min(seconds, clock.left)):
        raise ConfigurationError(
            "this silence would never end: virtual time goes on to the next bound, and"
            " there is none; set attempt_timeout or deadline in the client's Settings"
        )
    await clock.stall(seconds)
