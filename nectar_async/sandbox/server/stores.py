"""The stores of what is not in the portfolio: files, invitations, jobs, the team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from attrs import frozen

from nectar_async.sandbox.server.files import FileStore
from nectar_async.sandbox.server.invitations import InvitationStore
from nectar_async.sandbox.server.upload_jobs import JobStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nectar_async.sandbox.generator.ids import Ids
    from nectar_async.sandbox.generator.portfolio import Portfolio

__all__ = ["CALLER", "ServerState", "TeamRecord"]

CALLER = "owner@example.com"
"""The user whom the sandbox's API keys belong to."""

_MEMBERS = (CALLER, "ops@example.com", "energy@example.com")


class TeamRecord:
    """The team that the sandbox's API keys belong to; the caller is always a member."""

    def __init__(self, ids: Ids) -> None:
        self._id = ids.make("team", 0)
        self._users: tuple[str, ...] = _MEMBERS

    @property
    def users(self) -> tuple[str, ...]:
        """The members' e-mail addresses, the caller's first."""
        return self._users

    def replace_users(self, users: Iterable[str]) -> None:
        """Replace the members, except for the caller; repeated addresses count once."""
        addresses = {address.lower(): address for address in (CALLER, *users)}
        self._users = tuple(addresses.values())

    def as_json(self) -> dict[str, Any]:
        """Build the team's JSON."""
        return {
            "id": self._id,
            "name": "Example Energy Team",
            "email": "billing@example.com",
            "users": self._users,
            "billing": {},
        }


@frozen(kw_only=True)
class ServerState:
    """The stored entities that are not part of the portfolio."""

    files: FileStore
    invitations: InvitationStore
    jobs: JobStore
    team: TeamRecord

    @classmethod
    def create(cls, portfolio: Portfolio, *, file_bytes: int | None) -> Self:
        """Create the state of a new sandbox, with the portfolio's clock."""
        clock = portfolio.clock
        files = FileStore(seed=portfolio.seed, clock=clock, size=file_bytes)
        return cls(
            files=files,
            invitations=InvitationStore(portfolio.ids, clock),
            jobs=JobStore(portfolio, files),
            team=TeamRecord(portfolio.ids),
        )
