"""What a client and its light copies share, and how long that lives."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel

from nectar_async._http.auth import HiddenSource, KeyStore
from nectar_async._http.cancellation import finish
from nectar_async._http.clock import Clock, SystemClock
from nectar_async._http.limiter import Limiter
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.transport import Transport
from nectar_async._json.cooperative import Turns
from nectar_async.errors import ClientClosedError, TransportError, WrongLoopError
from nectar_async.settings import Settings

__all__ = ["Session"]

# A transport that cannot close holds nobody up for longer than this.
_CLOSING_SECONDS = 10.0


class Session:
    """What a client and its copies share: transport, key, limiters, counters, loop."""

    def __init__(
        self,
        key: HiddenSource | None,
        transport: Transport | None,
        settings: Settings,
        clock: Clock | None,
        *,
        default_transport: Callable[[], Awaitable[Transport]],
    ) -> None:
        self.key_store: KeyStore = KeyStore(key)
        self.clock: Clock = SystemClock() if clock is None else clock
        self.limiter: Limiter = Limiter(settings.max_concurrency, self.clock)
        self.download_limiter: Limiter = Limiter(settings.max_downloads, self.clock)
        self.counters: Counters = Counters()
        self.turns: Turns = Turns()
        self._transport = transport
        self._default_transport = default_transport
        self._loop: object = None
        self._process = 0
        self._lock: anyio.Lock | None = None
        self._is_closed = False

    async def open(self) -> None:
        """Bind to the event loop, and have a transport.

        Raises:
            ClientClosedError: it was closed.
            WrongLoopError: it belongs to another loop, or to the process that this one
                was forked from, or there is no loop.
        """
        if self._is_closed:
            raise ClientClosedError("this client is closed; make another one")
        loop = _present_loop()
        if self._loop is None:
            self._loop, self._process = loop, os.getpid()
        elif self._is_forked:
            raise WrongLoopError(
                "this process was forked from one that uses this client already, and"
                " they would share its connections; make another client after the fork"
            )
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
        self.turns.moved()
        try:
            return await self._transport.send(request)
        except TransportError as error:
            failure = error
        finally:
            self.turns.moved()
        # Raised out here, without the transport's frames and what it met there: they
        # have the headers, and in them is the key.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    async def aclose(self) -> None:
        """Close the transport, once.

        Raises:
            WrongLoopError: the loop that it belongs to is another one, and runs.
        """
        if self._is_closed:
            return
        if self._is_elsewhere:
            raise WrongLoopError(
                "this client belongs to another event loop, which still runs; close it"
                " there"
            )
        self._is_closed = True
        # What was forked leaves the connections alone: they are the parent's.
        if self._transport is not None and not self._is_forked:
            # Also when the caller is being cancelled: connections go back, soon.
            await finish(partial(_close, self._transport))

    @property
    def is_used(self) -> bool:
        """Whether it was opened, and not closed since."""
        return self._loop is not None and not self._is_closed

    @property
    def is_here(self) -> bool:
        """Whether the event loop that runs is its own."""
        return not self._is_forked and self._loop is _present_loop()

    @property
    def _is_forked(self) -> bool:
        """Whether it was used before this process was forked."""
        return self._loop is not None and self._process != os.getpid()

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the loop that it is bound to is another one, and not over."""
        if self._loop is None or self._is_forked or self._loop is _present_loop():
            return False
        is_running = getattr(self._loop, "is_running", None)
        return is_running is not None and bool(is_running())

    async def _make_transport(self) -> None:
        self._lock = self._lock or anyio.Lock()
        async with self._lock:
            if self._transport is None:
                self._transport = await self._default_transport()


def _present_loop() -> object:
    try:
        return anyio.lowlevel.current_token().native_token
    except RuntimeError:
        raise WrongLoopError(
            "no event loop runs here: await it inside of asyncio.run; from a thread,"
            " hand it to the client's loop with asyncio.run_coroutine_threadsafe"
        ) from None


async def _close(transport: Transport) -> None:
    with anyio.move_on_after(_CLOSING_SECONDS):
        await transport.aclose()
