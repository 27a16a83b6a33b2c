"""Run work to its end, in a task or a thread, however its caller is cancelled.

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
import anyio.to_thread
from anyio.lowlevel import RunVar

__all__ = [
    "close_in_thread",
    "run_in_abandoned_thread",
    "run_in_thread",
    "run_to_end",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# anyio's default threads belong to the application. All of them may wait for a call of
# this package, as sync endpoints of a web framework do, and none would be left for it.
_MAX_THREADS = 40
_threads: RunVar[anyio.CapacityLimiter] = RunVar("nectar_async_threads")
# Threads that were left behind must not keep the others waiting.
_abandoned_threads: RunVar[anyio.CapacityLimiter] = RunVar("nectar_async_abandoned")


async def run_to_end(work: Callable[[], Awaitable[T]]) -> T:
    """Run work and return its result; a cancelled caller waits until it has ended.

    Raises:
        Exception: whatever the work raises, unchanged.
        RuntimeError: the work raised a cancellation of its own.
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
    if not results:
        raise RuntimeError("the work ended with a cancellation that nobody asked for")
    return results[0]


async def run_in_thread(function: Callable[[Unpack[Ts]], T], *arguments: *Ts) -> T:
    """Run a function that may block in a thread, and never leave the thread behind.

    The wait for a free thread can be cancelled; then the function is not called.
    """
    async with _get_limiter(_threads):
        call = partial(anyio.to_thread.run_sync, function, *arguments)
        return await run_to_end(partial(call, limiter=anyio.CapacityLimiter(1)))


async def close_in_thread(function: Callable[[], object]) -> None:
    """Run a short clean-up in a thread, at once and to its end."""
    call = partial(anyio.to_thread.run_sync, function)
    await run_to_end(partial(call, limiter=anyio.CapacityLimiter(1)))


async def run_in_abandoned_thread(
    function: Callable[[Unpack[Ts]], T], *arguments: *Ts
) -> T:
    """Run a function without effects in a thread; when cancelled, leave it behind."""
    return await anyio.to_thread.run_sync(
        function,
        *arguments,
        abandon_on_cancel=True,
        limiter=_get_limiter(_abandoned_threads),
    )


def _get_limiter(variable: RunVar[anyio.CapacityLimiter]) -> anyio.CapacityLimiter:
    """Get the limiter of the running event loop."""
    try:
        return variable.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MAX_THREADS)
        variable.set(limiter)
        return limiter
