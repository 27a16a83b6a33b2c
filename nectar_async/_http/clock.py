"""Time behind one seam: what the time is, how to wait, and how much luck to add."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import anyio

from nectar_async._lazy import later
from nectar_async.testing.virtual_clock import (
    Bound,
    Timeline,
    TimelineBound,
    owner_around,
)

if TYPE_CHECKING:
    import random
else:
    random = later("random")

__all__ = ["Clock", "SystemClock", "VirtualClock", "bounded", "clock_around"]


@runtime_checkable
class Clock(Protocol):
    """What the client asks of time. Pass another one as `NectarClient(clock=...)`."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1): how much of the allowed spread a wait gets on top."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)

    def jitter(self) -> float:
        """A fresh pseudo-random number in [0, 1)."""
        return random.random()  # spreads retries, guards nothing

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await anyio.sleep(seconds)


class VirtualClock:
    """A clock for tests: waits take no time, and are written down.

    ```python
    clock = VirtualClock()
    nectar = NectarClient(transport=transport, clock=clock)
    ...
    assert clock.sleeps == [0.5, 1.0]
    ```

    It stands still while anybody can do anything, and then goes on to the nearest
    moment that somebody waits for: waits at the same time overlap, as they do in truth.
    """

    def __init__(
        self,
        start: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        *,
        jitter: float = 0.0,
    ) -> None:
        self._start = start
        self._jitter = jitter
        self._timeline = Timeline(self)
        self.sleeps: list[float] = []
        """Every wait that was asked for, in seconds, in order."""

    def monotonic(self) -> float:
        """Seconds that were slept or advanced since the start."""
        self._timeline.looks += 1
        return self._timeline.elapsed

    def now(self) -> datetime:
        """The start plus all that was slept or advanced."""
        return self._start + timedelta(seconds=self.monotonic())

    def jitter(self) -> float:
        """The number given to the constructor, always."""
        return self._jitter

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass without anybody sleeping."""
        self._timeline.advance(seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock; other tasks get their turns.

        Inside of `move_on_after` it lasts no longer than that.
        """
        self.sleeps.append(seconds)
        await self._timeline.wait(seconds)

    async def stall(self, seconds: float = math.inf) -> None:
        """Be silent, as a server is: a wait that is not among `sleeps`.

        Without an end it lasts to the end of a `move_on_after` around it, and without
        one of those for ever; see `left`.
        """
        await self._timeline.wait(seconds)

    @property
    def left(self) -> float:
        """Seconds to the first end of a `move_on_after` around; infinite for none."""
        return self._timeline.nearest_end() - self._timeline.elapsed

    def move_on_after(self, seconds: float, *, is_outside: bool = False) -> Bound:
        """A block that is left after `seconds`, as that of `anyio.move_on_after`.

        They pass on this clock, or on the machine's: what waits for the real world is
        bounded as well.

        Args:
            seconds: how long it may take.
            is_outside: that the block waits for the real world, as a transport does.
                What others let pass on this clock meanwhile ends neither it nor what is
                around it: only waits of its own on this clock do.
        """
        return TimelineBound(self._timeline, seconds, is_outside=is_outside)


def bounded(clock: Clock, seconds: float, *, is_outside: bool = False) -> Bound:
    """A block that is left after so many seconds of a clock.

    Args:
        clock: whose seconds they are; of any but a virtual one, the machine's.
        seconds: infinite for no bound.
        is_outside: as in `VirtualClock.move_on_after`.
    """
    if isinstance(clock, VirtualClock):
        return clock.move_on_after(seconds, is_outside=is_outside)
    return Bound(seconds)


def clock_around() -> VirtualClock | None:
    """The virtual clock by which whoever asks is bounded, if one is."""
    owner = owner_around()
    return owner if isinstance(owner, VirtualClock) else None
