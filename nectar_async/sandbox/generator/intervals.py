"""Smart meter intervals: usage in steps of 15 or 60 minutes, made when they are read.

A meter's usage of an average day is spread over the hours of the day, with some random
noise. The intervals of a day add up exactly to the usage of that day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, overload

from attrs import frozen

from nectar_async.sandbox.generator.dates import NANOSECONDS_A_DAY, Instant, to_midnight
from nectar_async.sandbox.generator.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.entities import MeterRecord
    from nectar_async.sandbox.generator.portfolio import Portfolio

__all__ = ["DAYS", "IntervalList", "IntervalRecord", "IntervalSeries"]

DAYS = 7
"""How many of the portfolio's last days have intervals."""

_MINUTE = 60_000_000_000
_MINUTES: Mapping[str, int] = {
    "ELECTRICITY": 15,
    "SOLAR": 15,
    "GAS": 60,
    "WATER": 60,
    "DISTRICT": 60,
}
"""The length of an interval. Other commodities have no intervals."""

# Shares of a day, hour by hour from midnight UTC.
_WORKING = (3,) * 6 + (5, 8, 10, 11, 11, 11, 10, 10, 10, 9, 8, 7, 6, 5, 4, 3, 3, 3)
_SUNNY = (0,) * 6 + (1, 3, 6, 9, 12, 14, 14, 13, 11, 8, 5, 2, 1) + (0,) * 5
# More decimal places than bills have, because an interval is a small part of a month.
_MORE_PLACES = 3
_ESTIMATED_PER_MILLE = 15
_DELAY = 4 * 60 * _MINUTE
"""Nanoseconds from the end of a day until its intervals are created."""


@frozen(kw_only=True)
class IntervalRecord:
    """The usage of one meter in one interval."""

    id: str
    meter: MeterRecord
    start: Instant
    end: Instant
    created: Instant
    amount: int
    places: int
    is_estimated: bool


@frozen
class IntervalSeries:
    """The intervals of one meter between two moments, oldest first."""

    meter: MeterRecord
    first: int
    """Nanoseconds since 1970 at which the first interval starts."""
    count: int
    step: int
    """The length of an interval in nanoseconds."""

    @classmethod
    def between(
        cls,
        portfolio: Portfolio,
        meter: MeterRecord,
        start: int | None,
        end: int | None,
    ) -> IntervalSeries | None:
        """Find the intervals that start at `start` or later and end by `end`.

        Args:
            portfolio: A portfolio; its last days have intervals.
            meter: A meter of the portfolio.
            start: Nanoseconds since 1970; None for no bound.
            end: Nanoseconds since 1970; None for no bound.

        Returns:
            The series, or None if the meter sends no intervals.
        """
        minutes = _MINUTES.get(meter.commodity.datasource_type)
        if minutes is None or meter.is_implied:
            return None
        step = minutes * _MINUTE
        last_day = portfolio.last_day.toordinal()
        low, high = to_midnight(last_day - DAYS + 1), to_midnight(last_day + 1)
        # A day is a whole number of steps, so a multiple of `step` since 1970 is also a
        # step boundary within its day.
        low = low if start is None else max(low, -(-start // step) * step)
        high = high if end is None else min(high, end // step * step)
        return cls(meter, low, max(0, high - low) // step, step)

    def make_interval(self, portfolio: Portfolio, number: int) -> IntervalRecord:
        """Make the interval at a place in the series, from 0."""
        meter = self.meter
        start = self.first + number * self.step
        day, since_midnight = divmod(start, NANOSECONDS_A_DAY)
        place = since_midnight // self.step
        steps = _draw_day(meter.id, meter.day_amount, day, self.step, _get_shape(meter))
        company = portfolio.ids.find_company_index(meter.id) or 0
        return IntervalRecord(
            id=portfolio.ids.make("interval", company, f"{meter.id}/{start}"),
            meter=meter,
            start=Instant.at(start),
            end=Instant.at(start + self.step),
            created=Instant.at((day + 1) * NANOSECONDS_A_DAY + _DELAY),
            amount=steps.amounts[place],
            places=meter.unit.places + _MORE_PLACES,
            is_estimated=place in steps.estimated,
        )


class IntervalList(Sequence[IntervalRecord]):
    """The intervals of many meters, made only when they are read."""

    def __init__(self, portfolio: Portfolio, series: Sequence[IntervalSeries]) -> None:
        self._portfolio = portfolio
        self._series = series
        self._ends = list(accumulate(meter_series.count for meter_series in series))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> IntervalRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[IntervalRecord]: ...
    def __getitem__(self, index: int | slice) -> IntervalRecord | list[IntervalRecord]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._make_interval(places)
        return [self._make_interval(place) for place in places]

    def _make_interval(self, place: int) -> IntervalRecord:
        number = bisect_right(self._ends, place)
        series = self._series[number]
        before = self._ends[number] - series.count
        return series.make_interval(self._portfolio, place - before)


@frozen
class _Steps:
    """The intervals of a meter on one day."""

    amounts: tuple[int, ...]
    estimated: frozenset[int]
    """The numbers of the estimated intervals."""


@lru_cache(maxsize=4_096)
def _draw_day(
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
    # Differences of rounded sums add up to the whole day.
    bounds = [total * part // sums[-1] for part in sums]
    return _Steps(
        amounts=tuple(end - start for start, end in pairwise(bounds)),
        estimated=frozenset(
            place for place in range(count) if random.chance(_ESTIMATED_PER_MILLE)
        ),
    )


def _get_shape(meter: MeterRecord) -> tuple[int, ...]:
    is_solar = meter.commodity.datasource_type == "SOLAR"
    return _SUNNY if is_solar else _WORKING
