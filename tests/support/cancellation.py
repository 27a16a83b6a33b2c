"""A pull that is cancelled at every turn of the event loop, one after the other.

Every await that waits is over a turn boundary, so a pull that was cancelled after 0, 1,
2, ... turns, until it was quicker, was cancelled at each of its awaits.
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

__all__ = ["TWICE", "WAYS", "Case", "Threads", "cancelled_everywhere"]

WAYS = (
    pytest.param("task"),
    pytest.param("asyncio-sparsely"),
    pytest.param("trio-sparsely"),
    pytest.param("asyncio", marks=pytest.mark.slow),
    pytest.param("trio", marks=pytest.mark.slow),
)
"""How a pull is cancelled: by a scope of anyio on either backend, or by `cancel()` of
its asyncio task. `-sparsely` leaves out some turns, the more the later."""

TWICE = (
    pytest.param("task-twice-sparsely"),
    pytest.param("task-twice", marks=pytest.mark.slow),
)
"""The task is cancelled again while it cleans up."""

_MOST_TURNS = 100_000


class Case:
    """One pull, what it gives, and how it is taken up after it was cancelled."""

    nectar: NectarClient
    transport: MemoryTransport
    is_quiet = True
    """Whether nothing runs on once the pull was cancelled."""

    async def idle(self) -> None:
        """No permit is held or waited for, and nothing more is asked for."""
        self.no_permit_is_held()
        asked = len(self.transport.requests)
        await settle_down(10)
        assert len(self.transport.requests) == asked

    def no_permit_is_held(self) -> None:
        limiters = (self.nectar._session.limiter, self.nectar._session.download_limiter)
        assert [(limiter.in_flight, limiter.waiting) for limiter in limiters] == [
            (0, 0),
            (0, 0),
        ]

    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        """What stays open while the pull is cancelled and taken up."""
        yield

    async def pull(self) -> None:
        """What is cancelled."""
        raise NotImplementedError

    async def take_up(self, *, is_over: bool) -> None:
        """Go on, or once more, and hold what came against what is there."""
        raise NotImplementedError


class Threads:
    """Work in threads that is done at a turn of the loop, and not some time.

    It takes one turn at least, so that there is one in which it is cancelled; whoever
    waits for it is shielded, as in anyio, which an asyncio task's own `cancel()` does
    not care about.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._real = anyio.to_thread.run_sync
        self._waiting: list[tuple[Callable[[], None], anyio.Event]] = []
        self.is_held = False
        """Whether work waits for `turn`."""
        patch.setattr(anyio.to_thread, "run_sync", self.run_sync)

    async def run_sync(
        self, function: Callable[..., Any], *given: Any, **options: Any
    ) -> Any:
        await anyio.lowlevel.checkpoint()
        if not self.is_held:
            return await self._real(function, *given, **options)
        came: list[Any] = []
        failed: list[Exception] = []

        def work() -> None:
            try:
                came.append(function(*given))
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                failed.append(error)

        done = anyio.Event()
        self._waiting.append((work, done))
        with anyio.CancelScope(shield=not options.get("abandon_on_cancel")):
            await done.wait()
        if failed:
            raise failed[0]
        return came[0]

    @property
    def are_busy(self) -> bool:
        """Whether something is held."""
        return bool(self._waiting)

    def turn(self) -> None:
        """Have done what waits."""
        waiting, self._waiting = self._waiting, []
        for work, done in waiting:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            done.set()

    async def let_go(self) -> None:
        """Have done what waits, a turn later, and hold nothing from now on."""
        await anyio.lowlevel.checkpoint()
        self.is_held = False
        self.turn()


async def cancelled_everywhere(
    begin: Callable[[], Case],
    way: str,
    threads: Threads,
    *,
    sparsely: bool = False,
) -> int:
    """Cancel after 0, 1, 2, ... turns; how many there were.

    Args:
        begin: makes the pull anew.
        way: one of `WAYS` or of `TWICE`.
        threads: what holds the work in threads.
        sparsely: whether some turns are left out, the more the later.
    """
    sparsely = sparsely or way.endswith("-sparsely")
    before = _tasks()
    turns = -1
    while True:
        turns += 1 + (max(turns, 0) // 4 if sparsely else 0)
        assert turns < _MOST_TURNS, "it does not end"
        case = begin()
        threads.is_held = True
        async with case.around():
            if way.startswith("task"):
                twice = way.startswith("task-twice")
                is_over = await _by_task(case, turns, threads, is_twice=twice)
            else:
                is_over = await _by_scope(case, turns, threads)
            await threads.let_go()
            if case.is_quiet:
                await case.idle()
                assert _tasks() == before, f"a task is left after {turns} turns"
            await case.take_up(is_over=is_over)
        await case.idle()
        assert _tasks() == before, f"a task is left after {turns} turns"
        await case.nectar.aclose()
        if is_over:
            return turns


async def _tick(turns: int, threads: Threads) -> None:
    for _ in range(turns):
        threads.turn()
        await anyio.lowlevel.checkpoint()


async def _by_scope(case: Case, turns: int, threads: Threads) -> bool:
    scope = anyio.CancelScope()

    async def cancel() -> None:
        await _tick(turns, threads)
        scope.cancel()
        await threads.let_go()

    async with anyio.create_task_group() as group:
        group.start_soon(cancel)
        with scope:
            await case.pull()
        group.cancel_scope.cancel()
    return not scope.cancelled_caught


async def _by_task(case: Case, turns: int, threads: Threads, *, is_twice: bool) -> bool:
    task = asyncio.create_task(case.pull())
    await _tick(turns, threads)
    for _ in range(1 + is_twice):
        task.cancel()
        await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    assert not (task.done() and threads.are_busy), "a thread works on"
    await threads.let_go()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return not task.cancelled()


def _tasks() -> int:
    """Tasks that anyio knows, and on asyncio all there are but those of a sandbox."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return len(anyio.get_running_tasks())
    names = [getattr(task.get_coro(), "__qualname__", "") for task in tasks]
    return len([name for name in names if name != "RequestHandler.start"])
