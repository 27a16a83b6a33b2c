"""The transports: over the network, from memory, and from a recording.

`AiohttpTransport` loads on first use, so that a program on recordings or on a
`MemoryTransport` never loads aiohttp.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from nectar_async.transports._mode import Mode
from nectar_async.transports.memory import MemoryTransport
from nectar_async.transports.recorder import Recorder
from nectar_async.transports.replay import RecordedTransport

if TYPE_CHECKING:
    from nectar_async.transports.aiohttp import AiohttpTransport

__all__ = [
    "AiohttpTransport",
    "MemoryTransport",
    "Mode",
    "RecordedTransport",
    "Recorder",
]

if not TYPE_CHECKING:  # a checker that saw this would accept every name

    def __getattr__(name: str) -> object:
        if name != "AiohttpTransport":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module("nectar_async.transports.aiohttp").AiohttpTransport
