"""The way down, stage by stage; which order they have is decided in `client`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import anyio
from attrs import frozen

from nectar_async._clock import Clock
from nectar_async._gate import Gate
from nectar_async._request import Request
from nectar_async._response import Response
from nectar_async._retry import RetryBudget, decide, may_have_happened, settle
from nectar_async._statistics import Tally
from nectar_async._transport import Send, Stage
from nectar_async._watch import Watch
from nectar_async.errors import (
    AttemptTimeoutError,
    DeadlineExceededError,
    NectarError,
    RateLimitedError,
)
from nectar_async.settings import RetryPolicy

__all__ = [
    "AttemptTimeout",
    "CheckStatus",
    "Deadline",
    "Limit",
    "Retry",
    "compose",
]


def compose(stages: Sequence[Stage], send: Send) -> Send:
    """One send out of many stages around an innermost one; the first is outermost."""
    for stage in reversed(stages):
        send = _around(stage, send)
    return send


def _around(stage: Stage, send: Send) -> Send:
    return lambda request: stage(request, send)


@frozen
class Deadline:
    """Bounds one request with everything that happens to it."""

    seconds: float | None
    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it, or raise `DeadlineExceededError` that says where the time went."""
        if self.seconds is None:
            return await send(request)
        with anyio.move_on_after(self.left(request)):
            return await send(request)
        raise self.exceeded(request)

    def left(self, request: Request[Any]) -> float:
        """Seconds that the request has left; infinite when nothing bounds it."""
        if self.seconds is None:
            return math.inf
        started = request.trace.started
        now = self.clock.monotonic()
        return self.seconds - (0.0 if started is None else now - started)

    def exceeded(self, request: Request[Any]) -> DeadlineExceededError:
        """The error, with where the time went."""
        trace = request.trace
        error = DeadlineExceededError(
            f"not done within its deadline of {self.seconds:g} s:"
            f" {trace.queue_seconds:.1f} s in the queue, {trace.network_seconds:.1f} s"
            f" in {trace.attempts} attempts, {trace.backoff_seconds:.1f} s of back-off"
        )
        error.queue_seconds = trace.queue_seconds
        error.network_seconds = trace.network_seconds
        error.backoff_seconds = trace.backoff_seconds
        return error


@frozen
class Retry:
    """Sends again what may be sent again, as `_retry.decide` says."""

    policy: RetryPolicy
    budget: RetryBudget
    clock: Clock
    tally: Tally
    deadline: Deadline

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it until it works or the verdict is to give up."""
        attempt = 0
        is_doubtful = False  # whether an earlier attempt may have happened
        while True:
            attempt += 1
            try:
                response = await send(request)
            except NectarError as error:
                if is_doubtful and (done := settle(request, error)) is not None:
                    return done
                is_doubtful = is_doubtful or may_have_happened(error)
                wait = decide(request, error, attempt, self.policy, self.clock.jitter())
                if wait is None or not self.budget.spend():
                    raise
                self._check_time(request, wait, error)
            else:
                self.budget.earn()
                return response
            self.tally.retries += 1
            await self._sleep(request, wait)

    def _check_time(
        self, request: Request[Any], wait: float, error: NectarError
    ) -> None:
        """Give up now where the deadline would end the wait anyway."""
        if wait >= self.deadline.left(request):
            exceeded = self.deadline.exceeded(request)
            exceeded.add_note(f"the last attempt: {type(error).__name__}: {error}")
            raise exceeded from error

    async def _sleep(self, request: Request[Any], seconds: float) -> None:
        start = self.clock.monotonic()
        try:
            await self.clock.sleep(seconds)
        finally:
            slept = self.clock.monotonic() - start
            request.trace.backoff_seconds += slept
            self.tally.backoff_seconds += slept


@frozen
class Limit:
    """Takes a permit of the gate for one attempt."""

    gate: Gate
    clock: Clock
    tally: Tally

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Wait for a permit, send it, give the permit back."""
        queued = self.clock.monotonic()
        sent: float | None = None
        try:
            async with self.gate:
                sent = self.clock.monotonic()
                request.trace.attempts += 1
                self.tally.attempts += 1
                response = await send(request)
        finally:
            done = self.clock.monotonic()
            self._note(request, queued, done if sent is None else sent, done)
        self.tally.bytes_received += len(response.body)
        return response

    def _note(
        self, request: Request[Any], queued: float, sent: float, done: float
    ) -> None:
        for account in (request.trace, self.tally):
            account.queue_seconds += sent - queued
            account.network_seconds += done - sent


@frozen
class AttemptTimeout:
    """Bounds one attempt, whatever the transport does.

    While a streamed body is taken, each chunk starts the time anew; when it is out, the
    answer has all of it.
    """

    seconds: float | None

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it, or raise `AttemptTimeoutError`.

        What a streamed body raises is raised as it is, whatever the transport made
        of it.
        """
        if request.body is not None and not isinstance(request.body, bytes):
            return await self._streamed(request, send)
        if self.seconds is None:
            return await send(request)
        with anyio.move_on_after(self.seconds):
            return await send(request)
        raise AttemptTimeoutError(f"no answer within {self.seconds:g} s")

    async def _streamed(self, request: Request[Any], send: Send) -> Response:
        seconds = math.inf if self.seconds is None else self.seconds
        with anyio.move_on_after(seconds) as scope:

            def push_on() -> None:
                scope.deadline = anyio.current_time() + seconds

            watch = Watch(push_on)
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


@frozen
class CheckStatus:
    """Lets 2xx through and raises the error of every other status."""

    clock: Clock
    tally: Tally

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it and judge the status."""
        response = await send(request)
        try:
            response.check(self.clock.now())
        except RateLimitedError:
            self.tally.rate_limited += 1
            raise
        return response
