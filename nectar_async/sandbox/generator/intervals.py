"""What smart meters send: usage in steps of 15 minutes or an hour, made when asked for.

A meter's day is its average day, spread over the hours as its commodity is used, with
chance on top; the steps of a day add up to the day exactly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, overload

from attrs import frozen

from nectar_async.sandbox.generator.charges import decimal
from nectar_async.sandbox.generator.dates import NANOSECONDS_A_DAY, Instant, midnight
from nectar_async.sandbox.generator.seeded_random import SeededRandom
from nectar_async.sandbox.server.wire_format import encode, identifiers_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.entities import MeterRecord
    from nectar_async.sandbox.generator.portfolio import Portfolio

__all__ = ["DAYS", "IntervalLines", "IntervalSeries"]

DAYS = 7
"""How many days have intervals: the last ones of the portfolio."""

_MINUTE = 60_000_000_000
_MINUTES: Mapping[str, int] = {
    "ELECTRICITY": 15,
    "SOLAR": 15,
    "GAS": 60,
    "WATER": 60,
    "DISTRICT": 60,
}
"""How long an interval is; whatever else is metered has none."""

# Shares of a day, hour by hour from midnight UTC.
_WORKING = (3,) * 6 + (5, 8, 10, 11, 11, 11, 10, 10, 10, 9, 8, 7, 6, 5, 4, 3, 3, 3)
_SUNNY = (0,) * 6 + (1, 3, 6, 9, 12, 14, 14, 13, 11, 8, 5, 2, 1) + (0,) * 5
# Finer than a bill's amounts, as a quarter of an hour is a small part of a month.
_MORE_PLACES = 3
_ESTIMATED_PER_MILLE = 15
_DELAY = 4 * 60 * _MINUTE
"""From the end of a day until its intervals are there."""


@frozen
class IntervalSeries:
    """The intervals of one meter between two moments, oldest first."""

    meter: MeterRecord
    first: int
    """Nanoseconds since 1970 at which the first interval begins."""
    count: int
    step: int
    """Nanoseconds."""

    @classmethod
    def of(
        cls,
        portfolio: Portfolio,
        meter: MeterRecord,
        start: int | None,
        end: int | None,
    ) -> IntervalSeries | None:
        """Those that begin at `start` or later and end by `end`; None if it sends none.

        Bounds are nanoseconds since 1970, and None leaves a side open.
        """
        minutes = _MINUTES.get(meter.commodity.datasource_type)
        if minutes is None or meter.is_implied:
            return None
        step = minutes * _MINUTE
        last_day = portfolio.last_day.toordinal()
        low, high = midnight(last_day - DAYS + 1), midnight(last_day + 1)
        # Steps divide the day, so rounding up to one is rounding within the epoch.
        low = low if start is None else max(low, -(-start // step) * step)
        high = high if end is None else min(high, end // step * step)
        return cls(meter, low, max(0, high - low) // step, step)

    def row(self, portfolio: Portfolio, number: int) -> dict[str, Any]:
        """The interval of that number, from 0, as the API sends it."""
        meter = self.meter
        start = self.first + number * self.step
        day, since_midnight = divmod(start, NANOSECONDS_A_DAY)
        place = since_midnight // self.step
        steps = _day(meter.id, meter.day_amount, day, self.step, _shape(meter))
        owner = portfolio.ids.company_of(meter.id) or 0
        known = Instant.at((day + 1) * NANOSECONDS_A_DAY + _DELAY).text
        return {
            "id": portfolio.ids.make("interval", owner, f"{meter.id}/{start}"),
            "created": known,
            "updated": known,
            "identifiers": identifiers_json(meter),
            "account": meter.account_id,
            "start": Instant.at(start).text,
            "end": Instant.at(start + self.step).text,
            "usage": decimal(steps.amounts[place], meter.unit.places + _MORE_PLACES),
            "usageUnits": meter.unit.name,
            "quality": "ESTIMATED" if place in steps.estimated else "MEASURED",
        }


class IntervalLines(Sequence[bytes]):
    """The intervals of many meters as JSON, made only where they are looked at."""

    def __init__(self, portfolio: Portfolio, series: Sequence[IntervalSeries]) -> None:
        self._portfolio = portfolio
        self._series = series
        self._ends = list(accumulate(each.count for each in series))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._line(places)
        return [self._line(place) for place in places]

    def _line(self, place: int) -> bytes:
        which = bisect_right(self._ends, place)
        series = self._series[which]
        before = self._ends[which] - series.count
        return encode(series.row(self._portfolio, place - before))


@frozen
class _Steps:
    """A day of a meter, interval by interval."""

    amounts: tuple[int, ...]
    estimated: frozenset[int]


@lru_cache(maxsize=4_096)
def _day(
    meter_id: str, day_amount: int, day: int, step: int, shape: tuple[int, ...]
) -> _Steps:
    random = SeededRandom(meter_id, "intervals", day)
    count = NANOSECONDS_A_DAY // step
    weights = [
        shape[place * len(shape) // count] * random.between(70, 130)
        for place in range(count)
    ]
    total = day_amount * 10**_MORE_PLACES * random.between(85, 115) // 100
    sums = list(accumulate(weights, initial=0))
    # Differences of rounded sums, so that nothing of the day is lost.
    bounds = [total * part // sums[-1] for part in sums]
    return _Steps(
        amounts=tuple(end - start for start, end in pairwise(bounds)),
        estimated=frozenset(
            place for place in range(count) if random.chance(_ESTIMATED_PER_MILLE)
        ),
    )


def _shape(meter: MeterRecord) -> tuple[int, ...]:
    is_solar = meter.commodity.datasource_type == "SOLAR"
    return _SUNNY if is_solar else _WORKING
