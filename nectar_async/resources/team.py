"""Operations on the team that the API key belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from nectar_async._http.request import Request
from nectar_async._types import UNSET, Unset
from nectar_async.models.team import Team
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import check_email, list_check
from nectar_async.resources._resource import Resource

__all__ = ["TeamProfile"]

_FIELDS = FieldTable({"users": list_check(check_email)})


class TeamProfile(Resource):
    """The team and its billing profile.

    https://docs.nectarclimate.com/api-reference/v2-2/team/get-team
    """

    async def get(self) -> Team:
        """Return the team with its members. `team_get`, GET /team."""
        return await self._fetch(Request.get("team_get", "/team", Team))

    async def update(self, users: Iterable[str] | Unset = UNSET) -> Team:
        """Change the members of the team. `team_update`, PATCH /team.

        `users` are e-mail addresses and REPLACE the whole list: members who are not in
        it are removed. You always stay a member, so `[]` leaves only you.

        Raises:
            InvalidArgumentError: `users` is no list of addresses; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "team_update",
                "/team",
                Team,
                json=_FIELDS.build_body(locals()),
                is_repeatable=True,
            )
        )
