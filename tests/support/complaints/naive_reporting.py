"""Logs, errors and spans as they are often written: each has one flaw."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from complaints.scene import Send
from opentelemetry.trace import Tracer

from nectar_async import Clock, Request, Response

__all__ = ["ApiError", "OneSpan", "RequestError", "get", "log_request"]

_log = logging.getLogger("naive")

OK = 200
_HIDDEN = frozenset({"authorization", "api-key", "cookie", "set-cookie"})


def log_request(method: str, url: str, headers: Mapping[str, str]) -> None:
    """Everything, less a list of headers that are known to be secret."""
    shown = {
        name: "***" if name.lower() in _HIDDEN else value
        for name, value in headers.items()
    }
    _log.debug("%s %s %s", method, url, shown)


async def get(origin: str, key: str) -> Any:
    """As the manual of aiohttp does it: its error is the error."""
    async with (
        aiohttp.ClientSession(headers={"X-API-Key": key}) as session,
        session.get(f"{origin}/thing", raise_for_status=True) as response,
    ):
        return await response.json()


class ApiError(Exception):
    """An error that is made of a message and something else."""

    def __init__(self, message: str, *, response: object) -> None:
        super().__init__(message)
        self.response = response


class RequestError(Exception):
    """An error that pickles, with the request that it came from."""

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message, headers)
        self.headers = headers


class OneSpan:
    """A span around the call; what happens in it is nobody's business."""

    def __init__(self, send: Send, clock: Clock, tracer: Tracer) -> None:
        self._send = send
        self._clock = clock
        self._tracer = tracer

    async def ask(self, request: Request[Any]) -> Response:
        with self._tracer.start_as_current_span("GET"):
            while (response := await self._send(request)).status != OK:
                await self._clock.sleep(10)
            return response
