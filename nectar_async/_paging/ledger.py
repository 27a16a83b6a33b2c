"""The books of one pass over a list: when it ends, and whether all of it was seen.

The API pages by number, and rows may come and go in mid-walk. So a pass is planned by
`totalPages` and goes on while `hasNext`; it stops at the first page that says there is
no next one, and at a page that is not the one asked for (the server clamped past the
end). An empty page is not the end. What each envelope says of the total is kept, and
what came is counted by id, so that a pass can tell at its end what it is worth.
"""

from __future__ import annotations

from itertools import compress
from typing import Generic, TypeAlias, TypeVar

from attrs import evolve

from nectar_async._paging.receipt import Verdict
from nectar_async._paging.seen import Seen
from nectar_async.errors import PaginationError
from nectar_async.models.page import Page

__all__ = ["Ledger", "marks_of", "opening_of"]

T = TypeVar("T")

# So many pages in a row may bring nothing new behind the last one that was announced at
# first: rows that came in front push as many there. A server that announces one more
# with each page would otherwise be asked for ever, as would one that announced a
# billion: before the last one many more may be empty, but not all.
_MOST_BARREN = 30
_MOST_BARREN_WITHIN = 300

_Opening: TypeAlias = tuple[int | None, tuple[int, ...]]


class Ledger(Generic[T]):
    """Pages go in, in order; the records that did not come before come out.

    Args:
        first: the page that the pass begins with.
        seen: what is known to have come, by `marks_of`; it grows with what comes.
    """

    def __init__(self, first: int = 1, seen: Seen | None = None) -> None:
        self.first: int = first
        self.planned: int = first
        """The last page that is known to exist."""
        self.is_done: bool = False
        """Whether the last page went in."""
        self.total_first: int | None = None
        self.total_last: int | None = None
        self.pages: int = 0
        self.repeats: int = 0
        """Records that came again."""
        self.opening: _Opening | None = None
        """What the first page was."""
        self.seen: Seen = Seen() if seen is None else seen
        self._is_steady = True
        self._total_before: int | None = None
        self._was_repeat = False
        self._per_page = 0
        self._announced = 0
        self._barren = 0
        self._late = 0
        self._last: tuple[int, ...] = ()

    def admit(self, page: Page[T]) -> Page[T]:
        """Enter a page; the same page with the records that did not come before.

        Raises:
            PaginationError: it is the page before once more, and promises another one.
        """
        marks = marks_of(page)
        self._total_before = self.total_last
        self._note_total(page)
        is_clamped = page.total is not None and page.current_page != page.number
        fresh = self._fresh(page.items, marks, is_clamped=is_clamped)
        self._check_advance(page, marks, is_empty=not (fresh or is_clamped))
        if is_clamped or not page.has_next:
            self.is_done = True
        else:
            self.planned = max(self.planned, page.total_pages, page.number + 1)
        return page if fresh is page.items else evolve(page, items=fresh)

    def verdict(self) -> Verdict:
        """What the pass is worth, now that its last page went in."""
        if self.total_last is None:
            return Verdict.COMPLETE
        if not self._is_steady:
            return Verdict.DRIFTED
        skipped = (self.first - 1) * self._per_page
        missing = self.total_last - skipped - len(self.seen)
        if missing > 0:
            return Verdict.SHORT
        return Verdict.COMPLETE if missing == 0 else Verdict.DRIFTED

    def _note_total(self, page: Page[T]) -> None:
        self.pages += 1
        if self.pages == 1:
            self.total_first = page.total
            self.opening = opening_of(page)
            self._per_page = page.per_page or len(page.items)
            self._announced = page.total_pages
        elif page.total != self.total_last:
            self._is_steady = False
        self.total_last = page.total

    def _check_advance(
        self, page: Page[T], marks: tuple[int, ...], *, is_empty: bool
    ) -> None:
        """Pages may be empty, but none promises more and brings nothing for ever.

        A page that comes once more with another total is no sign of that: as many rows
        as a page holds came in front of it.
        """
        has_moved = page.total != self._total_before and not self._was_repeat
        was_last = bool(marks) and marks == self._last
        self._was_repeat = was_last
        is_repeat = was_last and not has_moved
        is_late = is_empty and page.number > self._announced
        self._barren = self._barren + 1 if is_empty else 0
        self._late = self._late + 1 if is_late else 0
        is_beyond = is_empty and page.number > page.total_pages
        is_beyond = is_beyond or self._late > _MOST_BARREN
        is_barren = self._barren > _MOST_BARREN_WITHIN
        self._last = marks
        if page.has_next and (is_repeat or is_beyond or is_barren):
            last = min(self._announced, page.total_pages)
            if is_repeat:
                what = f"is page {page.number - 1} once more"
            elif is_beyond:
                what = f"is past the last of {last}, brings nothing new"
            else:
                what = f"is the {self._barren:,}th in a row that brings nothing new"
            raise PaginationError(
                f"page {page.number} {what}, and says that there is a next one; the"
                " server does not advance"
            )

    def _fresh(
        self, items: tuple[T, ...], marks: tuple[int, ...], *, is_clamped: bool
    ) -> tuple[T, ...]:
        are_new = self.seen.enter(marks)
        repeats = are_new.count(False)
        if not is_clamped:
            # A clamped page repeats the last one by the API's own rule: no drift.
            self.repeats += repeats
        return tuple(compress(items, are_new)) if repeats else items


def marks_of(page: Page[T]) -> tuple[int, ...]:
    """A hash for each record of a page; one without an id is its own identity."""
    return tuple([hash(getattr(item, "id", item)) for item in page.items])


def opening_of(page: Page[T]) -> _Opening:
    """The total and the records of a first page: when rows move, these change."""
    return page.total, marks_of(page)
