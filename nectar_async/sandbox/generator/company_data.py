"""All data of one company: generated from the seed, with callers' changes applied."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from nectar_async.sandbox.generator.bills import (
    make_bills,
    make_sample_usage,
    make_usage,
)
from nectar_async.sandbox.generator.callers_changes import ChangedCompany, Changes
from nectar_async.sandbox.generator.connected_meters import (
    make_connections,
    make_sample_accounts,
)
from nectar_async.sandbox.generator.connection_logins import (
    find_next_change,
    settle_login,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        UsageRecord,
    )
    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["CompanyData", "CompanyGenerator"]

_VERSION_WITH_DEMAND_ROWS = "v2.1"


@define(kw_only=True, slots=False)
class CompanyData:
    """The connections, bills and usage of a company, newest usage first."""

    ids: Ids
    company: CompanyRecord
    connections: tuple[ConnectionRecord, ...]
    records: Sequence[UsageRecord]
    bills: Sequence[DocumentRecord]
    """All bills, deleted ones included."""
    loose_meters: Sequence[MeterRecord] = ()
    """Meters that are on no account."""
    changes: Changes = field(factory=Changes)
    stale_at: Instant | None = None
    """When the data changes without a request, for example by a login check."""
    encoded_rows: dict[str, list[bytes]] = field(factory=dict, init=False)
    """The rows as JSON by API version; `entity_json.encode_rows` fills this cache."""

    @cached_property
    def accounts(self) -> list[AccountRecord]:
        """The accounts of all connections."""
        return [
            account
            for connection in self.connections
            for account in connection.accounts
        ]

    @cached_property
    def meters(self) -> list[MeterRecord]:
        """The meters of all accounts, and then those on no account."""
        billed = [meter for account in self.accounts for meter in account.meters]
        return [*billed, *self.loose_meters]

    def list_rows(self, version: str) -> Sequence[UsageRecord]:
        """List the usage records of an API version; v2.1 has rows for demand too."""
        if version == _VERSION_WITH_DEMAND_ROWS:
            return self._records_and_demand
        return self.records

    def list_documents(
        self, *, version: str = "v2.2", with_deleted: bool = False
    ) -> list[tuple[DocumentRecord, list[UsageRecord]]]:
        """List every bill with the rows on it, the newest first.

        Deleted bills are left out unless `with_deleted` is true.
        """
        by_document: defaultdict[str, list[UsageRecord]] = defaultdict(list)
        for record in self.list_rows(version):
            if record.document is not None:
                by_document[record.document.id].append(record)
        return [
            (document, by_document[document.id])
            for document in self._sorted_bills
            if with_deleted or not document.is_deleted
        ]

    @cached_property
    def _sorted_bills(self) -> list[DocumentRecord]:
        return sorted(
            self.bills,
            key=lambda document: (-document.created.nanoseconds, document.id),
        )

    @cached_property
    def _records_and_demand(self) -> list[UsageRecord]:
        rows = []
        for record in self.records:
            rows.append(record)
            rows += self._make_demand_rows(record)
        return rows

    def _make_demand_rows(self, record: UsageRecord) -> Iterable[UsageRecord]:
        if record.peak_demand is None:
            return
        row_id = self.ids.make("demand", self.company.index, record.id)
        if row_id in self.changes.deleted:
            return
        row = evolve(
            record,
            id=row_id,
            amount=record.peak_demand,
            places=1,
            is_demand=True,
            peak_amount=None,
            register=None,
            generated=None,
            imported=None,
            exported=None,
            peak_demand=None,
            overrides={},
        )
        yield self.changes.apply(row)


@frozen
class CompanyGenerator:
    """Generates the data of companies from one seed."""

    ids: Ids
    seed: int
    last_day: date

    def generate(self, company: CompanyRecord) -> CompanyData:
        """Generate the data of a company without changes."""
        connections, records = self._make_connections_and_usage(company)
        return CompanyData(
            ids=self.ids,
            company=company,
            connections=connections,
            records=records,
            bills=make_bills(self.ids, company, records),
        )

    def generate_changed(
        self, company: CompanyRecord, changes: Changes, now: Instant
    ) -> CompanyData:
        """Generate the data of a company with its changes, as it is at `now`.

        `company` is the company before its changes.
        """
        connections, records = self._make_connections_and_usage(company)
        bills = make_bills(self.ids, company, records)
        changed = ChangedCompany(changes, changes.apply_to_company(company))
        present = []
        for connection in (*connections, *changes.connections):
            current = settle_login(changes.apply(connection), now)
            due = current.samples_due
            accounts = connection.accounts
            if due is not None and now >= due:
                origin = evolve(company, sites=(*company.sites, *changes.sites))
                accounts, samples = self._make_samples(origin, connection, due)
                records += samples
                bills += make_bills(self.ids, company, samples)
            present.append(changed.apply_to_connection(current, accounts))
        loose_meters = [changed.apply_to_meter(meter) for meter in changes.meters]
        next_changes = (find_next_change(connection, now) for connection in present)
        return CompanyData(
            ids=self.ids,
            company=changed.company,
            connections=tuple(present),
            bills=[
                changed.apply_to_document(bill) for bill in (*bills, *changes.documents)
            ],
            records=changed.apply_to_records((*records, *changes.records)),
            loose_meters=loose_meters,
            changes=changes,
            stale_at=min((moment for moment in next_changes if moment), default=None),
        )

    def _make_connections_and_usage(
        self, company: CompanyRecord
    ) -> tuple[tuple[ConnectionRecord, ...], list[UsageRecord]]:
        connections = make_connections(self.ids, self.seed, company, self.last_day)
        return connections, make_usage(
            self.ids, self.seed, company, connections, self.last_day
        )

    def _make_samples(
        self, company: CompanyRecord, connection: ConnectionRecord, due: Instant
    ) -> tuple[tuple[AccountRecord, ...], list[UsageRecord]]:
        # Made from the original sites and commodities, so that changes do not alter it.
        accounts = make_sample_accounts(self.ids, self.seed, company, connection)
        ready = evolve(connection, accounts=accounts, samples_due=due)
        return accounts, make_sample_usage(
            self.ids, self.seed, company, ready, self.last_day
        )
