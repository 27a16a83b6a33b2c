"""The test of key and version."""

from __future__ import annotations

from nectar_async.sandbox.server.messages import Call, Reply

__all__ = ["get"]


async def get(call: Call) -> Reply:
    """The word that shows which version answered."""
    version = "v2" if call.version == "v2.0" else call.version
    return Reply.json(f"pong {version}")
