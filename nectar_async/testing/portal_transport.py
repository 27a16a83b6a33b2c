"""A transport whose connections belong to another event loop than the test's.

A test's loop is over when its fixtures are torn down, and what a client left open is
nobody's to close. Here it is: the loop of a thread that the whole session has. So a
test may run on trio, too, and may forget its client.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import anyio.to_thread
from anyio.from_thread import BlockingPortal
from attrs import evolve

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Transport
from nectar_async.transports import AiohttpTransport
from nectar_async.transports._body import read_body

__all__ = ["RemoteTransport"]


class RemoteTransport:
    """Sends each request over the network, in the loop of a portal.

    Args:
        portal: of a thread with an asyncio loop. `close` before it ends.
    """

    needs_key = True

    def __init__(self, portal: BlockingPortal) -> None:
        self._portal = portal
        self._transport: Transport = AiohttpTransport()

    async def send(self, request: Request[Any], /) -> Response:
        """Send it once and read the whole answer.

        Raises:
            TransportError: no answer arrived.
        """
        # A stream is of the caller's loop.
        sent = evolve(request, body=await read_body(request))
        answer: Future[Response] = self._portal.start_task_soon(
            self._transport.send, sent
        )
        try:
            return await anyio.to_thread.run_sync(answer.result, abandon_on_cancel=True)
        finally:
            answer.cancel()  # for whoever does not wait any longer

    async def aclose(self) -> None:
        """Leave it open: tests forget to do this, so it is done for all of them."""

    def close(self) -> None:
        """Give back the connections. Blocks; not for an event loop."""
        self._portal.call(self._transport.aclose)
