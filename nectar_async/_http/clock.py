"""Time behind one seam: what the time is, how to wait, and how much luck to add."""

from __future__ import annotations

import math
import random
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import anyio

__all__ = [
    "Bound",
    "BoundedClock",
    "Clock",
    "SystemClock",
    "bounded",
    "current_clock",
]


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
        return random.random()  # noqa: S311  it spreads retries and guards nothing

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await anyio.sleep(seconds)


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


@runtime_checkable
class BoundedClock(Clock, Protocol):
    """A clock that ends blocks by its own time, as virtual time does."""

    @property
    def left(self) -> float:
        """Seconds to the first end of a `move_on_after` around; infinite for none."""
        ...

    def move_on_after(self, seconds: float, *, is_outside: bool = False) -> Bound:
        """A block that is left after `seconds`; see `bounded`."""
        ...

    async def stall(self, seconds: float = math.inf) -> None:
        """Wait as a silent server makes a client wait."""
        ...


current_clock: ContextVar[Clock | None] = ContextVar("current_clock", default=None)
"""The clock of the client whose request is being sent."""


def bounded(clock: Clock, seconds: float, *, is_outside: bool = False) -> Bound:
    """A block that is left after so many seconds of a clock.

    Args:
        clock: a `BoundedClock` counts its own seconds; any other, the machine's.
        seconds: infinite for no bound.
        is_outside: the block waits for the real world, as a transport does. Virtual
            time that other tasks let pass ends neither it nor what is around it.
    """
    if isinstance(clock, BoundedClock):
        return clock.move_on_after(seconds, is_outside=is_outside)
    return Bound(seconds)
