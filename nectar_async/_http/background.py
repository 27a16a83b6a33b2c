"""Background tasks: they run in no cancel scope of a caller, and end when asked to.

A task group that stays open between two steps of an iterator belongs to the task that
opened it: a generator that is closed elsewhere, or two iterators that are left in the
wrong order, break the caller's own scopes. A background task opens and closes its group
by itself. This is the only module besides the aiohttp transport that knows the event
loops, because anyio has no such tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar, copy_context
from importlib import import_module
from typing import Any

import anyio
import anyio.lowlevel

from nectar_async.errors import ClientClosedError, WrongLoopError

__all__ = [
    "BackgroundTask",
    "current_background_task",
    "find_first_error",
    "is_foreign_cancellation",
]

_asyncio_tasks: set[asyncio.Task[None]] = set()
"""References to running tasks, because asyncio itself keeps weak ones only."""


current_background_task: ContextVar[BackgroundTask | None] = ContextVar(
    "nectar_async_background_task", default=None
)
"""The background task that the running code is part of."""


class BackgroundTask:
    """Runs a function in a task of its own, with the caller's context variables.

    The task ends when it is cancelled here or when its event loop ends; the end of the
    task that started it does not matter.

    Args:
        work: the function to run. It must not refer to the object whose finalizer
            cancels the task, because that object would then never be collected.
        name: the name of the task, for debuggers.
        on_end: called once, when the task has ended.
    """

    def __init__(
        self,
        work: Callable[[], Awaitable[None]],
        name: str,
        on_end: Callable[[BackgroundTask], None],
    ) -> None:
        self.error: BaseException | None = None
        """Why the task ended; None while it runs."""
        self._on_end = on_end
        self._scope = anyio.CancelScope()
        self._end = anyio.Event()
        loop: Any = anyio.lowlevel.current_token().native_token
        self._loop = loop
        self._call_soon_threadsafe: Callable[[Callable[[], None]], Any]
        if isinstance(loop, asyncio.AbstractEventLoop):
            self._call_soon_threadsafe = loop.call_soon_threadsafe
            task = loop.create_task(self._run(work), name=name)
            _asyncio_tasks.add(task)
            # A task that is cancelled before its first step runs no line of its own.
            task.add_done_callback(self._finish)
        else:
            self._call_soon_threadsafe = loop.run_sync_soon
            spawn = import_module("trio").lowlevel.spawn_system_task
            spawn(self._run, work, name=name, context=copy_context())

    @property
    def has_ended(self) -> bool:
        """Whether the task has ended."""
        return self._end.is_set()

    def check_loop(self) -> None:
        """Check that the running event loop is the task's, unless the task has ended.

        Raises:
            WrongLoopError: it is another one.
        """
        running = anyio.lowlevel.current_token().native_token
        if running is not self._loop and not self.has_ended:
            raise WrongLoopError(
                "this walk belongs to the event loop that it was entered in, not to"
                " this one; enter, read and leave it in one loop"
            )

    def cancel(self, error: BaseException | None = None) -> None:
        """Cancel the task, from its event loop; `error` becomes its `error`."""
        self.error = self.error or error
        self._scope.cancel()

    def cancel_from_finalizer(self) -> None:
        """Cancel the task, from any thread and at any moment."""
        with suppress(RuntimeError):  # the event loop is closed, and the task with it
            self._call_soon_threadsafe(self._scope.cancel)

    async def aclose(self) -> None:
        """Cancel the task and wait for its end, also if the caller is cancelled.

        Raises:
            WrongLoopError: another event loop is running; the task is cancelled, and
                not waited for.
        """
        if self.has_ended:
            return
        try:
            self.check_loop()
        except WrongLoopError:
            self.cancel_from_finalizer()
            raise
        self.cancel()
        cancellation: BaseException | None = None
        while not self.has_ended:
            try:
                with anyio.CancelScope(shield=True):
                    await self._end.wait()
            except anyio.get_cancelled_exc_class() as error:
                # `asyncio.Task.cancel` ignores shields. The error is raised below.
                cancellation = error
        if cancellation is not None:
            raise cancellation

    async def wait(self) -> None:
        """Wait for the end of the task."""
        await self._end.wait()

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        current_background_task.set(self)
        try:
            with self._scope:
                await work()
        except anyio.get_cancelled_exc_class():
            raise  # the event loop ends
        except BaseException as error:  # noqa: BLE001 - raised by the reader of `error`
            # An error that left the task would end the whole program on trio.
            self.error = find_first_error(error)
        finally:
            self._finish()

    def _finish(self, task: asyncio.Task[None] | None = None) -> None:
        if task is not None:
            _asyncio_tasks.discard(task)
        if not self.has_ended:
            if not self._scope.cancel_called and self.error is None:
                self.error = ClientClosedError(
                    "the event loop ended while this was running in the background"
                )
            self._end.set()
            self._on_end(self)


def find_first_error(error: BaseException) -> BaseException:
    """Find the first error in an exception group that is no cancellation."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    _, others = error.split(anyio.get_cancelled_exc_class())
    return find_first_error((others or error).exceptions[0])


def is_foreign_cancellation() -> bool:
    """Whether a cancellation that was just caught is certainly not one of this task.

    asyncio raises `CancelledError` also where a task waits for another one, or for a
    future, that somebody cancelled. On trio only a scope can cancel.
    """
    if not isinstance(
        anyio.lowlevel.current_token().native_token, asyncio.AbstractEventLoop
    ):
        return False
    task = asyncio.current_task()
    is_scope_cancelled = anyio.current_effective_deadline() == float("-inf")
    return task is not None and task.cancelling() == 0 and not is_scope_cancelled
