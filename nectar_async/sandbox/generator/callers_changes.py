"""Changes that callers made to a company, and how they apply to its generated data.

Changes are stored separately, and applied whenever the company is generated again. So a
change never alters other generated data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import define, evolve, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

__all__ = ["ChangedCompany", "Changes", "HasId", "SortKey"]

SortKey = tuple[int | str, ...]
"""The sort key of a usage record: negative nanoseconds, the id, and, for records that
were inserted after the same one, numbers that tell them apart."""


class HasId(Protocol):
    """Anything that has an id."""

    @property
    def id(self) -> str:
        """The id, unique among all entities of all kinds."""


_HasIdT = TypeVar("_HasIdT", bound=HasId)


@define
class Changes:
    """All changes to one company since it was generated."""

    edits: dict[str, dict[str, Any]] = field(factory=dict)
    """The new values of changed fields, by the id of the entity."""
    deleted: set[str] = field(factory=set)
    """Ids of deleted usage records."""
    sites: list[SiteRecord] = field(factory=list)
    connections: list[ConnectionRecord] = field(factory=list)
    meters: list[MeterRecord] = field(factory=list)
    """Meters that are known from uploaded bills only."""
    documents: list[DocumentRecord] = field(factory=list)
    records: list[UsageRecord] = field(factory=list)
    sort_keys: dict[str, SortKey] = field(factory=dict)
    """The sort keys of records that are not sorted by their date, by id."""
    gone_at: Instant | None = None
    """When the company is deleted."""

    def edit(self, some_id: str, fields: Mapping[str, Any]) -> None:
        """Change fields of one entity; its earlier changes stay."""
        self.edits.setdefault(some_id, {}).update(fields)

    def insert_first(self, like: UsageRecord, some_id: str, moment: Instant) -> None:
        """Insert a copy of a record that was created at `moment`, the newest one."""
        self.records.append(evolve(like, id=some_id, created=moment, updated=moment))

    def insert_after(self, record: UsageRecord, some_id: str) -> None:
        """Insert a copy of a record right after it."""
        # Of two copies after the same record, the later one comes first.
        self.sort_keys[some_id] = (*self.find_sort_key(record), -len(self.records))
        self.records.append(evolve(record, id=some_id))

    def find_sort_key(self, record: UsageRecord) -> SortKey:
        """Find the sort key of a record; the newest record comes first."""
        by_date = (-record.created.nanoseconds, record.id)
        return self.sort_keys.get(record.id, by_date)

    def apply(self, entity: _HasIdT) -> _HasIdT:
        """Apply the changed fields to one entity."""
        fields = self.edits.get(entity.id)
        return evolve(entity, **fields) if fields else entity  # type: ignore[misc]

    def apply_to_company(self, company: CompanyRecord) -> CompanyRecord:
        """Apply the changes to a company and its sites, new sites included."""
        sites = tuple(self.apply(site) for site in (*company.sites, *self.sites))
        return evolve(self.apply(company), sites=sites)


@define
class ChangedCompany:
    """Applies the changes of one company to its entities.

    An entity is copied only if it or a part of it changed, and only once, so that all
    records of a meter share one meter. Apply connections and meters before records.
    """

    changes: Changes
    company: CompanyRecord
    """The company with its changes applied."""
    _sites: dict[str, SiteRecord] = field(init=False)
    _meters: dict[str, MeterRecord] = field(factory=dict, init=False)
    _documents: dict[str, DocumentRecord] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._sites = {site.id: site for site in self.company.sites}

    def apply_to_connection(
        self, connection: ConnectionRecord, accounts: Iterable[AccountRecord]
    ) -> ConnectionRecord:
        """Give a changed connection its accounts, with their changes applied."""
        return evolve(connection, accounts=tuple(map(self._apply_to_account, accounts)))

    def apply_to_meter(self, meter: MeterRecord) -> MeterRecord:
        """Apply the changes to a meter and to its site."""
        edited = self.changes.apply(meter)
        site = self._sites[edited.site.id]
        if site != edited.site:
            edited = evolve(edited, site=site)
        self._meters[meter.id] = edited
        return edited

    def apply_to_document(self, document: DocumentRecord) -> DocumentRecord:
        """Apply the changes to a bill."""
        edited = self._documents.get(document.id)
        if edited is None:
            edited = self._documents[document.id] = self.changes.apply(document)
        return edited

    def apply_to_records(self, records: Iterable[UsageRecord]) -> list[UsageRecord]:
        """Apply the changes to usage records, drop deleted records, and sort."""
        edited = [
            self._apply_to_record(record)
            for record in records
            if record.id not in self.changes.deleted
        ]
        edited.sort(key=self.changes.find_sort_key)
        return edited

    def _apply_to_account(self, account: AccountRecord) -> AccountRecord:
        meters = tuple(map(self.apply_to_meter, account.meters))
        return evolve(self.changes.apply(account), meters=meters)

    def _apply_to_record(self, record: UsageRecord) -> UsageRecord:
        edited = self.changes.apply(record)
        meter = self._meters[edited.meter.id]
        document = edited.document and self.apply_to_document(edited.document)
        if meter is edited.meter and document is edited.document:
            return edited
        return evolve(edited, meter=meter, document=document)
