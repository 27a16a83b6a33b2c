"""Asking again until something is over, with waits that grow."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nectar_async._callback import Callback, tell
from nectar_async._clock import Clock
from nectar_async.errors import InvalidArgumentError, WaitTimeoutError

__all__ = ["poll"]

T = TypeVar("T")

# The API names no interval. A short job is seen soon, a long one costs four requests a
# minute.
_WAIT_FIRST = 1.0
_WAIT_MOST = 15.0
_GROWTH = 1.5

# Jitter only ever adds, up to a quarter: many who wait do not ask in the same instant.
_SPREAD = 0.25


async def poll(
    clock: Clock,
    ask: Callable[[], Awaitable[T]],
    is_done: Callable[[T], bool],
    *,
    timeout: float | None,
    what: str,
    on_progress: Callback | None = None,
) -> T:
    """The first value that is done.

    Args:
        clock: how waits are made.
        ask: gets the present value; its errors are raised.
        is_done: whether a value is the one that is waited for.
        timeout: seconds of waiting; None for no bound. The last wait is cut to what is
            left, so that there is a look at the very end; a request that is under way
            then is not cut short.
        what: what is waited for, for the error: `job 4f9b2e76 to end`.
        on_progress: a function, plain or async, that is given each value seen.

    Raises:
        InvalidArgumentError: `timeout` is no number of seconds.
        WaitTimeoutError: the time is over; `last` is the value that was seen last.
    """
    bound = _bound(timeout)
    started = clock.monotonic()
    wait = _WAIT_FIRST
    looks = 0
    while True:
        value = await ask()
        looks += 1
        await tell(on_progress, value)
        if is_done(value):
            return value
        left = bound - (clock.monotonic() - started)
        if left <= 0:
            raise _over(what, clock.monotonic() - started, looks, value)
        pause = min(wait + clock.jitter() * wait * _SPREAD, left)
        await clock.sleep(pause)
        if pause == left:
            bound = 0.0  # whatever the clock's grain: the next look is the last
        wait = min(wait * _GROWTH, _WAIT_MOST)


def _bound(timeout: object) -> float:
    if timeout is None:
        return math.inf
    if isinstance(timeout, int | float) and timeout is not True and timeout >= 0:
        return float(timeout)
    raise InvalidArgumentError(
        f"timeout is a number of seconds from 0 (None for no bound), not {timeout!r}"
    )


def _over(what: str, seconds: float, looks: int, last: object) -> WaitTimeoutError:
    seen = getattr(last, "status", None)
    state = "" if seen is None else f"; it was {seen} when last seen"
    return WaitTimeoutError(
        f"waited {seconds:.1f} s and looked {looks} times for {what}{state}; nothing"
        " was stopped by this: wait again, with a longer timeout",
        last=last,
    )
