"""The filters of the lists, as the contract's `x-filtering` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

from attrs import frozen

from nectar_async import contract
from nectar_async.sandbox.generator.dates import midnight
from nectar_async.sandbox.server.messages import RefusalError
from nectar_async.sandbox.server.queries import Query, day, page_number, single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.entities import (
        DocumentRecord,
        MeterRecord,
        UsageRecord,
    )

__all__ = ["MeterFilter", "UsageFilter", "normal_identifier", "page_number"]

_BAD_REQUEST = 400
_MARKS = str.maketrans("", "", "- _,/")


def normal_identifier(value: str) -> str:
    """The form in which identifiers compare: `013-774-6423` is `137746423`."""
    return value.translate(_MARKS).lstrip("0").upper()


@frozen(kw_only=True)
class MeterFilter:
    """Which meters a list keeps, or what of usage and bills by their meters."""

    datasource_types: frozenset[str] = frozenset()
    """Empty keeps all."""
    identifier: str | None = None
    """In normal form."""

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """The filter that a query asks for; unknown keys mean nothing."""
        types = frozenset(query.get("datasourceType", ()))
        unknown = sorted(types - _known_types())
        if unknown:
            detail = f"datasourceType: {unknown[0]!r} is not a datasource type."
            raise RefusalError(_BAD_REQUEST, detail)
        identifier = single(query, "identifier")
        if identifier == "":
            raise RefusalError(_BAD_REQUEST, "identifier: may not be empty.")
        return cls(
            datasource_types=types,
            identifier=None if identifier is None else normal_identifier(identifier),
        )

    @property
    def keeps_all(self) -> bool:
        """Whether there is nothing to compare."""
        return not self.datasource_types and self.identifier is None

    def keeps(self, meter: MeterRecord) -> bool:
        """Whether the meter is in the list."""
        if (
            self.datasource_types
            and meter.commodity.datasource_type not in self.datasource_types
        ):
            return False
        return self.identifier is None or any(
            normal_identifier(identifier.value) == self.identifier
            for identifier in meter.identifiers
        )


@frozen(kw_only=True)
class UsageFilter:
    """Which usage records a list keeps, or which bills."""

    meters: MeterFilter
    date_type: str
    start: int | None = None
    """First day as an ordinal, included."""
    end: int | None = None
    """Last day as an ordinal, included."""

    @classmethod
    def from_query(cls, query: Query, *, date_type: str = "BILL_DATE") -> Self:
        """The filter that a query asks for, which may name another date type."""
        asked = single(query, "dateType") or date_type
        if asked not in _IS_WITHIN:
            raise RefusalError(_BAD_REQUEST, f"dateType: {asked!r} is not a date type.")
        return cls(
            meters=MeterFilter.from_query(query),
            date_type=asked,
            start=day(query, "startDate"),
            end=day(query, "endDate"),
        )

    @property
    def keeps_all(self) -> bool:
        """Whether there is nothing to compare."""
        return self.start is None and self.end is None and self.meters.keeps_all

    def keeps(self, record: UsageRecord) -> bool:
        """Whether the record is in the list."""
        if not self.meters.keeps(record.meter):
            return False
        if self.start is None and self.end is None:
            return True
        return _IS_WITHIN[self.date_type](record, self.start, self.end)

    def keeps_bill(self, document: DocumentRecord, rows: Sequence[UsageRecord]) -> bool:
        """Whether the bill is in the list: of what is on it, one row is enough."""
        if not (
            self.meters.keeps_all or any(self.meters.keeps(row.meter) for row in rows)
        ):
            return False
        if self.start is None and self.end is None:
            return True
        if self.date_type == "USAGE_PERIOD":
            return any(_used_within(row, self.start, self.end) for row in rows)
        return _IS_BILL_WITHIN[self.date_type](document, self.start, self.end)


def _billed_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    document = record.document
    return document is not None and _dated_within(document, start, end)


def _dated_within(document: DocumentRecord, start: int | None, end: int | None) -> bool:
    # Without a bill date there is nothing that could lie within a bound.
    bill_day = document.bill_day
    return bill_day is not None and _lies_within(bill_day, start, end)


def _used_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    ends_in_time = start is None or record.end >= start
    return ends_in_time and (end is None or record.start <= end)


def _created_within(
    thing: UsageRecord | DocumentRecord, start: int | None, end: int | None
) -> bool:
    return _is_between_midnights(thing.created.nanoseconds, start, end)


def _updated_within(
    thing: UsageRecord | DocumentRecord, start: int | None, end: int | None
) -> bool:
    return _is_between_midnights(thing.updated.nanoseconds, start, end)


def _is_between_midnights(moment: int, start: int | None, end: int | None) -> bool:
    # Both bounds are cut to 00:00:00 UTC: of the end day only midnight itself counts.
    return _lies_within(
        moment,
        None if start is None else midnight(start),
        None if end is None else midnight(end),
    )


def _lies_within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


_IS_WITHIN: Mapping[str, Callable[[UsageRecord, int | None, int | None], bool]] = {
    "BILL_DATE": _billed_within,
    "USAGE_PERIOD": _used_within,
    "CREATED_DATE": _created_within,
    "UPDATED_DATE": _updated_within,
}
_IS_BILL_WITHIN: Mapping[
    str, Callable[[DocumentRecord, int | None, int | None], bool]
] = {
    "BILL_DATE": _dated_within,
    "CREATED_DATE": _created_within,
    "UPDATED_DATE": _updated_within,
}


def _known_types() -> frozenset[str]:
    schemas = contract.load()["components"]["schemas"]
    return frozenset(schemas["DatasourceTypeStrict"]["enum"])
