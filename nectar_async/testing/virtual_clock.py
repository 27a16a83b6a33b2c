"""Time that nobody has to wait for: who waits for which moment, and what ends when.

A timeline stands still while anybody can do anything, and then goes on to the nearest
moment that somebody waits for. So waits that would overlap in truth overlap on it, and
whoever waits less comes first. Nothing runs beside those who wait: the one who waits
for the nearest moment looks out for all.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Final, Self

import anyio
import anyio.lowlevel
from attrs import define, field

from nectar_async._http.clock import Bound

__all__ = ["Timeline", "TimelineBound", "VirtualClock"]

# Between two looks at the clock a request has fewer turns of the event loop than this;
# whoever looks on and on without waiting is not waited for.
_QUIET_TURNS: Final = 20
_MOST_ROUNDS: Final = 50


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
        self._timeline = Timeline()
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


class Timeline:
    """The time of one virtual clock."""

    def __init__(self) -> None:
        self.elapsed: float = 0.0
        """Seconds since the start."""
        self.looks: int = 0
        """Grows whenever somebody looks at the clock: things are going on then."""
        self._bounds: dict[int, TimelineBound] = {}
        self._timers: list[_Timer] = []
        self._numbers = count()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self.elapsed += seconds
        self._enforce()

    async def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until a bound around it ends."""
        until = self.elapsed + seconds
        while (nearest := self.nearest_end()) < until:
            await self._reach(nearest)
            for bound in self._around():
                if bound.due <= nearest:
                    bound.end()
            await anyio.lowlevel.checkpoint()
        if math.isinf(until):
            await anyio.sleep_forever()
        await self._reach(until)

    def nearest_end(self) -> float:
        """When the first bound around ends; infinite where there is none."""
        return min((bound.due for bound in self._around()), default=math.inf)

    def open(self, bound: TimelineBound) -> None:
        """Have a bound end in time."""
        self._bounds[id(bound)] = bound

    def close(self, bound: TimelineBound) -> None:
        """Forget a bound, if it is not forgotten yet."""
        self._bounds.pop(id(bound), None)

    def _around(self) -> Iterator[TimelineBound]:
        """The open bounds that whoever asks is inside of."""
        for bound in _bounds_around():
            if id(bound) in self._bounds:
                yield bound

    async def _reach(self, moment: float) -> None:
        """Wait until it is that late."""
        self.looks += 1
        timer = _Timer(moment, next(self._numbers))
        insort(self._timers, timer)
        try:
            await anyio.lowlevel.checkpoint()
            while self.elapsed < moment:
                if self._timers[0] is not timer:
                    timer.event = anyio.Event()
                    await timer.event.wait()
                    continue
                await self._settle()
                if self._timers[0] is timer:
                    self._pass(moment)
        finally:
            self._timers.remove(timer)
            if self._timers and (event := self._timers[0].event) is not None:
                event.set()

    async def _settle(self) -> None:
        """Let all others do what they can without time."""
        for _ in range(_MOST_ROUNDS):
            looks = self.looks
            for _ in range(_QUIET_TURNS):
                await anyio.lowlevel.checkpoint()
            if looks == self.looks:
                return

    def _pass(self, moment: float) -> None:
        """Let time pass to a moment, or to the first end of a bound on the way."""
        ends = [bound.due for bound in self._bounds.values() if bound.is_passive]
        self.elapsed = max(self.elapsed, min(moment, *ends, math.inf))
        self._enforce()

    def _enforce(self) -> None:
        for bound in [*self._bounds.values()]:
            if bound.is_passive and bound.due <= self.elapsed:
                bound.end()


@define(order=True)
class _Timer:
    """Somebody who waits for a moment."""

    moment: float
    number: int
    event: anyio.Event | None = field(default=None, eq=False, order=False)


class TimelineBound(Bound):
    """A bound that ends by a timeline, or by the machine's time.

    Args:
        timeline: by which time it ends.
        seconds: when.
        is_outside: that the block waits for the real world. What others let pass on the
            timeline meanwhile ends neither it nor what is around it.
    """

    def __init__(
        self, timeline: Timeline, seconds: float, *, is_outside: bool = False
    ) -> None:
        super().__init__(seconds)
        self.timeline = timeline
        self.due: float = math.inf
        self.outer: TimelineBound | None = None
        self.outside: int = 0
        """How many of the blocks inside wait for the real world, itself included."""
        self._is_outside = is_outside

    def __enter__(self) -> Self:
        super().__enter__()
        self.outer = _innermost.get()
        _innermost.set(self)
        self.timeline.open(self)
        self._mark(self._is_outside)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._mark(-self._is_outside)
        self.timeline.close(self)
        _innermost.set(self.outer)
        return super().__exit__(kind, error, trace)

    @property
    def is_passive(self) -> bool:
        """Whether it ends when others let time pass."""
        return self.outside == 0

    def renew(self) -> None:
        """Have the seconds begin anew."""
        super().renew()
        self.timeline.looks += 1
        self.due = self.timeline.elapsed + self.seconds

    def end(self) -> None:
        """Its time is over."""
        self.timeline.close(self)
        self._scope.cancel()

    def _mark(self, by: int) -> None:
        for bound in _bounds_around(self):
            bound.outside += by


_innermost: ContextVar[TimelineBound | None] = ContextVar("_innermost", default=None)


def _bounds_around(innermost: TimelineBound | None = None) -> Iterator[TimelineBound]:
    """From the inside out, those of other timelines as well."""
    bound = innermost or _innermost.get()
    while bound is not None:
        yield bound
        bound = bound.outer
