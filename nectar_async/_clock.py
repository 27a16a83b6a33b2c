"""Time behind one seam: what the time is, how to wait, and how much luck to add."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import anyio
import anyio.lowlevel

__all__ = ["Clock", "SystemClock", "VirtualClock"]


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
        return random.random()  # noqa: S311 - spreads retries, guards nothing

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
    """

    def __init__(
        self,
        start: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        *,
        jitter: float = 0.0,
    ) -> None:
        self._start = start
        self._jitter = jitter
        self._elapsed = 0.0
        self.sleeps: list[float] = []
        """Every wait that was asked for, in seconds, in order."""

    def monotonic(self) -> float:
        """Seconds that were slept or advanced since the start."""
        return self._elapsed

    def now(self) -> datetime:
        """The start plus all that was slept or advanced."""
        return self._start + timedelta(seconds=self._elapsed)

    def jitter(self) -> float:
        """The number given to the constructor, always."""
        return self._jitter

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass without anybody sleeping."""
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass at once; other tasks get their turn."""
        self.sleeps.append(seconds)
        self._elapsed += seconds
        await anyio.lowlevel.checkpoint()
