"""The link to the portal where webhooks are set up."""

from __future__ import annotations

from hashlib import blake2b

from nectar_async.sandbox.server.messages import Call, Reply

__all__ = ["get"]

_PORTAL = "https://app.svix.com/login#key="


async def get(call: Call) -> Reply:
    """A link that looks like a real one and opens nothing."""
    key = blake2b(str(call.portfolio.seed).encode(), digest_size=24).hexdigest()
    return Reply.json({"url": f"{_PORTAL}{key}"})
