"""Callbacks: plain or async functions that the caller passes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any, TypeAlias

import anyio

from nectar_async._http.background import is_foreign_cancellation
from nectar_async.errors import InvalidArgumentError

__all__ = ["Callback", "check_callback", "run_callback"]

Callback: TypeAlias = Callable[..., object]
"""A function that is called on the event loop; if it returns an awaitable, that is
awaited. No timeout ends it."""


def check_callback(name: str, value: object) -> None:
    """Refuse a value that cannot be called; None means no callback.

    Raises:
        InvalidArgumentError: it is neither None nor callable.
    """
    if value is not None and not callable(value):
        kind = type(value).__name__
        raise InvalidArgumentError(f"{name} must be a function, not {kind}")


async def run_callback(callback: Callback | None, *arguments: object) -> Any:
    """Call a callback if there is one; its result and its exceptions are passed on.

    Raises:
        RuntimeError: it raised `StopIteration`, `StopAsyncIteration` or a cancellation
            that nobody asked for, which would end a list or a task without an error.
    """
    if callback is None:
        return None
    try:
        result = callback(*arguments)
        return await result if isawaitable(result) else result
    except (StopIteration, StopAsyncIteration) as error:
        raise RuntimeError(f"a callback ended with {error!r}") from error
    except anyio.get_cancelled_exc_class() as error:
        if is_foreign_cancellation():
            raise RuntimeError(f"a callback ended with {error!r}") from error
        raise
