"""What carries requests: over the network, or nowhere at all.

Loaded by name, so that whoever tests on `MemoryTransport` never loads aiohttp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_async._facade import lazy

if TYPE_CHECKING:
    from nectar_async.transports.live import AiohttpTransport
    from nectar_async.transports.memory import MemoryTransport

__all__ = ["AiohttpTransport", "MemoryTransport"]

_HOMES: Final = {"AiohttpTransport": "live", "MemoryTransport": "memory"}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
