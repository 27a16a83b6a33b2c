"""What a sandbox keeps beside its portfolio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from attrs import frozen

from nectar_async.sandbox.server.files import FileStore
from nectar_async.sandbox.server.invitations import InvitationStore
from nectar_async.sandbox.server.jobs import JobStore
from nectar_async.sandbox.server.team import TeamRecord

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.portfolio import Portfolio

__all__ = ["ServerState"]


@frozen(kw_only=True)
class ServerState:
    """Things that are made and changed by calls, and are gone with the sandbox."""

    files: FileStore
    invitations: InvitationStore
    jobs: JobStore
    team: TeamRecord

    @classmethod
    def empty(cls, portfolio: Portfolio, *, file_bytes: int | None) -> Self:
        """What there is at the beginning; it follows the portfolio's clock."""
        clock = portfolio.clock
        files = FileStore(seed=portfolio.seed, clock=clock, size=file_bytes)
        return cls(
            files=files,
            invitations=InvitationStore(portfolio.ids, clock),
            jobs=JobStore(portfolio, clock, files),
            team=TeamRecord(portfolio.ids),
        )
