"""A list of the API as something to iterate over.

A plain `async for` walks it (`_walk`) and runs nothing in the background; what does
sits behind `async with pager.prefetch()`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from nectar_async._http.executor import PageSource
from nectar_async._http.request import Request
from nectar_async._paging.cursor import Cursor
from nectar_async._paging.prefetch import Schedule
from nectar_async._paging.receipt import Receipt
from nectar_async._paging.sequential import Records, Walk
from nectar_async._paging.traversal import Course
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.page import Page

__all__ = ["Pager", "Prefetch"]

T = TypeVar("T")


class Pager(Generic[T]):
    """A list, fetched a few pages at a time as it is read.

    ```python
    async for record in nectar.usage.by_site(site_id):
        ...
    ```

    Each `async for` is a new walk from the first page. A record comes once, also when
    rows move between pages in mid-walk; `receipt` tells afterwards what the last walk
    was worth. A window that is too much for the server's ten seconds is walked in
    halves.
    """

    def __init__(
        self,
        request: Request[Page[T]],
        source: PageSource[T],
        *,
        verify: bool = False,
        cursor: Cursor | None = None,
    ) -> None:
        self._request = request
        self._source = source
        self._verify = verify
        self._cursor = cursor
        self._course = self._begin()

    def __aiter__(self) -> AsyncIterator[T]:
        return Records(self._walk())

    def pages(self) -> AsyncIterator[Page[T]]:
        """The same walk, a page at a time; its items are those that came first here."""
        return self._walk()

    def prefetch(self, *, look_ahead: int | None = None) -> Prefetch[T]:
        """The same walk with pages fetched in the background, in order.

        Args:
            look_ahead: pages that may be asked for and not yet given; by default four
                for each permit of the client's gate.

        Raises:
            InvalidArgumentError: `look_ahead` is below 1.
        """
        if look_ahead is not None and look_ahead < 1:
            raise InvalidArgumentError(f"look_ahead is at least 1, not {look_ahead}")
        return Prefetch(self._begin(), self._source, look_ahead)

    def resume(self, cursor: str) -> Pager[T]:
        """A pager that begins where an error's `cursor` points.

        Raises:
            InvalidArgumentError: the cursor belongs to another list.
        """
        return Pager(
            self._request,
            self._source,
            verify=self._verify,
            cursor=Cursor.parse(cursor),
        )

    @property
    def receipt(self) -> Receipt:
        """What the last walk is worth; `unfinished` before there was one."""
        return self._course.receipt()

    def _walk(self) -> Walk[T]:
        return Walk(self._begin(), self._source)

    def _begin(self) -> Course[T]:
        self._course = Course(self._request, verify=self._verify, cursor=self._cursor)
        return self._course


class Prefetch(Generic[T]):
    """A walk with pages fetched in the background while the caller works.

    ```python
    async with nectar.usage.by_meter(meter_id).prefetch() as records:
        async for record in records:
            ...
    ```
    """

    def __init__(
        self,
        course: Course[T],
        source: PageSource[T],
        look_ahead: int | None,
    ) -> None:
        self._course = course
        self._schedule = Schedule([("", course)], source, look_ahead=look_ahead)
        self._records = Records(self.pages())

    async def __aenter__(self) -> Self:
        await self._schedule.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._records.drop()
        return await self._schedule.__aexit__(kind, error, trace)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._records

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages, in order, each as soon as it is there."""
        return _Delivered(self._schedule)

    @property
    def receipt(self) -> Receipt:
        """What the walk is worth."""
        return self._course.receipt()


class _Delivered(Generic[T]):
    """The pages of a schedule with one owner; the first error is raised."""

    def __init__(self, schedule: Schedule[T]) -> None:
        self._schedule = schedule

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        while True:
            delivery = await anext(self._schedule)
            if delivery.error is not None:
                raise delivery.error
            if delivery.page is not None:
                return delivery.page
