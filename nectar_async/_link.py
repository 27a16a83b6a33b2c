"""What a client and its light copies share, and how long that lives."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from nectar_async._clock import Clock, SystemClock
from nectar_async._gate import Gate
from nectar_async._key import KeyRing, KeySource
from nectar_async._request import Request
from nectar_async._response import Response
from nectar_async._statistics import Tally
from nectar_async._transport import Transport
from nectar_async.errors import ClientClosedError, WrongLoopError
from nectar_async.settings import Settings

__all__ = ["Link"]

# A transport that cannot close holds nobody up for longer than this.
_CLOSING_SECONDS = 10.0


class Link:
    """What a client and its copies share: transport, key, gate, counts, event loop."""

    def __init__(
        self,
        key: KeySource | None,
        transport: Transport | None,
        settings: Settings,
        clock: Clock | None,
    ) -> None:
        self.ring: KeyRing = KeyRing(key)
        self.gate: Gate = Gate(settings.max_concurrency)
        self.files_gate: Gate = Gate(settings.max_downloads)
        self.tally: Tally = Tally()
        self.clock: Clock = SystemClock() if clock is None else clock
        self._transport = transport
        self._loop: object = None
        self._lock = anyio.Lock()
        self._is_closed = False

    async def open(self) -> None:
        """Bind to the event loop, and have a transport.

        Raises:
            ClientClosedError: it was closed.
            WrongLoopError: it belongs to another loop.
        """
        if self._is_closed:
            raise ClientClosedError("this client is closed; make another one")
        loop = anyio.lowlevel.current_token().native_token
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise WrongLoopError(
                "this client belongs to another event loop (that of its first use);"
                " make one client in each loop, as in each asyncio.run or thread"
            )
        if self._transport is None:
            await self._make_transport()
            if self._is_closed:
                raise ClientClosedError("this client was closed while it was opened")

    async def send(self, request: Request[Any]) -> Response:
        """The innermost send."""
        if self._transport is None or self._is_closed:
            raise ClientClosedError("this client was closed in mid-request")
        return await self._transport.send(request)

    async def aclose(self) -> None:
        """Close the transport, once."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._transport is not None:
            # Also when the caller is being cancelled: connections go back, soon.
            with anyio.move_on_after(_CLOSING_SECONDS, shield=True):
                await self._transport.aclose()

    async def _make_transport(self) -> None:
        """Make the default transport.

        Importing aiohttp takes a while and reads the system's certificates, so that
        happens beside the event loop.
        """
        name = "nectar_async.transports.live"
        async with self._lock:
            if self._transport is None:
                if name not in sys.modules:
                    await anyio.to_thread.run_sync(import_module, name)
                self._transport = sys.modules[name].AiohttpTransport()
