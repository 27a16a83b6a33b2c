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
from itertools import count
from types import TracebackType
from typing import Final, Self

import anyio
import anyio.lowlevel
from attrs import define, field

__all__ = ["Bound", "Timeline", "TimelineBound", "owner_around"]

# Between two looks at the clock a request has fewer turns of the event loop than this;
# whoever looks on and on without waiting is not waited for.
_QUIET_TURNS: Final = 20
_MOST_ROUNDS: Final = 50


class Bound:
    """Ends a block after so many seconds: it is left without an error.

    As `anyio.move_on_after`, in the machine's time.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._scope = anyio.CancelScope()

    def __enter__(self) -> Self:
        self.renew()
        self._scope.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        return bool(self._scope.__exit__(kind, error, trace))

    def renew(self) -> None:
        """Have the seconds begin anew."""
        self._scope.deadline = anyio.current_time() + self.seconds


class Timeline:
    """The time of one virtual clock.

    Args:
        owner: whose time it is; see `owner_around`.
    """

    def __init__(self, owner: object) -> None:
        self.owner = owner
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


def owner_around() -> object:
    """Whose time bounds whoever asks; None for nobody's."""
    bound = _innermost.get()
    return None if bound is None else bound.timeline.owner


def _bounds_around(innermost: TimelineBound | None = None) -> Iterator[TimelineBound]:
    """From the inside out, those of other timelines as well."""
    bound = innermost or _innermost.get()
    while bound is not None:
        yield bound
        bound = bound.outer
