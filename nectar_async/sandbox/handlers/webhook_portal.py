"""The handler that gives the link to the portal where webhooks are set up."""

from __future__ import annotations

from hashlib import blake2b

from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.messages import Reply

__all__ = ["get"]

_PORTAL = "https://app.svix.com/login#key="


async def get(call: Call) -> Reply:
    """Get an invented link, which leads nowhere."""
    key = blake2b(str(call.portfolio.seed).encode(), digest_size=24).hexdigest()
    return Reply.json({"url": f"{_PORTAL}{key}"})
