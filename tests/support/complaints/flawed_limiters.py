"""Limits of concurrency as they are often written; each has one flaw."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from complaints.scenario import Send

from nectar_async import Clock, Request, Response

__all__ = [
    "EagerLimit",
    "FixedLimit",
    "HandOverLimiter",
    "NestedCalls",
    "PoolWithTimeout",
    "ReplacedSemaphore",
    "SlotDuringBackoff",
]

OK = 200
TOO_MANY = 429


class SlotDuringBackoff:
    """Holds a semaphore around the whole call, also during the back-off of a retry."""

    def __init__(self, send: Send, limit: int, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._slots = anyio.Semaphore(limit)

    async def ask(self, request: Request[Any]) -> Response:
        async with self._slots:
            wait = 10.0
            while (response := await self._send(request)).status != OK:
                await self._clock.sleep(wait)
                wait *= 2
            return response


class FixedLimit:
    """Never lowers the limit, and lets each call meet its own 429."""

    def __init__(
        self, send: Send, limit: int, clock: Clock, *, attempts: int = 4
    ) -> None:
        self._send = send
        self._clock = clock
        self._slots = anyio.Semaphore(limit)
        self._attempts = attempts

    async def ask(self, request: Request[Any]) -> Response:
        for attempt in range(self._attempts):
            async with self._slots:
                response = await self._send(request)
            if response.status == OK:
                return response
            retry_after = response.headers.get("retry-after")
            wait = 0.5 * 2**attempt if retry_after is None else float(retry_after)
            await self._clock.sleep(wait)
        raise OSError(TOO_MANY)


class ReplacedSemaphore:
    """Lowers the limit by replacing the semaphore by a smaller one.

    Calls that wait for the old semaphore wait forever, because permits go back to the
    new one.
    """

    def __init__(self, send: Send, limit: int, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._limit = limit
        self._slots = anyio.Semaphore(limit)

    async def ask(self, request: Request[Any]) -> Response:
        while True:
            await self._slots.acquire()
            try:
                response = await self._send(request)
            finally:
                self._slots.release()
            if response.status == OK:
                return response
            self._limit = max(1, self._limit // 2)
            self._slots = anyio.Semaphore(self._limit)
            await self._clock.sleep(0.5)


class EagerLimit:
    """Halves the limit on a 429 and adds one on each success, which is too fast."""

    def __init__(self, send: Send, limit: int, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._maximum = limit
        self._limit = limit
        self._in_flight = 0
        self._waiters: deque[anyio.Event] = deque()

    async def ask(self, request: Request[Any]) -> Response:
        while True:
            waiter = anyio.Event()
            self._waiters.append(waiter)
            self._wake_waiters()
            await waiter.wait()
            response = await self._send(request)
            self._in_flight -= 1
            is_refused = response.status == TOO_MANY
            next_limit = self._limit // 2 if is_refused else self._limit + 1
            self._limit = min(self._maximum, max(1, next_limit))
            self._wake_waiters()
            if response.status == OK:
                return response
            await self._clock.sleep(0.5)

    def _wake_waiters(self) -> None:
        while self._waiters and self._in_flight < self._limit:
            self._in_flight += 1
            self._waiters.popleft().set()


class NestedCalls:
    """Nests calls that take slots of the same semaphore."""

    def __init__(self, send: Send, limit: int) -> None:
        self._send = send
        self._slots = anyio.Semaphore(limit)

    async def fetch_company(
        self, company: Request[Any], children: list[Request[Any]]
    ) -> int:
        async with self._slots:
            await self._send(company)
            async with anyio.create_task_group() as group:
                for child in children:
                    group.start_soon(self._fetch_child, child)
        return len(children)

    async def _fetch_child(self, child: Request[Any]) -> None:
        async with self._slots:
            await self._send(child)


class HandOverLimiter:
    """Hands a permit to the first waiter, even if that one was cancelled."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiters: deque[anyio.Event] = deque()

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[None]:
        if self._free:
            self._free -= 1
        else:
            waiter = anyio.Event()
            self._waiters.append(waiter)
            await waiter.wait()
        try:
            yield
        finally:
            if self._waiters:
                self._waiters.popleft().set()
            else:
                self._free += 1


class PoolWithTimeout:
    """Raises an error after a long wait for a connection, as HTTP libraries do.

    A pool cannot distinguish many calls from a connection that is never released.
    """

    def __init__(self, send: Send, limit: int, clock: Clock, *, timeout: float) -> None:
        self._send = send
        self._free = limit
        self._clock = clock
        self._timeout = timeout
        self._waiters: deque[anyio.Event] = deque()

    async def ask(self, request: Request[Any]) -> Response:
        await self._acquire()
        try:
            return await self._send(request)
        finally:
            if self._waiters:
                self._waiters.popleft().set()
            else:
                self._free += 1

    async def _acquire(self) -> None:
        if self._free:
            self._free -= 1
            return
        waiter = anyio.Event()
        self._waiters.append(waiter)
        async with anyio.create_task_group() as group:
            group.start_soon(self._give_up, group.cancel_scope)
            await waiter.wait()
            group.cancel_scope.cancel()
        if not waiter.is_set():
            self._waiters.remove(waiter)
            raise OSError("pool timeout")

    async def _give_up(self, scope: anyio.CancelScope) -> None:
        await self._clock.sleep(self._timeout)
        scope.cancel()
