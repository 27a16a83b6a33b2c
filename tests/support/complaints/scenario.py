"""Servers, a virtual clock and concurrent callers for both variants of a scenario."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
from doubles import settle_down

from nectar_async import NectarError, Request, Response, VirtualClock

__all__ = ["GET", "OK", "BusyServer", "Send", "SteppedClock", "call_at_once"]

Send = Callable[[Request[Any]], Awaitable[Response]]
"""The `send` method of a transport, which flawed clients call directly."""

GET = Request.get("thing_get", "/thing", dict)
OK = Response(200, {}, b"{}")

_TURNS = 500


class SteppedClock(VirtualClock):
    """A clock that advances to the next wake-up when all tasks wait."""

    def __init__(self, *, jitter: float = 0.0) -> None:
        super().__init__(jitter=jitter)
        self._sleepers: list[tuple[float, anyio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        sleeper = (self.monotonic() + seconds, anyio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def run(self, scenario: Callable[[], Awaitable[object]]) -> bool:
        """Run a scenario; False if it deadlocks: all tasks wait, and none sleeps."""
        finished = anyio.Event()

        async def run_scenario() -> None:
            await scenario()
            finished.set()

        async with anyio.create_task_group() as group:
            group.start_soon(run_scenario)
            while not finished.is_set():
                await settle_down(_TURNS)
                if not (finished.is_set() or self._sleepers):
                    group.cancel_scope.cancel()
                    break
                self._wake_next()
        return finished.is_set()

    def _wake_next(self) -> None:
        if not self._sleepers:
            return
        first = min(due for due, _ in self._sleepers)
        self.advance(max(0.0, first - self.monotonic()))
        for due, event in self._sleepers:
            if due <= first:
                event.set()


class BusyServer:
    """A server that serves `limit` requests at once and answers the others with 429.

    Args:
        limit: how many requests it serves at once.
        is_fragile: whether it refuses all requests while there are too many.
        turns: how many turns of the event loop an answer takes.
    """

    def __init__(self, limit: int, *, is_fragile: bool = False, turns: int = 3) -> None:
        self.limit = limit
        self.served = 0
        self.refused = 0
        self._is_fragile = is_fragile
        self._turns = turns
        self._in_flight = 0

    async def __call__(self, request: Request[Any]) -> Response:
        self._in_flight += 1
        is_refused = self._in_flight > self.limit
        try:
            for _ in range(self._turns):
                await anyio.lowlevel.checkpoint()
                if self._is_fragile and self._in_flight > self.limit:
                    is_refused = True
        finally:
            self._in_flight -= 1
        self.refused += is_refused
        self.served += not is_refused
        return Response(429) if is_refused else OK


async def call_at_once(ask: Callable[[], Awaitable[object]], callers: int) -> int:
    """Call a function many times at once; return how many calls succeeded."""
    succeeded = 0

    async def call() -> None:
        nonlocal succeeded
        with suppress(NectarError, OSError):
            await ask()
            succeeded += 1

    async with anyio.create_task_group() as group:
        for _ in range(callers):
            group.start_soon(call)
    return succeeded
