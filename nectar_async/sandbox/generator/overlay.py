"""Laying changes over what was generated of a company."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nectar_async.sandbox.generator.changes import Changes
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        SiteRecord,
        UsageRecord,
    )

__all__ = ["Overlay"]


@define
class Overlay:
    """One company's things as they are now.

    Each is rebuilt only where it or what it holds was changed, and once: all records of
    a meter keep sharing one meter. Give it connections and meters before records.
    """

    changes: Changes
    company: CompanyRecord
    """As it is now."""
    _sites: dict[str, SiteRecord] = field(init=False)
    _meters: dict[str, MeterRecord] = field(factory=dict, init=False)
    _documents: dict[str, DocumentRecord] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._sites = {site.id: site for site in self.company.sites}

    def connection(
        self, connection: ConnectionRecord, accounts: Iterable[AccountRecord]
    ) -> ConnectionRecord:
        """A connection that is as it is now, with its accounts as they are now."""
        return evolve(connection, accounts=tuple(map(self._account, accounts)))

    def meter(self, meter: MeterRecord) -> MeterRecord:
        """The meter at the site where it is now."""
        edited = self.changes.edited(meter)
        site = self._sites[edited.site.id]
        if site != edited.site:
            edited = evolve(edited, site=site)
        self._meters[meter.id] = edited
        return edited

    def document(self, document: DocumentRecord) -> DocumentRecord:
        """The bill as it is now."""
        known = self._documents.get(document.id)
        if known is None:
            known = self._documents[document.id] = self.changes.edited(document)
        return known

    def records(self, records: Iterable[UsageRecord]) -> list[UsageRecord]:
        """The records that are still there, what came in last first."""
        kept = [
            self._record(record)
            for record in records
            if record.id not in self.changes.deleted
        ]
        kept.sort(key=self.changes.place)
        return kept

    def _account(self, account: AccountRecord) -> AccountRecord:
        meters = tuple(map(self.meter, account.meters))
        return evolve(self.changes.edited(account), meters=meters)

    def _record(self, record: UsageRecord) -> UsageRecord:
        edited = self.changes.edited(record)
        meter = self._meters[edited.meter.id]
        document = edited.document and self.document(edited.document)
        if meter is edited.meter and document is edited.document:
            return edited
        return evolve(edited, meter=meter, document=document)
