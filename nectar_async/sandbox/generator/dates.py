"""Days as ordinals, instants as nanoseconds, and both as the wire prints them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from attrs import frozen

__all__ = [
    "NANOSECONDS_A_DAY",
    "Cycle",
    "Instant",
    "first_day",
    "iso",
    "midnight",
    "ordinal",
]

_NANOSECONDS = 1_000_000_000
NANOSECONDS_A_DAY = 86_400 * _NANOSECONDS
_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = 2
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(?:Z|([+-]\d{2}:?\d{2}))?",
    re.ASCII,
)


class Instant(NamedTuple):
    """A moment in UTC, and its text with 0, 6 or 9 fraction digits."""

    nanoseconds: int
    text: str

    @classmethod
    def read(cls, text: str) -> Instant:
        """The moment that an ISO 8601 date-time names; without a zone it is UTC.

        Raises:
            ValueError: it names none.
        """
        found = _ISO.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no date-time")
        day, clock, fraction, zone = found.groups()
        moment = datetime.fromisoformat(f"{day}T{clock}{zone or '+00:00'}")
        seconds = (moment - _EPOCH_MOMENT) // timedelta(seconds=1)
        return cls.at(
            seconds * _NANOSECONDS + int((fraction or "0").ljust(9, "0")), digits=9
        )

    @classmethod
    def at(cls, nanoseconds: int, *, digits: int = 0) -> Instant:
        """The moment, cut to as many fraction digits as are printed."""
        nanoseconds -= nanoseconds % 10 ** (9 - digits)
        days, rest = divmod(nanoseconds, NANOSECONDS_A_DAY)
        seconds, fraction = divmod(rest, _NANOSECONDS)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        tail = f".{fraction:09d}"[: digits + 1] if digits else ""
        day = iso(days + _EPOCH)
        return cls(nanoseconds, f"{day}T{hour:02d}:{minute:02d}:{second:02d}{tail}Z")


@frozen(kw_only=True)
class Cycle:
    """How often an account is billed: every `months` months, from `day` on."""

    months: int
    day: int
    phase: int = 0
    """How many months after the first one the first period begins."""

    def periods(self, first: date, last: date) -> list[tuple[int, int]]:
        """Whole periods between two days, as ordinals, first and last day included."""
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


def first_day(last_day: date) -> date:
    """The first day of the two years that end with `last_day`."""
    following = date.fromordinal(last_day.toordinal() + 1)
    # No 29 February two years before or after one.
    return following.replace(year=following.year - _YEARS, day=min(following.day, 28))


@lru_cache(maxsize=8192)
def iso(ordinal: int) -> str:
    """The day as `YYYY-MM-DD`."""
    return date.fromordinal(ordinal).isoformat()


def midnight(ordinal: int) -> int:
    """Nanoseconds since 1970 at 00:00:00 UTC of that day."""
    return (ordinal - _EPOCH) * NANOSECONDS_A_DAY


def ordinal(moment: Instant) -> int:
    """The day in UTC on which a moment lies."""
    return moment.nanoseconds // NANOSECONDS_A_DAY + _EPOCH
