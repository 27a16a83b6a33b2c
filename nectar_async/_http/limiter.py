"""Limit the requests in flight: one limiter is shared by everything that a client does.

A permit covers one attempt, from before the first byte is sent until the last one is
received. No task holds a permit while it sleeps, decodes, or hands a record to the
caller, and no task requests a second permit while it holds one, so nesting cannot
deadlock.

The number of permits follows the server: it is halved when the server says that it is
overloaded, and grows by one for each round in which all attempts succeeded. A wait that
the server asks for pauses all attempts. Attempts wait in the queue of their
`queue_key`, and the queues take turns: a single call does not wait for the thousand
pages that a list has requested before it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.lowlevel
from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.retry import limit_server_wait
from nectar_async._http.statistics import Counters
from nectar_async._http.transport import Send
from nectar_async.errors import MaintenanceError, RateLimitedError
from nectar_async.settings import RetryPolicy

__all__ = ["Limit", "Limiter", "Permit"]


OnWaited = Callable[[float, float], None]
"""Called with the seconds spent queueing and the seconds spent in a pause."""


class _Waiter:
    __slots__ = ("event", "is_granted")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.is_granted = False


class Limiter:
    """Grants at most `limit` permits at a time; each queue is first in, first out.

    ```python
    async with limiter.permit(queue_key) as permit:
        response = await send(request)
        permit.report_success()
    ```
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self.limit = limit
        """The most permits that can exist."""
        self.allowed: int = limit
        """Permits that exist now, from 1 to `limit`."""
        self.in_flight: int = 0
        """Permits that are held now."""
        self.peak_in_flight: int = 0
        """The most permits that were ever held at once."""
        self.halvings: int = 0
        """How many times the number of permits was halved."""
        self._clock = clock
        # The queues in the order in which they take turns.
        self._queues: OrderedDict[object, OrderedDict[_Waiter, None]] = OrderedDict()
        self._paused_since = 0.0
        self._paused_until: float | None = None
        self._past_pauses = 0.0
        """Seconds of the pauses that are over."""
        self._watcher: _Waiter | None = None
        """The one waiter that sleeps until a pause is over and wakes the others."""
        self._successes = 0

    @property
    def waiting(self) -> int:
        """How many attempts wait for a permit."""
        return sum(map(len, self._queues.values()))

    @property
    def pause_left(self) -> float:
        """Seconds until permits are granted again; 0 without a pause."""
        if self._paused_until is None:
            return 0.0
        left = self._paused_until - self._clock.monotonic()
        if left <= 0:
            self._past_pauses += self._paused_until - self._paused_since
            self._paused_until = None
        return max(0.0, left)

    def permit(
        self, queue_key: object = None, on_waited: OnWaited | None = None
    ) -> Permit:
        """Build a permit, to be acquired with `async with`.

        Args:
            queue_key: the queue to wait in: any hashable value.
            on_waited: called after a wait, also after one that is cancelled.
        """
        return Permit(self, queue_key, on_waited)

    def pause(self, seconds: float) -> None:
        """Grant no permit for `seconds`."""
        is_paused = self.pause_left > 0
        now = self._clock.monotonic()
        if not is_paused:
            self._paused_since = now
        self._paused_until = max(now + seconds, self._paused_until or now)
        self._appoint_watcher()

    async def acquire(
        self, queue_key: object, on_waited: OnWaited | None = None
    ) -> None:
        """Wait for a permit."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        if not self._queues and self.in_flight < self.allowed and not self.pause_left:
            self._take()
            return
        started, paused = self._clock.monotonic(), self._count_paused()
        waiter = _Waiter()
        self._queues.setdefault(queue_key, OrderedDict())[waiter] = None
        self._appoint_watcher()
        try:
            while not waiter.is_granted:
                await self._wait_for_turn(waiter)
        except BaseException:
            # Cancelled while waiting; a permit may have been granted in that moment.
            if waiter.is_granted:
                self.release()
            else:
                self._leave(queue_key, waiter)
            raise
        finally:
            if self._watcher is waiter:
                self._watcher = None
                self._appoint_watcher()
                self._grant()  # in case that the pause is over
            if on_waited is not None:
                paused = self._count_paused() - paused
                on_waited(self._clock.monotonic() - started - paused, paused)

    async def _wait_for_turn(self, waiter: _Waiter) -> None:
        """Wait until a waiter is granted a permit or has to watch the clock."""
        if self._watcher is waiter:
            if (seconds := self.pause_left) > 0:
                await self._clock.sleep(seconds)
                return
            self._watcher = None
        waiter.event = anyio.Event()
        # Needed after a pause: permits that were released during it were not granted.
        self._grant()
        await waiter.event.wait()

    def _appoint_watcher(self) -> None:
        """During a pause, let one waiter watch the clock for all.

        If every waiter did, a pause would cost as much as there are waiters. When the
        watcher leaves, for any reason, it appoints the next.
        """
        if self._watcher is None and self._queues and self.pause_left > 0:
            self._watcher = next(iter(next(iter(self._queues.values()))))
            self._watcher.event.set()

    def _count_paused(self) -> float:
        """How many seconds permits were not granted, since the limiter was built."""
        if self.pause_left > 0:
            return self._past_pauses + self._clock.monotonic() - self._paused_since
        return self._past_pauses

    def release(self) -> None:
        """Return a permit. This never waits, so cancellation cannot interrupt it."""
        self.in_flight -= 1
        self._grant()

    def halve(self, halvings_seen: int) -> None:
        """Halve the number of permits, unless that was done since `halvings_seen`."""
        if halvings_seen == self.halvings:
            self.halvings += 1
            self._successes = 0
            self.allowed = max(1, self.allowed // 2)

    def count_success(self, halvings_seen: int) -> None:
        """Add a permit after as many successes as there are permits.

        Successes of permits from before the last halving do not count.
        """
        if self.allowed == self.limit or halvings_seen != self.halvings:
            return
        self._successes += 1
        if self._successes >= self.allowed:
            self._successes = 0
            self.allowed += 1
            self._grant()

    def _grant(self) -> None:
        """Grant the free permits, to one waiter of each queue in turn."""
        while self._queues and self.in_flight < self.allowed and not self.pause_left:
            queue_key, queue = self._queues.popitem(last=False)
            waiter, _ = queue.popitem(last=False)
            if queue:
                self._queues[queue_key] = queue
            # Taken for the waiter at once, so that no other task takes it earlier.
            self._take()
            waiter.is_granted = True
            waiter.event.set()

    def _take(self) -> None:
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def _leave(self, queue_key: object, waiter: _Waiter) -> None:
        queue = self._queues[queue_key]
        del queue[waiter]
        if not queue:
            del self._queues[queue_key]


class Permit:
    """One permit of a limiter, for the length of an `async with` block."""

    __slots__ = ("_halvings_seen", "_limiter", "_on_waited", "_queue_key")

    def __init__(
        self, limiter: Limiter, queue_key: object, on_waited: OnWaited | None
    ) -> None:
        self._limiter = limiter
        self._queue_key = queue_key
        self._on_waited = on_waited
        self._halvings_seen = 0

    async def __aenter__(self) -> Self:
        await self._limiter.acquire(self._queue_key, self._on_waited)
        self._halvings_seen = self._limiter.halvings
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limiter.release()

    def report_success(self) -> None:
        """Report that the server handled the request."""
        self._limiter.count_success(self._halvings_seen)

    def report_overload(self, wait: float | None = None) -> None:
        """Report that the server is overloaded; pause for `wait` seconds if given."""
        self._limiter.halve(self._halvings_seen)
        if wait is not None:
            self._limiter.pause(wait)


@frozen
class Limit:
    """Hold a permit during one attempt, and report its outcome to the limiter."""

    limiter: Limiter
    policy: RetryPolicy
    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Wait for a permit, send the request, and return the permit."""
        totals = (request.timing, self.counters)

        def add_wait(queued: float, paused: float) -> None:
            for total in totals:
                total.queue_seconds += queued
                total.backoff_seconds += paused

        async with self.limiter.permit(request.queue_key, add_wait) as permit:
            started = self.clock.monotonic()
            for total in totals:
                total.attempts += 1
            try:
                response = await send(request)
            except RateLimitedError as error:
                permit.report_overload(self._choose_pause(error))
                raise
            except MaintenanceError:
                permit.report_overload()
                raise
            finally:
                seconds = self.clock.monotonic() - started
                for total in totals:
                    total.network_seconds += seconds
            permit.report_success()
            return response

    def _choose_pause(self, error: RateLimitedError) -> float | None:
        """Return the wait that the server asks for, unless it is too long."""
        if error.retry_after is None:
            return None
        return limit_server_wait(error.retry_after, self.policy, self.clock.jitter())
