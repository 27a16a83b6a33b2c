"""What a status means for whoever looks after a connection or an account.

The API sends the status alone. What follows from it stands in its guides, and partly
between their lines, so read it as advice: it is not data of the API.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["AccountAdvice", "Advice"]


@frozen(kw_only=True)
class Advice:
    """What the status of a connection means, and what to do about it."""

    meaning: str
    """One sentence."""
    group: Literal["standard", "website", "customer_action", "system", "unknown"]
    """The kind of the status, as the guides sort them. `website` has all that is
    wrong at the portal, so it does not say who acts."""
    who_acts: Literal["nobody", "nectar", "provider", "customer", "unknown"]
    """Who has to do something: Nectar's staff, the utility behind the portal, or you
    and your customer."""
    customer_must_act: bool
    """Whether the connection stays as it is until you or your customer act."""
    is_healthy: bool
    """Whether nothing is known to be wrong. False for a status that is not known."""
    collection: Literal["not yet", "running", "interrupted", "stopped", "unknown"]
    """Whether bills are collected; an interruption ends by itself."""
    does_invitation_help: bool | None
    """Whether a reconnect invitation to the customer mends it; None if not known."""
    action: str
    """What to do, one sentence or two."""


@frozen(kw_only=True)
class AccountAdvice:
    """What the status of an account means, and what to do about it."""

    meaning: str
    """One sentence."""
    is_in_analytics: bool | None
    """Whether the dashboard's analytics count the account; None if not known."""
    action: str
    """What to do, one sentence."""
