"""The team behind the sandbox's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["CALLER", "TeamRecord"]

CALLER = "owner@example.com"
"""Whose key it is that opens the sandbox."""

_MEMBERS = (CALLER, "ops@example.com", "energy@example.com")


class TeamRecord:
    """Its members, of whom the caller is always one."""

    def __init__(self, ids: Ids) -> None:
        self._id = ids.make("team", 0)
        self._users: tuple[str, ...] = _MEMBERS

    def replace_users(self, users: Iterable[str]) -> None:
        """The members from now on, the caller in front; no address stands twice."""
        addresses = {address.lower(): address for address in (CALLER, *users)}
        self._users = tuple(addresses.values())

    def as_json(self) -> dict[str, Any]:
        """The team as the API sends it."""
        return {
            "id": self._id,
            "name": "Example Energy Team",
            "email": "billing@example.com",
            "users": self._users,
            "billing": {},
        }
