"""The one bound on requests in flight, shared by everything that a client does.

A permit covers one attempt: from before the first byte goes out to after the last one
came in. Nobody holds one while sleeping, decoding, or giving a record to the caller,
and nobody asks for a second one while holding the first, so no nesting can deadlock.

The number of permits follows the server: it is halved when the server says that it is
overloaded, and grows by one for each round in which all attempts succeeded. A wait that
the server asks for holds back every attempt. Attempts wait in the queue of their
`queue_key`, and the queues take turns: a single call does not wait for the thousand
pages that a list has requested before it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio
import anyio.lowlevel

from nectar_async._http.clock import Clock

__all__ = ["Limiter", "Permit"]


Waited = Callable[[float, float], None]
"""Takes the seconds in the line, and the seconds of cooling down besides."""


class _Waiter:
    __slots__ = ("event", "is_granted")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.is_granted = False


class Limiter:
    """At most `limit` holders at a time; within a queue, first come, first served.

    ```python
    async with limiter.permit(queue_key) as permit:
        response = await send(request)
        permit.succeeded()
    ```
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self.limit = limit
        """The most permits that there ever are."""
        self.allowed: int = limit
        """Permits that there are now, from 1 to `limit`."""
        self.in_flight: int = 0
        """Permits that are held right now."""
        self.peak_in_flight: int = 0
        """The most that were ever held at once."""
        self._clock = clock
        # The queues in the order in which they take turns, each with its waiters.
        self._queues: OrderedDict[object, deque[_Waiter]] = OrderedDict()
        self._warm_at: float | None = None
        self._round = 0
        """Grows with each cut: permits from before it prove nothing about it."""
        self._successes = 0

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return sum(map(len, self._queues.values()))

    @property
    def cooling(self) -> float:
        """Seconds until permits are given out again; 0 when they are."""
        if self._warm_at is None:
            return 0.0
        left = self._warm_at - self._clock.monotonic()
        if left <= 0:
            self._warm_at = None
        return max(0.0, left)

    def permit(self, queue_key: object = None, waited: Waited | None = None) -> Permit:
        """A permit to be had with `async with`; `queue_key` is anything that hashes.

        `waited` is told how long it took, also when the wait is cancelled.
        """
        return Permit(self, queue_key, waited)

    def cool_down(self, seconds: float) -> None:
        """Give out no permit for that long."""
        until = self._clock.monotonic() + seconds
        self._warm_at = max(until, self._warm_at or until)
        # Whoever stands in line looks at the clock from now on, each for itself: one
        # that watched for all could be cancelled.
        for line in self._queues.values():
            for waiter in line:
                waiter.event.set()

    async def take(self, queue_key: object, waited: Waited | None = None) -> None:
        """Wait for a permit; say how long it took, and how much of it was cooling."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        if not self._queues and self.in_flight < self.allowed and not self.cooling:
            self._grant()
            return
        started = self._clock.monotonic()
        waiter = _Waiter()
        self._queues.setdefault(queue_key, deque()).append(waiter)
        cooled = 0.0
        try:
            while not waiter.is_granted:
                if (seconds := self.cooling) > 0:
                    since = self._clock.monotonic()
                    try:
                        await self._clock.sleep(seconds)
                    finally:
                        cooled += self._clock.monotonic() - since
                    continue
                waiter.event = anyio.Event()
                # Also after a cooling that ended before this waiter came to see it:
                # what was given back meanwhile was given to nobody.
                self._give_out()
                await waiter.event.wait()
        except BaseException:
            # Cancelled in the line; a permit may have come at that very moment.
            if waiter.is_granted:
                self.give_back()
            else:
                self._leave(queue_key, waiter)
            raise
        finally:
            if waited is not None:
                waited(self._clock.monotonic() - started - cooled, cooled)

    def give_back(self) -> None:
        """A permit is free again. Nothing here may wait, whatever happens."""
        self.in_flight -= 1
        self._give_out()

    def cut(self, round_: int) -> None:
        """Half as many permits, unless they were cut since that round."""
        if round_ == self._round:
            self._round += 1
            self._successes = 0
            self.allowed = max(1, self.allowed // 2)

    def count_success(self, round_: int) -> None:
        """One more permit when as many succeeded as there are."""
        if self.allowed == self.limit or round_ != self._round:
            return
        self._successes += 1
        if self._successes >= self.allowed:
            self._successes = 0
            self.allowed += 1
            self._give_out()

    @property
    def round(self) -> int:
        """How often permits were cut."""
        return self._round

    def _give_out(self) -> None:
        """Grant what there is to grant, one of each queue in turn."""
        while self._queues and self.in_flight < self.allowed and not self.cooling:
            queue_key, line = self._queues.popitem(last=False)
            waiter = line.popleft()
            if line:
                self._queues[queue_key] = line
            # Taken on the waiter's behalf at once, so that nobody slips in between.
            self._grant()
            waiter.is_granted = True
            waiter.event.set()

    def _grant(self) -> None:
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def _leave(self, queue_key: object, waiter: _Waiter) -> None:
        line = self._queues[queue_key]
        line.remove(waiter)
        if not line:
            del self._queues[queue_key]


class Permit:
    """One of the limiter's permits, for the length of an `async with`."""

    __slots__ = ("_limiter", "_queue_key", "_round", "_waited")

    def __init__(
        self, limiter: Limiter, queue_key: object, waited: Waited | None
    ) -> None:
        self._limiter = limiter
        self._queue_key = queue_key
        self._round = 0
        self._waited = waited

    async def __aenter__(self) -> Self:
        await self._limiter.take(self._queue_key, self._waited)
        self._round = self._limiter.round
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limiter.give_back()

    def succeeded(self) -> None:
        """The server did what it was asked."""
        self._limiter.count_success(self._round)

    def refused(self, wait: float | None = None) -> None:
        """The server has too much to do, and asks for a wait, in seconds, or not."""
        self._limiter.cut(self._round)
        if wait is not None:
            self._limiter.cool_down(wait)
