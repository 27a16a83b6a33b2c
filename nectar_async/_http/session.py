"""The session that a client and its copies share, and its lifetime."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
from attrs import asdict

from nectar_async._http.auth import KeyStore, MaskedKeySource
from nectar_async._http.background import BackgroundTask, current_background_task
from nectar_async._http.cancellation import run_to_end
from nectar_async._http.clock import Clock, SystemClock
from nectar_async._http.limiter import Limiter
from nectar_async._http.request import Request
from nectar_async._http.response import Response, check_response
from nectar_async._http.statistics import Counters, Statistics
from nectar_async._http.transport import Transport
from nectar_async._json.cooperative import CooperativeScheduler
from nectar_async.errors import ClientClosedError, TransportError, WrongLoopError
from nectar_async.settings import Settings

__all__ = ["Session", "StartBackground"]

StartBackground: TypeAlias = Callable[
    [Callable[[], Awaitable[None]], str, Callable[[], None]], BackgroundTask
]
"""Starts work in the background; see `Session.start_background`."""

# Closing waits at most this long for open calls, and again for the transport.
_CLOSING_SECONDS = 10.0


_own_calls: ContextVar[tuple[anyio.CancelScope, ...]] = ContextVar(
    "nectar_async_own_calls", default=()
)
"""The calls that the running code is part of."""

_being_closed: ContextVar[tuple[Session, ...]] = ContextVar(
    "nectar_async_being_closed", default=()
)
"""The sessions that the running code is closing."""


class Session:
    """Transport, key, clock, limiters and counters of a client, bound to an event loop.

    Args:
        key: the API key, or its source; None if none is needed.
        transport: None for the default one, which is made at first use.
        settings: the sizes of the limiters.
        clock: None for a `SystemClock`.
        default_transport: the function that makes the default transport.
    """

    def __init__(
        self,
        key: MaskedKeySource | None,
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
        self.scheduler: CooperativeScheduler = CooperativeScheduler()
        self._transport = transport
        self._default_transport = default_transport
        self._loop: object = None
        self._process = 0
        self._lock: anyio.Lock | None = None
        self._is_closed = False
        self._closed: anyio.Event | None = None
        """Exists when closing has begun, and is set when it is done."""
        self._background: set[BackgroundTask] = set()
        self._calls: set[anyio.CancelScope] = set()
        self._call_ended: anyio.Event | None = None

    async def open(self) -> None:
        """Bind to the running event loop at first use, and make the transport.

        Raises:
            ClientClosedError: the client is closed.
            WrongLoopError: the client belongs to another loop, or to the process that
                this one was forked from, or no loop is running.
        """
        if self._is_closed:
            raise ClientClosedError("this client is closed; make another one")
        loop = _find_running_loop()
        if self._loop is None:
            self._loop, self._process = loop, os.getpid()
        elif self._is_forked:
            raise WrongLoopError(
                "this process was forked from one that already used this client, and"
                " both would share its connections; make another client after the fork"
            )
        elif self._loop is not loop:
            raise WrongLoopError(
                "this client belongs to the event loop of its first use, not to this"
                " one; make one client for each loop, so for each asyncio.run and each"
                " thread"
            )
        if self._transport is None:
            await self._make_transport()
            if self._is_closed:
                raise ClientClosedError("this client was closed while it was opened")

    async def send(self, request: Request[Any]) -> Response:
        """Send a request through the transport: the end of every pipeline."""
        if self._transport is None or self._is_closed:
            raise ClientClosedError("this client was closed during a request")
        self.scheduler.note_traffic()
        try:
            return check_response(await self._transport.send(request), self._transport)
        except TransportError as error:
            failure = error
        finally:
            self.scheduler.note_traffic()
        # Raised outside of the handler, without the frames and the cause of the
        # transport's error: they have the headers, and among them the key.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    def start_background(
        self,
        work: Callable[[], Awaitable[None]],
        name: str,
        on_end: Callable[[], None],
    ) -> BackgroundTask:
        """Run work in a background task, which ends with this session at the latest.

        Args:
            work: the function to run.
            name: the name of the task.
            on_end: called when the task has ended.
        """

        def finish(task: BackgroundTask) -> None:
            self._background.discard(task)
            on_end()

        task = BackgroundTask(work, name, finish)
        self._background.add(task)
        return task

    @contextmanager
    def open_call(self) -> Iterator[None]:
        """Let `aclose` end the block.

        Raises:
            ClientClosedError: the client was closed during the block.
        """
        scope = anyio.CancelScope()
        self._calls.add(scope)
        token = _own_calls.set((*_own_calls.get(), scope))
        try:
            with scope:
                yield
        finally:
            _own_calls.reset(token)
            self._calls.discard(scope)
            if self._call_ended is not None:
                self._call_ended.set()
        if scope.cancelled_caught:
            raise ClientClosedError("this client was closed during a call")

    async def aclose(self, before: Callable[[], Awaitable[None]]) -> None:
        """End all calls and background tasks, and close the transport.

        It returns when all is closed, also if another task has begun to close it.

        Args:
            before: called once, when the client can still send requests.

        Raises:
            WrongLoopError: the client belongs to another event loop, which is running.
        """
        if self._closed is not None and self._closed.is_set():
            return
        if self._is_in_other_running_loop:
            raise WrongLoopError(
                "this client belongs to another event loop, which is still running;"
                " close it there"
            )
        if self._closed is not None:
            if self not in _being_closed.get():
                await self._closed.wait()
            return
        self._closed = anyio.Event()
        token = _being_closed.set((*_being_closed.get(), self))
        try:
            if not self._is_forked:
                await run_to_end(self._end_calls)
            await before()
        finally:
            # Even if the caller is cancelled, the connections are closed.
            try:
                await run_to_end(self._close)
            finally:
                self._closed.set()
                _being_closed.reset(token)

    async def _close(self) -> None:
        self._is_closed = True
        if self._is_forked:
            return  # the parent process still uses the connections
        await self._end_calls()
        if self._transport is not None:
            with anyio.move_on_after(_CLOSING_SECONDS):
                await self._transport.aclose()

    async def _end_calls(self) -> None:
        """Cancel all calls and background tasks, and wait for their end.

        A call that closes the client itself, for example in a stage, is not awaited.
        """
        own_task, own_calls = current_background_task.get(), {*_own_calls.get()}
        tasks = [task for task in self._background if task is not own_task]
        for task in self._background:
            task.cancel(ClientClosedError("this client was closed during a walk"))
        for scope in self._calls - own_calls:
            scope.cancel()
        with anyio.move_on_after(_CLOSING_SECONDS):
            for task in tasks:
                await task.wait()
            while self._calls - own_calls:
                self._call_ended = anyio.Event()
                await self._call_ended.wait()

    def statistics(self) -> Statistics:
        """Take a snapshot of the counters and of the API's limiter."""
        return Statistics(
            **asdict(self.counters),
            in_flight=self.limiter.in_flight,
            peak_in_flight=self.limiter.peak_in_flight,
            waiting=self.limiter.waiting,
            limit=self.limiter.allowed,
            max_limit=self.limiter.limit,
        )

    @property
    def is_used(self) -> bool:
        """Whether the session was opened and is not closed."""
        return self._loop is not None and not self._is_closed

    @property
    def state(self) -> str:
        """Whether the session is open, as a word for `repr`."""
        if self._is_closed:
            return "closed"
        return "not used yet" if self._loop is None else "open"

    @property
    def is_in_running_loop(self) -> bool:
        """Whether the session belongs to the running event loop."""
        return not self._is_forked and self._loop is _find_running_loop()

    @property
    def _is_forked(self) -> bool:
        """Whether the session was used before this process was forked."""
        return self._loop is not None and self._process != os.getpid()

    @property
    def _is_in_other_running_loop(self) -> bool:
        """Whether the session belongs to another loop that is running."""
        if self._loop is None or self._is_forked or self._loop is _find_running_loop():
            return False
        is_running = getattr(self._loop, "is_running", None)
        return is_running is not None and bool(is_running())

    async def _make_transport(self) -> None:
        self._lock = self._lock or anyio.Lock()
        async with self._lock:
            if self._transport is None:
                self._transport = await self._default_transport()


def _find_running_loop() -> object:
    try:
        return anyio.lowlevel.current_token().native_token
    except RuntimeError:
        raise WrongLoopError(
            "no event loop is running: await this inside asyncio.run; from a thread,"
            " hand it to the client's loop with asyncio.run_coroutine_threadsafe"
        ) from None
