"""Cancel an operation after each possible number of turns of the event loop.

Each await that waits takes at least one turn. An operation that is cancelled after 0,
1, 2, ... turns, until it ends before, is therefore cancelled at each of its awaits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from doubles import settle_down

from nectar_async import MemoryTransport, NectarClient

__all__ = [
    "CANCEL_MODES",
    "CANCEL_TWICE_MODES",
    "Operation",
    "SteppedThreads",
    "cancel_at_each_turn",
]

CANCEL_MODES = (
    pytest.param("task-sparsely"),
    pytest.param("asyncio-sparsely"),
    pytest.param("trio-sparsely"),
    pytest.param("task", marks=pytest.mark.slow),
    pytest.param("asyncio", marks=pytest.mark.slow),
    pytest.param("trio", marks=pytest.mark.slow),
)
"""The means of cancellation: a scope of anyio on a backend, or `cancel()`
of its asyncio task. `-sparsely` skips some turns, and more of the later ones."""

CANCEL_TWICE_MODES = (
    pytest.param("task-twice-sparsely"),
    pytest.param("task-twice", marks=pytest.mark.slow),
)
"""The task is cancelled a second time during its clean-up."""

_MAX_TURNS = 100_000


class Operation:
    """An operation to cancel, its results, and how it is resumed afterwards."""

    nectar: NectarClient
    transport: MemoryTransport
    ends_with_pull = True
    """Whether nothing runs after the cancellation; False for prefetching."""

    async def assert_idle(self) -> None:
        """Assert that no permit is held or awaited, and that no request follows."""
        self.assert_no_permits()
        count = len(self.transport.requests)
        await settle_down(10)
        assert len(self.transport.requests) == count

    def assert_no_permits(self) -> None:
        limiters = (self.nectar._session.limiter, self.nectar._session.download_limiter)
        assert [(limiter.in_flight, limiter.waiting) for limiter in limiters] == [
            (0, 0),
            (0, 0),
        ]

    @asynccontextmanager
    async def keep_open(self) -> AsyncIterator[None]:
        """Hold the context that stays open during cancellation and resumption."""
        yield

    async def pull(self) -> None:
        """Run the part that is cancelled."""
        raise NotImplementedError

    async def resume(self, *, is_complete: bool) -> None:
        """Continue or start again, and compare the results with the server's data."""
        raise NotImplementedError


class SteppedThreads:
    """Runs the work of threads at chosen turns of the event loop.

    The work takes at least one turn, so that it can be cancelled there. As in anyio,
    the task that waits for it is shielded, but `cancel()` of an asyncio task ignores
    the shield.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._run_sync = anyio.to_thread.run_sync
        self._waiting: list[tuple[Callable[[], None], anyio.Event]] = []
        self.is_held = False
        """Whether work waits for `step`."""
        patch.setattr(anyio.to_thread, "run_sync", self.run_sync)

    async def run_sync(
        self, function: Callable[..., Any], *arguments: Any, **options: Any
    ) -> Any:
        await anyio.lowlevel.checkpoint()
        if not self.is_held:
            return await self._run_sync(function, *arguments, **options)
        results: list[Any] = []
        errors: list[Exception] = []

        def work() -> None:
            try:
                results.append(function(*arguments))
            except Exception as error:  # noqa: BLE001 - raised in the task that waits
                errors.append(error)

        done = anyio.Event()
        self._waiting.append((work, done))
        with anyio.CancelScope(shield=not options.get("abandon_on_cancel")):
            await done.wait()
        if errors:
            raise errors[0]
        return results[0]

    @property
    def are_busy(self) -> bool:
        """Whether work waits for `step`."""
        return bool(self._waiting)

    def step(self) -> None:
        """Run the work that waits, to its end."""
        waiting, self._waiting = self._waiting, []
        for work, done in waiting:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            done.set()

    async def release(self) -> None:
        """Run the work that waits one turn later, and hold back no further work."""
        await anyio.lowlevel.checkpoint()
        self.is_held = False
        self.step()


async def cancel_at_each_turn(
    build: Callable[[], Operation],
    mode: str,
    threads: SteppedThreads,
    *,
    sparsely: bool = False,
) -> int:
    """Cancel an operation after 0, 1, 2, ... turns, until it ends before that.

    Args:
        build: builds the operation anew.
        mode: one of `CANCEL_MODES` or `CANCEL_TWICE_MODES`.
        threads: controls the work of threads.
        sparsely: whether some turns are skipped, and more of the later ones.

    Returns:
        The number of turns that the operation takes.
    """
    sparsely = sparsely or mode.endswith("-sparsely")
    before = _count_tasks()
    turns = -1
    while True:
        turns += 1 + (max(turns, 0) // 4 if sparsely else 0)
        assert turns < _MAX_TURNS, "the operation does not end"
        operation = build()
        threads.is_held = True
        async with operation.keep_open():
            if mode.startswith("task"):
                twice = mode.startswith("task-twice")
                is_complete = await _cancel_by_task(
                    operation, turns, threads, is_twice=twice
                )
            else:
                is_complete = await _cancel_by_scope(operation, turns, threads)
            await threads.release()
            if operation.ends_with_pull:
                await operation.assert_idle()
                assert _count_tasks() == before, f"a task remains after {turns} turns"
            await operation.resume(is_complete=is_complete)
        await operation.assert_idle()
        assert _count_tasks() == before, f"a task remains after {turns} turns"
        await operation.nectar.aclose()
        if is_complete:
            return turns


async def _run_turns(turns: int, threads: SteppedThreads) -> None:
    for _ in range(turns):
        threads.step()
        await anyio.lowlevel.checkpoint()


async def _cancel_by_scope(
    operation: Operation, turns: int, threads: SteppedThreads
) -> bool:
    scope = anyio.CancelScope()

    async def cancel() -> None:
        await _run_turns(turns, threads)
        scope.cancel()
        await threads.release()

    async with anyio.create_task_group() as group:
        group.start_soon(cancel)
        with scope:
            await operation.pull()
        group.cancel_scope.cancel()
    return not scope.cancelled_caught


async def _cancel_by_task(
    operation: Operation, turns: int, threads: SteppedThreads, *, is_twice: bool
) -> bool:
    task = asyncio.create_task(operation.pull())
    await _run_turns(turns, threads)
    for _ in range(1 + is_twice):
        task.cancel()
        await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    assert not (task.done() and threads.are_busy), "a thread still works"
    await threads.release()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return not task.cancelled()


def _count_tasks() -> int:
    """Count the tasks of anyio, or on asyncio all tasks besides those of a sandbox."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return len(anyio.get_running_tasks())
    names = [getattr(task.get_coro(), "__qualname__", "") for task in tasks]
    return len([name for name in names if name != "RequestHandler.start"])
