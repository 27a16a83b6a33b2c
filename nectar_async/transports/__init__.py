"""What carries requests: over the network, or nowhere at all.

Loaded by name, so that whoever replays a recording, or tests on `MemoryTransport`,
never loads aiohttp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_async._lazy import lazy

if TYPE_CHECKING:
    from nectar_async.transports._mode import Mode
    from nectar_async.transports.aiohttp import AiohttpTransport
    from nectar_async.transports.memory import MemoryTransport
    from nectar_async.transports.recorder import Recorder
    from nectar_async.transports.replay import RecordedTransport

__all__ = [
    "AiohttpTransport",
    "MemoryTransport",
    "Mode",
    "RecordedTransport",
    "Recorder",
]

_HOMES: Final = {
    "AiohttpTransport": "live",
    "MemoryTransport": "memory",
    "Mode": "_mode",
    "RecordedTransport": "recorded",
    "Recorder": "recorder",
}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
