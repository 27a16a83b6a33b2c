"""The transports: over the network, from memory, and from a recording.

`AiohttpTransport` loads aiohttp, and the two classes of recordings load
`nectar_async.recording`: together longer than everything else that a client needs. So
these three load on first use.
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

_LATE: Final = {
    "AiohttpTransport": "aiohttp",
    "RecordedTransport": "replay",
    "Recorder": "recorder",
}

if not TYPE_CHECKING:  # a checker that saw this would accept every name

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
