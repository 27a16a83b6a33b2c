"""Work that takes long, a piece in each turn of the event loop.

Nothing else runs while a body is unpacked or decoded. A thread would not help: decoding
holds Python's lock. So long work is a generator that yields wherever others may go on,
and of all the work of a client one piece is done a turn: ten answers that come at once
are no longer a stop than one.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, TypeVar

import anyio
import anyio.lowlevel

__all__ = ["PIECE_SIZE", "SMALL_BODY", "CooperativeScheduler", "Steps", "run_at_once"]

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work in pieces, and what comes of it."""

PIECE_SIZE: Final = 256 * 1024
"""Bytes of a body that are a piece; measured, one or two milliseconds."""


# From bytes in a socket to the next request on its way is several turns of the event
# loop: the answer is parsed, its task wakes, the permit is passed on, another sends. In
# so many turns without a step of that kind there is none under way.
_STILL: Final = 3
_MOST_TURNS: Final = 8

SMALL_BODY: Final = 16 * 1024
"""Bytes of a body that are no work: a tenth of a millisecond."""


def run_at_once(work: Steps[T]) -> T:
    """What comes of the work, with nothing in between."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


class CooperativeScheduler:
    """Who may do a piece of work in this turn of the event loop: one, in line.

    And only when nothing moves on the wire: an answer that is there lets the next
    request go, and a piece of work would hold that up.
    """

    def __init__(self) -> None:
        self._lock = anyio.Lock(fast_acquire=True)
        self._moves = 0

    def moved(self) -> None:
        """A request goes out, or an answer came in."""
        self._moves += 1

    async def still(self) -> None:
        """Let what moves on the wire go first."""
        quiet = 0
        for _ in range(_MOST_TURNS):
            before = self._moves
            await anyio.lowlevel.checkpoint()
            quiet = quiet + 1 if self._moves == before else 0
            if quiet == _STILL:
                return

    async def take(self, work: Steps[T], size: int) -> T:
        """What comes of the work; little of it is done without standing in line.

        Args:
            work: what is to be done.
            size: of the body that it is about, in bytes, unpacked.

        Raises:
            Exception: what the work raises, as it is.
        """
        if size <= SMALL_BODY:
            return run_at_once(work)
        while True:
            async with self._lock:
                await self.still()
                try:
                    next(work)
                except StopIteration as end:
                    result: T = end.value
                    return result
