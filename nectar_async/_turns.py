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

__all__ = ["PIECE", "Steps", "Turns", "at_once", "others_first"]

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work in pieces, and what comes of it."""

PIECE: Final = 256 * 1024
"""Bytes of a body that are a piece; measured, one or two milliseconds."""


# From bytes in a socket to the next request on its way is several turns of the event
# loop: the answer is parsed, its task wakes, the permit is passed on, another sends.
_TURNS: Final = 6


async def others_first() -> None:
    """Have sockets that have something read, and their next requests sent, first."""
    for _ in range(_TURNS):
        await anyio.lowlevel.checkpoint()


def at_once(work: Steps[T]) -> T:
    """What comes of the work, with nothing in between."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


class Turns:
    """Who may do a piece of work in this turn of the event loop: one, in line."""

    def __init__(self) -> None:
        self._lock = anyio.Lock(fast_acquire=True)

    async def take(self, work: Steps[T]) -> T:
        """What comes of the work.

        Raises:
            Exception: what the work raises, as it is.
        """
        while True:
            async with self._lock:
                try:
                    next(work)
                except StopIteration as end:
                    result: T = end.value
                    await anyio.lowlevel.checkpoint()
                    return result
                await anyio.lowlevel.checkpoint()
