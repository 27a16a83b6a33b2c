"""Logs, errors and spans as they are often written; each has one flaw."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from complaints.scenario import Send
from opentelemetry.trace import Tracer

from nectar_async import Clock, Request, Response

__all__ = ["ApiError", "RequestError", "SpanPerCall", "get_json", "log_request"]

_log = logging.getLogger("flawed")

OK = 200
_HIDDEN = frozenset({"authorization", "api-key", "cookie", "set-cookie"})


def log_request(method: str, url: str, headers: Mapping[str, str]) -> None:
    """Log a request without the headers that are known to be secret."""
    shown = {
        name: "***" if name.lower() in _HIDDEN else value
        for name, value in headers.items()
    }
    _log.debug("%s %s %s", method, url, shown)


async def get_json(origin: str, key: str) -> Any:
    """Get JSON as in the manual of aiohttp, and let its errors through."""
    async with (
        aiohttp.ClientSession(headers={"X-API-Key": key}) as session,
        session.get(f"{origin}/thing", raise_for_status=True) as response,
    ):
        return await response.json()


class ApiError(Exception):
    """An error with a keyword argument, which pickle does not pass on."""

    def __init__(self, message: str, *, response: object) -> None:
        super().__init__(message)
        self.response = response


class RequestError(Exception):
    """An error that can be pickled, together with the headers of its request."""

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message, headers)
        self.headers = headers


class SpanPerCall:
    """Opens one span for the call, and none for its attempts."""

    def __init__(self, send: Send, clock: Clock, tracer: Tracer) -> None:
        self._send = send
        self._clock = clock
        self._tracer = tracer

    async def ask(self, request: Request[Any]) -> Response:
        with self._tracer.start_as_current_span("GET"):
            while (response := await self._send(request)).status != OK:
                await self._clock.sleep(10)
            return response
