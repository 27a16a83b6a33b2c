"""What callers did to one company since it was generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import define, evolve, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        SiteRecord,
        UsageRecord,
    )

__all__ = ["Changes", "HasId", "SortKey"]

SortKey = tuple[int | str, ...]
"""What usage is sorted by: nanoseconds before, the id, and what tells rows apart that
were put behind the same one."""


class HasId(Protocol):
    """Whatever has an id."""

    @property
    def id(self) -> str:
        """Unlike that of any other thing, of whatever kind."""


_HasIdT = TypeVar("_HasIdT", bound=HasId)


@define
class Changes:
    """What is laid over a company each time it is generated again.

    So nothing that is generated depends on a change, and none reshuffles it.
    """

    edits: dict[str, dict[str, Any]] = field(factory=dict)
    """By the id of a thing: its fields that are not as they were generated."""
    deleted: set[str] = field(factory=set)
    """Ids of usage records."""
    sites: list[SiteRecord] = field(factory=list)
    connections: list[ConnectionRecord] = field(factory=list)
    meters: list[MeterRecord] = field(factory=list)
    """Known from uploaded bills alone."""
    documents: list[DocumentRecord] = field(factory=list)
    records: list[UsageRecord] = field(factory=list)
    places: dict[str, SortKey] = field(factory=dict)
    """By the id of a record: its place, where that does not follow from its date."""
    gone_at: Instant | None = None
    """When the company is no longer there."""

    def edit(self, some_id: str, fields: Mapping[str, Any]) -> None:
        """Change fields of one thing; what was changed before stays."""
        self.edits.setdefault(some_id, {}).update(fields)

    def place(self, record: UsageRecord) -> SortKey:
        """Where a record stands: what came in last is first."""
        own = (-record.created.nanoseconds, record.id)
        return self.places.get(record.id, own)

    def edited(self, thing: _HasIdT) -> _HasIdT:
        """The thing with its fields as they are now."""
        fields = self.edits.get(thing.id)
        return evolve(thing, **fields) if fields else thing  # type: ignore[misc]

    def company(self, company: CompanyRecord) -> CompanyRecord:
        """The company with its sites as they are now."""
        sites = tuple(self.edited(site) for site in (*company.sites, *self.sites))
        return evolve(self.edited(company), sites=sites)
