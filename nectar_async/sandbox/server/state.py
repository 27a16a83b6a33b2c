"""What a sandbox keeps beside its portfolio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from attrs import frozen

from nectar_async.sandbox.server.files import Files
from nectar_async.sandbox.server.invitations import Invitations
from nectar_async.sandbox.server.jobs import Jobs
from nectar_async.sandbox.server.team import Team

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.portfolio import Portfolio

__all__ = ["State"]


@frozen(kw_only=True)
class State:
    """Things that are made and changed by calls, and are gone with the sandbox."""

    files: Files
    invitations: Invitations
    jobs: Jobs
    team: Team

    @classmethod
    def empty(cls, portfolio: Portfolio, *, file_bytes: int | None) -> Self:
        """What there is at the beginning; it follows the portfolio's clock."""
        clock = portfolio.clock
        files = Files(seed=portfolio.seed, clock=clock, size=file_bytes)
        return cls(
            files=files,
            invitations=Invitations(portfolio.ids, clock),
            jobs=Jobs(portfolio, clock, files),
            team=Team(portfolio.ids),
        )
