"""Retries as they are often written; each has one flaw."""

from __future__ import annotations

from typing import Any

import anyio
from complaints.scenario import Send

from nectar_async import Clock, Request, Response, TransportError

__all__ = [
    "AttemptTimeoutOnly",
    "ExactWait",
    "FullJitter",
    "RetryAnyMethod",
    "SharedTimeout",
]

OK = 200
TOO_MANY = 429


class AttemptTimeoutOnly:
    """Limits each attempt by `timeout`, but not the whole call."""

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


class SharedTimeout:
    """Limits all attempts together by `timeout`, so a slow attempt leaves no time."""

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


class ExactWait:
    """Waits exactly as long as Retry-After says, as all other clients do."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock

    async def ask(self, request: Request[Any]) -> Response:
        while (response := await self._send(request)).status == TOO_MANY:
            await self._clock.sleep(
                self.compute_wait(float(response.headers["retry-after"]))
            )
        return response

    def compute_wait(self, retry_after: float) -> float:
        """Compute the seconds to wait."""
        return retry_after


class FullJitter(ExactWait):
    """Waits a random time up to Retry-After, and so often too short."""

    def compute_wait(self, retry_after: float) -> float:
        return retry_after * self._clock.jitter()


class RetryAnyMethod:
    """Sends any request again that timed out, whatever its method."""

    def __init__(self, send: Send, *, timeout: float) -> None:
        self._send = send
        self._timeout = timeout

    async def ask(self, request: Request[Any]) -> Response:
        while True:
            with anyio.move_on_after(self._timeout):
                return await self._send(request)
