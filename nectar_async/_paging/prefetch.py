"""Background fetching: the pages of one list or many, delivered in order.

Workers request the pages that a queue chooses (see `page_queue`), so that no permit is
idle while any page is left; the consumer decodes one page after the other while the
workers wait for responses. The limiter bounds the requests in flight. There are more
workers than permits, because a worker holds none while its request waits for a retry.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from attrs import frozen

from nectar_async._http.background import BackgroundTask
from nectar_async._http.executor import PageSource, attach_request
from nectar_async._http.response import Response
from nectar_async._paging.page_queue import NamedTraversal, PageQueue, QueuedPass
from nectar_async._paging.receipt import Receipt
from nectar_async._paging.sequential import RecordIterator
from nectar_async._paging.traversal import Traversal
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["NOT_ENTERED", "PageResult", "PageScheduler", "Prefetch"]

T = TypeVar("T")

NOT_ENTERED = (
    "pages are fetched in the background: write `async with ... as records:` and in"
    " that block `async for record in records:`"
)

_BLOCK_LEFT = "the `async with` block was left before the end; iterate inside of it"

# Undelivered pages for each permit. As measured, fewer leave permits idle when response
# times differ, and more bring nothing.
_PAGES_AHEAD = 4

# The default limit of the bytes of undelivered pages. With ten permits, pages of up to
# 800 kB may reach the full look-ahead.
_MAX_BYTES = 32 * 1024 * 1024

_WORKERS_PER_PERMIT = 2

# Workers that are started at once; all further ones are started by need, because there
# may be far more permits than pages.
_FIRST_WORKERS = 32


class Prefetch(Generic[T]):
    """Reads a list while its next pages are fetched in the background.

    ```python
    async with nectar.usage.by_meter(meter_id).prefetch() as records:
        async for record in records:
            ...
    ```
    """

    def __init__(
        self,
        traversal: Traversal[T],
        source: PageSource[T],
        look_ahead: int | None,
    ) -> None:
        self._traversal = traversal
        self._scheduler = PageScheduler(
            [("", traversal)], source, look_ahead=look_ahead
        )
        self._records = RecordIterator(self.pages())

    async def __aenter__(self) -> Self:
        self._scheduler.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._records.drop()
        await self._scheduler.aclose()

    def __repr__(self) -> str:
        return f"<Prefetch {self._traversal.describe()}>"

    def __aiter__(self) -> AsyncIterator[T]:
        return self._records

    def pages(self) -> AsyncIterator[Page[T]]:
        """Iterate over the pages in order, each as soon as it arrived."""
        return _PrefetchedPages(self._scheduler)

    @property
    def receipt(self) -> Receipt:
        """Counts and verdict of this traversal so far."""
        return self._traversal.build_receipt()


class _PrefetchedPages(Generic[T]):
    """Iterates over the pages of a scheduler with one list; raises the first error."""

    def __init__(self, scheduler: PageScheduler[T]) -> None:
        self._scheduler = scheduler

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        while True:
            result = await anext(self._scheduler)
            if result.error is not None:
                raise result.error
            if result.page is not None:
                return result.page


@frozen
class PageResult(Generic[T]):
    """A page with the records to deliver, or the error that ended its list."""

    name: str
    """The name of the list."""
    page: Page[T] | None = None
    error: Exception | None = None
    is_last: bool = False
    """Whether the list ends here, with its last page or an error."""


class _Signal:
    """Wakes one waiting task at a time; a task that finds more to do wakes the next.

    So each of them starts in its own turn of the event loop. Ten requests that are
    built in one turn would hold up everything else.
    """

    def __init__(self) -> None:
        self._waiting: list[anyio.Event] = []
        self._is_set = False

    @property
    def has_waiting(self) -> bool:
        """Whether a task waits."""
        return bool(self._waiting)

    def notify(self) -> None:
        """Wake one task; if none waits, the next call of `wait` returns at once."""
        if self._waiting:
            self._waiting.pop().set()
        else:
            self._is_set = True

    async def wait(self) -> None:
        """Wait for a notification."""
        if self._is_set:
            self._is_set = False
            return
        event = anyio.Event()
        self._waiting.append(event)
        try:
            await event.wait()
        except BaseException:
            if event.is_set():
                self.notify()  # this task is cancelled, so another one is woken
            else:
                self._waiting.remove(event)
            raise


class _Workers(Generic[T]):
    """Tasks that request the pages of a queue. They know nothing of the consumer.

    A worker that found a page to request wakes the next one.

    Args:
        queue: chooses the pages to request, and takes the responses.
        source: sends requests.
    """

    def __init__(self, queue: PageQueue[T], source: PageSource[T]) -> None:
        self._queue = queue
        self._source = source
        self.work_ready, self.page_ready = _Signal(), _Signal()
        self._worker_needed = _Signal()
        self.started: int = 0
        """How many workers were started."""

    async def run(self) -> None:
        """Run the workers until this is cancelled.

        Only this task starts workers: a worker that is cancelled when the event loop
        ends could start one that nobody cancels.
        """
        self.work_ready.notify()
        async with anyio.create_task_group() as group:
            while self.started < _WORKERS_PER_PERMIT * self._source.permits:
                self.started += 1
                group.start_soon(self._work)
                if self.started >= _FIRST_WORKERS:
                    await self._worker_needed.wait()

    def _call_worker(self) -> None:
        """Wake a worker that waits, or let another one be started."""
        if not self.work_ready.has_waiting:
            self._worker_needed.notify()
        self.work_ready.notify()

    def wake_consumer(self) -> None:
        """Wake the consumer, who waits for a page."""
        self.page_ready.notify()

    async def _work(self) -> None:
        """Request pages, one after the other, until the group is cancelled."""
        await self.work_ready.wait()
        while True:
            job = self._queue.take_request()
            if job is None:
                await self.work_ready.wait()
                continue
            self._call_worker()
            queued, number = job
            page_count = 1
            outcome: Response | Exception
            try:
                request = queued.window_pass.request.at(number)
                outcome = await self._source.send(request)
                if not queued.is_counted:
                    page_count = self._source.peek(request, outcome)
            except Exception as error:  # noqa: BLE001 - the consumer raises it
                outcome = error
            self._queue.put(queued, number, outcome, page_count)
            self.page_ready.notify()


class PageScheduler(Generic[T]):
    """Fetches the pages of lists with background workers, from `start` to `aclose`.

    `async for` returns the results. An error is a result too, and the consumer decides
    what to do with it. The workers run in a background task, so that any task may read,
    and leave; several may read at the same time.

    Args:
        traversals: the lists to read, in order.
        source: sends requests and decodes responses.
        look_ahead: how many pages may be requested and not delivered; by default
            `_PAGES_AHEAD` for each permit, as long as they have less than `_MAX_BYTES`.
    """

    def __init__(
        self,
        traversals: Iterable[NamedTraversal[T]],
        source: PageSource[T],
        *,
        look_ahead: int | None = None,
    ) -> None:
        permits = source.permits
        self._source = source
        self.queue: PageQueue[T] = PageQueue(
            traversals,
            lead=permits,
            look_ahead=look_ahead or _PAGES_AHEAD * permits,
            max_bytes=None if look_ahead else _MAX_BYTES,
        )
        self._workers = _Workers(self.queue, source)
        self._task: BackgroundTask | None = None
        self._last: QueuedPass[T] | None = None
        """The pass of the page that was delivered last."""
        self._is_left = False
        self._is_exhausted = False

    def start(self) -> None:
        """Start the workers.

        Raises:
            RuntimeError: they were started before.
        """
        if self._task is not None:
            raise RuntimeError("it can be entered only once; create a new one")
        self._reader_lock = anyio.Lock(fast_acquire=True)
        self._task = self._source.start_background(
            self._workers.run, "nectar_async pages", self._workers.wake_consumer
        )

    async def aclose(self) -> None:
        """Cancel the workers and wait for their end; wake a reader with an error."""
        self._is_left = True
        if self._task is not None:
            await self._task.aclose()

    def __del__(self) -> None:
        if self._task is not None and not self._task.has_ended:
            warnings.warn(
                "a walk with background requests was dropped, not left; read it inside"
                " `async with`, and close a generator that holds it with aclose()",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )
            self._task.cancel_from_finalizer()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PageResult[T]:
        if self._task is None:
            raise RuntimeError(NOT_ENTERED)
        self._task.check_loop()
        async with self._reader_lock:  # several tasks may read from one iterator
            while (result := await self._next_result(self._task)) is None:
                pass
            return result

    async def _next_result(self, task: BackgroundTask) -> PageResult[T] | None:
        """Wait for the next page; returns None if it has nothing to deliver."""
        if not self._is_exhausted:
            self._check_is_running(task)
        if self._last is not None:
            # The caller asks for more, so it took all of the page before.
            self._last.traversal.finish()
        while (delivery := self.queue.peek_delivery()) is None:
            if self.queue.is_finished:
                self._is_exhausted = True
                raise StopAsyncIteration
            await self._workers.page_ready.wait()
            self._check_is_running(task)
        queued, number, outcome = delivery
        page = await self._decode(queued, number, outcome)
        # There is no await after this, so a cancelled reader loses no page.
        self.queue.pop_delivery()
        result = self._add_page(queued, page)
        traversal, window_pass = queued.traversal, queued.window_pass
        if result is not None and result.is_last:
            self.queue.close(queued)
        elif traversal.current_pass is not window_pass:
            self.queue.restart(queued)
        else:
            self.queue.extend(queued, window_pass.last_page)
        self._workers.work_ready.notify()
        self._last = queued if result is None or result.error is None else None
        return result

    def _check_is_running(self, task: BackgroundTask) -> None:
        if self._is_left:
            raise RuntimeError(_BLOCK_LEFT)
        if task.error is not None:
            raise task.error

    async def _decode(
        self, queued: QueuedPass[T], number: int, outcome: Response | Exception
    ) -> Page[T] | Exception:
        if isinstance(outcome, Exception):
            return outcome
        try:
            request = queued.window_pass.request.at(number)
            return await self._source.read(request, outcome)
        except Exception as error:  # noqa: BLE001 - the consumer raises it
            return error

    def _add_page(
        self, queued: QueuedPass[T], page: Page[T] | Exception
    ) -> PageResult[T] | None:
        """Add a page to its traversal; None if there is nothing to deliver."""
        traversal = queued.traversal
        if isinstance(page, Exception):
            if traversal.split_after(page):
                return None
            if isinstance(page, NectarError):
                traversal.set_cursor(page)
            return PageResult(queued.name, error=page, is_last=True)
        try:
            new = traversal.add_page(page)
        except NectarError as error:
            attach_request(error, queued.window_pass.request.at(page.number))
            traversal.set_cursor(error)
            return PageResult(queued.name, error=error, is_last=True)
        if new is None and not traversal.is_finished:
            return None
        return PageResult(queued.name, new, is_last=traversal.is_finished)
