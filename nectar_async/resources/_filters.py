"""The filters of the lists, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

from nectar_async._enums import OpenEnum
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.enums import DatasourceType, DateType

__all__ = ["usage_filters"]

E = TypeVar("E", bound=OpenEnum)


def usage_filters(
    *,
    start_date: date | None,
    end_date: date | None,
    date_type: DateType | str | None,
    datasource_type: DatasourceType | str | Iterable[DatasourceType | str] | None,
    identifier: str | None,
) -> dict[str, object]:
    """The query of a usage list.

    Raises:
        InvalidArgumentError: a value that the API would refuse or misread; it is named.
    """
    _check_day("start_date", start_date)
    _check_day("end_date", end_date)
    if start_date is not None and end_date is not None and start_date > end_date:
        raise InvalidArgumentError(
            f"start_date {start_date} is after end_date {end_date}; both are inclusive"
        )
    if identifier is not None and not isinstance(identifier, str):
        raise InvalidArgumentError(
            f"identifier is text, not {type(identifier).__name__}"
        )
    return {
        "start_date": start_date,
        "end_date": end_date,
        "date_type": None
        if date_type is None
        else _one("date_type", DateType, date_type),
        "datasource_type": _several("datasource_type", DatasourceType, datasource_type),
        # The API documents the empty text as "no filter", and refuses it.
        "identifier": identifier or None,
    }


def _check_day(name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, datetime):
        raise InvalidArgumentError(f"{name} is a day; pass {name}={name}.date()")
    if not isinstance(value, date):
        raise InvalidArgumentError(
            f"{name} is a datetime.date, not {type(value).__name__}: {value!r}"
        )


def _one(name: str, kind: type[E], value: object) -> E:
    """A member that this version knows: what the API filters by is a closed list."""
    member = kind(value) if isinstance(value, str) else None
    if member is None or not member.is_known:
        known = ", ".join(kind)
        raise InvalidArgumentError(f"{name} is one of {known}; not {value!r}")
    return member


def _several(
    name: str, kind: type[E], value: str | Iterable[str] | None
) -> tuple[E, ...] | None:
    if value is None:
        return None
    is_one = isinstance(value, str) or not isinstance(value, Iterable)
    values = (value,) if is_one else tuple(value)
    if not values:
        raise InvalidArgumentError(
            f"{name} is empty, which the API would read as every value; leave it out"
            " for all of them"
        )
    return tuple(_one(name, kind, one) for one in values)
