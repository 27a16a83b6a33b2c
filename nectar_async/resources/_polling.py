"""Asking again until something is over, with waits that grow."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define

from nectar_async._files.progress import Callback, callback, tell
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

# The API names no interval. A short job is seen soon, a long one costs four requests a
# minute.
_WAIT_FIRST = 1.0
_WAIT_MOST = 15.0
_GROWTH = 1.5

# Jitter only ever adds, up to a quarter: many who wait do not ask in the same instant.
_SPREAD = 0.25

_LOOK = 1.0
"""Seconds that a look has when it begins at the very end."""


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

    A look that fails for a reason that passes (the server fails or refuses the rate,
    the connection breaks) is made again at the next interval, or when the server says;
    what else `ask` raises is raised.

    Args:
        clock: how waits are made.
        ask: gets the present value.
        is_done: whether a value is the one that is waited for.
        timeout: seconds, looks included; None for no bound. The last wait is cut to
            what is left, so that there is a look at the very end, which has one second.
        what: what is waited for, for the error: `job 4f9b2e76 to end`.
        on_progress: a function, plain or async, that is given each value seen.

    Raises:
        InvalidArgumentError: `timeout` is no number of seconds, or `on_progress` no
            function.
        WaitTimeoutError: the time is over, or the server asks to wait for longer than
            is left; `last` is the value that was seen last. A failure since then is its
            cause.
    """
    bound = _bound(timeout)
    callback("on_progress", on_progress)
    started = clock.monotonic()
    wait = _WAIT_FIRST
    seen = _Seen()
    left = bound
    while True:
        found = await _look(clock, ask, max(left, _LOOK))
        seen.looks += 1
        seen.is_cut = found is None
        if isinstance(found, tuple):
            seen.last, seen.failure = found[0], None
            await tell(on_progress, found[0])
            if is_done(found[0]):
                return found[0]
        elif found is not None:
            seen.failure = found
        spent = clock.monotonic() - started
        # After a last wait there is nothing left, whatever the clock's grain.
        left = bound - spent if left > 0 else 0.0
        if seen.is_cut or left <= 0 or seen.asked > left:
            raise seen.over(what, spent) from seen.failure
        base = max(seen.asked, wait)
        pause = min(base + clock.jitter() * base * _SPREAD, left)
        await clock.sleep(pause)
        left = 0.0 if pause == left else bound - (clock.monotonic() - started)
        wait = min(wait * _GROWTH, _WAIT_MOST)


async def _look(
    clock: Clock, ask: Callable[[], Awaitable[T]], seconds: float
) -> tuple[T] | NectarError | None:
    """What is seen now, or the failure if that passes; None if it takes too long."""
    with move_on_after(clock, seconds):
        try:
            return (await ask(),)
        except NectarError as error:
            if not _passes(error):
                raise
            return error
    return None


@define
class _Seen:
    """What the looks showed so far."""

    looks: int = 0
    last: object = None
    failure: NectarError | None = None
    """Why the latest look showed nothing."""
    is_cut: bool = False
    """Whether the latest look took too long."""

    @property
    def asked(self) -> float:
        """Seconds that the server asked to wait, when the latest look failed."""
        return getattr(self.failure, "retry_after", None) or 0.0

    def over(self, what: str, seconds: float) -> WaitTimeoutError:
        """The error at the end of the time."""
        status = getattr(self.last, "status", None)
        state = "" if status is None else f"; it was {status} when last seen"
        often = "once" if self.looks == 1 else f"{self.looks} times"
        error = WaitTimeoutError(
            f"waited {seconds:.1f} s and looked {often} for {what}{state};"
            " nothing was stopped by this: wait again, with a longer timeout",
            last=self.last,
        )
        if self.is_cut:
            error.add_note("the last look was under way when the time was over")
        if self.failure is not None:
            kind = type(self.failure).__name__
            error.add_note(f"the last failure: {kind}: {self.failure}")
        return error


def _passes(error: NectarError) -> bool:
    """Whether the next look may succeed where this one failed."""
    if isinstance(error, TransportError):
        return not (error.is_permanent or isinstance(error, BodyTooLargeError))
    return isinstance(error, ServerError | RateLimitedError | DeadlineExceededError)


def _bound(timeout: object) -> float:
    if timeout is None:
        return math.inf
    if isinstance(timeout, int | float) and timeout is not True and timeout >= 0:
        return float(timeout)
    raise InvalidArgumentError(
        "timeout must be a number of seconds from 0 (None for no bound), not"
        f" {timeout!r}"
    )
