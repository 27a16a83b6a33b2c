"""Which page is asked for next, over all owners of a walk: the decision alone.

The first page of an owner tells how many it has; from then on each of them is a
candidate, and the owner with most left goes first. First pages of the next owners are
asked for early (`lead`), so that there is always known work when one owner runs out.
Pages that were asked for and not yet given to the consumer are bounded (`look_ahead`,
and fewer where they are large): a slow consumer stops the asking, and memory does not
grow. Each owner's pages are given in order, so one that is slow holds back those behind
it; before one takes more than a quarter of the look-ahead that way, others go first.
Nothing here waits.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from nectar_async._http.response import Response
from nectar_async._paging.traversal import Course

__all__ = ["Board", "Job", "Owner"]

T = TypeVar("T")

Job = tuple[str, Course[T]]
"""A list to walk: a name for it, and the course that the walk takes."""


class Owner(Generic[T]):
    """One leg of one list, usually a company's, and how far it got."""

    def __init__(self, key: str, rank: int, course: Course[T]) -> None:
        self.key = key
        self.rank = rank
        self.course = course
        self.leg = course.leg
        first = self.leg.first
        self.asked = first - 1
        """The last page that was asked for."""
        self.planned = first
        """The last page that is known to exist."""
        self.due = first
        """The page that the consumer gets next."""
        self.arrived: dict[int, Response | Exception] = {}
        self.is_sized = False
        """Whether the first page came, so that `planned` means something."""
        self.is_closed = False

    @property
    def waiting(self) -> int:
        """Pages that were asked for and not given."""
        return self.asked + 1 - self.due


class Board(Generic[T]):
    """What is to be asked for, what is under way, what is there to be given."""

    def __init__(
        self,
        requests: Iterable[Job[T]],
        *,
        lead: int,
        look_ahead: int,
        most_bytes: int | None = None,
    ) -> None:
        self._coming = iter(requests)
        self._next = next(self._coming, None)
        self._lead = lead
        self._look_ahead = look_ahead
        self._most_bytes = most_bytes
        self._arrived = 0
        self._bytes = 0
        self._most_waiting = max(lead, look_ahead // 4)
        self._opened = 0
        self._unsized = 0
        self._candidates: list[Owner[T]] = []
        self._renewed: deque[Owner[T]] = deque()
        self._deliverable: deque[Owner[T]] = deque()
        self.open: dict[int, Owner[T]] = {}
        """Owners that were begun and are not closed, by rank."""
        self.held = 0
        """Pages that were asked for and not given."""

    @property
    def is_finished(self) -> bool:
        """Whether every owner is closed and no other one comes."""
        return self._next is None and not self.open

    def take(self) -> tuple[Owner[T], int] | None:
        """The page to ask for next; None when there is none now."""
        if self.held >= self._bound():
            return None
        owner = self._choose()
        if owner is None:
            return None
        self.held += 1
        owner.asked += 1
        if owner.is_sized and owner.asked >= owner.planned:
            self._candidates.remove(owner)
        return owner, owner.asked

    def _bound(self) -> int:
        """Pages that may be held: all of `look_ahead`, or as many as fit in the bytes.

        That is never less than one for each permit, as long as the look-ahead has them.
        """
        if self._most_bytes is None or not self._bytes:
            return self._look_ahead
        fitting = self._most_bytes * self._arrived // self._bytes
        return min(self._look_ahead, max(self._lead, fitting))

    def _choose(self) -> Owner[T] | None:
        """The next owner while few are in sight, else the one with most left.

        That is one that is not stuck, and the oldest of several.

        One that begins another leg goes first: it is the oldest that has nothing under
        way.
        """
        if self._renewed:
            return self._renewed.popleft()
        if self._unsized + len(self._candidates) < self._lead:
            owner = self._open()
            if owner is not None:
                return owner
        moving = [one for one in self._candidates if one.waiting < self._most_waiting]
        if moving:
            return max(moving, key=_left)
        return self._open() or next(iter(self._candidates), None)

    def _open(self) -> Owner[T] | None:
        if self._next is None:
            return None
        key, course = self._next
        self._next = next(self._coming, None)
        owner = self.open[self._opened] = Owner(key, self._opened, course)
        self._opened += 1
        self._unsized += 1
        return owner

    def arrive(
        self,
        owner: Owner[T],
        number: int,
        outcome: Response | Exception,
        announced: int = 1,
    ) -> None:
        """A page came, or its error; a first page announces how many there are."""
        if not owner.is_sized:
            owner.is_sized = True
            self._unsized -= 1
            self.extend(owner, owner.leg.planned if owner.leg.is_check else announced)
        if owner.is_closed:
            self.held -= 1
            return
        if isinstance(outcome, Response):
            self._arrived += 1
            self._bytes += len(outcome.body)
        owner.arrived[number] = outcome
        if number == owner.due:
            self._deliverable.append(owner)

    def extend(self, owner: Owner[T], planned: int) -> None:
        """The owner has pages up to `planned`."""
        had_more = owner.asked < owner.planned
        owner.planned = max(owner.planned, planned)
        if owner.asked < owner.planned and not had_more and not owner.is_closed:
            insort(self._candidates, owner, key=_rank)

    def ready(self) -> tuple[Owner[T], int, Response | Exception] | None:
        """The next page to give, which stays here until `give`."""
        while self._deliverable and self._deliverable[0].is_closed:
            self._deliverable.popleft()
        if not self._deliverable:
            return None
        owner = self._deliverable[0]
        return owner, owner.due, owner.arrived[owner.due]

    def give(self) -> None:
        """The page that `ready` told of was given."""
        owner = self._deliverable.popleft()
        del owner.arrived[owner.due]
        owner.due += 1
        self.held -= 1
        if owner.due in owner.arrived:
            self._deliverable.append(owner)

    def renew(self, owner: Owner[T]) -> None:
        """The owner's list goes on with another leg."""
        self.close(owner)
        again = self.open[owner.rank] = Owner(owner.key, owner.rank, owner.course)
        self._unsized += 1
        self._renewed.append(again)

    def close(self, owner: Owner[T]) -> None:
        """The owner's leg is over; what comes beyond its end is dropped."""
        owner.is_closed = True
        del self.open[owner.rank]
        if owner in self._candidates:
            self._candidates.remove(owner)
        self.held -= len(owner.arrived)
        owner.arrived.clear()


def _rank(owner: Owner[T]) -> int:
    return owner.rank


def _left(owner: Owner[T]) -> int:
    """Pages that are known and were not asked for."""
    return owner.planned - owner.asked
