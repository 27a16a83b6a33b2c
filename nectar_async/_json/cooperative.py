"""Long work in steps, one step in each turn of the event loop.

Nothing else runs in the event loop while a body is decompressed or decoded. A thread
would not help, because decoding holds Python's lock. So long work is a generator that
yields after each step, and a client runs one step of all its work in each turn: ten
answers that arrive together block the loop no longer than one.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, TypeVar

import anyio
import anyio.lowlevel

__all__ = ["PIECE_SIZE", "SMALL_BODY", "CooperativeScheduler", "Steps", "run_at_once"]

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work in steps, and its result."""

PIECE_SIZE: Final = 256 * 1024
"""Bytes of a body that are handled in one step; one or two milliseconds, measured."""

SMALL_BODY: Final = 16 * 1024
"""Bytes of a body that need no steps; a tenth of a millisecond."""

# From the arrival of an answer until the next request is sent takes several turns of
# the event loop: the answer is parsed, its task wakes up, the permit is passed on, and
# another task sends. After this many turns without traffic there is none under way.
_QUIET_TURNS: Final = 3
_MAX_TURNS: Final = 8


def run_at_once(work: Steps[T]) -> T:
    """Run all steps without a pause, and return the result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


class CooperativeScheduler:
    """Runs at most one step of work in each turn of the event loop, in FIFO order.

    A step runs only when there is no traffic: an answer that has arrived lets the next
    request go out, and a step of work would delay that.
    """

    def __init__(self) -> None:
        self._lock = anyio.Lock(fast_acquire=True)
        self._traffic = 0

    def note_traffic(self) -> None:
        """Note that a request is sent, or that an answer has arrived."""
        self._traffic += 1

    async def wait_for_quiet(self) -> None:
        """Wait until there is no traffic, for at most eight turns of the event loop."""
        quiet_turns = 0
        for _ in range(_MAX_TURNS):
            before = self._traffic
            await anyio.lowlevel.checkpoint()
            quiet_turns = quiet_turns + 1 if self._traffic == before else 0
            if quiet_turns == _QUIET_TURNS:
                return

    async def run(self, work: Steps[T], size: int) -> T:
        """Run the work and return its result; small work is run at once.

        Args:
            work: the steps.
            size: of the decompressed body that the work is about, in bytes.

        Raises:
            Exception: any exception of the work.
        """
        if size <= SMALL_BODY:
            return run_at_once(work)
        while True:
            async with self._lock:
                await self.wait_for_quiet()
                try:
                    next(work)
                except StopIteration as end:
                    result: T = end.value
                    return result
