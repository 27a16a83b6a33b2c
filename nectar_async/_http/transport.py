"""The three interfaces of the pipeline: `Transport`, `Stage` and `Send`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from nectar_async._http.request import Request
from nectar_async._http.response import Response

__all__ = ["Send", "Stage", "Transport"]

Send = Callable[[Request[Any]], Awaitable[Response]]
"""Sends a request; returns the response, or raises a `NectarError`."""

Stage = Callable[[Request[Any], Send], Awaitable[Response]]
"""A stage of the pipeline: gets a request and the function that sends it on.

A stage may look at the request or the response, send on a changed copy (requests are
frozen: `attrs.evolve(request, headers={...})`), wait, or raise an error instead.
"""


@runtime_checkable
class Transport(Protocol):
    """Sends one request to a server, once, and returns its answer.

    It gets the finished request: `method`, absolute `url`, `headers` (with the key),
    `body`, `operation`, `max_body_bytes`. It must not follow redirects, send anything
    again, or judge a status. It raises a `TransportError` if there is no answer. A
    transport that needs no key has a class attribute `needs_key = False`.
    """

    async def send(self, request: Request[Any], /) -> Response:
        """Send the request and read the whole answer.

        `Response.body` is as received if the headers have `content-encoding`. A
        transport that decompresses the body leaves that header out.
        """
        ...

    async def aclose(self) -> None:
        """Close connections and files. Closing twice must do nothing."""
        ...
