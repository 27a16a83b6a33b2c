"""A plain walk over a list: windows of pages, each over before its first record.

A generator that held a task group or a cancel scope over a `yield` would break its
caller (PEP 789). So a walk is a class: its `__anext__` opens a task group for a window
of pages, and closes it before it gives the first record. Between two records nothing
runs, and leaving early leaves nothing behind.

The last answers of a window come all at once, and to read them takes as long as half of
a request. So some of them stay as they are until the next window is under way, which
begins when the pages before them are used up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, Self, TypeAlias, TypeVar

import anyio
import anyio.abc

from nectar_async._http.executor import PageSource, describe
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._json.cooperative import SMALL_BODY
from nectar_async._paging.receipt import note
from nectar_async._paging.traversal import Course
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["Records", "Walk"]

T = TypeVar("T")

Outcome: TypeAlias = Page[T] | Response | Exception
"""A page, an answer that was not read yet, or why there is none."""

# Pages in the first windows, then multiples of the permits: whoever looks at the first
# record only pays for one page, and whoever reads on soon keeps every permit busy.
_FIRST_WINDOWS = (1, 2, 4)
_LATER_WINDOWS = (1, 2, 4)


class Records(Generic[T]):
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

    def drop(self) -> None:
        """Forget what is left of the present page."""
        self._items.clear()


class Walk(Generic[T]):
    """Pages in windows; a window is over before its first page is given."""

    def __init__(self, course: Course[T], source: PageSource[T]) -> None:
        self._course = course
        self._source = source
        self._leg = course.leg
        self._next = self._leg.first
        self._windows = 0
        self._ready: deque[Page[T] | Exception] = deque()
        self._held: dict[int, Outcome[T]] = {}
        """Pages behind those, from the first one on that was not read yet."""
        self._has_failed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        page: Page[T] | None = None
        while page is None:
            if self._has_failed:
                raise StopAsyncIteration
            if self._course.is_over:
                self._course.finish()
                raise StopAsyncIteration
            if not self._ready:
                await self._fetch_window()
            page = self._admit(self._ready.popleft())
        return page

    def _admit(self, page: Page[T] | Exception) -> Page[T] | None:
        # Until this page is in: what came before it was given, and what comes after a
        # page that fails cannot be.
        self._has_failed = True
        given: Page[T] | None = None
        try:
            if not isinstance(page, Exception):
                given = self._course.admit(page)
            elif not self._course.survives(page):
                raise page
        except NectarError as error:
            if isinstance(page, Page):
                describe(error, self._leg.request.at(page.number))
            self._course.locate(error)
            raise
        self._has_failed = False
        if self._course.leg is not self._leg:
            self._leg = self._course.leg
            self._next = self._leg.first
            self._ready.clear()
            self._held.clear()
        return given

    async def _fetch_window(self) -> None:
        """The next pages, side by side; what is left of the last window is read first.

        When it is cancelled, nothing has changed.
        """
        first, planned = self._next, self._leg.planned
        last = min(first + self._window() - 1, max(planned, first))
        window = _Window(
            self._leg.request,
            self._source,
            held=dict(self._held),
            least=last - self._hold(last + 1 - first) if last < planned else last,
        )
        async with anyio.create_task_group() as group:
            window.start(group, range(first, last + 1))
        ready, self._held = window.outcomes()
        self._ready.extend(ready)
        self._next = last + 1
        self._windows += 1

    def _hold(self, size: int) -> int:
        """How many pages of a window may stay unread: none of the first, small ones."""
        permits = self._source.permits
        return min(size // 2, permits) if size >= permits else 0

    def _window(self) -> int:
        if self._windows < len(_FIRST_WINDOWS):
            return _FIRST_WINDOWS[self._windows]
        later = min(self._windows - len(_FIRST_WINDOWS), len(_LATER_WINDOWS) - 1)
        return self._source.permits * _LATER_WINDOWS[later]


class _Window(Generic[T]):
    """Pages that are fetched side by side, and read as they come, the first one first.

    Args:
        request: the list.
        source: what fetches and reads.
        held: pages before these that were fetched, and mostly not read, by number.
        least: the page up to which all must be read. Later ones may stay unread when
            the last answer is there: that time is better spent while others are
            under way.
    """

    def __init__(
        self,
        request: Request[Page[T]],
        source: PageSource[T],
        held: dict[int, Outcome[T]],
        least: int,
    ) -> None:
        self._request = request
        self._source = source
        self._least: float = least
        self._came = held
        self._unread = [
            (number, one) for number, one in held.items() if isinstance(one, Response)
        ]
        heapify(self._unread)
        self._coming = 0
        self._bell = anyio.Event()
        self._scopes: dict[int, anyio.CancelScope] = {}
        self._failed: int | None = None

    def start(self, group: anyio.abc.TaskGroup, numbers: range) -> None:
        """Fetch these pages and read, in tasks of a group."""
        self._coming = len(numbers)
        for number in numbers:
            group.start_soon(self._fetch, number)
        group.start_soon(self._read)

    async def _fetch(self, number: int) -> None:
        """One page; its failure calls off the pages behind it."""
        if self._failed is None or number < self._failed:
            with anyio.CancelScope() as self._scopes[number]:
                await self._settle(number, self._source.send(self._request.at(number)))
            outcome = self._came.get(number)
            if isinstance(outcome, Response):
                heappush(self._unread, (number, outcome))
        self._coming -= 1
        self._bell.set()

    async def _read(self) -> None:
        """Read what is there, until all is there and enough of it is read."""
        while True:
            while self._unread and self._is_due(*self._unread[0]):
                number, response = heappop(self._unread)
                request = self._request.at(number)
                await self._settle(number, self._source.read(request, response))
            if not self._coming:
                return
            self._bell = anyio.Event()
            await self._bell.wait()

    async def _settle(self, number: int, work: Awaitable[Outcome[T]]) -> None:
        """Keep what comes of a page, or why nothing does."""
        try:
            self._came[number] = await work
        except Exception as error:  # noqa: BLE001 - the walk raises it, after the pages before it
            self._fail(number, error)

    def _is_due(self, number: int, response: Response) -> bool:
        if self._failed is not None and number > self._failed:
            return False
        is_little = len(response.body) <= SMALL_BODY
        return is_little or number <= self._least or self._coming > 0

    def _fail(self, number: int, error: Exception) -> None:
        """Keep an error, call off what is behind it, and see that the rest is read."""
        self._came[number] = error
        self._least = inf
        self._failed = number if self._failed is None else min(number, self._failed)
        for other, scope in self._scopes.items():
            if other > number:
                scope.cancel()

    def outcomes(self) -> tuple[list[Page[T] | Exception], dict[int, Outcome[T]]]:
        """What was read, in order, up to the first failure; and what is held back.

        Later failures are notes on the first one.
        """
        came = dict(sorted(self._came.items()))
        ready: list[Page[T] | Exception] = []
        for number, outcome in tuple(came.items()):
            if isinstance(outcome, Response):
                break
            ready.append(outcome)
            del came[number]
            if isinstance(outcome, Exception):
                note(
                    outcome,
                    (one for one in came.values() if isinstance(one, Exception)),
                )
                return ready, {}
        return ready, came
