"""The queue that decides which page of which list is requested next.

Nothing here waits. The first page of a list tells how many pages it has; then each of
them may be requested, and the list with most pages left goes first. The first pages of
further lists are requested early (`lead`), so that there is work when one list is used
up.

The pages that are requested and not delivered yet are limited (`look_ahead`, and fewer
where pages are large), so that a slow consumer stops the requests, and memory does not
grow. The pages of a list are delivered in order, so a slow one holds back those after
it; once they take a quarter of the look-ahead, other lists go first.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from nectar_async._http.response import Response
from nectar_async._paging.traversal import Traversal

__all__ = ["NamedTraversal", "PageQueue", "QueuedPass"]

T = TypeVar("T")

NamedTraversal = tuple[str, Traversal[T]]
"""A pair: the company's id, or an empty text, and the list to read."""


class QueuedPass(Generic[T]):
    """One pass over one list, and how far its pages were requested and delivered."""

    def __init__(self, name: str, rank: int, traversal: Traversal[T]) -> None:
        self.name = name
        self.rank = rank
        """Its place in the order of the lists."""
        self.traversal = traversal
        self.window_pass = traversal.current_pass
        first_page = self.window_pass.first_page
        self.last_requested = first_page - 1
        """The last page that was requested."""
        self.last_page = first_page
        """The last page that is known to exist."""
        self.next_page = first_page
        """The page to deliver next."""
        self.arrived: dict[int, Response | Exception] = {}
        self.is_counted = False
        """Whether the first page arrived, which tells the number of pages."""
        self.is_closed = False

    @property
    def undelivered(self) -> int:
        """How many pages were requested and not delivered."""
        return self.last_requested + 1 - self.next_page


