"""All that is known of one company, and the lists that are read from it."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nectar_async.sandbox.generator.changes import Changes
from nectar_async.sandbox.server.usage_writer import UsageEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

__all__ = ["CompanyData"]

_LISTS_DEMAND = "v2.1"


@define(kw_only=True, slots=False)
class CompanyData:
    """Who bills a company, its bills, and its usage, newest first."""

    ids: Ids
    company: CompanyRecord
    connections: tuple[ConnectionRecord, ...]
    records: Sequence[UsageRecord]
    bills: Sequence[DocumentRecord]
    """Deleted ones included."""
    loose_meters: Sequence[MeterRecord] = ()
    """Those that are on no account."""
    changes: Changes = field(factory=Changes)
    stale_at: Instant | None = None
    """When the book is no longer true, though nobody changes anything."""
    _lines: dict[str, list[bytes]] = field(factory=dict, init=False)

    @cached_property
    def accounts(self) -> list[AccountRecord]:
        """Those of all connections."""
        return [
            account
            for connection in self.connections
            for account in connection.accounts
        ]

    @cached_property
    def meters(self) -> list[MeterRecord]:
        """Those of all accounts, and after them those on none."""
        billed = [meter for account in self.accounts for meter in account.meters]
        return [*billed, *self.loose_meters]

    def rows(self, version: str) -> Sequence[UsageRecord]:
        """What usage lists of that API version hold: v2.1 has rows for demand too."""
        return self._with_demand if version == _LISTS_DEMAND else self.records

    def lines(self, version: str) -> list[bytes]:
        """Each row as JSON of that API version, in the rows' order."""
        lines = self._lines.get(version)
        if lines is None:
            writer = UsageEncoder(version)
            lines = [writer.write(record) for record in self.rows(version)]
            self._lines[version] = lines
        return lines

    def documents(
        self, *, version: str = "v2.2", with_deleted: bool = False
    ) -> list[tuple[DocumentRecord, list[UsageRecord]]]:
        """Every bill with the rows on it, the newest first.

        Deleted bills are left out unless `with_deleted` is true.
        """
        by_document: defaultdict[str, list[UsageRecord]] = defaultdict(list)
        for record in self.rows(version):
            if record.document is not None:
                by_document[record.document.id].append(record)
        return [
            (document, by_document[document.id])
            for document in self._bills_in_order
            if with_deleted or not document.is_deleted
        ]

    @cached_property
    def _bills_in_order(self) -> list[DocumentRecord]:
        return sorted(
            self.bills,
            key=lambda document: (-document.created.nanoseconds, document.id),
        )

    @cached_property
    def _with_demand(self) -> list[UsageRecord]:
        rows = []
        for record in self.records:
            rows.append(record)
            rows += self._demand_rows(record)
        return rows

    def _demand_rows(self, record: UsageRecord) -> Iterable[UsageRecord]:
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
            written={},
        )
        yield self.changes.edited(row)
