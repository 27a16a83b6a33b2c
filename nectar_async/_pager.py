"""A list of the API as something to iterate over.

A generator that held a task group or a cancel scope over a `yield` would break its
caller (PEP 789). So a walk is a class: its `__anext__` opens a task group for a window
of pages, and closes it before it gives the first record. Between two records nothing
runs, and leaving early leaves nothing behind. What does run in the background sits
behind `async with pager.prefetch()`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

import anyio
import anyio.lowlevel

from nectar_async._pages import Ledger, Receipt, Source, describe, note, page_of
from nectar_async._request import Request
from nectar_async._schedule import Schedule
from nectar_async.errors import InvalidArgumentError, NectarError
from nectar_async.models.page import Page

__all__ = ["Pager", "Prefetch"]

T = TypeVar("T")

# Pages in the first windows, then multiples of the permits: whoever looks at the first
# record only pays for one page, and whoever reads on soon keeps every permit busy.
_FIRST_WINDOWS = (1, 2, 4)
_LATER_WINDOWS = (1, 2, 4)


class Pager(Generic[T]):
    """A list, fetched a few pages at a time as it is read.

    ```python
    async for record in nectar.usage.by_site(site_id):
        ...
    ```

    Each `async for` is a new walk from the first page. A record comes once, also when
    rows move between pages in mid-walk; `receipt` tells afterwards what the last walk
    was worth.
    """

    def __init__(self, request: Request[Page[T]], source: Source[T]) -> None:
        self._request = request
        self._source = source
        self._ledger: Ledger[T] = Ledger()

    def __aiter__(self) -> AsyncIterator[T]:
        return _Records(self._walk())

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
        return Prefetch(self._request, self._source, self._begin(), look_ahead)

    def resume(self, cursor: str) -> Pager[T]:
        """A pager that begins where an error's `cursor` points.

        Raises:
            InvalidArgumentError: the cursor belongs to another list.
        """
        return Pager(self._request.at(page_of(cursor, self._request)), self._source)

    @property
    def receipt(self) -> Receipt:
        """What the last walk is worth; `unfinished` before there was one."""
        return self._ledger.receipt()

    def _walk(self) -> _Walk[T]:
        return _Walk(self._request, self._source, self._begin())

    def _begin(self) -> Ledger[T]:
        self._ledger = Ledger(self._request.page or 1)
        return self._ledger


class _Records(Generic[T]):
    """The records of pages, one after the other; no await between two of a page."""

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._items: deque[T] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            self._items.extend((await anext(self._pages)).items)
        return self._items.popleft()


class _Walk(Generic[T]):
    """Pages in windows; a window is over before its first page is given."""

    def __init__(
        self, request: Request[Page[T]], source: Source[T], ledger: Ledger[T]
    ) -> None:
        self._request = request
        self._source = source
        self._ledger = ledger
        self._next = request.page or 1
        self._windows = 0
        self._ready: deque[Page[T] | Exception] = deque()
        self._has_failed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        if self._has_failed:
            raise StopAsyncIteration
        if self._ledger.is_done:
            self._ledger.finish()
            raise StopAsyncIteration
        if not self._ready:
            self._ready.extend(await self._fetch_window())
        return self._admit(self._ready.popleft())

    def _admit(self, page: Page[T] | Exception) -> Page[T]:
        # Until this page is in: what came before it was given, and what comes after a
        # page that fails cannot be.
        self._has_failed = True
        if isinstance(page, Exception):
            raise page
        try:
            admitted = self._ledger.admit(page)
        except NectarError as error:
            describe(error, self._request.at(page.number))
            raise
        self._has_failed = False
        return admitted

    async def _fetch_window(self) -> list[Page[T] | Exception]:
        """The next pages, side by side, up to the first that failed."""
        first = self._next
        last = min(first + self._window() - 1, max(self._ledger.planned, first))
        window = _Window(self._request, self._source)
        async with anyio.create_task_group() as group:
            for number in range(first, last + 1):
                group.start_soon(window.fetch, number)
        self._next = last + 1
        self._windows += 1
        return window.outcomes(first, last)

    def _window(self) -> int:
        if self._windows < len(_FIRST_WINDOWS):
            return _FIRST_WINDOWS[self._windows]
        later = min(self._windows - len(_FIRST_WINDOWS), len(_LATER_WINDOWS) - 1)
        return self._source.permits * _LATER_WINDOWS[later]


class _Window(Generic[T]):
    """Pages that are fetched and decoded side by side."""

    def __init__(self, request: Request[Page[T]], source: Source[T]) -> None:
        self._request = request
        self._source = source
        self._came: dict[int, Page[T] | Exception] = {}
        self._scopes: dict[int, anyio.CancelScope] = {}
        self._failed: int | None = None

    async def fetch(self, number: int) -> None:
        """One page; its failure calls off the pages behind it."""
        if self._failed is not None and number > self._failed:
            return
        request = self._request.at(number)
        with anyio.CancelScope() as self._scopes[number]:
            try:
                response = await self._source.send(request)
                # Let what is ready in other sockets go on before this one is decoded.
                await anyio.lowlevel.checkpoint()
                self._came[number] = await self._source.read(request, response)
            except Exception as error:  # noqa: BLE001 - raised by the walk, after what came before it
                self._came[number] = error
                self._call_off(number)

    def _call_off(self, failed: int) -> None:
        self._failed = failed if self._failed is None else min(failed, self._failed)
        for number, scope in self._scopes.items():
            if number > failed:
                scope.cancel()

    def outcomes(self, first: int, last: int) -> list[Page[T] | Exception]:
        """In order, up to and with the first failure; later ones are notes on it."""
        pages: list[Page[T] | Exception] = []
        for number in range(first, last + 1):
            outcome = self._came[number]
            pages.append(outcome)
            if isinstance(outcome, Exception):
                others = [
                    self._came.get(later) for later in range(number + 1, last + 1)
                ]
                note(outcome, (one for one in others if isinstance(one, Exception)))
                break
        return pages


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
        request: Request[Page[T]],
        source: Source[T],
        ledger: Ledger[T],
        look_ahead: int | None,
    ) -> None:
        self._ledger = ledger
        self._schedule = Schedule(
            [("", request, ledger)], source, look_ahead=look_ahead
        )
        self._records = _Records(self.pages())

    async def __aenter__(self) -> Self:
        await self._schedule.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._schedule.__aexit__(kind, error, trace)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._records

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages, in order, each as soon as it is there."""
        return _Delivered(self._schedule)

    @property
    def receipt(self) -> Receipt:
        """What the walk is worth."""
        return self._ledger.receipt()


class _Delivered(Generic[T]):
    """The pages of a schedule with one owner; the first error is raised."""

    def __init__(self, schedule: Schedule[T]) -> None:
        self._schedule = schedule

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        delivery = await anext(self._schedule)
        if delivery.error is not None:
            raise delivery.error
        return cast("Page[T]", delivery.page)
