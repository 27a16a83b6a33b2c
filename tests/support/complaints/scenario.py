"""What both variants of a scenario stand on: servers, and time that waits for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
from doubles import settle_down

from nectar_async import NectarError, Request, Response, VirtualClock

__all__ = ["GET", "OK", "Busy", "PatientClock", "Send", "crowd"]

Send = Callable[[Request[Any]], Awaitable[Response]]
"""The way down as a naive client has it: the transport's own `send`."""

GET = Request.get("thing_get", "/thing", dict)
OK = Response(200, {}, b"{}")

_TURNS = 500


class PatientClock(VirtualClock):
    """Time goes on only when nobody can do anything else, to the next who wakes."""

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

    async def ends(self, story: Callable[[], Awaitable[object]]) -> bool:
        """Play it; False when all wait for each other, and nobody for the time."""
        over = anyio.Event()

        async def play() -> None:
            await story()
            over.set()

        async with anyio.create_task_group() as group:
            group.start_soon(play)
            while not over.is_set():
                await settle_down(_TURNS)
                if not (over.is_set() or self._sleepers):
                    group.cancel_scope.cancel()
                    break
                self._wake_next()
        return over.is_set()

    def _wake_next(self) -> None:
        if not self._sleepers:
            return
        first = min(due for due, _ in self._sleepers)
        self.advance(max(0.0, first - self.monotonic()))
        for due, event in self._sleepers:
            if due <= first:
                event.set()


class Busy:
    """A server that does `limit` things at once, and refuses the rest with 429.

    Where `is_fragile`, a crowd is refused as a whole, not only who came last.
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
        is_crowded = self._in_flight > self.limit
        try:
            for _ in range(self._turns):
                await anyio.lowlevel.checkpoint()
                if self._is_fragile and self._in_flight > self.limit:
                    is_crowded = True
        finally:
            self._in_flight -= 1
        self.refused += is_crowded
        self.served += not is_crowded
        return Response(429) if is_crowded else OK


async def crowd(ask: Callable[[], Awaitable[object]], callers: int) -> int:
    """So many callers at once; how many of them got what they asked for."""
    happy = 0

    async def call() -> None:
        nonlocal happy
        with suppress(NectarError, OSError):
            await ask()
            happy += 1

    async with anyio.create_task_group() as group:
        for _ in range(callers):
            group.start_soon(call)
    return happy
