"""Handlers of the team that the API key belongs to."""

from __future__ import annotations

from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.messages import Reply

__all__ = ["get", "update"]


async def get(call: Call) -> Reply:
    """Get the team."""
    return Reply.json(call.state.team.as_json())


async def update(call: Call) -> Reply:
    """Replace the members, if the body has any."""
    if "users" in call.json:
        call.state.team.replace_users(call.json["users"])
    return await get(call)
