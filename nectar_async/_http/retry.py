"""Whether a failed request is sent again, and when: a verdict, not a loop.

How far a request got decides:

    refused     429: it was not done                  repeat every verb
    never sent  no connection came about              repeat every verb
    sent        broke, timed out, 500, 502, 503, 504  repeat what does no harm twice

and in all three only when its body is still there, the policy has attempts left, and
the wait that the server asks for is not over the cap. Everything else is final.

A list that can be had in halves is asked for twice as it is, no more, when the server
runs out of time: the walk goes on in halves then (`_windows`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from nectar_async._http.request import Request
from nectar_async._http.response import Response
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
    "RetryBudget",
    "asked_wait",
    "costs",
    "decide",
    "may_have_happened",
    "settle",
]

_PASSING = frozenset({500, 502, 503, 504})

# Jitter only ever adds: up to half of a wait of ours, and up to a tenth of one that
# the server asks for (or our first wait, if that is more). Workers that are told the
# same wait would otherwise all come back in the same instant.
_SPREAD = 0.5
_SERVER_SPREAD = 0.1

_BEFORE_HALVING = 2

_GONE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


def decide(
    request: Request[Any],
    error: NectarError,
    attempt: int,
    policy: RetryPolicy,
    jitter: float,
) -> float | None:
    """Seconds to wait before the next attempt, or None to give up.

    Args:
        request: what was sent.
        error: what came of it.
        attempt: how often it was sent, from 1.
        policy: how often and how long.
        jitter: a number in [0, 1), the share of the allowed spread to add.
    """
    if attempt >= _most(request, error, policy) or not request.can_resend:
        return None
    if not _may_repeat(request, error):
        return None
    if isinstance(error, StatusError) and error.retry_after is not None:
        return asked_wait(error.retry_after, policy, jitter)
    # Shifting is bounded: a policy with a thousand attempts must not overflow a float.
    base = min(policy.wait_max, policy.wait_initial * 2.0 ** min(attempt - 1, 60))
    return base + jitter * base * _SPREAD


def asked_wait(asked: float, policy: RetryPolicy, jitter: float) -> float | None:
    """Seconds to wait when the server asks for `asked`; None when that is too long."""
    if asked > policy.retry_after_max:
        return None
    return asked + jitter * max(policy.wait_initial, asked * _SERVER_SPREAD)


def costs(request: Request[Any], error: NectarError) -> bool:
    """Whether a repeat is paid from the budget.

    A refusal is not an outage: fewer permits and the wait that is asked for slow
    everybody down already. And the one repeat before a window is halved is bounded by
    the halving.
    """
    if isinstance(error, RateLimitedError):
        return False
    return not (request.can_halve and isinstance(error, ServerTimeoutError))


def _most(request: Request[Any], error: NectarError, policy: RetryPolicy) -> int:
    if request.can_halve and isinstance(error, ServerTimeoutError):
        return min(policy.attempts, _BEFORE_HALVING)
    return policy.attempts


def _may_repeat(request: Request[Any], error: NectarError) -> bool:
    if isinstance(error, TransportError):
        if error.is_permanent or isinstance(error, BodyTooLargeError):
            return False
        return request.is_repeatable or not error.is_sent
    if isinstance(error, RateLimitedError):
        return True
    if isinstance(error, StatusError):
        return request.is_repeatable and error.status in _PASSING
    return False


def may_have_happened(error: NectarError) -> bool:
    """Whether the server may have done what it was asked, although it failed."""
    if isinstance(error, TransportError):
        return error.is_sent
    return isinstance(error, StatusError) and error.status in _PASSING


def settle(request: Request[Any], error: NectarError) -> Response | None:
    """The answer that the failure of a repeat stands for, if it is a success.

    A DELETE that may have happened before, and now finds nothing left, was done; the
    API answers 403 as well as 404 for what is not there.
    """
    is_gone = isinstance(error, StatusError) and error.status in _GONE
    if request.method == "DELETE" and is_gone:
        return Response(HTTPStatus.NO_CONTENT)
    return None


class RetryBudget:
    """Repeats that a client has in hand, so that an outage does not multiply traffic.

    A repeat costs one; a success earns a fifth of one back. Up to one failure in six
    can go on for ever; more than that runs dry, and then first failures are final.
    """

    _EARNED = 0.2

    def __init__(self, size: int) -> None:
        self._size = float(size)
        self._left = self._size

    def spend(self) -> bool:
        """Take one repeat; False when none is left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def earn(self) -> None:
        """Note a success."""
        self._left = min(self._size, self._left + self._EARNED)
