"""Halving the window of a list when the server runs out of time.

A server that answers 502 ran out of its ten seconds: asking for the same once more
mostly ends the same way, asking for half of it does not. What two halves have in common
comes twice and is given once.

    BILL_DATE, USAGE_PERIOD       [a, m] and [m + 1, b], down to one day
    CREATED_DATE, UPDATED_DATE    [a, m] and [m, b], down to [d, d + 1]: bounds mean
                                  midnight, so days that do not touch lose a day
    intervals, by instants        [a, m + margin] and [m, b], down to two hours: an
                                  interval has to lie within its window, so one that
                                  begins before m and ends after it has to fit somewhere
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from attrs import evolve

from nectar_async._http.request import Request

__all__ = ["halves", "window_of", "within"]

R = TypeVar("R", bound=Request[Any])

START: Final = "startDate"
END: Final = "endDate"
_KIND: Final = "dateType"

# Windows of whole days; all others are safe in halves that touch.
_BY_DAYS = frozenset({"BILL_DATE", "USAGE_PERIOD"})

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

# No interval is longer than the margin. Meters count by the hour or less; where one
# counts by the day, a few days hold so few of them that nobody has to halve those.
_LONG = 4 * _DAY


def halves(request: R) -> tuple[R, R] | None:
    """The same list over each half of its window; None when it cannot be halved.

    It cannot without both bounds, or when it is as short as can be.
    """
    bounds = window_of(request)
    if bounds is None:
        return None
    cut = _instants(*bounds) if "T" in bounds[0] else _days(request, *bounds)
    if cut is None:
        return None
    (start, end), (left, right) = bounds, cut
    return within(request, start, left), within(request, right, end)


def window_of(request: Request[Any]) -> tuple[str, str] | None:
    """Both bounds as they are on the wire, or None when one is missing."""
    given = dict(request.query)
    if START in given and END in given:
        return given[START], given[END]
    return None


def within(request: R, start: str, end: str) -> R:
    """The same list from its first page over another window."""
    bounds = {START: start, END: end}
    query = tuple((key, bounds.get(key, text)) for key, text in request.query)
    return evolve(request, query=query).at(1)


def _days(request: Request[Any], start: str, end: str) -> tuple[str, str] | None:
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


def _instants(start: str, end: str) -> tuple[str, str] | None:
    try:
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        span = last - first
    except (ValueError, TypeError):
        return None
    margin = _DAY if span > _LONG else _HOUR
    if span <= 2 * margin:
        return None
    # At a full hour, where intervals begin and end.
    middle = (first + span / 2).replace(minute=0, second=0, microsecond=0)
    return _like(start, middle + margin), _like(start, middle)


def _like(text: str, instant: datetime) -> str:
    """An instant, with UTC written as in another one."""
    written = instant.isoformat()
    return written.replace("+00:00", "Z") if text.endswith("Z") else written
