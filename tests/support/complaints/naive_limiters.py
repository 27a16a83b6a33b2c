"""Bounds on concurrency as they are often written: each has one flaw."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from complaints.scene import Send

from nectar_async import Clock, Request, Response

__all__ = [
    "EagerLimit",
    "FixedWidth",
    "HandOverGate",
    "NestedWalk",
    "PoolWithTimeout",
    "ReplacedSemaphore",
    "SlotWhileAsleep",
]

OK = 200
TOO_MANY = 429


class SlotWhileAsleep:
    """The semaphore is around the whole call, so a retry sleeps on its slot."""

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


class FixedWidth:
    """As many as ever, whatever the server says; each call learns of a 429 alone."""

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
            asked = response.headers.get("retry-after")
            await self._clock.sleep(0.5 * 2**attempt if asked is None else float(asked))
        raise OSError(TOO_MANY)


class ReplacedSemaphore:
    """A semaphore cannot shrink, so a smaller one takes its place.

    Who waits for the old one waits for ever: permits are given back to the new one.
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
    """Half on a refusal, one more on each success: soon as many as before."""

    def __init__(self, send: Send, limit: int, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._most = limit
        self._limit = limit
        self._in_flight = 0
        self._line: deque[anyio.Event] = deque()

    async def ask(self, request: Request[Any]) -> Response:
        while True:
            turn = anyio.Event()
            self._line.append(turn)
            self._go_on()
            await turn.wait()
            response = await self._send(request)
            self._in_flight -= 1
            is_refused = response.status == TOO_MANY
            wanted = self._limit // 2 if is_refused else self._limit + 1
            self._limit = min(self._most, max(1, wanted))
            self._go_on()
            if response.status == OK:
                return response
            await self._clock.sleep(0.5)

    def _go_on(self) -> None:
        while self._line and self._in_flight < self._limit:
            self._in_flight += 1
            self._line.popleft().set()


class NestedWalk:
    """A call inside a call, and both take a slot of the same semaphore."""

    def __init__(self, send: Send, limit: int) -> None:
        self._send = send
        self._slots = anyio.Semaphore(limit)

    async def company(self, company: Request[Any], children: list[Request[Any]]) -> int:
        async with self._slots:
            await self._send(company)
            async with anyio.create_task_group() as group:
                for child in children:
                    group.start_soon(self._child, child)
        return len(children)

    async def _child(self, child: Request[Any]) -> None:
        async with self._slots:
            await self._send(child)


class HandOverGate:
    """A permit is handed to the first in line, whether it is still there or not."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._line: deque[anyio.Event] = deque()

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[None]:
        if self._free:
            self._free -= 1
        else:
            turn = anyio.Event()
            self._line.append(turn)
            await turn.wait()
        try:
            yield
        finally:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


class PoolWithTimeout:
    """As HTTP libraries have it: who waits too long for a connection gets an error.

    A pool cannot tell many calls from one connection that nobody gives back.
    """

    def __init__(self, send: Send, limit: int, clock: Clock, *, timeout: float) -> None:
        self._send = send
        self._free = limit
        self._clock = clock
        self._timeout = timeout
        self._line: deque[anyio.Event] = deque()

    async def ask(self, request: Request[Any]) -> Response:
        await self._connected()
        try:
            return await self._send(request)
        finally:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1

    async def _connected(self) -> None:
        if self._free:
            self._free -= 1
            return
        turn = anyio.Event()
        self._line.append(turn)
        async with anyio.create_task_group() as group:
            group.start_soon(self._give_up, group.cancel_scope)
            await turn.wait()
            group.cancel_scope.cancel()
        if not turn.is_set():
            self._line.remove(turn)
            raise OSError("pool timeout")

    async def _give_up(self, scope: anyio.CancelScope) -> None:
        await self._clock.sleep(self._timeout)
        scope.cancel()
