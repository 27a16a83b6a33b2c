"""Virtual time for tests: waits take no real time, and their order is kept.

A timeline stands still while any task can make progress. Then it advances to the
nearest moment that a task waits for. So overlapping waits overlap on the timeline, and
a shorter wait ends first. There is no background task: of the waiting tasks, the one
with the nearest moment watches the others and advances the time.
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

# A request reads the clock at least once in this many turns of the event loop, so if
# it is not read for that long, no task can make progress.
_QUIET_TURNS: Final = 20
# A task that reads the clock forever must not keep the time from advancing.
_MAX_ROUNDS: Final = 50


class VirtualClock:
    """A clock for tests: waits take no real time, and are logged.

    ```python
    clock = VirtualClock()
    nectar = NectarClient(transport=transport, clock=clock)
    ...
    assert clock.sleeps == [0.5, 1.0]
    ```

    The clock stands still while any task can make progress, and then advances to the
    nearest moment that a task waits for: simultaneous waits overlap, as in real time.

    Args:
        start: the time at which the clock starts.
        jitter: the value that `jitter()` returns.
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
        """The duration of every `sleep` in seconds, in order."""

    def monotonic(self) -> float:
        """Return the seconds that passed since the start."""
        self._timeline.reads += 1
        return self._timeline.elapsed

    def now(self) -> datetime:
        """Return the start time of the clock plus the seconds that passed since."""
        return self._start + timedelta(seconds=self.monotonic())

    def jitter(self) -> float:
        """Return the `jitter` of the constructor."""
        return self._jitter

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._timeline.advance(seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock, or until a surrounding block ends."""
        self.sleeps.append(seconds)
        await self._timeline.wait(seconds)

    async def stall(self, seconds: float = math.inf) -> None:
        """Wait like `sleep`, without an entry in `sleeps`.

        An infinite wait ends with a surrounding `move_on_after`; without one it never
        ends. See `left`.
        """
        await self._timeline.wait(seconds)

    @property
    def left(self) -> float:
        """Seconds until a `move_on_after` around the task ends; infinite if none."""
        return self._timeline.nearest_end() - self._timeline.elapsed

    def move_on_after(self, seconds: float, *, waits_for_io: bool = False) -> Bound:
        """Build a block that is left after `seconds`, like `anyio.move_on_after`.

        It is left when they have passed on this clock or in real time, so that waits
        for real I/O end as well.

        Args:
            seconds: the limit.
            waits_for_io: whether the block waits for real I/O, as a transport does.
                Then virtual waits of other tasks end neither this block nor the blocks
                around it; only virtual waits inside the block can end it.
        """
        return TimelineBound(self._timeline, seconds, waits_for_io=waits_for_io)


class Timeline:
    """The time of one virtual clock, and the tasks and blocks that wait for it."""

    def __init__(self) -> None:
        self.elapsed: float = 0.0
        """Seconds since the start."""
        self.reads: int = 0
        """How often the clock was used: while it grows, tasks make progress."""
        self._bounds: dict[int, TimelineBound] = {}
        self._timers: list[_Timer] = []
        self._numbers = count()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self.elapsed += seconds
        self._end_due_bounds()

    async def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until a surrounding block ends."""
        until = self.elapsed + seconds
        while (nearest := self.nearest_end()) < until:
            await self._wait_until(nearest)
            for bound in self._list_surrounding():
                if bound.due <= nearest:
                    bound.end()
            await anyio.lowlevel.checkpoint()
        if math.isinf(until):
            await anyio.sleep_forever()
        await self._wait_until(until)

    def nearest_end(self) -> float:
        """Return when the first surrounding block ends; infinite if there is none."""
        return min((bound.due for bound in self._list_surrounding()), default=math.inf)

    def open(self, bound: TimelineBound) -> None:
        """Start to watch a block, so that it ends in time."""
        self._bounds[id(bound)] = bound

    def close(self, bound: TimelineBound) -> None:
        """Stop watching a block; may be called more than once."""
        self._bounds.pop(id(bound), None)

    def _list_surrounding(self) -> Iterator[TimelineBound]:
        """List the open blocks of this timeline around the current task."""
        for bound in _list_bounds_around():
            if id(bound) in self._bounds:
                yield bound

    async def _wait_until(self, moment: float) -> None:
        """Wait until the time is at least `moment`."""
        self.reads += 1
        timer = _Timer(moment, next(self._numbers))
        insort(self._timers, timer)
        try:
            await anyio.lowlevel.checkpoint()
            while self.elapsed < moment:
                if self._timers[0] is not timer:
                    timer.event = anyio.Event()
                    await timer.event.wait()
                    continue
                await self._run_other_tasks()
                if self._timers[0] is timer:
                    self._pass_time(moment)
        finally:
            self._timers.remove(timer)
            if self._timers and (event := self._timers[0].event) is not None:
                event.set()

    async def _run_other_tasks(self) -> None:
        """Run the other tasks until none of them can make progress without a wait."""
        for _ in range(_MAX_ROUNDS):
            reads = self.reads
            for _ in range(_QUIET_TURNS):
                await anyio.lowlevel.checkpoint()
            if reads == self.reads:
                return

    def _pass_time(self, moment: float) -> None:
        """Advance to a moment, or to the first end of a block before it."""
        ends = [bound.due for bound in self._bounds.values() if bound.is_passive]
        self.elapsed = max(self.elapsed, min(moment, *ends, math.inf))
        self._end_due_bounds()

    def _end_due_bounds(self) -> None:
        for bound in [*self._bounds.values()]:
            if bound.is_passive and bound.due <= self.elapsed:
                bound.end()


@define(order=True)
class _Timer:
    """A task that waits until `moment`, in seconds since the start of the timeline."""

    moment: float
    number: int
    event: anyio.Event | None = field(default=None, eq=False, order=False)


class TimelineBound(Bound):
    """A block that is left when its seconds have passed, on a timeline or in real time.

    Args:
        timeline: the timeline.
        seconds: the limit.
        waits_for_io: whether the block waits for real I/O. Then virtual waits of other
            tasks end neither this block nor the blocks around it.
    """

    def __init__(
        self, timeline: Timeline, seconds: float, *, waits_for_io: bool = False
    ) -> None:
        super().__init__(seconds)
        self.timeline = timeline
        self.due: float = math.inf
        """When the block ends, in seconds of the timeline."""
        self.outer: TimelineBound | None = None
        """The closest block around this one; None if there is none."""
        self.io_waits: int = 0
        """How many blocks inside it, including itself, wait for real I/O."""
        self._waits_for_io = waits_for_io

    def __enter__(self) -> Self:
        super().__enter__()
        self.outer = _innermost.get()
        _innermost.set(self)
        self.timeline.open(self)
        self._add_io_waits(self._waits_for_io)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._add_io_waits(-self._waits_for_io)
        self.timeline.close(self)
        _innermost.set(self.outer)
        return super().__exit__(kind, error, trace)

    @property
    def is_passive(self) -> bool:
        """Whether the block ends when other tasks let time pass."""
        return self.io_waits == 0

    def renew(self) -> None:
        """Restart the time limit of the block from the current time."""
        super().renew()
        self.timeline.reads += 1
        self.due = self.timeline.elapsed + self.seconds

    def end(self) -> None:
        """Cancel the code in the block, so that the block is left."""
        self.timeline.close(self)
        self._scope.cancel()

    def _add_io_waits(self, number: int) -> None:
        for bound in _list_bounds_around():
            bound.io_waits += number


_innermost: ContextVar[TimelineBound | None] = ContextVar("_innermost", default=None)


def _list_bounds_around() -> Iterator[TimelineBound]:
    """List the blocks around the current task from the inside out, of all timelines."""
    bound = _innermost.get()
    while bound is not None:
        yield bound
        bound = bound.outer
