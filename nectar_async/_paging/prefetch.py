"""A work-conserving schedule: no permit idles while any page is left.

Workers ask for what the board says, and a consumer decodes page by page while the
workers' sockets fill. The gate bounds how many requests are in flight; there are more
workers than permits, because one whose request waits for its next attempt holds none.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from attrs import frozen

from nectar_async._http.executor import PageSource, describe
from nectar_async._http.response import Response
from nectar_async._paging.page_queue import Board, Job, Owner
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["NOT_ENTERED", "Delivery", "Schedule"]

NOT_ENTERED = "pages come in the background here: write `async with ... as records:`"

_LEFT = "this walk was left before its end; iterate inside its `async with`"

T = TypeVar("T")

# Undelivered pages a permit: measured, fewer leave permits idle when latencies differ,
# more bring nothing.
_PAGES_AHEAD = 4

# What is held of them by default: at ten permits, pages of 800 kB and less are ahead in
# full numbers.
_MOST_BYTES = 32 * 1024 * 1024

_WORKERS_A_PERMIT = 2


@frozen
class Delivery(Generic[T]):
    """What the consumer gets: a page of the records to give, or an error."""

    owner: Owner[T]
    page: Page[T] | None = None
    error: Exception | None = None
    is_last: bool = False
    """Whether the list is over, by its last page or by an error."""


class _Bell:
    """Wakes one of those who wait, who rings for the next if there is more to do.

    So each begins in a turn of the loop of its own: ten requests that are made in one
    turn hold up everything else for as long.
    """

    def __init__(self) -> None:
        self._waiting: list[anyio.Event] = []
        self._is_rung = False

    def ring(self) -> None:
        if self._waiting:
            self._waiting.pop().set()
        else:
            self._is_rung = True

    async def wait(self) -> None:
        if self._is_rung:
            self._is_rung = False
            return
        event = anyio.Event()
        self._waiting.append(event)
        try:
            await event.wait()
        except BaseException:
            if event.is_set():
                self.ring()  # it was meant for somebody who can come
            else:
                self._waiting.remove(event)
            raise


class Schedule(Generic[T]):
    """Runs a board: `async with` holds the workers, `async for` gives the deliveries.

    Nothing is raised into the workers' task group, so no caller meets an exception
    group: an error is a delivery, and whoever consumes it decides.
    """

    def __init__(
        self,
        requests: Iterable[Job[T]],
        source: PageSource[T],
        *,
        look_ahead: int | None = None,
    ) -> None:
        permits = source.permits
        self._source = source
        self.board: Board[T] = Board(
            requests,
            lead=permits,
            look_ahead=look_ahead or _PAGES_AHEAD * permits,
            most_bytes=None if look_ahead else _MOST_BYTES,
        )
        self._last: Owner[T] | None = None
        self._group: anyio.abc.TaskGroup | None = None
        self._is_left = False
        self._is_exhausted = False

    async def __aenter__(self) -> Self:
        if self._group is not None:
            raise RuntimeError("it can be entered once; make another one")
        self._work_bell, self._page_bell = _Bell(), _Bell()
        self._reading = anyio.Lock(fast_acquire=True)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        for _ in range(_WORKERS_A_PERMIT * self._source.permits):
            self._group.start_soon(self._work)
        self._work_bell.ring()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if self._group is None:
            return None
        self._is_left = True
        self._page_bell.ring()
        self._group.cancel_scope.cancel()
        if isinstance(error, anyio.get_cancelled_exc_class()):
            return await self._group.__aexit__(kind, error, trace)
        # An error of the caller's own body stays itself: handed to the task group, it
        # would come back inside an exception group.
        await self._group.__aexit__(None, None, None)
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery[T]:
        if self._group is None:
            raise RuntimeError(NOT_ENTERED)
        async with self._reading:  # several tasks may share the pages among them
            while (delivery := await self._next()) is None:
                pass
            return delivery

    async def _next(self) -> Delivery[T] | None:
        """The next delivery; None when a page came that is nobody's business."""
        if self._is_left and not self._is_exhausted:
            raise RuntimeError(_LEFT)
        if self._last is not None:
            # The caller is back for more, so it took all of the page before.
            self._last.course.finish()
        while (ready := self.board.ready()) is None:
            if self.board.is_finished:
                self._is_exhausted = True
                raise StopAsyncIteration
            await self._page_bell.wait()
            if self._is_left:
                raise RuntimeError(_LEFT)
        owner, number, outcome = ready
        page = await self._read(owner, number, outcome)
        # Nothing waits from here on: a reader that is cancelled loses no page.
        self.board.give()
        delivery = self._admit(owner, page)
        course = owner.course
        if delivery is not None and delivery.is_last:
            self.board.close(owner)
        elif course.leg is not owner.leg:
            self.board.renew(owner)
        else:
            self.board.extend(owner, owner.leg.planned)
        self._work_bell.ring()
        self._last = owner if delivery is None or delivery.error is None else None
        return delivery

    async def _read(
        self, owner: Owner[T], number: int, outcome: Response | Exception
    ) -> Page[T] | Exception:
        if isinstance(outcome, Exception):
            return outcome
        try:
            return await self._source.read(owner.leg.request.at(number), outcome)
        except Exception as error:  # noqa: BLE001 - given to the consumer, who raises it
            return error

    def _admit(self, owner: Owner[T], page: Page[T] | Exception) -> Delivery[T] | None:
        course = owner.course
        if isinstance(page, Exception):
            if course.survives(page):
                return None
            if isinstance(page, NectarError):
                course.locate(page)
            return Delivery(owner, error=page, is_last=True)
        try:
            given = course.admit(page)
        except NectarError as error:
            describe(error, owner.leg.request.at(page.number))
            course.locate(error)
            return Delivery(owner, error=error, is_last=True)
        if given is None and not course.is_over:
            return None
        return Delivery(owner, given, is_last=course.is_over)

    async def _work(self) -> None:
        """One permit's worth of asking."""
        await self._work_bell.wait()
        while True:
            job = self.board.take()
            if job is None:
                await self._work_bell.wait()
                continue
            self._work_bell.ring()
            owner, number = job
            announced = 1
            outcome: Response | Exception
            try:
                request = owner.leg.request.at(number)
                outcome = await self._source.send(request)
                if not owner.is_sized:
                    announced = self._source.peek(request, outcome)
            except Exception as error:  # noqa: BLE001 - handed over, never swallowed
                outcome = error
            self.board.arrive(owner, number, outcome, announced)
            self._page_bell.ring()
