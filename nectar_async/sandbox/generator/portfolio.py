"""A portfolio of companies: the same for the same seed, and made as it is read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.generator.changes import Changes, HasId
from nectar_async.sandbox.generator.clock import Clock
from nectar_async.sandbox.generator.companies import make_company, new_company
from nectar_async.sandbox.generator.generation import CompanyGenerator
from nectar_async.sandbox.generator.ids import MAX_COMPANIES, Ids
from nectar_async.sandbox.generator.lru_cache import LruCache
from nectar_async.sandbox.generator.moving import (
    later,
    place_of,
    put_behind,
    put_in_front,
)
from nectar_async.sandbox.generator.uploads import read_bill
from nectar_async.sandbox.server.checks import new_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nectar_async.sandbox.generator.company_data import CompanyData
    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        SiteRecord,
        UsageRecord,
    )

__all__ = ["LAST_DAY", "Portfolio"]

LAST_DAY = date(2025, 12, 31)
_PROFILES_KEPT = 2_048
# About 1.6 kB a record: 100 MB at most, and room for 50 companies at once.
_RECORDS_KEPT = 60_000
_WARMED = 200

_Found = TypeVar("_Found", bound=HasId)


class Portfolio:
    """Companies by index, each a pure function of seed, index, changes and time.

    Nothing but the changes and the companies read last is held, so 10,000 cost no more
    than 10. Without a clock it is always the midnight after `last_day`.
    """

    def __init__(
        self,
        *,
        companies: int,
        seed: int = 7,
        last_day: date = LAST_DAY,
        clock: Clock | None = None,
    ) -> None:
        if not 1 <= companies <= MAX_COMPANIES:
            raise ConfigurationError(
                f"companies is between 1 and {MAX_COMPANIES}, not {companies}"
            )
        self.seed = seed
        self.last_day = last_day
        self.clock: Clock = clock or Clock(last_day, speed=0)
        self._size = companies
        self._created: list[CompanyRecord] = []
        self._ids = Ids(seed)
        self._generator = CompanyGenerator(self._ids, seed, last_day)
        self._changes: dict[int, Changes] = {}
        self._companies = LruCache(self._make_company, room=_PROFILES_KEPT)
        self._company_data = LruCache(
            self._make_book,
            room=_RECORDS_KEPT,
            size=lambda company_data: len(company_data.records),
        )

    def __len__(self) -> int:
        """How many companies there ever were: each index below it has had one."""
        return self._size + len(self._created)

    def __iter__(self) -> Iterator[CompanyRecord]:
        """Every company that is there, made one by one; no usage is made."""
        return (
            self.company(index)
            for index in range(len(self))
            if not self._is_gone(index)
        )

    @property
    def ids(self) -> Ids:
        """What makes and reads this portfolio's ids."""
        return self._ids

    def company(self, index: int) -> CompanyRecord:
        """The company of that index, with its sites."""
        return self._companies[index]

    def company_data(self, index: int) -> CompanyData:
        """The company's bills and usage, generated unless they were read lately."""
        company_data = self._company_data[index]
        if (
            company_data.stale_at is not None
            and self.clock.now() >= company_data.stale_at
        ):
            self._company_data.forget(index)
            company_data = self._company_data[index]
        return company_data

    def owner(self, some_id: str) -> CompanyRecord | None:
        """The company that an id of any kind would belong to; look there for the id."""
        index = self._ids.company_of(some_id)
        if index is None or index >= len(self) or self._is_gone(index):
            return None
        return self.company(index)

    def find_company(self, company_id: str) -> CompanyRecord | None:
        """The company of that id."""
        company = self.owner(company_id)
        is_it = company is not None and company.id == company_id.lower()
        return company if is_it else None

    def find_site(self, site_id: str) -> tuple[CompanyRecord, SiteRecord] | None:
        """The site of that id, and whose it is."""
        company = self.owner(site_id)
        return _found(company, company.sites, site_id) if company else None

    def find_connection(
        self, connection_id: str
    ) -> tuple[CompanyRecord, ConnectionRecord] | None:
        """The connection of that id, and whose it is."""
        return self._find(connection_id, lambda company_data: company_data.connections)

    def find_account(
        self, account_id: str
    ) -> tuple[CompanyRecord, AccountRecord] | None:
        """The account of that id, and whose it is."""
        return self._find(account_id, lambda company_data: company_data.accounts)

    def find_meter(self, meter_id: str) -> tuple[CompanyRecord, MeterRecord] | None:
        """The meter of that id, and whose it is."""
        return self._find(meter_id, lambda company_data: company_data.meters)

    def find_document(
        self, document_id: str
    ) -> tuple[CompanyRecord, DocumentRecord] | None:
        """The bill of that id, be it a deleted one, and whose it is."""
        return self._find(document_id, lambda company_data: company_data.bills)

    def find_usage(self, usage_id: str) -> tuple[CompanyRecord, UsageRecord] | None:
        """The usage record or v2.1's demand row of that id, and whose it is."""
        return self._find(usage_id, lambda company_data: company_data.rows("v2.1"))

    def warm(self, version: str = "v2.2") -> None:
        """Make everything now, if it fits, so that no request pays for it."""
        for index in range(self._size if self._size <= _WARMED else 1):
            self.company_data(index).lines(version)

    @contextmanager
    def change(self, index: int) -> Iterator[Changes]:
        """A company's changes, to be added to; only then it is made anew."""
        try:
            yield self._changes.setdefault(index, Changes())
        finally:
            self._companies.forget(index)
            self._company_data.forget(index)

    def create_company(self, fields: Mapping[str, Any]) -> CompanyRecord:
        """A company without sites, the last one of the list; `fields` lack its id."""
        index = len(self)
        company_id = self._ids.make("company", index)
        today = self.clock.today()
        self._created.append(new_company(index, company_id, fields, today))
        return self.company(index)

    def add_connection(
        self, index: int, fields: Mapping[str, Any], moment: Instant
    ) -> ConnectionRecord:
        """A connection as a caller or an invitation's recipient makes it.

        `fields` are those of the contract's `ConnectionCreate`. It is PENDING, and
        becomes by itself what its credentials deserve.

        Raises:
            RefusalError: the sites are not one to three of the company's, or it has a
                connection with that URL and user name already.
        """
        company_data = self.company_data(index)
        connection = new_connection(self._ids, company_data, fields, moment)
        with self.change(index) as changes:
            changes.connections.append(connection)
        return connection

    def add_document(
        self,
        index: int,
        *,
        file_name: str,
        job_id: str | None,
        site_id: str | None,
        moment: Instant,
    ) -> DocumentRecord:
        """An uploaded bill, with usage if the company has a meter or a site for it."""
        company_data = self.company_data(index)
        sites = company_data.company.sites
        upload = read_bill(
            self._ids,
            self.seed,
            company_data,
            serial=len(company_data.changes.documents),
            file_name=file_name,
            job_id=job_id,
            site=next((site for site in sites if site.id == site_id), None),
            moment=moment,
        )
        with self.change(index) as changes:
            changes.documents.append(upload.document)
            changes.meters += upload.new_meters
            changes.records += upload.records
        return upload.document

    def change_usage(
        self,
        index: int,
        *,
        insert: int = 0,
        delete: int = 0,
        at: int | str = "front",
        site_id: str | None = None,
    ) -> None:
        """Delete records of a company's or site's list, and insert new ones there.

        `at` is as in `Change`.
        """
        listed = [
            record
            for record in self.company_data(index).records
            if site_id is None or record.meter.site.id == site_id
        ]
        if not listed:
            return
        newest = self.company_data(index).records[0].created
        begin = place_of(at, len(listed) - delete)
        with self.change(index) as changes:
            changes.deleted.update(one.id for one in listed[begin : begin + delete])
            for _ in range(insert):
                serial = len(changes.records)
                some_id = self._ids.make("usage", index, f"inserted-{serial}")
                if begin == 0:
                    newest = later(newest)
                    put_in_front(changes, listed[0], some_id, newest)
                else:
                    put_behind(changes, listed[:begin][-1], some_id)

    def _is_gone(self, index: int) -> bool:
        changes = self._changes.get(index)
        if changes is None or changes.gone_at is None:
            return False
        return self.clock.now() >= changes.gone_at

    def _find(
        self, some_id: str, things: Callable[[CompanyData], Iterable[_Found]]
    ) -> tuple[CompanyRecord, _Found] | None:
        company = self.owner(some_id)
        if company is None:
            return None
        return _found(company, things(self.company_data(company.index)), some_id)

    def _pristine(self, index: int) -> CompanyRecord:
        if index >= self._size:
            return self._created[index - self._size]
        return make_company(self._ids, self.seed, index, self.last_day)

    def _make_company(self, index: int) -> CompanyRecord:
        company = self._pristine(index)
        changes = self._changes.get(index)
        return company if changes is None else changes.company(company)

    def _make_book(self, index: int) -> CompanyData:
        changes = self._changes.get(index)
        if changes is None:
            return self._generator.company_data(self.company(index))
        now = self.clock.now()
        return self._generator.changed_book(self._pristine(index), changes, now)


def _found(
    company: CompanyRecord, things: Iterable[_Found], some_id: str
) -> tuple[CompanyRecord, _Found] | None:
    wanted = some_id.lower()
    return next(((company, thing) for thing in things if thing.id == wanted), None)
