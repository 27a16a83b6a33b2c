"""The team: whoever the key belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from nectar_async._http.request import Request
from nectar_async._types import UNSET, Unset
from nectar_async.models.team import Team
from nectar_async.resources._checks import email, many
from nectar_async.resources._field_table import Fields
from nectar_async.resources._resource import Resource

__all__ = ["BODY", "TeamProfile"]

BODY = Fields({"users": many(email)})


class TeamProfile(Resource):
    """The team and its billing profile.

    https://docs.nectarclimate.com/api-reference/v2-2/team/get-team
    """

    async def get(self) -> Team:
        """The team with its members. `team_get`, GET /team."""
        return await self._fetch(Request.get("team_get", "/team", Team))

    async def update(self, users: Iterable[str] | Unset = UNSET) -> Team:
        """Change the members. `team_update`, PATCH /team.

        `users` are e-mail addresses and REPLACE the whole list: whoever is not in it is
        out. You always stay in, so `[]` leaves you alone.

        Raises:
            InvalidArgumentError: no list, or no addresses; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "team_update",
                "/team",
                Team,
                json=BODY.body(locals()),
                is_repeatable=True,
            )
        )
