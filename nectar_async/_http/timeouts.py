"""Two clocks: one for an attempt, one for everything that happens to a request."""

from __future__ import annotations

import math
from typing import Any

from attrs import frozen

from nectar_async._http.clock import Clock, bounded
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._http.watch import Watch
from nectar_async.errors import AttemptTimeoutError, DeadlineExceededError

__all__ = ["AttemptTimeout", "Deadline"]


@frozen
class Deadline:
    """Bounds one request with everything that happens to it."""

    seconds: float | None
    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it, or raise `DeadlineExceededError` that says where the time went."""
        if self.seconds is None:
            return await send(request)
        with bounded(self.clock, self.left(request)):
            return await send(request)
        raise self.exceeded(request)

    def left(self, request: Request[Any]) -> float:
        """Seconds that the request has left; infinite when nothing bounds it."""
        if self.seconds is None:
            return math.inf
        started = request.timing.started
        now = self.clock.monotonic()
        return self.seconds - (0.0 if started is None else now - started)

    def exceeded(self, request: Request[Any]) -> DeadlineExceededError:
        """The error, with where the time went."""
        timing = request.timing
        counted = f"{timing.attempts} attempt{'s' * (timing.attempts != 1)}"
        error = DeadlineExceededError(
            f"not done within its deadline of {self.seconds:g} s:"
            f" {timing.queue_seconds:.1f} s in the queue,"
            f" {timing.network_seconds:.1f} s in {counted},"
            f" {timing.backoff_seconds:.1f} s of back-off"
        )
        error.queue_seconds = timing.queue_seconds
        error.network_seconds = timing.network_seconds
        error.backoff_seconds = timing.backoff_seconds
        return error


@frozen
class AttemptTimeout:
    """Bounds one attempt, whatever the transport does.

    While a streamed body is taken, each chunk starts the time anew; when it is out, the
    answer has all of it.
    """

    seconds: float | None
    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it, or raise `AttemptTimeoutError`.

        What a streamed body raises is raised as it is, whatever the transport made
        of it.
        """
        seconds = math.inf if self.seconds is None else self.seconds
        if request.body is not None and not isinstance(request.body, bytes):
            return await self._streamed(request, send, seconds)
        with bounded(self.clock, seconds, is_outside=True):
            return await send(request)
        # The same chunk of a file would take as long again; a smaller one may not.
        is_chunk = request.can_halve and request.listing is None
        raise AttemptTimeoutError(
            f"no answer within {seconds:g} s", is_permanent=is_chunk
        )

    async def _streamed(
        self, request: Request[Any], send: Send, seconds: float
    ) -> Response:
        with bounded(self.clock, seconds, is_outside=True) as bound:
            watch = Watch(bound.renew)
            try:
                return await send(watch.over(request))
            except Exception:
                if watch.failure is None:
                    raise
        # Raised out here, so that the transport's error is not its context: it may
        # show what it should not.
        if watch.failure is not None:
            raise watch.failure
        if watch.is_over:
            raise AttemptTimeoutError(f"no answer within {seconds:g} s")
        raise AttemptTimeoutError(
            f"the body did not move for {seconds:g} s; {watch.taken:,} bytes of it"
            " were taken"
        )
