"""Split the date window of a list in two when the server runs out of time.

A 502 means that the server exceeded its ten seconds. The same request mostly fails
again, but a request for half of the window succeeds. Records that are in both halves
are read twice and delivered once.

    BILL_DATE, USAGE_PERIOD       [a, m] and [m + 1, b], down to one day
    CREATED_DATE, UPDATED_DATE    [a, m] and [m, b], down to [d, d + 1]: both bounds
                                  mean midnight, so halves that do not share a bound
                                  would lose a day
    intervals, by instants        [a, m + margin] and [m, b], down to two hours: the
                                  API lists an interval only if all of it is within the
                                  window, so the halves must overlap by more than the
                                  longest interval
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from attrs import evolve

from nectar_async._http.request import Request

__all__ = ["read_window", "replace_window", "split_window"]

R = TypeVar("R", bound=Request[Any])

_START: Final = "startDate"
_END: Final = "endDate"
_KIND: Final = "dateType"

# Date types that compare whole days. For the others the halves share a bound.
_BY_DAYS = frozenset({"BILL_DATE", "USAGE_PERIOD"})

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

# The overlap must be longer than any interval. Most are an hour or shorter; daily ones
# are so few that windows of up to four days need no split for their sake.
_LONG = 4 * _DAY


def split_window(request: R) -> tuple[R, R] | None:
    """Build the requests for the two halves of a list's window.

    Returns None if the list does not have both bounds, or its window is too short.
    """
    window = read_window(request)
    if window is None:
        return None
    is_instants = "T" in window[0]
    middle = _split_instants(*window) if is_instants else _split_days(request, *window)
    if middle is None:
        return None
    (start, end), (first_end, second_start) = window, middle
    return (
        replace_window(request, start, first_end),
        replace_window(request, second_start, end),
    )


def read_window(request: Request[Any]) -> tuple[str, str] | None:
    """Read both bounds as they are on the wire; None if one is missing."""
    query = dict(request.query)
    if _START in query and _END in query:
        return query[_START], query[_END]
    return None


def replace_window(request: R, start: str, end: str) -> R:
    """Build the request for the first page of the same list over another window."""
    bounds = {_START: start, _END: end}
    query = tuple((key, bounds.get(key, text)) for key, text in request.query)
    return evolve(request, query=query).at(1)


def _split_days(request: Request[Any], start: str, end: str) -> tuple[str, str] | None:
    """Find the end of the first half and the start of the second one."""
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        return None
    middle = first + (last - first) // 2
    kind = dict(request.query).get(_KIND, "BILL_DATE")
    if kind in _BY_DAYS:
        if last <= first:
            return None
        return middle.isoformat(), (middle + _DAY).isoformat()
    if last - first <= _DAY:
        return None
    return middle.isoformat(), middle.isoformat()


def _split_instants(start: str, end: str) -> tuple[str, str] | None:
    """Find the end of the first half and the start of the second one."""
    try:
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        span = last - first
    except (ValueError, TypeError):
        return None
    margin = _DAY if span > _LONG else _HOUR
    if span <= 2 * margin:
        return None
    # On the hour, where intervals begin and end.
    middle = (first + span / 2).replace(minute=0, second=0, microsecond=0)
    return _format_like(start, middle + margin), _format_like(start, middle)


def _format_like(text: str, instant: datetime) -> str:
    """Format an instant, with UTC as `Z` if the given text ends with it."""
    written = instant.isoformat()
    return written.replace("+00:00", "Z") if text.endswith("Z") else written
