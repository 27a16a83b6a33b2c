"""Plain iteration over a list: batches of pages, each fetched before its first record.

An async generator that holds a task group or a cancel scope over a `yield` breaks its
caller (PEP 789). So the iterator is a class: its `__anext__` opens a task group for a
batch of pages, and closes it before it returns the first of them. Nothing runs between
two records, and leaving the loop early leaves nothing behind.

The first batches have 1, 2 and 4 pages, so that reading one record fetches one page
only. Later ones have a multiple of the permits, so that every permit is in use.

The last responses of a batch arrive together, and decoding them takes half as long as a
request. So some of them stay undecoded until all pages before them are used up and the
requests of the next batch are under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, Self, TypeAlias, TypeVar

import anyio
import anyio.abc

from nectar_async._http.background import find_first_error
from nectar_async._http.executor import PageSource, attach_request
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._json.cooperative import SMALL_BODY
from nectar_async._paging.traversal import Traversal
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["PageIterator", "RecordIterator", "add_notes"]

T = TypeVar("T")

Outcome: TypeAlias = Page[T] | Response | Exception
"""A page, a response that was not decoded yet, or the error of the request."""

_FIRST_BATCHES = (1, 2, 4)
"""Pages in the first batches."""
_LATER_BATCHES = (1, 2, 4)
"""Pages for each permit in the batches after those; the last number is repeated."""


class RecordIterator(Generic[T]):
    """Iterates over the records of pages; within a page, nothing is awaited."""

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
        """Drop the rest of the current page."""
        self._items.clear()


class PageIterator(Generic[T]):
    """Iterates over the pages of a list; fetches a whole batch at a time."""

    def __init__(self, traversal: Traversal[T], source: PageSource[T]) -> None:
        self._traversal = traversal
        self._source = source
        self._window_pass = traversal.current_pass
        self._next_page = self._window_pass.first_page
        self._batches = 0
        self._ready: deque[Page[T] | Exception] = deque()
        self._undecoded: dict[int, Outcome[T]] = {}
        """The pages after the ready ones; the first of them is not decoded yet."""
        self._has_failed = False
        self._lock = anyio.Lock(fast_acquire=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        async with self._lock:  # several tasks may read from one iterator
            return await self._read_next()

    async def _read_next(self) -> Page[T]:
        page: Page[T] | None = None
        while page is None:
            if self._has_failed:
                raise StopAsyncIteration
            if self._traversal.is_finished:
                self._traversal.finish()
                raise StopAsyncIteration
            if not self._ready:
                await self._fetch_batch()
            page = self._add_page(self._ready.popleft())
        return page

    def _add_page(self, page: Page[T] | Exception) -> Page[T] | None:
        # If this raises, the flag stays set: nothing is delivered after a failed page.
        self._has_failed = True
        new: Page[T] | None = None
        try:
            if not isinstance(page, Exception):
                new = self._traversal.add_page(page)
            elif not self._traversal.split_after(page):
                raise page
        except NectarError as error:
            if isinstance(page, Page):
                attach_request(error, self._window_pass.request.at(page.number))
            self._traversal.set_cursor(error)
            raise
        self._has_failed = False
        if self._traversal.current_pass is not self._window_pass:
            self._window_pass = self._traversal.current_pass
            self._next_page = self._window_pass.first_page
            self._ready.clear()
            self._undecoded.clear()
        return new

    async def _fetch_batch(self) -> None:
        """Fetch the next pages, and decode what the batch before left undecoded.

        If it is cancelled, the state is as before the call.
        """
        first, last_page = self._next_page, self._window_pass.last_page
        last = min(first + self._batch_size() - 1, max(last_page, first))
        is_end = last >= last_page
        count = 0 if is_end else self._count_postponed(last + 1 - first)
        batch = _Batch(
            self._window_pass.request,
            self._source,
            earlier=dict(self._undecoded),
            decode_until=last - count,
        )
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as group:
                batch.start(group, range(first, last + 1))
        except BaseExceptionGroup as group_error:
            failure = find_first_error(group_error)
        if failure is not None:  # outside of the handler, so without the group
            raise failure
        ready, self._undecoded = batch.results()
        self._ready.extend(ready)
        self._next_page = last + 1
        self._batches += 1

    def _count_postponed(self, size: int) -> int:
        """How many pages of a batch may stay undecoded; none of a small one."""
        permits = self._source.permits
        return min(size // 2, permits) if size >= permits else 0

    def _batch_size(self) -> int:
        if self._batches < len(_FIRST_BATCHES):
            return _FIRST_BATCHES[self._batches]
        later = min(self._batches - len(_FIRST_BATCHES), len(_LATER_BATCHES) - 1)
        return self._source.permits * _LATER_BATCHES[later]


class _Batch(Generic[T]):
    """Pages that are requested at the same time, and decoded in order as they arrive.

    Args:
        request: the list.
        source: sends requests and decodes responses.
        earlier: pages before these that were fetched, most of them undecoded, by
            number.
        decode_until: the page up to which all must be decoded. Later ones may stay
            undecoded when the last response is there: their decoding costs less while
            other requests are under way.
    """

    def __init__(
        self,
        request: Request[Page[T]],
        source: PageSource[T],
        earlier: dict[int, Outcome[T]],
        decode_until: int,
    ) -> None:
        self._request = request
        self._source = source
        self._decode_until: float = decode_until
        self._outcomes = earlier
        self._undecoded = [
            (number, outcome)
            for number, outcome in earlier.items()
            if isinstance(outcome, Response)
        ]
        heapify(self._undecoded)
        self._in_flight = 0
        self._arrival = anyio.Event()
        self._scopes: dict[int, anyio.CancelScope] = {}
        self._failed: int | None = None
        """The first page that failed."""

    def start(self, group: anyio.abc.TaskGroup, numbers: range) -> None:
        """Fetch and decode these pages, in tasks of a group."""
        self._in_flight = len(numbers)
        for number in numbers:
            group.start_soon(self._fetch, number)
        group.start_soon(self._decode)

    async def _fetch(self, number: int) -> None:
        """Fetch one page; its failure cancels the requests for later pages."""
        if self._failed is None or number < self._failed:
            with anyio.CancelScope() as self._scopes[number]:
                await self._store_outcome(
                    number, self._source.send(self._request.at(number))
                )
            outcome = self._outcomes.get(number)
            if isinstance(outcome, Response):
                heappush(self._undecoded, (number, outcome))
        self._in_flight -= 1
        self._arrival.set()

    async def _decode(self) -> None:
        """Decode responses until all have arrived and enough of them are decoded."""
        while True:
            while self._undecoded and self._is_due(*self._undecoded[0]):
                number, response = heappop(self._undecoded)
                request = self._request.at(number)
                await self._store_outcome(number, self._source.read(request, response))
            if not self._in_flight:
                return
            self._arrival = anyio.Event()
            await self._arrival.wait()

    async def _store_outcome(self, number: int, work: Awaitable[Outcome[T]]) -> None:
        """Store the result of work on a page, or its error."""
        try:
            self._outcomes[number] = await work
        except Exception as error:  # noqa: BLE001 - raised after the pages before it
            self._fail(number, error)

    def _is_due(self, number: int, response: Response) -> bool:
        """Whether a response is to be decoded now."""
        if self._failed is not None and number > self._failed:
            return False
        is_small = len(response.body) <= SMALL_BODY
        return is_small or number <= self._decode_until or self._in_flight > 0

    def _fail(self, number: int, error: Exception) -> None:
        """Store an error, cancel later requests, and have the earlier pages decoded."""
        self._outcomes[number] = error
        self._decode_until = inf
        self._failed = number if self._failed is None else min(number, self._failed)
        for later, scope in self._scopes.items():
            if later > number:
                scope.cancel()

    def results(self) -> tuple[list[Page[T] | Exception], dict[int, Outcome[T]]]:
        """Get the decoded pages in order up to the first error, and the undecoded rest.

        Later errors become notes on the first one.
        """
        undecoded = dict(sorted(self._outcomes.items()))
        ready: list[Page[T] | Exception] = []
        for number, outcome in tuple(undecoded.items()):
            if isinstance(outcome, Response):
                break
            ready.append(outcome)
            del undecoded[number]
            if isinstance(outcome, Exception):
                add_notes(outcome, undecoded.values())
                return ready, {}
        return ready, undecoded


def add_notes(error: Exception, outcomes: Iterable[object]) -> None:
    """Add a note to an error for each further exception among the outcomes."""
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            error.add_note(f"also: {type(outcome).__name__}: {outcome}")
