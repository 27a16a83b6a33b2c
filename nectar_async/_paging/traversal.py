"""Everything that is walked for one list, and what it comes to.

Mostly that is one pass over the list as it was asked for. It becomes more where

    the server runs out of time     the window goes on in halves, and those in halves
    the list changed in mid-walk    the window is walked again, if the walk may do so
    the walk is to be verified      the first page is asked for again at the end

Each of these is a leg. Records are given once, by id, whatever leg brings them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import compress
from typing import Generic, TypeVar

from attrs import define, evolve, frozen

from nectar_async._http.request import Request
from nectar_async._http.telemetry import log_halving, log_rewalk
from nectar_async._paging.cursor import Cursor
from nectar_async._paging.date_windows import halves, window_of, within
from nectar_async._paging.ledger import Ledger, marks_of, opening_of
from nectar_async._paging.receipt import Receipt, Verdict, sum_known, worst
from nectar_async._paging.seen import Seen
from nectar_async.errors import InvalidArgumentError, NectarError, ServerTimeoutError
from nectar_async.models.page import Page

__all__ = ["REWALKS", "Course", "Leg"]

T = TypeVar("T")

REWALKS = 2
"""How often a walk that repairs itself goes over a list again, at most."""


@define(eq=False)
class Leg(Generic[T]):
    """One pass over one window."""

    request: Request[Page[T]]
    """What it asks for: its first page."""
    ledger: Ledger[T]
    is_check: bool = False
    """Whether it is one page, asked for again to see whether it changed."""

    @property
    def first(self) -> int:
        """The page that it begins with."""
        return self.ledger.first

    @property
    def planned(self) -> int:
        """The last page that is known to exist."""
        return self.ledger.first if self.is_check else self.ledger.planned


@frozen
class _Settled:
    """A window that was walked to its end."""

    total_first: int | None
    total_last: int | None
    verdict: Verdict


class Course(Generic[T]):
    """The legs of one list: pages go in, in order; what is to be given comes out.

    Args:
        request: the list.
        rewalks: how often a window whose rows moved may be walked again.
        verify: whether the first page of each window is asked for again at its end.
        cursor: where to begin, by default at the beginning.
        queue_key: the limiter's queue for these requests; by default one of their own.
    """

    def __init__(
        self,
        request: Request[Page[T]],
        *,
        rewalks: int = 0,
        verify: bool = False,
        cursor: Cursor | None = None,
        queue_key: object = None,
    ) -> None:
        self._list = evolve(request, queue_key=self if queue_key is None else queue_key)
        self._rewalks_left = rewalks
        self._verify = verify
        self._given = Seen()
        self._coming = deque(_windows(self._list, cursor))
        # Ids of the windows before; none are kept until there is a second window.
        self._kept: Seen | None = Seen() if len(self._coming) > 1 else None
        self._settled: list[_Settled] = []
        self._before: Ledger[T] | None = None
        """The first pass over the present window, when this is another one."""
        self._outcome: tuple[int | None, int, int] | None = None
        """What the pass before came to, over the same window."""
        self._records = 0
        self._repeats = 0
        self._pages = 0
        self._rewalked = 0
        self._receipt: Receipt | None = None
        self.is_over: bool = False
        """Whether the last page of the last leg went in."""
        self.leg: Leg[T] = _pass_over(self._coming.popleft(), self._given)
        """The one that is walked now."""

    def admit(self, page: Page[T]) -> Page[T] | None:
        """Enter a page of the present leg; what of it is to be given.

        None when a later leg brings nothing new. Afterwards `leg` may be another one.

        Raises:
            PaginationError: the pages do not advance.
        """
        leg = self.leg
        is_first = leg.ledger.seen is self._given
        self._pages += 1
        self._rewalked += self._before is not None and not leg.is_check
        came, page = page, page if leg.is_check else leg.ledger.admit(page)
        if leg.is_check or not is_first:
            page = self._fresh(page)
        self._records += len(page.items)
        if leg.is_check:
            self._settle(leg, is_changed=opening_of(came) != leg.ledger.opening)
        elif leg.ledger.is_done:
            self._end_pass(leg)
        return page if page.items or (is_first and not leg.is_check) else None

    def survives(self, error: Exception) -> bool:
        """Whether the walk goes on after a page that failed: over halves, then."""
        parts = None
        if isinstance(error, ServerTimeoutError) and not self.leg.is_check:
            parts = halves(self.leg.request)
        if parts is None:
            self._explain(error)
            return False
        log_halving(self.leg.request)
        self._repeats += self.leg.ledger.repeats
        self._kept = Seen() if self._kept is None else self._kept
        self._coming.appendleft(parts[1])
        self._begin(parts[0])
        return True

    def locate(self, error: NectarError) -> None:
        """Write on the error of a page where the walk can be taken up again."""
        if error.page is None:
            return
        page, left = error.page, (self.leg.request, *self._coming)
        if self.leg.is_check:
            error.add_note(
                "the records were given; only asking for the first page once more, to"
                " verify the walk, failed"
            )
            error.cursor = None
            page, left = 1, tuple(self._coming)
        if left:
            error.cursor = str(Cursor.of(self._list.at(page), self._dates(left)))

    def _dates(self, left: tuple[Request[Page[T]], ...]) -> tuple[tuple[str, str], ...]:
        """The windows that are left; none when that is the whole list."""
        windows = (window_of(one) for one in left)
        dates = tuple(window for window in windows if window is not None)
        return () if dates == (window_of(self._list),) else dates

    def finish(self) -> None:
        """The caller came back after the last page: all of it was taken.

        Until then a walk is unfinished, however much was fetched. Ids are forgotten.
        """
        if self.is_over and self._receipt is None:
            self._receipt = self._sum(worst(one.verdict for one in self._settled))
            self._given, self._kept = Seen(), None
            self.leg.ledger.seen = Seen()

    def receipt(self) -> Receipt:
        """What the walk is worth so far."""
        return self._receipt or self._sum(Verdict.UNFINISHED)

    def _explain(self, error: Exception) -> None:
        """Say of a window that is too much and as short as can be which one it is."""
        window = window_of(self.leg.request)
        if isinstance(error, ServerTimeoutError) and window is not None:
            start, end = window
            error.add_note(f"the window {start} to {end} cannot be halved any further")

    def _fresh(self, page: Page[T]) -> Page[T]:
        """The page with the records that no leg brought before."""
        are_new = self._given.enter(marks_of(page))
        return evolve(page, items=tuple(compress(page.items, are_new)))

    def _end_pass(self, leg: Leg[T]) -> None:
        """The last page of a window went in."""
        is_doubtful = leg.ledger.verdict() is not Verdict.COMPLETE
        if self._verify and not is_doubtful:
            request = evolve(leg.request, can_halve=False)
            self.leg = Leg(request, leg.ledger, is_check=True)
        else:
            self._settle(leg, is_changed=False)

    def _settle(self, leg: Leg[T], *, is_changed: bool) -> None:
        """Walk the window again, or go on to the next one, or be over."""
        ledger = leg.ledger
        verdict = ledger.verdict()
        if is_changed:
            verdict = worst((verdict, Verdict.DRIFTED))
        self._repeats += ledger.repeats
        # Twice the same is no accident: a third time would say nothing else.
        outcome = ledger.total_last, len(ledger.seen), self._records
        is_news = outcome != self._outcome
        self._outcome = outcome
        is_doubtful = verdict is not Verdict.COMPLETE
        if is_doubtful and is_news and self._rewalks_left > 0:
            self._rewalks_left -= 1
            log_rewalk(leg.request)
            before = self._before or ledger
            self._begin(leg.request)
            self._before, self._outcome = before, outcome
            return
        self._settled.append(self._settled_by(ledger, verdict))
        if self._coming:
            self._begin(self._coming.popleft())
        else:
            self.is_over = True

    def _begin(self, request: Request[Page[T]]) -> None:
        self._before = self._outcome = None
        self.leg = _pass_over(request, Seen())

    def _settled_by(self, ledger: Ledger[T], verdict: Verdict) -> _Settled:
        totals = (self._before or ledger).total_first, ledger.total_last
        if self._kept is None:
            return _Settled(*totals, verdict)
        # A record in two windows is one record of the list.
        shared = ledger.seen.shared(self._kept)
        self._kept.enter(tuple(ledger.seen))
        first, last = (None if total is None else total - shared for total in totals)
        return _Settled(first, last, verdict)

    def _sum(self, verdict: Verdict) -> Receipt:
        firsts = [one.total_first for one in self._settled]
        lasts = [one.total_last for one in self._settled]
        repeats = self._repeats
        if not self.is_over:
            ledger = self.leg.ledger
            firsts.append((self._before or ledger).total_first)
            lasts.append(ledger.total_last)
            repeats += 0 if self.leg.is_check else ledger.repeats
        return Receipt(
            total_first=sum_known(firsts),
            total_last=sum_known(lasts),
            records=self._records,
            distinct=len(self._given),
            repeats=repeats,
            pages=self._pages,
            rewalked=self._rewalked,
            verdict=verdict,
        )


def _pass_over(request: Request[Page[T]], seen: Seen) -> Leg[T]:
    """A pass that begins with the page of the request."""
    ledger: Ledger[T] = Ledger(request.page or 1, seen)
    return Leg(evolve(request, can_halve=halves(request) is not None), ledger)


def _windows(
    request: Request[Page[T]], cursor: Cursor | None
) -> Iterator[Request[Page[T]]]:
    """What is left to walk from a cursor on, window by window."""
    if cursor is None:
        yield request
        return
    cursor.check(request)
    if not cursor.windows:
        yield request.at(cursor.page)
        return
    if window_of(request) is None:
        raise InvalidArgumentError(f"cursor belongs to a list with dates: {cursor}")
    for number, (start, end) in enumerate(cursor.windows):
        window = within(request, start, end)
        yield window.at(cursor.page) if number == 0 else window
