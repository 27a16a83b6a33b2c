"""The event loop of a process of our own: the `nectar` command, and the sandbox's.

Nobody else's: what is awaited in a program runs on the loop of that program.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TypeVar, TypeVarTuple, Unpack

import anyio

__all__ = ["run_loop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run_loop(work: Callable[[Unpack[Ts]], Awaitable[T]], *arguments: *Ts) -> T:
    """What the work gives; on uvloop (the extra `speed`) where that is installed."""
    options = {"use_uvloop": _has_uvloop()}
    return anyio.run(work, *arguments, backend="asyncio", backend_options=options)


def _has_uvloop() -> bool:
    if sys.platform == "win32":  # whatever bears its name there is not it
        return False
    try:
        import_module("uvloop")
    except ImportError:
        return False
    return True
