"""When a list ends, and whether all of it was seen.

The API pages by number, and rows may come and go in mid-walk. So a walk is planned by
`totalPages` and goes on while `hasNext`; it stops at the first page that says there is
no next one, and at a page that is not the one asked for (the server clamped past the
end). An empty page is not the end. What each envelope says of the total is kept, and
what was given is counted by id, so that a walk can tell at its end what it is worth.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from attrs import evolve, field, frozen

from nectar_async._request import Request, Trace
from nectar_async._response import Response
from nectar_async.errors import InvalidArgumentError, NectarError, PaginationError
from nectar_async.models.page import Page

__all__ = [
    "Ledger",
    "Receipt",
    "Source",
    "Verdict",
    "cursor_of",
    "describe",
    "note",
    "page_of",
]

T = TypeVar("T")

_CURSOR = re.compile(r"(\w+):([0-9a-f]{12}):([1-9][0-9]{0,17})", re.ASCII)


class Verdict(StrEnum):
    """What a walk is worth, from best to worst."""

    COMPLETE = "complete"
    """All envelopes agree on the total, and that many distinct records came."""
    DRIFTED = "drifted"
    """The total changed in mid-walk: the list did, too."""
    SHORT = "short"
    """The envelopes agree on a total, but fewer distinct records came."""
    UNFINISHED = "unfinished"
    """The walk was left early, or failed."""


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


@frozen(kw_only=True)
class Receipt:
    """What came of a walk; it costs no request of its own."""

    total_first: int | None = None
    """The total by the first envelope; None for a bare array, which has none."""
    total_last: int | None = None
    """The total by the last envelope."""
    records: int = 0
    """Records that were given; they count when their page is."""
    distinct: int = 0
    """Distinct ids among all that came."""
    repeats: int = 0
    """Records that came again; they are not given again."""
    pages: int = 0
    """Pages that were read."""
    rewalked: int = 0
    """Pages that were read again because the list had changed."""
    verdict: Verdict = Verdict.UNFINISHED
    """What it is worth."""

    @classmethod
    def sum(cls, receipts: Iterable[Receipt], *, is_finished: bool = True) -> Self:
        """One receipt for many walks; its verdict is the worst among them."""
        parts = tuple(receipts)
        worst = [part.verdict for part in parts]
        if not is_finished:
            worst.append(Verdict.UNFINISHED)
        return cls(
            total_first=_sum(part.total_first for part in parts),
            total_last=_sum(part.total_last for part in parts),
            records=sum(part.records for part in parts),
            distinct=sum(part.distinct for part in parts),
            repeats=sum(part.repeats for part in parts),
            pages=sum(part.pages for part in parts),
            rewalked=sum(part.rewalked for part in parts),
            verdict=max(worst, key=_RANK.__getitem__, default=Verdict.COMPLETE),
        )


@frozen
class Source(Generic[T]):
    """What a walk needs of a client."""

    send: Callable[[Request[Page[T]]], Awaitable[Response]]
    """One request through the whole pipeline."""
    read: Callable[[Request[Page[T]], Response], Awaitable[Page[T]]]
    """What an answer means; asks again for one whose packing is damaged."""
    peek: Callable[[Request[Page[T]], Response], tuple[int, Response]]
    """How many pages a first page announces, without reading its records; and the
    answer, unpacked by then."""
    permits: int = field(default=10)
    """How many requests may be in flight at once."""


class Ledger(Generic[T]):
    """The books of one walk: pages go in, in order; records to give come out."""

    def __init__(self, first: int = 1) -> None:
        self._first = first
        self.planned: int = first
        """The last page that is known to exist."""
        self.is_done: bool = False
        """Whether the last page went in."""
        self._is_finished = False
        self._total_first: int | None = None
        self._total_last: int | None = None
        self._is_steady = True
        self._per_page = 0
        self._records = 0
        self._repeats = 0
        self._pages = 0
        # Hashes instead of ids: 64 bits each, and the id's text can go.
        self._seen: set[int] = set()
        self._print: int | None = None
        self._receipt: Receipt | None = None

    def admit(self, page: Page[T]) -> Page[T]:
        """Enter a page; the same page with the records that did not come before.

        Raises:
            PaginationError: it is the page before once more, and promises another one.
        """
        self._pages += 1
        self._note_total(page)
        is_clamped = page.total is not None and page.current_page != page.number
        fresh = self._fresh(page.items, is_clamped=is_clamped)
        self._check_advance(page, is_empty=not (fresh or is_clamped))
        self._records += len(fresh)
        if is_clamped or not page.has_next:
            self.is_done = True
        else:
            self.planned = max(self.planned, page.total_pages, page.number + 1)
        return page if fresh is page.items else evolve(page, items=fresh)

    def receipt(self) -> Receipt:
        """What the walk is worth so far."""
        return self._receipt or Receipt(
            total_first=self._total_first,
            total_last=self._total_last,
            records=self._records,
            distinct=len(self._seen),
            repeats=self._repeats,
            pages=self._pages,
            verdict=self._verdict(),
        )

    def finish(self) -> None:
        """The caller came back after the last page: all of it was taken.

        Until then a walk is unfinished, however much was fetched. Ids are forgotten.
        """
        if self.is_done and not self._is_finished:
            self._is_finished = True
            self._receipt = self.receipt()
            self._seen = set()

    def _note_total(self, page: Page[T]) -> None:
        if self._pages == 1:
            self._total_first = page.total
            self._per_page = page.per_page or len(page.items)
        elif page.total != self._total_last:
            self._is_steady = False
        self._total_last = page.total

    def _check_advance(self, page: Page[T], *, is_empty: bool) -> None:
        """Pages may be empty, but none promises more and brings nothing for ever."""
        ids = tuple(map(_identity, page.items))
        mark = hash(ids) if ids else None
        is_repeat = mark is not None and mark == self._print
        is_beyond = page.number > page.total_pages and is_empty
        self._print = mark
        if page.has_next and (is_repeat or is_beyond):
            what = (
                f"is page {page.number - 1} once more"
                if is_repeat
                else f"is past the last of {page.total_pages}, brings nothing new"
            )
            raise PaginationError(
                f"page {page.number} {what}, and says that there is a next one; the"
                " server does not advance"
            )

    def _fresh(self, items: tuple[T, ...], *, is_clamped: bool) -> tuple[T, ...]:
        seen, fresh = self._seen, []
        for item in items:
            mark = hash(_identity(item))
            if mark not in seen:
                seen.add(mark)
                fresh.append(item)
        if not is_clamped:
            # A clamped page repeats the last one by the API's own rule: no drift.
            self._repeats += len(items) - len(fresh)
        return items if len(fresh) == len(items) else tuple(fresh)

    def _verdict(self) -> Verdict:
        if not self._is_finished:
            return Verdict.UNFINISHED
        if self._total_last is None:
            return Verdict.COMPLETE
        if not self._is_steady:
            return Verdict.DRIFTED
        skipped = (self._first - 1) * self._per_page
        missing = self._total_last - skipped - len(self._seen)
        if missing > 0:
            return Verdict.SHORT
        return Verdict.COMPLETE if missing == 0 else Verdict.DRIFTED


def _sum(totals: Iterable[int | None]) -> int | None:
    """The sum of what is known; None when nothing is."""
    known = [total for total in totals if total is not None]
    return sum(known) if known else None


def _identity(item: object) -> object:
    """The id of a record; a record without one is its own identity."""
    return getattr(item, "id", item)


def describe(
    error: NectarError, request: Request[Any], trace: Trace | None = None
) -> None:
    """Write on an error which request it was; what is written already stays."""
    if error.operation is not None:
        return
    trace = request.trace if trace is None else trace
    error.operation = request.operation
    error.target = request.target or None
    error.request_id = trace.request_id or None
    error.attempts = trace.attempts
    error.elapsed = trace.elapsed
    if (page := request.page) is not None:
        error.page = page
        error.cursor = cursor_of(request)


def note(error: BaseException, others: Iterable[BaseException]) -> None:
    """Write what else went wrong on the error that is raised."""
    for other in others:
        error.add_note(f"also: {type(other).__name__}: {other}")


def cursor_of(request: Request[Any]) -> str:
    """A short text that says where in which list a walk stands; it holds no secret."""
    return f"{request.operation}:{_fingerprint(request)}:{request.page or 1}"


def page_of(cursor: str, request: Request[Any]) -> int:
    """The page that a cursor of the same list points at.

    Raises:
        InvalidArgumentError: it is none, or it belongs to another list.
    """
    found = _CURSOR.fullmatch(str(cursor))
    if found is None:
        raise InvalidArgumentError(f"cursor is none: {str(cursor)[:80]!r}")
    operation, mark, number = found.groups()
    if (operation, mark) != (request.operation, _fingerprint(request)):
        raise InvalidArgumentError(
            f"cursor belongs to another list than {request.operation} with these"
            f" filters: {cursor!r}"
        )
    return int(number)


def _fingerprint(request: Request[Any]) -> str:
    filters = tuple(pair for pair in request.query if pair[0] != "page")
    text = repr((sorted(request.parts.items()), sorted(filters)))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
