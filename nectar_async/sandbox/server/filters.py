"""Filters of lists, as the contract's `x-filtering` describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Self

from attrs import frozen

from nectar_async import contract
from nectar_async.sandbox.generator.dates import to_midnight
from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.entities import (
        DocumentRecord,
        MeterRecord,
        UsageRecord,
    )

__all__ = [
    "MeterFilter",
    "Query",
    "UsageFilter",
    "normalize_identifier",
    "parse_day",
    "parse_flag",
    "read_single",
]

_BAD_REQUEST = 400
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_IGNORED_IN_IDENTIFIERS = str.maketrans("", "", "- _,/")

Query = Mapping[str, tuple[str, ...]]


def read_single(query: Query, key: str) -> str | None:
    """Read a parameter with one value; if it is repeated, the last value counts."""
    values = query.get(key)
    return values[-1] if values else None


def parse_flag(query: Query, key: str) -> bool:
    """Parse a boolean parameter, which defaults to False.

    Raises:
        RefusalError: 400 for a value that is not true, false, 1 or 0.
    """
    text = read_single(query, key)
    if text is None:
        return False
    if text.lower() not in _FLAGS:
        raise RefusalError(_BAD_REQUEST, f"{key}: This must be true or false.")
    return _FLAGS[text.lower()]


def parse_day(query: Query, key: str) -> int | None:
    """Parse a date parameter to an ordinal.

    Raises:
        RefusalError: 400 for a value that is not a date.
    """
    text = read_single(query, key)
    if text is None:
        return None
    if _DATE.fullmatch(text) is None:
        raise RefusalError(_BAD_REQUEST, f"{key}: This must be a date as YYYY-MM-DD.")
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise RefusalError(_BAD_REQUEST, f"{key}: This date does not exist.") from None


def normalize_identifier(value: str) -> str:
    """Normalize an identifier for comparison: `013-774-6423` becomes `137746423`."""
    return value.translate(_IGNORED_IN_IDENTIFIERS).lstrip("0").upper()


@frozen(kw_only=True)
class MeterFilter:
    """Selects meters, or usage and bills by their meters."""

    datasource_types: frozenset[str] = frozenset()
    """The kept types; an empty set keeps all."""
    identifier: str | None = None
    """A normalized identifier; None keeps all."""

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """Parse the filter of a query; unknown parameters are ignored.

        Raises:
            RefusalError: 400 for an invalid value.
        """
        types = frozenset(query.get("datasourceType", ()))
        unknown = sorted(types - _list_datasource_types())
        if unknown:
            detail = f"datasourceType: {unknown[0]!r} is not a valid choice."
            raise RefusalError(_BAD_REQUEST, detail)
        identifier = read_single(query, "identifier")
        if identifier == "":
            raise RefusalError(_BAD_REQUEST, "identifier: This field may not be empty.")
        return cls(
            datasource_types=types,
            identifier=None if identifier is None else normalize_identifier(identifier),
        )

    @property
    def keeps_all(self) -> bool:
        """Whether the filter keeps everything."""
        return not self.datasource_types and self.identifier is None

    def keeps(self, meter: MeterRecord) -> bool:
        """Whether the filter keeps a meter."""
        if (
            self.datasource_types
            and meter.commodity.datasource_type not in self.datasource_types
        ):
            return False
        return self.identifier is None or any(
            normalize_identifier(identifier.value) == self.identifier
            for identifier in meter.identifiers
        )


@frozen(kw_only=True)
class UsageFilter:
    """Selects usage records or bills by meter and date."""

    meters: MeterFilter
    date_type: str
    start: int | None = None
    """The first day, as an ordinal."""
    end: int | None = None
    """The last day, as an ordinal."""

    @classmethod
    def from_query(cls, query: Query, *, date_type: str = "BILL_DATE") -> Self:
        """Parse the filter of a query.

        Args:
            query: The query of a request.
            date_type: The date type if the query has none.

        Raises:
            RefusalError: 400 for an invalid value.
        """
        requested = read_single(query, "dateType") or date_type
        if requested not in _IS_WITHIN:
            raise RefusalError(
                _BAD_REQUEST, f"dateType: {requested!r} is not a valid choice."
            )
        return cls(
            meters=MeterFilter.from_query(query),
            date_type=requested,
            start=parse_day(query, "startDate"),
            end=parse_day(query, "endDate"),
        )

    @property
    def keeps_all(self) -> bool:
        """Whether the filter keeps everything."""
        return self.start is None and self.end is None and self.meters.keeps_all

    def keeps(self, record: UsageRecord) -> bool:
        """Whether the filter keeps a usage record."""
        if not self.meters.keeps(record.meter):
            return False
        if self.start is None and self.end is None:
            return True
        return _IS_WITHIN[self.date_type](record, self.start, self.end)

    def keeps_bill(self, document: DocumentRecord, rows: Sequence[UsageRecord]) -> bool:
        """Whether the filter keeps a bill; one matching row on it is enough."""
        if not (
            self.meters.keeps_all or any(self.meters.keeps(row.meter) for row in rows)
        ):
            return False
        if self.start is None and self.end is None:
            return True
        if self.date_type == "USAGE_PERIOD":
            return any(_is_used_within(row, self.start, self.end) for row in rows)
        return _IS_BILL_WITHIN[self.date_type](document, self.start, self.end)


def _is_billed_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    document = record.document
    return document is not None and _is_dated_within(document, start, end)


def _is_dated_within(
    document: DocumentRecord, start: int | None, end: int | None
) -> bool:
    # A bill without a date is outside of all bounds.
    bill_day = document.bill_day
    return bill_day is not None and _is_within_bounds(bill_day, start, end)


def _is_used_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    ends_in_time = start is None or record.end >= start
    return ends_in_time and (end is None or record.start <= end)


def _is_created_within(
    entity: UsageRecord | DocumentRecord, start: int | None, end: int | None
) -> bool:
    return _is_between_midnights(entity.created.nanoseconds, start, end)


def _is_updated_within(
    entity: UsageRecord | DocumentRecord, start: int | None, end: int | None
) -> bool:
    return _is_between_midnights(entity.updated.nanoseconds, start, end)


def _is_between_midnights(moment: int, start: int | None, end: int | None) -> bool:
    # Both bounds are 00:00:00 UTC, so only midnight of the last day is included.
    return _is_within_bounds(
        moment,
        None if start is None else to_midnight(start),
        None if end is None else to_midnight(end),
    )


def _is_within_bounds(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


_IS_WITHIN: Mapping[str, Callable[[UsageRecord, int | None, int | None], bool]] = {
    "BILL_DATE": _is_billed_within,
    "USAGE_PERIOD": _is_used_within,
    "CREATED_DATE": _is_created_within,
    "UPDATED_DATE": _is_updated_within,
}
_IS_BILL_WITHIN: Mapping[
    str, Callable[[DocumentRecord, int | None, int | None], bool]
] = {
    "BILL_DATE": _is_dated_within,
    "CREATED_DATE": _is_created_within,
    "UPDATED_DATE": _is_updated_within,
}


def _list_datasource_types() -> frozenset[str]:
    schemas = contract.load()["components"]["schemas"]
    return frozenset(schemas["DatasourceTypeStrict"]["enum"])
