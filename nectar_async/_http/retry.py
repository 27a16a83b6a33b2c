"""Decide whether a failed request is sent again and when, and the stage that does so.

The decision depends on how far the request got:

    refused     429: the server did nothing           repeat every verb
    not sent    there was no connection               repeat every verb
    sent        broke, timed out, 408, 500, 502-504,  repeat repeatable requests
                520-530

In all three cases the body must still be there, the policy must allow another attempt,
and the wait that the server asks for must not be over the limit. Every other failure is
final.

If the caller can ask for less (`Request.can_halve`), a request that times out at the
server is sent twice and no more, because the caller then asks for halves.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.telemetry import log_repeat
from nectar_async._http.timeouts import Deadline
from nectar_async._http.transport import Send
from nectar_async.errors import (
    BodyTooLargeError,
    NectarError,
    RateLimitedError,
    ServerTimeoutError,
    StatusError,
    TransportError,
)
from nectar_async.settings import RetryPolicy

__all__ = [
    "Retry",
    "RetryBudget",
    "decide_wait",
    "limit_server_wait",
    "may_have_happened",
    "recover_repeated_delete",
]


# The verdict

# 408 is a server that did not get the whole request in time; 520 to 530 are those of
# proxies in front of the API.
_TRANSIENT: Final = frozenset({408, 500, 502, 503, 504, *range(520, 531)})

# Jitter only adds: up to half of a wait of our own, and up to a tenth of a wait that
# the server asks for (or our first wait, if that is longer). Without it, clients that
# are told to wait equally long would all come back in the same instant.
_SPREAD: Final = 0.5
_SERVER_SPREAD: Final = 0.1

_ATTEMPTS_BEFORE_HALVING: Final = 2

_MISSING: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


def decide_wait(
    request: Request[Any],
    error: NectarError,
    attempt: int,
    policy: RetryPolicy,
    jitter: float,
) -> float | None:
    """Decide how many seconds to wait before the next attempt; None to give up.

    Args:
        request: the request that was sent.
        error: its failure.
        attempt: how many times it was sent.
        policy: how often and how long to retry.
        jitter: a number in [0, 1), the share of the allowed spread to add.
    """
    is_halved = request.can_halve and isinstance(error, ServerTimeoutError)
    limit = _ATTEMPTS_BEFORE_HALVING if is_halved else policy.attempts
    if attempt >= min(limit, policy.attempts) or not request.can_resend:
        return None
    if not _may_repeat(request, error):
        return None
    if isinstance(error, StatusError) and error.retry_after is not None:
        return limit_server_wait(error.retry_after, policy, jitter)
    # The exponent is limited, so that a thousand attempts do not overflow a float.
    wait = min(policy.wait_max, policy.wait_initial * 2.0 ** min(attempt - 1, 60))
    return wait + jitter * wait * _SPREAD


def limit_server_wait(
    seconds: float, policy: RetryPolicy, jitter: float
) -> float | None:
    """Add jitter to a wait that the server asks for; None if the wait is too long."""
    if seconds > policy.retry_after_max:
        return None
    return seconds + jitter * max(policy.wait_initial, seconds * _SERVER_SPREAD)


def may_have_happened(error: NectarError) -> bool:
    """Whether the server may have handled the request although it failed."""
    if isinstance(error, TransportError):
        return error.is_sent
    return isinstance(error, StatusError) and error.status in _TRANSIENT


def recover_repeated_delete(
    request: Request[Any], error: NectarError
) -> Response | None:
    """Turn a 403 or 404 of a repeated DELETE into a success.

    An earlier attempt, whose answer was lost, has probably deleted the object. The API
    answers 403 as well as 404 for an object that does not exist.
    """
    is_missing = isinstance(error, StatusError) and error.status in _MISSING
    if request.method == "DELETE" and is_missing:
        return Response(HTTPStatus.NO_CONTENT)
    return None


def _may_repeat(request: Request[Any], error: NectarError) -> bool:
    if isinstance(error, TransportError):
        if error.is_permanent or isinstance(error, BodyTooLargeError):
            return False
        return request.is_repeatable or not error.is_sent
    if isinstance(error, RateLimitedError):
        return True
    if isinstance(error, StatusError):
        return request.is_repeatable and error.status in _TRANSIENT
    return False


# The budget


class RetryBudget:
    """The repeats that a client has left, so that an outage does not multiply traffic.

    A repeat costs one, and a success earns a fifth of one. While at most one request in
    six fails, the budget lasts for ever. When it is empty, first failures are final.
    """

    _EARNED = 0.2

    def __init__(self, size: int) -> None:
        self._size = float(size)
        self._left = self._size

    def spend(self) -> bool:
        """Take one repeat; False if none is left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def earn(self) -> None:
        """Count a success."""
        self._left = min(self._size, self._left + self._EARNED)


