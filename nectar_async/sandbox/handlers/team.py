"""The team that the key belongs to."""

from __future__ import annotations

from nectar_async.sandbox.server.messages import Call, Reply

__all__ = ["get", "update"]


async def get(call: Call) -> Reply:
    """The team."""
    return Reply.json(call.state.team.as_json())


async def update(call: Call) -> Reply:
    """The team with other members, if there are any in the body."""
    if "users" in call.json:
        call.state.team.replace_users(call.json["users"])
    return await get(call)
