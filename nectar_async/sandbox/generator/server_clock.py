"""The sandbox's own time, which starts where the bills end and can be advanced."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.generator.dates import NANOSECONDS_A_DAY, Instant, to_midnight

if TYPE_CHECKING:
    from datetime import date

__all__ = ["ServerClock"]

_SECOND = 1_000_000_000
_MICROSECONDS = 6
_Action = Callable[[], None]


class ServerClock:
    """A clock that starts at the midnight (UTC) after `last_day`.

    Actions scheduled with `after` run when they are due: before the next request is
    answered, or in `advance`. Nothing runs in the background.

    Args:
        last_day: The day before the clock's first day.
        speed: How many seconds pass for each real second; 0 stops the clock.

    Raises:
        ConfigurationError: the speed is negative or not a number.
    """

    def __init__(self, last_day: date, *, speed: float = 1.0) -> None:
        if not (math.isfinite(speed) and speed >= 0):
            raise ConfigurationError(f"clock_speed must be 0 or more, not {speed}")
        self._speed = speed
        self._start = to_midnight(last_day.toordinal() + 1)
        self._first_day = last_day.toordinal() + 1
        self._advanced = 0
        self._real_start = time.monotonic_ns()
        self._schedule: list[tuple[int, int, _Action]] = []
        self._serials = count()

    def now(self) -> Instant:
        """Get the present moment, to the microsecond."""
        return Instant.at(self._start + self._elapsed(), digits=_MICROSECONDS)

    def today(self) -> int:
        """Get the present day in UTC, as an ordinal."""
        return self._first_day + self._elapsed() // NANOSECONDS_A_DAY

    def unix(self) -> float:
        """Get the seconds since 1970."""
        return (self._start + self._elapsed()) / _SECOND

    def advance(self, seconds: float) -> None:
        """Advance the clock, and run the actions that become due, each at its moment.

        Raises:
            ConfigurationError: the seconds are negative or not a number.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ConfigurationError(
                f"seconds must be 0 or more to advance the clock, not {seconds}"
            )
        target = self._elapsed() + round(seconds * _SECOND)
        while self._schedule and self._schedule[0][0] <= target:
            self._advance_to(self._schedule[0][0])
            self.catch_up()
        self._advance_to(target)

    def after(self, seconds: float, action: _Action) -> None:
        """Schedule an action for when so many seconds of this clock have passed."""
        due = self._elapsed() + round(seconds * _SECOND)
        heapq.heappush(self._schedule, (due, next(self._serials), action))

    def catch_up(self) -> None:
        """Run all actions that are due, the earliest first."""
        while self._schedule and self._schedule[0][0] <= self._elapsed():
            _, _, action = heapq.heappop(self._schedule)
            action()

    def as_json(self) -> dict[str, Any]:
        """Build a JSON object of the time and its speed."""
        return {"now": self.now().text, "unix": self.unix(), "speed": self._speed}

    def _advance_to(self, elapsed: int) -> None:
        self._advanced += max(0, elapsed - self._elapsed())

    def _elapsed(self) -> int:
        real = time.monotonic_ns() - self._real_start
        return self._advanced + int(real * self._speed)