def _uses_budget(request: Request[Any], error: NectarError) -> bool:
    """Whether a repeat is taken from the budget.

    A repeat after a 429 is not: a 429 is no outage, and it slows down all requests
    already, by fewer permits and the shared pause. A repeat before a date range is
    halved is not either: there is one at most.
    """
    if isinstance(error, RateLimitedError):
        return False
    return not (request.can_halve and isinstance(error, ServerTimeoutError))


# The stage


@frozen
class Retry:
    """Send a failed request again, as `decide_wait` says."""

    policy: RetryPolicy
    budget: RetryBudget
    clock: Clock
    counters: Counters
    deadline: Deadline

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request until it succeeds or must not be sent again."""
        attempt = 0
        is_doubtful = False  # whether the server may have handled an earlier attempt
        while True:
            attempt += 1
            try:
                response = await send(request)
            except NectarError as error:
                if is_doubtful:
                    recovered = recover_repeated_delete(request, error)
                    if recovered is not None:
                        return recovered
                is_doubtful = is_doubtful or may_have_happened(error)
                wait = self._decide(request, error, attempt)
                log_repeat(request, error, wait)
            else:
                self.budget.earn()
                return response
            self.counters.retries += 1
            await self._sleep(request, wait)

    def _decide(self, request: Request[Any], error: NectarError, attempt: int) -> float:
        """Seconds to wait before the next attempt; raises the error if it is final."""
        jitter = self.clock.jitter()
        wait = decide_wait(request, error, attempt, self.policy, jitter)
        if wait is None:
            _add_note(request, error, self.policy)
            raise error
        if _uses_budget(request, error) and not self.budget.spend():
            error.add_note(
                "not sent again: the client's retry budget is empty, because many"
                " requests failed (RetryPolicy.budget)"
            )
            raise error
        if wait >= self.deadline.count_seconds_left(request):
            exceeded = self.deadline.build_error(request)
            exceeded.add_note(f"the last attempt: {type(error).__name__}: {error}")
            raise exceeded from error
        return wait

    async def _sleep(self, request: Request[Any], seconds: float) -> None:
        start = self.clock.monotonic()
        try:
            await self.clock.sleep(seconds)
        finally:
            slept = self.clock.monotonic() - start
            request.timing.backoff_seconds += slept
            self.counters.backoff_seconds += slept


def _add_note(request: Request[Any], error: NectarError, policy: RetryPolicy) -> None:
    """Note on a transient failure why the request is not sent again.

    A request that is not repeatable gets the note on its body too, because the caller
    may decide to repeat it.
    """
    if isinstance(error, TransportError):
        is_transient = not error.is_permanent
    else:
        is_transient = isinstance(error, RateLimitedError) or may_have_happened(error)
    if not is_transient:
        return
    if not request.can_resend:
        error.add_note(
            "not sent again: the body is a stream that can be read once; pass a path or"
            " bytes"
        )
    wait = error.retry_after if isinstance(error, StatusError) else None
    if wait is not None and wait > policy.retry_after_max:
        error.add_note(
            f"not sent again: the server asks to wait {wait:,.0f} s, and"
            f" retry_after_max is {policy.retry_after_max:g} s"
        )
