"""Advice for each status of a connection or an account.

The API sends the status only. The advice is based on its guides, and partly on
conclusions from them; it is not data of the API.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["AccountAdvice", "Advice"]


@frozen(kw_only=True)
class Advice:
    """The meaning of a connection's status, and the action to take."""

    meaning: str
    """The meaning, in one sentence."""
    group: Literal["standard", "website", "customer_action", "system", "unknown"]
    """The group of the status in the guides. `website` has every problem of the portal,
    so it does not say who has to act."""
    who_acts: Literal["nobody", "nectar", "provider", "customer", "unknown"]
    """The party that has to act: Nectar's staff, the utility behind the portal, or you
    and your customer."""
    customer_must_act: bool
    """Whether nothing changes until you or your customer act."""
    is_healthy: bool
    """Whether there is no known problem. False for an unknown status."""
    collection: Literal["not yet", "running", "interrupted", "stopped", "unknown"]
    """Whether bills are collected. An interruption ends without any action."""
    does_invitation_help: bool | None
    """Whether a reconnect invitation to the customer helps; None if unknown."""
    action: str
    """The action to take, in a few sentences."""


@frozen(kw_only=True)
class AccountAdvice:
    """The meaning of an account's status, and the action to take."""

    meaning: str
    """The meaning, in one sentence."""
    is_in_analytics: bool | None
    """Whether the dashboard's analytics count the account; None if unknown."""
    action: str
    """The action to take, in one sentence."""
