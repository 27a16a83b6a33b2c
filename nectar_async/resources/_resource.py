"""The base class of the groups of operations."""

from __future__ import annotations

from typing import TypeVar

from nectar_async._hints import Hinted
from nectar_async._http.executor import Executor
from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async.models.page import Page
from nectar_async.resources._method_hints import build_method_hints

__all__ = ["Resource"]

T = TypeVar("T")


class Resource(Hinted):
    """The operations on one noun of the API, bound to a client."""

    def __init_subclass__(cls) -> None:
        """Build the hints from the methods."""
        cls._HINTS = build_method_hints(cls)
        super().__init_subclass__()

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def _fetch(self, request: Request[T]) -> T:
        return await self._executor.send(request)

    def _pages(self, request: Request[Page[T]], *, verify: bool = False) -> Pager[T]:
        return Pager(request, self._executor.source, verify=verify)
