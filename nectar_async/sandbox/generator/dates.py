"""Days, instants and billing cycles, and their texts in the API.

A day is an ordinal (`date.toordinal`), and an instant counts nanoseconds since 1970.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from attrs import frozen

__all__ = [
    "NANOSECONDS_A_DAY",
    "BillingCycle",
    "Instant",
    "find_first_day",
    "format_day",
    "to_midnight",
    "to_ordinal",
]

_NANOSECONDS = 1_000_000_000
NANOSECONDS_A_DAY = 86_400 * _NANOSECONDS
_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = 2
_MICROSECONDS = 6
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(?:Z|([+-]\d{2}:?\d{2}))?",
    re.ASCII,
)


class Instant(NamedTuple):
    """A moment in UTC, and its text with 0, 6 or 9 fraction digits."""

    nanoseconds: int
    text: str

    @classmethod
    def parse(cls, text: str) -> Instant:
        """Parse an ISO 8601 date-time. Without a zone it is in UTC.

        Raises:
            ValueError: the text is not a date-time.
        """
        match = _ISO.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a date-time")
        day, clock, fraction, zone = match.groups()
        moment = datetime.fromisoformat(f"{day}T{clock}{zone or '+00:00'}")
        seconds = (moment - _EPOCH_MOMENT) // timedelta(seconds=1)
        return cls.at(
            seconds * _NANOSECONDS + int((fraction or "0").ljust(9, "0")), digits=9
        )

    @classmethod
    def at(cls, nanoseconds: int, *, digits: int = 0) -> Instant:
        """Build an instant that is cut to the fraction digits of its text."""
        nanoseconds -= nanoseconds % 10 ** (9 - digits)
        days, of_day = divmod(nanoseconds, NANOSECONDS_A_DAY)
        seconds, fraction = divmod(of_day, _NANOSECONDS)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        tail = f".{fraction:09d}"[: digits + 1] if digits else ""
        day = format_day(days + _EPOCH)
        return cls(nanoseconds, f"{day}T{hour:02d}:{minute:02d}:{second:02d}{tail}Z")

    def plus(self, seconds: int, *, digits: int = _MICROSECONDS) -> Instant:
        """Add seconds to this instant."""
        return Instant.at(self.nanoseconds + seconds * _NANOSECONDS, digits=digits)


@frozen(kw_only=True)
class BillingCycle:
    """How often an account is billed: every `months` months, starting on `day`."""

    months: int
    day: int
    phase: int = 0
    """How many months after the first one the first period begins."""

    def list_periods(self, first: date, last: date) -> list[tuple[int, int]]:
        """List the whole periods between two days, as first and last ordinals."""
        month = first.year * 12 + first.month - 1 + self.phase
        starts = []
        while (start := date(month // 12, month % 12 + 1, self.day)) <= last:
            if start >= first:
                starts.append(start.toordinal())
            month += self.months
        starts.append(start.toordinal())
        return [
            (start, following - 1)
            for start, following in pairwise(starts)
            if following - 1 <= last.toordinal()
        ]


def find_first_day(last_day: date) -> date:
    """Find the first day of the two years that end with `last_day`."""
    following = date.fromordinal(last_day.toordinal() + 1)
    # Two years before 29 February there is no such day; use the 28th.
    return following.replace(year=following.year - _YEARS, day=min(following.day, 28))


@lru_cache(maxsize=8192)
def format_day(ordinal: int) -> str:
    """Format a day as `YYYY-MM-DD`."""
    return date.fromordinal(ordinal).isoformat()


def to_midnight(ordinal: int) -> int:
    """Convert a day to nanoseconds since 1970 at its 00:00:00 UTC."""
    return (ordinal - _EPOCH) * NANOSECONDS_A_DAY


def to_ordinal(moment: Instant) -> int:
    """Convert an instant to its day in UTC."""
    return moment.nanoseconds // NANOSECONDS_A_DAY + _EPOCH
