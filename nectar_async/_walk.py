"""A plain walk over a list: windows of pages, each over before its first record.

A generator that held a task group or a cancel scope over a `yield` would break its
caller (PEP 789). So a walk is a class: its `__anext__` opens a task group for a window
of pages, and closes it before it gives the first record. Between two records nothing
runs, and leaving early leaves nothing behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, Self, TypeVar

import anyio

from nectar_async._course import Course
from nectar_async._pages import Source, describe, note
from nectar_async._request import Request
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["Records", "Walk"]

T = TypeVar("T")

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

    def __init__(self, course: Course[T], source: Source[T]) -> None:
        self._course = course
        self._source = source
        self._leg = course.leg
        self._next = self._leg.first
        self._windows = 0
        self._ready: deque[Page[T] | Exception] = deque()
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
                self._ready.extend(await self._fetch_window())
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
        return given

    async def _fetch_window(self) -> list[Page[T] | Exception]:
        """The next pages, side by side, up to the first that failed."""
        first = self._next
        last = min(first + self._window() - 1, max(self._leg.planned, first))
        window = _Window(self._leg.request, self._source)
        async with anyio.create_task_group() as group:
            for number in range(first, last + 1):
                group.start_soon(window.fetch, number)
            if not self._windows:
                group.start_soon(self._source.prepare, self._leg.request)
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
