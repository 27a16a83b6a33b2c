"""The clock of a client: the time, waits, timeouts and jitter, as a protocol."""

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
    "current_clock",
    "move_on_after",
]


@runtime_checkable
class Clock(Protocol):
    """Everything that a client needs of time. Pass one as `NectarClient(clock=...)`."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences have a meaning."""
        ...

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1): the share of the allowed spread to add to a wait."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


class SystemClock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)

    def jitter(self) -> float:
        """A new pseudo-random number in [0, 1)."""
        return random.random()  # noqa: S311  it spreads retries and guards nothing

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await anyio.sleep(seconds)


class Bound:
    """A block that is left without an error after some seconds of the machine's time.

    It is `anyio.move_on_after` with a deadline that can be renewed.
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
        """Restart the time limit from now."""
        self._scope.deadline = anyio.current_time() + self.seconds


@runtime_checkable
class BoundedClock(Clock, Protocol):
    """A clock that measures time limits in its own seconds, such as virtual ones."""

    @property
    def left(self) -> float:
        """Seconds until the first surrounding block ends; infinite for none."""
        ...

    def move_on_after(self, seconds: float, *, waits_for_io: bool = False) -> Bound:
        """Build a block that is left after `seconds`; see `move_on_after` below."""
        ...

    async def stall(self, seconds: float = math.inf) -> None:
        """Wait as a client waits for a server that does not answer."""
        ...


current_clock: ContextVar[Clock | None] = ContextVar("current_clock", default=None)
"""The clock of the client whose request is being sent."""


def move_on_after(clock: Clock, seconds: float, *, waits_for_io: bool = False) -> Bound:
    """Build a block that is left after some seconds of a clock.

    Args:
        clock: a `BoundedClock` counts its own seconds; any other, the machine's.
        seconds: infinite for no limit.
        waits_for_io: whether the block waits for real I/O, as a transport does. Then
            virtual waits of other tasks end neither this block nor the blocks around
            it.
    """
    if isinstance(clock, BoundedClock):
        return clock.move_on_after(seconds, waits_for_io=waits_for_io)
    return Bound(seconds)
