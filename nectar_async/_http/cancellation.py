"""Run work to its end, however the task that waits for it is cancelled.

A shielded scope protects from anyio's cancellation, but not from `asyncio.timeout`,
`asyncio.wait_for` or a task's own `cancel()`: a thread would go on writing after its
caller had left, and a transport would stay half closed. So the work runs in a task of
its own, which those do not reach, and the caller waits until that task is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, TypeVarTuple, Unpack

import anyio
import anyio.lowlevel
import anyio.to_thread

__all__ = ["run_in_thread", "run_to_end"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def run_to_end(work: Callable[[], Awaitable[T]]) -> T:
    """Run work and return its result; if the caller is cancelled, it waits for the end.

    Raises:
        Exception: whatever the work raises, unchanged.
    """
    results: list[T] = []
    errors: list[Exception] = []

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            try:
                results.append(await work())
            except Exception as error:  # noqa: BLE001 - raised below, outside the group
                errors.append(error)

    # Shielded twice. This scope protects the result from the scopes of the caller. The
    # one above protects the work from the end of the group, when the caller's task is
    # cancelled.
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as group:
            group.start_soon(run)
    if errors:
        raise errors[0]
    return results[0]


async def run_in_thread(function: Callable[[Unpack[Ts]], T], *arguments: *Ts) -> T:
    """Run a function that may block in a thread, and never leave the thread behind.

    If the caller is already cancelled, the function is not called.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    return await run_to_end(partial(anyio.to_thread.run_sync, function, *arguments))
