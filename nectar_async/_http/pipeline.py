"""The way down, stage by stage; which order they have is decided in `_wiring`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.limiter import Limiter, Permit
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.retry import (
    RetryBudget,
    asked_wait,
    costs,
    decide,
    may_have_happened,
    settle,
)
from nectar_async._http.statistics import Counters
from nectar_async._http.telemetry import log_repeat
from nectar_async._http.timeouts import Deadline
from nectar_async._http.transport import Send, Stage
from nectar_async._json.cooperative import Turns, at_once
from nectar_async.errors import (
    MaintenanceError,
    NectarError,
    RateLimitedError,
    StatusError,
    TransportError,
)
from nectar_async.settings import RetryPolicy

__all__ = [
    "Limit",
    "Retry",
    "Unpack",
    "compose",
]

_UNPACKED = 8  # what JSON is, of its size packed, or a little more


def compose(stages: Sequence[Stage], send: Send) -> Send:
    """One send out of many stages around an innermost one; the first is outermost."""
    for stage in reversed(stages):
        send = _around(stage, send)
    return send


def _around(stage: Stage, send: Send) -> Send:
    return lambda request: stage(request, send)


@frozen
class Retry:
    """Sends again what may be sent again, as `_retry.decide` says."""

    policy: RetryPolicy
    budget: RetryBudget
    clock: Clock
    counters: Counters
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
                if wait is None:
                    _explain(request, error, self.policy)
                    raise
                if costs(request, error) and not self.budget.spend():
                    error.add_note(
                        "not tried again: so much failed lately that the client has no"
                        " repeats in hand (RetryPolicy.budget)"
                    )
                    raise
                self._check_time(request, wait, error)
                log_repeat(request, error, wait)
            else:
                self.budget.earn()
                return response
            self.counters.retries += 1
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
            request.timing.backoff_seconds += slept
            self.counters.backoff_seconds += slept


def _explain(request: Request[Any], error: NectarError, policy: RetryPolicy) -> None:
    """Say of a failure that passes why it was not tried again, if that is the reason.

    Whether it would have been with a body that is there a second time is another
    question; the caller can try it then.
    """
    if isinstance(error, TransportError):
        passes = not error.is_permanent
    else:
        passes = isinstance(error, RateLimitedError) or may_have_happened(error)
    if passes and not request.can_resend:
        error.add_note(
            "the body was a stream and cannot be sent again; pass a path or bytes"
        )
    asked = error.retry_after if isinstance(error, StatusError) else None
    if passes and asked is not None and asked > policy.retry_after_max:
        error.add_note(
            f"the server asks to wait {asked:,.0f} s; with retry_after_max of"
            f" {policy.retry_after_max:g} s it is not tried again"
        )


@frozen
class Unpack:
    """Unpacks what succeeded, after the permit is back.

    Above it an answer whose packing is damaged is a failure as any other: asked for
    again within the deadline and the budget, and counted.
    """

    turns: Turns

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it; the answer's body is as it is meant."""
        response = await send(request)
        work = response.unpacking(request.max_body_bytes)
        try:
            if "content-encoding" not in response.headers:
                return at_once(work)
            return await self.turns.take(work, _UNPACKED * len(response.body))
        except TransportError as error:
            # The frames below hold the answer, and a traceback may show their locals.
            raise error.with_traceback(None) from None


@frozen
class Limit:
    """Takes a permit for one attempt, and tells the limiter what came of it."""

    limiter: Limiter
    policy: RetryPolicy
    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Wait for a permit, send it, give the permit back."""
        accounts = (request.timing, self.counters)

        def waited(queued: float, cooled: float) -> None:
            for account in accounts:
                account.queue_seconds += queued
                account.backoff_seconds += cooled

        async with self.limiter.permit(request.queue_key, waited) as permit:
            sent = self.clock.monotonic()
            for account in accounts:
                account.attempts += 1
            try:
                response = await self._send(request, send, permit)
            finally:
                took = self.clock.monotonic() - sent
                for account in accounts:
                    account.network_seconds += took
        return response

    async def _send(
        self, request: Request[Any], send: Send, permit: Permit
    ) -> Response:
        try:
            response = await send(request)
        except RateLimitedError as error:
            permit.refused(self._wait(error))
            raise
        except MaintenanceError:
            permit.refused()
            raise
        permit.succeeded()
        return response

    def _wait(self, error: RateLimitedError) -> float | None:
        """The wait that the server names is everybody's, unless it is too long."""
        if error.retry_after is None:
            return None
        return asked_wait(error.retry_after, self.policy, self.clock.jitter())
