"""A transport whose connections belong to the event loop of another thread.

The event loop of a test ends before the fixtures are torn down, and then connections
that a client left open cannot be closed. The loop of this transport belongs to a thread
that runs for the whole session. So tests may also run on trio, and may leave their
clients open.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import anyio.to_thread
from anyio.from_thread import BlockingPortal
from attrs import evolve

from nectar_async import transports
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Transport
from nectar_async.transports._request_body import read_body

__all__ = ["PortalTransport"]


class PortalTransport:
    """Sends each request over the network, in the event loop of a portal.

    Args:
        portal: the portal of a thread with an asyncio loop. Call `close` before the
            loop ends.
    """

    needs_key = True

    def __init__(self, portal: BlockingPortal) -> None:
        self._portal = portal
        self._transport: Transport = transports.AiohttpTransport()

    async def send(self, request: Request[Any], /) -> Response:
        """Send a request once and read the whole response.

        Raises:
            TransportError: no response arrived.
        """
        # A stream belongs to the caller's event loop, so it is read here.
        sent = evolve(request, body=await read_body(request))
        response: Future[Response] = self._portal.start_task_soon(
            self._transport.send, sent
        )
        try:
            return await anyio.to_thread.run_sync(
                response.result,
                abandon_on_cancel=True,
                limiter=anyio.CapacityLimiter(1),
            )
        finally:
            response.cancel()  # stops the request if the caller was cancelled

    async def aclose(self) -> None:
        """Do nothing: tests may forget this call, so the fixture calls `close`."""

    def close(self) -> None:
        """Close the connections. Blocks; do not call it on an event loop."""
        self._portal.call(self._transport.aclose)
