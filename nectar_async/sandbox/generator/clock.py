"""The sandbox's own time: it begins where the bills end, and can be moved."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.generator.dates import NANOSECONDS_A_DAY, Instant, midnight

if TYPE_CHECKING:
    from datetime import date

__all__ = ["Clock"]

_SECOND = 1_000_000_000
_MICROSECONDS = 6
_Action = Callable[[], None]


class Clock:
    """Runs from midnight (UTC) after `last_day`, `speed` times as fast as real time.

    What is to happen later is given to `after`; it happens before the next request is
    answered whose time has come to it, so nothing runs in the background.
    """

    def __init__(self, last_day: date, *, speed: float = 1.0) -> None:
        if not (math.isfinite(speed) and speed >= 0):
            raise ConfigurationError(f"clock_speed is 0 or more, not {speed}")
        self._speed = speed
        self._start = midnight(last_day.toordinal() + 1)
        self._first_day = last_day.toordinal() + 1
        self._moved = 0
        self._real_start = time.monotonic_ns()
        self._agenda: list[tuple[int, int, _Action]] = []
        self._serials = count()

    def now(self) -> Instant:
        """This moment, to the microsecond."""
        return Instant.at(self._start + self._passed(), digits=_MICROSECONDS)

    def today(self) -> int:
        """This day in UTC, as an ordinal."""
        return self._first_day + self._passed() // NANOSECONDS_A_DAY

    def unix(self) -> float:
        """Seconds since 1970."""
        return (self._start + self._passed()) / _SECOND

    def advance(self, seconds: float) -> None:
        """Move on at once, with a stop at each moment for which something is planned.

        Raises:
            ConfigurationError: the seconds are negative or no number.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ConfigurationError(f"a clock goes forward, not by {seconds} seconds")
        target = self._passed() + round(seconds * _SECOND)
        while self._agenda and self._agenda[0][0] <= target:
            self._move_to(self._agenda[0][0])
            self.catch_up()
        self._move_to(target)

    def after(self, seconds: float, action: _Action) -> None:
        """Do something as soon as so many seconds of this clock have passed."""
        due = self._passed() + round(seconds * _SECOND)
        heapq.heappush(self._agenda, (due, next(self._serials), action))

    def catch_up(self) -> None:
        """Do everything that is due, the earliest first."""
        while self._agenda and self._agenda[0][0] <= self._passed():
            _, _, action = heapq.heappop(self._agenda)
            action()

    def as_json(self) -> dict[str, Any]:
        """The time and its speed as plain values."""
        return {"now": self.now().text, "unix": self.unix(), "speed": self._speed}

    def _move_to(self, passed: int) -> None:
        self._moved += max(0, passed - self._passed())

    def _passed(self) -> int:
        real = time.monotonic_ns() - self._real_start
        return self._moved + int(real * self._speed)
