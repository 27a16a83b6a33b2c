"""Receipts: how complete a traversal is, and what that is computed from.

The API numbers pages, and rows may come and go while a list is read. So a pass is
planned by `totalPages` and continues while `hasNext` is true. It ends at the first page
without a next one, and at a page that is not the requested one (the server returns the
last page for a number past the end). An empty page does not end it. The totals of all
envelopes are compared, and records are counted by id, so that the verdict at the end
says whether every record was read.

A record may also change while its list is read, and come again with another `updated`.
It is delivered again then, and the list has drifted.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import compress
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

import attrs
from attrs import evolve, frozen

from nectar_async._http.executor import attach_request
from nectar_async._http.request import Request
from nectar_async._repr import format_record
from nectar_async.errors import DecodeError, PaginationError
from nectar_async.models.page import Page

__all__ = [
    "Damage",
    "IdSet",
    "PageContent",
    "PassTracker",
    "Receipt",
    "Verdict",
    "build_unreadable_error",
    "describe_counts",
    "describe_receipt",
    "find_worst",
    "hash_rows",
    "sum_known",
    "to_content",
]

T = TypeVar("T")


class Verdict(StrEnum):
    """The completeness of a traversal, from best to worst."""

    COMPLETE = "complete"
    """All envelopes agree on the total, and that many distinct records were read."""
    DRIFTED = "drifted"
    """The total changed, or a record came again with another `updated`, so the list
    changed while it was read."""
    SHORT = "short"
    """The envelopes agree on a total, but fewer distinct records were read, or some
    items could not be read."""
    UNFINISHED = "unfinished"
    """The traversal was left early, or failed."""


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def find_worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Find the worst of some verdicts; `complete` if there are none."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.COMPLETE)


def build_unreadable_error(
    receipt: Receipt, request: Request[Any]
) -> DecodeError | None:
    """Build the error that names the items of a list that were left out.

    Returns:
        None if every item was read.
    """
    left_out = receipt.unreadable - receipt.losses
    if not left_out:
        return None
    error = DecodeError.of_items(left_out, receipt.problems)
    attach_request(error, request)
    error.page = None  # the items may be on any page
    return error


@frozen(kw_only=True)
class Receipt:
    """Counts and verdict of a traversal; computed without a request of its own."""

    total_first: int | None = None
    """The total in the first envelope; None for a bare array, which has none."""
    total_last: int | None = None
    """The total in the last envelope."""
    records: int = 0
    """Records that were delivered; those of a page count when the page is delivered."""
    distinct: int = 0
    """Distinct ids among all records that were read."""
    repeats: int = 0
    """Records that were read again unchanged; they are not delivered again."""
    unreadable: int = 0
    """Items that were left out, because they are no records, such as a null or a row
    without an id, and values that are lost (`losses`)."""
    losses: int = 0
    """Values that are lost, because the JSON was damaged: half of a surrogate pair
    became U+FFFD, NaN became None. The records with them are delivered."""
    problems: tuple[str, ...] = ()
    """What is wrong with the first items that were left out, one text for each; or, if
    there are none, with the first values that are lost."""
    pages: int = 0
    """Pages that were read."""
    rewalked: int = 0
    """Pages that were read again because the list had changed."""
    verdict: Verdict = Verdict.UNFINISHED
    """The completeness of the traversal."""

    def __repr__(self) -> str:
        return format_record(self)

    @classmethod
    def sum(cls, receipts: Iterable[Receipt], *, is_finished: bool = True) -> Self:
        """Add up the receipts of several traversals; the verdict is the worst one."""
        parts = tuple(receipts)
        verdicts = [part.verdict for part in parts]
        if not is_finished:
            verdicts.append(Verdict.UNFINISHED)
        return cls(
            total_first=sum_known(part.total_first for part in parts),
            total_last=sum_known(part.total_last for part in parts),
            records=sum(part.records for part in parts),
            distinct=sum(part.distinct for part in parts),
            repeats=sum(part.repeats for part in parts),
            unreadable=sum(part.unreadable for part in parts),
            losses=sum(part.losses for part in parts),
            problems=next((part.problems for part in parts if part.problems), ()),
            pages=sum(part.pages for part in parts),
            rewalked=sum(part.rewalked for part in parts),
            verdict=find_worst(verdicts),
        )


def sum_known(totals: Iterable[int | None]) -> int | None:
    """Add up the totals that are not None; None if all are."""
    known = [total for total in totals if total is not None]
    return sum(known) if known else None


def describe_counts(pages: int, records: int, total: int | None) -> str:
    """Describe how far a list was read: `4 pages, 350 of 1,200 records`."""
    of_total = "" if total is None else f" of {total:,}"
    return (
        f"{pages:,} page{'s' * (pages != 1)},"
        f" {records:,}{of_total} record{'s' * ((total or records) != 1)}"
    )


def describe_receipt(receipt: Receipt) -> str:
    """Describe a receipt: `4 pages, 1,200 of 1,200 records, complete`."""
    counts = describe_counts(receipt.pages, receipt.records, receipt.total_last)
    unreadable = f", unreadable: {receipt.unreadable:,}" if receipt.unreadable else ""
    return f"{counts}, {receipt.verdict.value}{unreadable}"


_MAX_TEXTS: Final = 100


@frozen
class Damage:
    """The items of a list that cannot be read, and the values that are lost."""

    left_out: int = 0
    """Items that were left out."""
    losses: int = 0
    """Values that are lost in other items."""
    problems: tuple[str, ...] = ()
    """Why the first items were left out."""
    loss_problems: tuple[str, ...] = ()
    """Why the first values are lost."""

    @classmethod
    def of_page(cls, page: Page[Any]) -> Self:
        """Count the damage of a page."""
        problems, losses = page.problems[:_MAX_TEXTS], page.losses[:_MAX_TEXTS]
        return cls(len(page.problems), len(page.losses), problems, losses)

    def __add__(self, other: Damage) -> Damage:
        return Damage(
            self.left_out + other.left_out,
            self.losses + other.losses,
            self.problems or other.problems,
            self.loss_problems or other.loss_problems,
        )


# A plain set of a million integers takes 70 MB; sorted arrays take ten bytes an id.
_MAX_SMALL: Final = 4_096
_BUCKET_SIZE: Final = 64
_FIRST_LEVEL: Final = 6  # 2 ** 6 buckets of 64 hold the ids of a full small set


class IdSet:
    """A set of signed 64-bit integers: the hashes of the ids of a list of any length.

    Some thousand of them are kept in a `set`, which is fastest. Larger sets are sorted
    arrays in the buckets of a hash table that grows by one bucket at a time (linear
    hashing), so that no single insertion moves everything.
    """

    def __init__(self) -> None:
        self._small: set[int] = set()
        self._buckets: list[array[int]] = []
        # The numbers in a bucket have their last `_level` bits in common; in the first
        # `_split` buckets, and in those that were split off from them, one bit more.
        self._level = 0
        self._split = 0
        self._bucketed = 0

    def __len__(self) -> int:
        return len(self._small) + self._bucketed

    def __iter__(self) -> Iterator[int]:
        yield from self._small
        for bucket in self._buckets:
            yield from bucket

    def add_all(self, numbers: Sequence[int]) -> list[bool]:
        """Add numbers; returns for each of them whether it is new."""
        if self._buckets:
            return self._add_to_buckets(numbers)
        small = self._small
        before = len(small)
        if small.isdisjoint(numbers):
            small.update(numbers)
            are_new = [True] * len(numbers)
            if len(small) - before != len(numbers):
                seen: set[int] = set()
                are_new = [_add_number(seen, number) for number in numbers]
        else:
            are_new = [_add_number(small, number) for number in numbers]
        if len(small) > _MAX_SMALL:
            self._move_to_buckets()
        return are_new

    def count_common(self, other: IdSet) -> int:
        """How many numbers are in both sets."""
        return sum(number in self for number in other)

    def __contains__(self, number: int) -> bool:
        if not self._buckets:
            return number in self._small
        index = number & ((1 << self._level) - 1)
        if index < self._split:
            index = number & ((2 << self._level) - 1)
        bucket = self._buckets[index]
        place = bisect_left(bucket, number)
        return place < len(bucket) and bucket[place] == number

    def _add_to_buckets(self, numbers: Sequence[int]) -> list[bool]:
        # Repeats the code of `__contains__`, because this runs for every record.
        buckets, split = self._buckets, self._split
        low, high = (1 << self._level) - 1, (2 << self._level) - 1
        are_new = []
        for number in numbers:
            index = number & low
            if index < split:
                index = number & high
            bucket = buckets[index]
            place = bisect_left(bucket, number)
            is_new = place == len(bucket) or bucket[place] != number
            if is_new:
                bucket.insert(place, number)
            are_new.append(is_new)
        self._bucketed += sum(are_new)
        while self._bucketed > _BUCKET_SIZE * len(buckets):
            self._split_bucket()
        return are_new

    def _move_to_buckets(self) -> None:
        buckets: list[list[int]] = [[] for _ in range(1 << _FIRST_LEVEL)]
        for number in self._small:
            buckets[number & (len(buckets) - 1)].append(number)
        self._buckets = [array("q", sorted(bucket)) for bucket in buckets]
        self._level, self._bucketed = _FIRST_LEVEL, len(self._small)
        self._small = set()

    def _split_bucket(self) -> None:
        """Split the next bucket in two by one more bit."""
        bit = 1 << self._level
        old = self._buckets[self._split]
        self._buckets[self._split] = array("q", [n for n in old if not n & bit])
        self._buckets.append(array("q", [n for n in old if n & bit]))
        self._split += 1
        if self._split == bit:
            self._level, self._split = self._level + 1, 0


def _add_number(numbers: set[int], number: int) -> bool:
    """Add a number to a set; returns whether it is new."""
    if number in numbers:
        return False
    numbers.add(number)
    return True


# How many pages in a row may have no new record; after that, the server is taken to
# repeat itself forever. Past the last page that the first envelope announced, it is 30,
# because inserted rows can shift the list by as many pages. Before, it is 300, because
# a broken server may announce a billion pages.
_MAX_WITHOUT_NEW_PAST_END = 30
_MAX_WITHOUT_NEW = 300

PageContent: TypeAlias = tuple[int | None, tuple[int, ...]]
"""The total of a page, and the hashed versions of its records."""


class PassTracker(Generic[T]):
    """Tracks one pass: which records are new, when it ends, and its verdict.

    Args:
        first_page: the number of the page that the pass begins with.
        ids: the hashed ids of the records that were read before; new ones are added.
        versions: their hashed versions (`hash_rows`); new ones are added.
    """

    def __init__(
        self,
        first_page: int = 1,
        ids: IdSet | None = None,
        versions: IdSet | None = None,
    ) -> None:
        self.first_page: int = first_page
        self.last_page: int = first_page
        """The last page that is known to exist."""
        self.is_finished: bool = False
        """Whether the last page was added."""
        self.total_first: int | None = None
        self.total_last: int | None = None
        self.pages: int = 0
        self.repeats: int = 0
        """Records that were read again unchanged."""
        self.first_content: PageContent | None = None
        """The content of the first page."""
        self.damage: Damage = Damage()
        """The items of its pages that cannot be read, and the values that are lost."""
        self.ids: IdSet = IdSet() if ids is None else ids
        self.versions: IdSet = IdSet() if versions is None else versions
        self._is_steady = True
        self._previous_total: int | None = None
        self._was_repeat = False
        self._per_page = 0
        self._announced = 0
        self._pages_without_new = 0
        self._without_new_past_end = 0
        self._previous_ids: tuple[int, ...] = ()

    def add_page(self, page: Page[T]) -> Page[T]:
        """Add the next page; returns it with its new and changed records only.

        Raises:
            PaginationError: the page has no new records but announces another page, so
                the server does not advance.
        """
        ids, versions = hash_rows(page)
        self._previous_total = self.total_last
        self._note_total(page)
        is_clamped = page.total is not None and page.current_page != page.number
        if (page.problems or page.losses) and not is_clamped:
            self.damage += Damage.of_page(page)
        are_new = self.ids.add_all(ids)
        new = self._select_new(page.items, versions, are_new, is_clamped=is_clamped)
        self._check_advance(page, ids, has_no_new=not (any(are_new) or is_clamped))
        if is_clamped or not page.has_next:
            self.is_finished = True
        else:
            self.last_page = max(self.last_page, page.total_pages, page.number + 1)
        return page if new is page.items else evolve(page, items=new)

    def verdict(self) -> Verdict:
        """Judge the pass after its last page."""
        verdict = self.judge_readable()
        is_short = verdict is Verdict.COMPLETE and self.damage.left_out > 0
        return Verdict.SHORT if is_short else verdict

    def judge_readable(self) -> Verdict:
        """Judge the pass as if every item had been readable."""
        if self.total_last is None:
            # Without a total, rows that come on two pages show that the list moved.
            has_moved = self.repeats > 0 and self.pages > 1
            is_whole = self._is_steady and not has_moved
            return Verdict.COMPLETE if is_whole else Verdict.DRIFTED
        if not self._is_steady:
            return Verdict.DRIFTED
        skipped = (self.first_page - 1) * self._per_page
        missing = self.total_last - skipped - len(self.ids) - self.damage.left_out
        if missing > 0:
            return Verdict.SHORT
        return Verdict.COMPLETE if missing == 0 else Verdict.DRIFTED

    def _note_total(self, page: Page[T]) -> None:
        self.pages += 1
        if page.has_odd_total:
            self._is_steady = False
        if self.pages == 1:
            self.total_first = page.total
            self.first_content = to_content(page)
            self._per_page = page.per_page or len(page.items)
            self._announced = page.total_pages
        elif page.total != self.total_last:
            self._is_steady = False
        self.total_last = page.total

    def _check_advance(
        self, page: Page[T], ids: tuple[int, ...], *, has_no_new: bool
    ) -> None:
        """Refuse a page without new records that announces another page.

        Some such pages are allowed: empty ones, and one that repeats the page before
        with another total, because a page full of rows was inserted before it.
        """
        has_moved = page.total != self._previous_total and not self._was_repeat
        was_repeat = bool(ids) and ids == self._previous_ids
        self._was_repeat = was_repeat
        is_repeat = was_repeat and not has_moved
        is_past_end = has_no_new and page.number > self._announced
        self._pages_without_new = self._pages_without_new + 1 if has_no_new else 0
        self._without_new_past_end = (
            self._without_new_past_end + 1 if is_past_end else 0
        )
        is_beyond = has_no_new and page.number > page.total_pages
        is_beyond = is_beyond or self._without_new_past_end > _MAX_WITHOUT_NEW_PAST_END
        are_too_many = self._pages_without_new > _MAX_WITHOUT_NEW
        self._previous_ids = ids
        if page.has_next and (is_repeat or is_beyond or are_too_many):
            last = min(self._announced, page.total_pages)
            if is_repeat:
                problem = f"repeats page {page.number - 1}"
            elif is_beyond:
                problem = f"is after the last page ({last}), has no new records"
            else:
                problem = (
                    f"is the {self._pages_without_new:,}th in a row without new records"
                )
            raise PaginationError(
                f"page {page.number} {problem}, but announces another page; the server"
                " does not advance"
            )

    def _select_new(
        self,
        items: tuple[T, ...],
        versions: tuple[int, ...],
        are_new: list[bool],
        *,
        is_clamped: bool,
    ) -> tuple[T, ...]:
        """Select the records that are new, or that changed since they were read."""
        are_new_versions = self.versions.add_all(versions)
        if are_new_versions != are_new:
            self._is_steady = False
        repeats = are_new_versions.count(False)
        if not is_clamped:
            # For a number past the end, the API returns its last page again. Those
            # records do not mean that the list has changed, so they are not counted.
            self.repeats += repeats
        return tuple(compress(items, are_new_versions)) if repeats else items


def hash_rows(page: Page[T]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Hash the ids of the records of a page, and their versions: id and `updated`.

    Of a record without an id, the record is hashed. Different records with one id on
    one page count as different. Without `updated` the ids are the versions, too.
    """
    items: Sequence[Any] = page.items
    ids = tuple([hash(getattr(item, "id", item)) for item in items])
    if len(set(ids)) != len(ids):
        ids = _tell_apart(ids, items)
    if not items or not hasattr(items[0], "updated"):
        return ids, ids
    return ids, tuple(
        [
            hash((some_id, item.updated))
            for some_id, item in zip(ids, items, strict=True)
        ]
    )


def to_content(page: Page[T]) -> PageContent:
    """Get the total and the versions of a page, to see later whether they changed."""
    return page.total, hash_rows(page)[1]


def _tell_apart(ids: tuple[int, ...], items: Sequence[Any]) -> tuple[int, ...]:
    """Return other hashes for different records that have one id."""
    by_id: dict[int, list[Any]] = {}
    for some_id, item in zip(ids, items, strict=True):
        by_id.setdefault(some_id, []).append(item)
    different = {
        some_id
        for some_id, same in by_id.items()
        if any(item != same[0] for item in same)
    }
    return tuple(
        _hash_content(item) if some_id in different else some_id
        for some_id, item in zip(ids, items, strict=True)
    )


def _hash_content(item: Any) -> int:
    # Every field counts, but the hash of a model leaves out values of any shape, and
    # the `repr` of an `extra` shows its keys only, unless it becomes a plain dict.
    if attrs.has(type(item)):
        item = attrs.asdict(item)
    return hash(repr(item))
