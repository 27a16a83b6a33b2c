"""Retries as they are often written: each has one flaw."""

from __future__ import annotations

from typing import Any

import anyio
from complaints.scene import Send

from nectar_async import Clock, Request, Response, TransportError

__all__ = ["AnyVerb", "AttemptsOnly", "FullJitter", "OneBudget", "SameWait"]

OK = 200
TOO_MANY = 429


class AttemptsOnly:
    """`timeout` is meant for each attempt, and nothing bounds them together."""

    def __init__(
        self, send: Send, clock: Clock, *, timeout: float, max_retries: int
    ) -> None:
        self._send = send
        self._clock = clock
        self._timeout = timeout
        self._max_retries = max_retries

    async def ask(self, request: Request[Any]) -> Response:
        for attempt in range(self._max_retries):
            try:
                with anyio.fail_after(self._timeout):
                    return await self._send(request)
            except (TimeoutError, TransportError):
                await self._clock.sleep(0.5 * 2**attempt)
        with anyio.fail_after(self._timeout):
            return await self._send(request)


class OneBudget:
    """`timeout` is meant for all attempts together, so a slow one is the last."""

    def __init__(self, send: Send, *, timeout: float, max_retries: int) -> None:
        self._send = send
        self._timeout = timeout
        self._max_retries = max_retries

    async def ask(self, request: Request[Any]) -> Response:
        with anyio.fail_after(self._timeout):
            for _ in range(self._max_retries):
                response = await self._send(request)
                if response.status == OK:
                    return response
            return await self._send(request)


class SameWait:
    """Waits exactly as long as the server says, as everybody else does."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock

    async def ask(self, request: Request[Any]) -> Response:
        while (response := await self._send(request)).status == TOO_MANY:
            await self._clock.sleep(self.wait(float(response.headers["retry-after"])))
        return response

    def wait(self, asked: float) -> float:
        """Seconds to wait when the server asks for `asked`."""
        return asked


class FullJitter(SameWait):
    """Anything from nothing to the wait that the server asks for."""

    def wait(self, asked: float) -> float:
        return asked * self._clock.jitter()


class AnyVerb:
    """What timed out is sent again, whatever it was."""

    def __init__(self, send: Send, *, timeout: float) -> None:
        self._send = send
        self._timeout = timeout

    async def ask(self, request: Request[Any]) -> Response:
        while True:
            with anyio.move_on_after(self._timeout):
                return await self._send(request)
