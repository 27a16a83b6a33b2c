"""Transports that send requests over the network, or answer from memory or a recording.

`AiohttpTransport` and the two classes for recordings are imported on first use: aiohttp
and `nectar_async.recording` take longer to import than everything else that a client
needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from nectar_async.transports._mode import Mode
from nectar_async.transports.memory import MemoryTransport

if TYPE_CHECKING:
    from nectar_async.transports.aiohttp import AiohttpTransport
    from nectar_async.transports.recorder import Recorder
    from nectar_async.transports.replay import RecordedTransport

__all__ = [
    "AiohttpTransport",
    "MemoryTransport",
    "Mode",
    "RecordedTransport",
    "Recorder",
]

_MODULES: Final = {
    "AiohttpTransport": "aiohttp",
    "RecordedTransport": "replay",
    "Recorder": "recorder",
}

if not TYPE_CHECKING:  # with `__getattr__`, a type checker would accept every name

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
