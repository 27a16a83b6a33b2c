"""Work that is brought to its end, however its caller is cancelled.

A shielded scope holds off what anyio cancels. `asyncio.timeout`, `asyncio.wait_for` and
a task's own `cancel()` go past it: a thread would write on with nobody waiting, and a
transport would stay half closed. So the work has a task of its own, which they do not
reach, and the caller is held until it is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, TypeVarTuple, Unpack

import anyio
import anyio.lowlevel
import anyio.to_thread

__all__ = ["finish", "in_thread"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def finish(work: Callable[[], Awaitable[T]]) -> T:
    """What the work gives; a caller that is cancelled meanwhile goes when it is over.

    Raises:
        Exception: what the work raises, as it is.
    """
    came: list[T] = []
    failed: list[Exception] = []

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            try:
                came.append(await work())
            except Exception as error:  # noqa: BLE001 - raised below, outside the group
                failed.append(error)

    # Shielded twice: this one holds off scopes, so that nothing that came is lost to
    # them; the one above the end of the group when the caller's task is cancelled.
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as group:
            group.start_soon(run)
    if failed:
        raise failed[0]
    return came[0]


async def in_thread(function: Callable[[Unpack[Ts]], T], *arguments: *Ts) -> T:
    """What a function that may block gives, in a thread that is never left behind.

    A caller that is cancelled already does not begin.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    return await finish(partial(anyio.to_thread.run_sync, function, *arguments))
