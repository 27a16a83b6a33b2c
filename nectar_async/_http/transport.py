"""What a transport is, and what a stage is: the two seams of the pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from nectar_async._http.request import Request
from nectar_async._http.response import Response

__all__ = ["Send", "Stage", "Transport"]

Send = Callable[[Request[Any]], Awaitable[Response]]
"""Takes a request, gives the response or raises a `NectarError`."""

Stage = Callable[[Request[Any], Send], Awaitable[Response]]
"""Wraps a send: may look at the request, change it, wait, send it again or refuse."""


@runtime_checkable
class Transport(Protocol):
    """Carries one request to a server and its answer back, once.

    It sees the finished request: `method`, absolute `url`, `headers` (the key among
    them), `body`, `operation`, `max_body_bytes`. It follows no redirect, repeats
    nothing and judges no status; what keeps it from an answer it raises as a
    `TransportError`. A transport that needs no key says so with a class attribute
    `needs_key = False`.
    """

    async def send(self, request: Request[Any], /) -> Response:
        """Send it and read the whole answer.

        `Response.body` is as received when `content-encoding` is among the headers; a
        transport that unpacks drops that header.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections and files; closing twice does nothing."""
        ...
