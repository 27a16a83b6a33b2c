"""A portfolio of companies: the same for the same seed, and made as it is read."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, evolve, field

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.bills import make_usage
from nectar_async.sandbox.companies import make_company
from nectar_async.sandbox.identity import MAX_COMPANIES, Ids
from nectar_async.sandbox.meters import make_connections
from nectar_async.sandbox.moments import Instant
from nectar_async.sandbox.writer import UsageWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nectar_async.sandbox.entities import (
        Company,
        Connection,
        Document,
        Site,
        UsageRecord,
    )

__all__ = ["LAST_DAY", "Book", "Portfolio"]

LAST_DAY = date(2025, 12, 31)
_PROFILES_KEPT = 2_048
# About 1.6 kB a record: 100 MB at most, and room for 50 companies at once.
_RECORDS_KEPT = 60_000
_WARMED = 200
_SECOND = 1_000_000_000

_T = TypeVar("_T")


@define
class Book:
    """All that is known of one company: who bills it, and its usage, newest first."""

    company: Company
    connections: tuple[Connection, ...]
    records: Sequence[UsageRecord]
    _lines: dict[str, list[bytes]] = field(factory=dict, init=False)

    def lines(self, version: str) -> list[bytes]:
        """Each record as JSON of that API version, in the records' order."""
        lines = self._lines.get(version)
        if lines is None:
            writer = UsageWriter(version)
            lines = [writer.write(record) for record in self.records]
            self._lines[version] = lines
        return lines

    def documents(self) -> Iterator[tuple[Document, list[UsageRecord]]]:
        """Every bill with the usage on it."""
        billed = [record for record in self.records if record.document is not None]
        billed.sort(key=_document_id)
        for _, group in groupby(billed, key=_document_id):
            records = list(group)
            document = records[0].document
            if document is not None:
                yield document, records


@define
class _Changes:
    """What was done to a company's usage since it was generated."""

    inserted: list[UsageRecord] = field(factory=list)
    deleted: set[str] = field(factory=set)


class Portfolio:
    """Companies by index, each a pure function of seed, index and changes.

    Nothing but the companies read last is held, so 10,000 cost no more than 10.
    """

    def __init__(
        self, *, companies: int, seed: int = 7, last_day: date = LAST_DAY
    ) -> None:
        if not 1 <= companies <= MAX_COMPANIES:
            raise ConfigurationError(
                f"companies is between 1 and {MAX_COMPANIES}, not {companies}"
            )
        self.seed = seed
        self.last_day = last_day
        self._size = companies
        self._ids = Ids(seed)
        self._changes: dict[int, _Changes] = {}
        self._companies = _Shelf(self._make_company, room=_PROFILES_KEPT)
        self._books = _Shelf(
            self._make_book, room=_RECORDS_KEPT, size=lambda book: len(book.records)
        )

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Company]:
        """Every company, made one by one; no usage is made."""
        return map(self.company, range(self._size))

    @property
    def ids(self) -> Ids:
        """What makes and reads this portfolio's ids."""
        return self._ids

    def company(self, index: int) -> Company:
        """The company of that index, with its sites."""
        return self._companies[index]

    def book(self, index: int) -> Book:
        """The company's bills and usage, generated unless they were read lately."""
        return self._books[index]

    def owner(self, some_id: str) -> Company | None:
        """The company that an id of any kind would belong to; look there for the id."""
        index = self._ids.company_of(some_id)
        if index is None or index >= self._size:
            return None
        return self.company(index)

    def find_company(self, company_id: str) -> Company | None:
        """The company of that id."""
        company = self.owner(company_id)
        is_it = company is not None and company.id == company_id.lower()
        return company if is_it else None

    def find_site(self, site_id: str) -> tuple[Company, Site] | None:
        """The site of that id, and whose it is."""
        company = self.owner(site_id)
        if company is None:
            return None
        wanted = site_id.lower()
        return next(
            ((company, site) for site in company.sites if site.id == wanted), None
        )

    def warm(self, version: str = "v2.2") -> None:
        """Make everything now, if it fits, so that no request pays for it."""
        for index in range(self._size if self._size <= _WARMED else 1):
            self.book(index).lines(version)

    def change_usage(
        self,
        index: int,
        *,
        insert: int = 0,
        delete: int = 0,
        site_id: str | None = None,
    ) -> None:
        """Delete the first records of a company's or site's list, then insert new ones.

        Inserted records repeat the first one with ids of their own and newer dates, and
        so stand in front.
        """
        listed = [
            record
            for record in self.book(index).records
            if site_id is None or record.meter.site.id == site_id
        ]
        if not listed:
            return
        changes = self._changes.setdefault(index, _Changes())
        changes.deleted.update(record.id for record in listed[:delete])
        newest = self.book(index).records[0].created.nanoseconds
        for step in range(1, insert + 1):
            serial = len(changes.inserted)
            moment = Instant.at(newest + step * _SECOND)
            changes.inserted.append(
                evolve(
                    listed[0],
                    id=self._ids.make("usage", index, f"inserted-{serial}"),
                    created=moment,
                    updated=moment,
                )
            )
        self._books.forget(index)

    def _make_company(self, index: int) -> Company:
        return make_company(self._ids, self.seed, index, self.last_day)

    def _make_book(self, index: int) -> Book:
        company = self.company(index)
        connections = make_connections(self._ids, self.seed, company, self.last_day)
        records = make_usage(self._ids, self.seed, company, connections, self.last_day)
        changes = self._changes.get(index)
        if changes is not None:
            newest_first = [*reversed(changes.inserted), *records]
            records = [
                record for record in newest_first if record.id not in changes.deleted
            ]
        return Book(company, connections, records)


class _Shelf(Generic[_T]):
    """Keeps what was asked for last, as much as there is room for."""

    def __init__(
        self,
        make: Callable[[int], _T],
        *,
        room: int,
        size: Callable[[_T], int] = lambda _: 1,
    ) -> None:
        self._make = make
        self._room = room
        self._size = size
        self._held: OrderedDict[int, _T] = OrderedDict()
        self._weight = 0

    def __getitem__(self, index: int) -> _T:
        held = self._held.get(index)
        if held is not None:
            self._held.move_to_end(index)
            return held
        made = self._held[index] = self._make(index)
        self._weight += self._size(made)
        while self._weight > self._room and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            self._weight -= self._size(oldest)
        return made

    def forget(self, index: int) -> None:
        held = self._held.pop(index, None)
        if held is not None:
            self._weight -= self._size(held)


def _document_id(record: UsageRecord) -> str:
    return record.document.id if record.document is not None else ""
