"""A function of the caller's, plain or async, called in the middle of something."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

__all__ = ["Callback", "tell"]

Callback = Callable[..., Any]
"""Called on the event loop; when it gives an awaitable, that is awaited."""


async def tell(callback: Callback | None, *news: object) -> None:
    """Call it, if there is one; what it raises is raised."""
    if callback is None:
        return
    answer = callback(*news)
    if isawaitable(answer):
        await answer
