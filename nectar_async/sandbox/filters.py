"""The filters of the usage lists, as the contract's `x-filtering` has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Self

from attrs import frozen

from nectar_async import contract
from nectar_async.sandbox.calls import RefusalError
from nectar_async.sandbox.moments import midnight

if TYPE_CHECKING:
    from nectar_async.sandbox.entities import UsageRecord

__all__ = ["UsageFilter", "normal_identifier", "page_number"]

_BAD_REQUEST = 400
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MARKS = str.maketrans("", "", "- _,/")
_MAX_PAGE_DIGITS = 18

Query = Mapping[str, tuple[str, ...]]


def normal_identifier(value: str) -> str:
    """The form in which identifiers compare: `013-774-6423` is `137746423`."""
    return value.translate(_MARKS).lstrip("0").upper()


def page_number(query: Query) -> int:
    """The page asked for, from 1; anything else is refused."""
    text = _single(query, "page")
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_PAGE_DIGITS):
        raise RefusalError(_BAD_REQUEST, "page: a whole number is required.")
    if int(text) < 1:
        raise RefusalError(_BAD_REQUEST, "page: pages start at 1.")
    return int(text)


@frozen(kw_only=True)
class UsageFilter:
    """Which usage records a list keeps."""

    date_type: str = "BILL_DATE"
    start: int | None = None
    """First day as an ordinal, included."""
    end: int | None = None
    """Last day as an ordinal, included."""
    datasource_types: frozenset[str] = frozenset()
    """Empty keeps all."""
    identifier: str | None = None
    """In normal form."""

    @classmethod
    def from_query(cls, query: Query) -> Self:
        """The filter that a query asks for; unknown keys mean nothing."""
        date_type = _single(query, "dateType") or "BILL_DATE"
        if date_type not in _IS_WITHIN:
            raise RefusalError(
                _BAD_REQUEST, f"dateType: {date_type!r} is not a date type."
            )
        types = frozenset(query.get("datasourceType", ()))
        unknown = sorted(types - _known_types())
        if unknown:
            detail = f"datasourceType: {unknown[0]!r} is not a datasource type."
            raise RefusalError(_BAD_REQUEST, detail)
        identifier = _single(query, "identifier")
        if identifier == "":
            raise RefusalError(_BAD_REQUEST, "identifier: may not be empty.")
        return cls(
            date_type=date_type,
            start=_day(query, "startDate"),
            end=_day(query, "endDate"),
            datasource_types=types,
            identifier=None if identifier is None else normal_identifier(identifier),
        )

    @property
    def keeps_all(self) -> bool:
        """Whether there is nothing to compare."""
        return (
            self.start is None
            and self.end is None
            and not self.datasource_types
            and self.identifier is None
        )

    def keeps(self, record: UsageRecord) -> bool:
        """Whether the record is in the list."""
        meter = record.meter
        if (
            self.datasource_types
            and meter.commodity.datasource_type not in self.datasource_types
        ):
            return False
        if self.identifier is not None and not any(
            normal_identifier(identifier.value) == self.identifier
            for identifier in meter.identifiers
        ):
            return False
        if self.start is None and self.end is None:
            return True
        return _IS_WITHIN[self.date_type](record, self.start, self.end)


def _billed_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    day = record.document.bill_day if record.document is not None else None
    # Without a bill date there is nothing that could lie within a bound.
    return day is not None and _lies_within(day, start, end)


def _used_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    ends_in_time = start is None or record.end >= start
    return ends_in_time and (end is None or record.start <= end)


def _created_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    return _is_between_midnights(record.created.nanoseconds, start, end)


def _updated_within(record: UsageRecord, start: int | None, end: int | None) -> bool:
    return _is_between_midnights(record.updated.nanoseconds, start, end)


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


def _single(query: Query, key: str) -> str | None:
    values = query.get(key)
    return values[-1] if values else None


def _day(query: Query, key: str) -> int | None:
    text = _single(query, key)
    if text is None:
        return None
    if _DATE.fullmatch(text) is None:
        raise RefusalError(_BAD_REQUEST, f"{key}: a date as YYYY-MM-DD is required.")
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise RefusalError(_BAD_REQUEST, f"{key}: there is no such day.") from None


def _known_types() -> frozenset[str]:
    schemas = contract.load()["components"]["schemas"]
    return frozenset(schemas["DatasourceTypeStrict"]["enum"])
