"""The handler of the ping, which tests the API key and the version."""

from __future__ import annotations

from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.messages import Reply

__all__ = ["get"]


async def get(call: Call) -> Reply:
    """Reply with the version."""
    version = "v2" if call.version == "v2.0" else call.version
    return Reply.json(f"pong {version}")
