"""A portfolio of companies, the same for the same seed, generated when it is read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.generator.bills import invent_uploaded_bill
from nectar_async.sandbox.generator.callers_changes import Changes, HasId
from nectar_async.sandbox.generator.companies import build_company, make_company
from nectar_async.sandbox.generator.company_data import CompanyGenerator
from nectar_async.sandbox.generator.connection_logins import build_connection
from nectar_async.sandbox.generator.ids import MAX_COMPANIES, Ids
from nectar_async.sandbox.generator.lru_cache import LruCache
from nectar_async.sandbox.generator.server_clock import ServerClock

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
_CACHED_COMPANIES = 2_048
# A record takes about 1.6 kB: this is at most 100 MB, and some 50 large companies.
_CACHED_RECORDS = 60_000
# All portfolios of a process share these, since a sandbox for each test would generate
# the same few companies again and again. At most 16 MB outlive the sandboxes.
_SHARED_RECORDS = 10_000

_HasIdT = TypeVar("_HasIdT", bound=HasId)


class Portfolio:
    """Companies by index, each a pure function of seed, index, changes and time.

    Only the changes and the companies read last are in memory, so 10,000 companies
    cost no more than 10.

    Args:
        companies: How many companies are generated.
        seed: The same seed gives the same portfolio.
        last_day: The last day of the two years that have bills.
        clock: The portfolio's time; without one it stays the midnight after `last_day`.

    Raises:
        ConfigurationError: there are too few or too many companies.
    """

    def __init__(
        self,
        *,
        companies: int,
        seed: int = 7,
        last_day: date = LAST_DAY,
        clock: ServerClock | None = None,
    ) -> None:
        if not 1 <= companies <= MAX_COMPANIES:
            raise ConfigurationError(
                f"companies must be between 1 and {MAX_COMPANIES}, not {companies}"
            )
        self.seed = seed
        self.last_day = last_day
        self.clock: ServerClock = clock or ServerClock(last_day, speed=0)
        self._size = companies
        self._created: list[CompanyRecord] = []
        self._ids = Ids(seed)
        self._generator = CompanyGenerator(self._ids, seed, last_day)
        self._changes: dict[int, Changes] = {}
        self._companies = LruCache(self._make_company, max_weight=_CACHED_COMPANIES)
        self._company_data = LruCache(
            self._make_company_data,
            max_weight=_CACHED_RECORDS,
            weigh=lambda data: len(data.records),
        )

    def __len__(self) -> int:
        """How many companies were ever created, including deleted ones."""
        return self._size + len(self._created)

    def __iter__(self) -> Iterator[CompanyRecord]:
        """Iterate over the companies that exist now, without generating their usage."""
        return (
            self.company(index)
            for index in range(len(self))
            if not self._is_gone(index)
        )

    @property
    def ids(self) -> Ids:
        """Makes and reads this portfolio's ids."""
        return self._ids

    def company(self, index: int) -> CompanyRecord:
        """Get the company at an index, with its sites."""
        return self._companies[index]

    def company_data(self, index: int) -> CompanyData:
        """Get a company's connections, bills and usage, from the cache or generated."""
        data = self._company_data[index]
        if data.stale_at is not None and self.clock.now() >= data.stale_at:
            self._company_data.discard(index)
            data = self._company_data[index]
        return data

    def owner(self, some_id: str) -> CompanyRecord | None:
        """Find the company whose index is encoded in an id; None if there is none.

        An invented UUID also decodes to an index, so the caller still has to look for
        the id in that company.
        """
        index = self._ids.find_company_index(some_id)
        if index is None or index >= len(self) or self._is_gone(index):
            return None
        return self.company(index)

    def find_company(self, company_id: str) -> CompanyRecord | None:
        """Find a company by its id."""
        company = self.owner(company_id)
        if company is None or company.id != company_id.lower():
            return None
        return company

    def find_site(self, site_id: str) -> tuple[CompanyRecord, SiteRecord] | None:
        """Find a site by its id, with its company."""
        company = self.owner(site_id)
        return _find_by_id(company, company.sites, site_id) if company else None

    def find_connection(
        self, connection_id: str
    ) -> tuple[CompanyRecord, ConnectionRecord] | None:
        """Find a connection by its id, with its company."""
        return self._find(connection_id, lambda data: data.connections)

    def find_account(
        self, account_id: str
    ) -> tuple[CompanyRecord, AccountRecord] | None:
        """Find an account by its id, with its company."""
        return self._find(account_id, lambda data: data.accounts)

    def find_meter(self, meter_id: str) -> tuple[CompanyRecord, MeterRecord] | None:
        """Find a meter by its id, with its company."""
        return self._find(meter_id, lambda data: data.meters)

    def find_document(
        self, document_id: str
    ) -> tuple[CompanyRecord, DocumentRecord] | None:
        """Find a bill by its id, with its company; deleted bills are found too."""
        return self._find(document_id, lambda data: data.bills)

    def find_usage(self, usage_id: str) -> tuple[CompanyRecord, UsageRecord] | None:
        """Find a usage record or a demand row of v2.1 by its id, with its company."""
        return self._find(usage_id, lambda data: data.list_rows("v2.1"))

    @contextmanager
    def change(self, index: int) -> Iterator[Changes]:
        """Yield a company's changes to extend, and then discard its cached data."""
        try:
            yield self._changes.setdefault(index, Changes())
        finally:
            self._companies.discard(index)
            self._company_data.discard(index)

    def create_company(self, fields: Mapping[str, Any]) -> CompanyRecord:
        """Create a company without sites; it comes last in the list.

        `fields` are the fields of `CompanyRecord`, without its id.
        """
        index = len(self)
        company_id = self._ids.make("company", index)
        today = self.clock.today()
        self._created.append(build_company(index, company_id, fields, today))
        return self.company(index)

    def add_connection(
        self, index: int, fields: Mapping[str, Any], moment: Instant
    ) -> ConnectionRecord:
        """Add a PENDING connection to a company; later its login is checked.

        `fields` are the fields of the contract's `ConnectionCreate`. The caller checks
        them (`checks.check_new_connection`).
        """
        data = self.company_data(index)
        serial = len(data.changes.connections)
        connection = build_connection(
            self._ids, data.company, fields, moment, serial=serial
        )
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
        """Add an uploaded bill, with usage if the company has a meter or a site."""
        data = self.company_data(index)
        sites = data.company.sites
        bill = invent_uploaded_bill(
            self._ids,
            self.seed,
            data.company,
            data.meters,
            serial=len(data.changes.documents),
            file_name=file_name,
            job_id=job_id,
            site=next((site for site in sites if site.id == site_id), None),
            moment=moment,
        )
        with self.change(index) as changes:
            changes.documents.append(bill.document)
            changes.meters += bill.new_meters
            changes.records += bill.records
        return bill.document

    def change_usage(
        self,
        index: int,
        *,
        insert: int = 0,
        delete: int = 0,
        at: int | str = "front",
        site_id: str | None = None,
    ) -> None:
        """Delete records from a company's or site's usage list, and insert new ones.

        Args:
            index: The index of the company.
            insert: How many records are inserted.
            delete: How many records are deleted.
            at: The place: `front`, `end`, or the number of a row, from 1.
            site_id: The site whose list is changed; None for the company's list.
        """
        records = self.company_data(index).records
        listed = [
            record
            for record in records
            if site_id is None or record.meter.site.id == site_id
        ]
        if not listed:
            return
        newest = records[0].created
        before = _count_rows_before(at, len(listed) - delete)
        with self.change(index) as changes:
            dropped = listed[before : before + delete]
            changes.deleted.update(record.id for record in dropped)
            for _ in range(insert):
                serial = len(changes.records)
                some_id = self._ids.make("usage", index, f"inserted-{serial}")
                if before == 0:
                    newest = newest.plus(1, digits=0)
                    changes.insert_first(listed[0], some_id, newest)
                else:
                    changes.insert_after(listed[:before][-1], some_id)

    def _is_gone(self, index: int) -> bool:
        changes = self._changes.get(index)
        if changes is None or changes.gone_at is None:
            return False
        return self.clock.now() >= changes.gone_at

    def _find(
        self, some_id: str, list_entities: Callable[[CompanyData], Iterable[_HasIdT]]
    ) -> tuple[CompanyRecord, _HasIdT] | None:
        company = self.owner(some_id)
        if company is None:
            return None
        entities = list_entities(self.company_data(company.index))
        return _find_by_id(company, entities, some_id)

    def _make_unchanged_company(self, index: int) -> CompanyRecord:
        if index >= self._size:
            return self._created[index - self._size]
        return make_company(self._ids, self.seed, index, self.last_day)

    def _make_company(self, index: int) -> CompanyRecord:
        company = self._make_unchanged_company(index)
        changes = self._changes.get(index)
        return company if changes is None else changes.apply_to_company(company)

    def _make_company_data(self, index: int) -> CompanyData:
        changes = self._changes.get(index)
        if changes is None and index < self._size:
            with _lock:  # sandboxes may run in several threads
                return _shared_data[self.seed, self.last_day, index]
        if changes is None:
            return self._generator.generate(self.company(index))
        company = self._make_unchanged_company(index)
        return self._generator.generate_changed(company, changes, self.clock.now())


def _make_shared_data(key: tuple[int, date, int]) -> CompanyData:
    seed, last_day, index = key
    ids = Ids(seed)
    company = make_company(ids, seed, index, last_day)
    return CompanyGenerator(ids, seed, last_day).generate(company)


_lock = Lock()
_shared_data = LruCache(
    _make_shared_data,
    max_weight=_SHARED_RECORDS,
    weigh=lambda data: len(data.records),
)


def _find_by_id(
    company: CompanyRecord, entities: Iterable[_HasIdT], some_id: str
) -> tuple[CompanyRecord, _HasIdT] | None:
    wanted = some_id.lower()
    for entity in entities:
        if entity.id == wanted:
            return company, entity
    return None


def _count_rows_before(at: int | str, end: int) -> int:
    """How many rows come before a place: `front`, `end`, or a row's number."""
    if isinstance(at, int):
        return at - 1
    return max(0, end) if at == "end" else 0
