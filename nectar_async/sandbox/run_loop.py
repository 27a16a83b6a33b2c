"""Runs the event loop of the `nectar` command and of the sandbox process."""

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
    """Run a coroutine function, on uvloop (the extra `speed`) if it is installed."""
    options = {"use_uvloop": _has_uvloop()}
    return anyio.run(work, *arguments, backend="asyncio", backend_options=options)


def _has_uvloop() -> bool:
    if sys.platform == "win32":  # uvloop does not exist there
        return False
    try:
        import_module("uvloop")
    except ImportError:
        return False
    return True
