"""Poll an operation until its result is final, with growing waits."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define

from nectar_async._http.callbacks import Callback, check_callback, run_callback
from nectar_async._http.clock import Clock, move_on_after
from nectar_async.errors import (
    BodyTooLargeError,
    DeadlineExceededError,
    InvalidArgumentError,
    NectarError,
    RateLimitedError,
    ServerError,
    TransportError,
    WaitTimeoutError,
)

__all__ = ["poll"]

T = TypeVar("T")

# The API recommends no interval. With these waits, the end of a short job is noticed
# soon, and a long job costs four requests a minute.
_FIRST_WAIT = 1.0
_MAX_WAIT = 15.0
_GROWTH = 1.5

# Jitter adds up to a quarter to each wait, so that many waiters do not ask at once.
_JITTER = 0.25

_LAST_ATTEMPT_SECONDS = 1.0
"""The time that an attempt has when it begins at the end of the timeout."""


async def poll(
    clock: Clock,
    ask: Callable[[], Awaitable[T]],
    is_done: Callable[[T], bool],
    *,
    timeout: float | None,
    goal: str,
    on_progress: Callback | None = None,
) -> T:
    """Return the first value for which `is_done` is true.

    An attempt that fails for a temporary reason (a server error, a rate limit, a broken
    connection) is repeated after the next wait, or after the time that the server asks
    for; other errors of `ask` are raised.

    Args:
        clock: the clock for waits and timeouts.
        ask: requests the present value.
        is_done: whether a value is final.
        timeout: seconds for all attempts and waits; None for no bound. The last wait is
            shortened so that one more attempt begins at the end, with one second.
        goal: the awaited event, for the error message: `job 4f9b2e76 to end`.
        on_progress: a function, plain or async, that is called with each value.

    Raises:
        InvalidArgumentError: `timeout` is no number of seconds, or `on_progress` is no
            function.
        WaitTimeoutError: the time is over, or the server asks for a longer wait than
            is left. `last` is the latest value; a later failure is the cause.
    """
    bound = _check_timeout(timeout)
    check_callback("on_progress", on_progress)
    started = clock.monotonic()
    wait = _FIRST_WAIT
    history = _History()
    remaining = bound
    while True:
        answer = await _attempt(clock, ask, max(remaining, _LAST_ATTEMPT_SECONDS))
        history.attempts += 1
        history.timed_out = answer is None
        if isinstance(answer, tuple):
            history.last, history.failure = answer[0], None
            await run_callback(on_progress, answer[0])
            if is_done(answer[0]):
                return answer[0]
        elif answer is not None:
            history.failure = answer
        elapsed = clock.monotonic() - started
        # After the last wait no time is left, whatever the resolution of the clock.
        remaining = bound - elapsed if remaining > 0 else 0.0
        if history.timed_out or remaining <= 0 or history.retry_after > remaining:
            raise history.build_error(goal, elapsed) from history.failure
        base = max(history.retry_after, wait)
        pause = min(base + clock.jitter() * base * _JITTER, remaining)
        await clock.sleep(pause)
        remaining = 0.0 if pause == remaining else bound - (clock.monotonic() - started)
        wait = min(wait * _GROWTH, _MAX_WAIT)


async def _attempt(
    clock: Clock, ask: Callable[[], Awaitable[T]], seconds: float
) -> tuple[T] | NectarError | None:
    """Return the value in a tuple, a temporary error, or None after a timeout."""
    with move_on_after(clock, seconds):
        try:
            return (await ask(),)
        except NectarError as error:
            if not _is_temporary(error):
                raise
            return error
    return None


@define
class _History:
    """The attempts of one poll so far."""

    attempts: int = 0
    last: object = None
    """The latest value."""
    failure: NectarError | None = None
    """The error of the latest attempt, if it failed."""
    timed_out: bool = False
    """Whether the latest attempt took too long."""

    @property
    def retry_after(self) -> float:
        """The seconds that the server asked to wait when the latest attempt failed."""
        return getattr(self.failure, "retry_after", None) or 0.0

    def build_error(self, goal: str, seconds: float) -> WaitTimeoutError:
        """Build the error for a poll that took too long."""
        status = getattr(self.last, "status", None)
        state = "" if status is None else f"; it was {status} when last seen"
        times = "once" if self.attempts == 1 else f"{self.attempts} times"
        error = WaitTimeoutError(
            f"waited {seconds:.1f} s and asked {times} for {goal}{state};"
            " nothing was stopped by this: wait again, with a longer timeout",
            last=self.last,
        )
        if self.timed_out:
            error.add_note("the last request was still running when the time was over")
        if self.failure is not None:
            kind = type(self.failure).__name__
            error.add_note(f"the last failure: {kind}: {self.failure}")
        return error


def _is_temporary(error: NectarError) -> bool:
    """Whether the next attempt may succeed where this one failed."""
    if isinstance(error, TransportError):
        return not (error.is_permanent or isinstance(error, BodyTooLargeError))
    return isinstance(error, ServerError | RateLimitedError | DeadlineExceededError)


def _check_timeout(timeout: object) -> float:
    """Return the timeout in seconds, infinite for None."""
    if timeout is None:
        return math.inf
    if isinstance(timeout, int | float) and timeout is not True and timeout >= 0:
        return float(timeout)
    raise InvalidArgumentError(
        "timeout must be a number of seconds from 0 (None for no bound), not"
        f" {timeout!r}"
    )
