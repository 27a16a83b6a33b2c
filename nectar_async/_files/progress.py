"""The type of a function that is called with the progress of a transfer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["ByteProgress"]

ByteProgress: TypeAlias = Callable[[int, int | None], object]
"""A function that is called on the event loop with the bytes that are done and the
size, which is None while it is not known. It may be plain or `async`, and no timeout
ends it."""