class PageQueue(Generic[T]):
    """Holds the pages to request, those in flight, and those to deliver.

    Args:
        traversals: the lists to read, in order.
        lead: how many lists are kept ready. A list is ready while its first page is
            requested, or while it has known pages that were not requested.
        look_ahead: how many pages may be requested and not delivered.
        max_bytes: how many bytes those pages may have, estimated by the average size of
            the pages that arrived.
    """

    def __init__(
        self,
        traversals: Iterable[NamedTraversal[T]],
        *,
        lead: int,
        look_ahead: int,
        max_bytes: int | None = None,
    ) -> None:
        self._later_lists = iter(traversals)
        self._next_list = next(self._later_lists, None)
        self._lead = lead
        self._look_ahead = look_ahead
        self._max_bytes = max_bytes
        self._arrived = 0
        self._bytes = 0
        self._max_undelivered = max(lead, look_ahead // 4)
        self._opened = 0
        self._uncounted = 0
        self._candidates: list[QueuedPass[T]] = []
        """Passes with pages that are known and were not requested, by rank."""
        self._restarted: deque[QueuedPass[T]] = deque()
        self._deliverable: deque[QueuedPass[T]] = deque()
        self.open: dict[int, QueuedPass[T]] = {}
        """Passes that were begun and are not closed, by rank."""
        self.undelivered = 0
        """How many pages were requested and not delivered."""

    @property
    def is_finished(self) -> bool:
        """Whether every pass is closed and no list is left."""
        return self._next_list is None and not self.open

    def take_request(self) -> tuple[QueuedPass[T], int] | None:
        """Take the page to request next; None if there is none at present."""
        if self.undelivered >= self._limit():
            return None
        queued = self._choose()
        if queued is None:
            return None
        self.undelivered += 1
        queued.last_requested += 1
        if queued.is_counted and queued.last_requested >= queued.last_page:
            self._candidates.remove(queued)
        return queued, queued.last_requested

    def _limit(self) -> int:
        """Get the look-ahead, or the number of pages that fit in `max_bytes`.

        It is at least `lead`, unless the look-ahead is smaller.
        """
        if self._max_bytes is None or not self._bytes:
            return self._look_ahead
        fitting = self._max_bytes * self._arrived // self._bytes
        return min(self._look_ahead, max(self._lead, fitting))

    def _choose(self) -> QueuedPass[T] | None:
        """Choose the pass whose next page is requested.

        The oldest pass that was restarted goes first, because it has nothing in flight;
        then the next list, while fewer than `lead` are ready; then the pass with most
        pages left that is not held back by its undelivered pages.
        """
        if self._restarted:
            return self._restarted.popleft()
        if self._uncounted + len(self._candidates) < self._lead:
            queued = self._open_next()
            if queued is not None:
                return queued
        unblocked = [
            candidate
            for candidate in self._candidates
            if candidate.undelivered < self._max_undelivered
        ]
        if unblocked:
            return max(unblocked, key=_count_left)
        return self._open_next() or next(iter(self._candidates), None)

    def _open_next(self) -> QueuedPass[T] | None:
        if self._next_list is None:
            return None
        name, traversal = self._next_list
        self._next_list = next(self._later_lists, None)
        queued = self.open[self._opened] = QueuedPass(name, self._opened, traversal)
        self._opened += 1
        self._uncounted += 1
        return queued

    def put(
        self,
        queued: QueuedPass[T],
        number: int,
        outcome: Response | Exception,
        page_count: int = 1,
    ) -> None:
        """Put in a response or an error; with a first page, the number of all pages."""
        if not queued.is_counted:
            queued.is_counted = True
            self._uncounted -= 1
            window_pass = queued.window_pass
            is_verification = window_pass.is_verification
            self.extend(
                queued, window_pass.last_page if is_verification else page_count
            )
        if queued.is_closed:
            self.undelivered -= 1
            return
        if isinstance(outcome, Response):
            self._arrived += 1
            self._bytes += len(outcome.body)
        queued.arrived[number] = outcome
        if number == queued.next_page:
            self._deliverable.append(queued)

    def extend(self, queued: QueuedPass[T], last_page: int) -> None:
        """Note that a pass has pages up to `last_page`."""
        had_more = queued.last_requested < queued.last_page
        queued.last_page = max(queued.last_page, last_page)
        has_more = queued.last_requested < queued.last_page
        if has_more and not had_more and not queued.is_closed:
            insort(self._candidates, queued, key=_get_rank)

    def peek_delivery(self) -> tuple[QueuedPass[T], int, Response | Exception] | None:
        """Get the next page to deliver, which stays until `pop_delivery`."""
        while self._deliverable and self._deliverable[0].is_closed:
            self._deliverable.popleft()
        if not self._deliverable:
            return None
        queued = self._deliverable[0]
        return queued, queued.next_page, queued.arrived[queued.next_page]

    def pop_delivery(self) -> None:
        """Remove the page that `peek_delivery` returned."""
        queued = self._deliverable.popleft()
        del queued.arrived[queued.next_page]
        queued.next_page += 1
        self.undelivered -= 1
        if queued.next_page in queued.arrived:
            self._deliverable.append(queued)

    def restart(self, queued: QueuedPass[T]) -> None:
        """Replace a pass by the next one of its traversal."""
        self.close(queued)
        restarted = QueuedPass(queued.name, queued.rank, queued.traversal)
        self.open[queued.rank] = restarted
        self._uncounted += 1
        self._restarted.append(restarted)

    def close(self, queued: QueuedPass[T]) -> None:
        """Close a pass; its pages that arrive later are dropped."""
        queued.is_closed = True
        del self.open[queued.rank]
        if queued in self._candidates:
            self._candidates.remove(queued)
        self.undelivered -= len(queued.arrived)
        queued.arrived.clear()


def _get_rank(queued: QueuedPass[T]) -> int:
    return queued.rank


def _count_left(queued: QueuedPass[T]) -> int:
    """How many pages are known and were not requested."""
    return queued.last_page - queued.last_requested
