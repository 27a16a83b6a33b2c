"""What every noun has: a way to ask."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from nectar_async._pager import Pager
from nectar_async._pages import Source
from nectar_async._request import Request
from nectar_async.models.page import Page

__all__ = ["Caller", "Resource"]

T = TypeVar("T")


class Caller(Protocol):
    """What a noun needs of the client."""

    async def send(self, request: Request[T], /) -> T:
        """The answer to one request."""
        ...

    @property
    def source(self) -> Source[Any]:
        """What a walk over a list needs."""
        ...


class Resource:
    """A noun of the API, bound to a client."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def _fetch(self, request: Request[T]) -> T:
        return await self._caller.send(request)

    def _pages(self, request: Request[Page[T]]) -> Pager[T]:
        return Pager(request, self._caller.source)
