"""A function of the caller's, plain or async, called in the middle of something."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import TypeAlias

from nectar_async.errors import InvalidArgumentError

__all__ = ["ByteProgress", "Callback", "callback", "tell"]

Callback: TypeAlias = Callable[..., object]
"""Called on the event loop; when it gives an awaitable, that is awaited."""

ByteProgress: TypeAlias = Callable[[int, int | None], object]
"""Is given the bytes that are done and the size, which is None while nobody knows it.
It may be plain or `async`; it is called on the event loop."""


def callback(name: str, value: object) -> None:
    """Refuse what cannot be called, before there is anything to tell it.

    Raises:
        InvalidArgumentError: it is neither None nor a function.
    """
    if value is not None and not callable(value):
        kind = type(value).__name__
        raise InvalidArgumentError(f"{name} must be a function, not {kind}")


async def tell(callback: Callback | None, *news: object) -> None:
    """Call it, if there is one; what it raises is raised."""
    if callback is None:
        return
    answer = callback(*news)
    if isawaitable(answer):
        await answer
