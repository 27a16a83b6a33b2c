"""The team: the organization of the API key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys

__all__ = ["Team"]


@frozen(kw_only=True)
class Team(Model):
    """The organization of the API key, with its members and its billing profile.

    An update of `users` replaces the whole list; the caller stays a member.
    """

    id: str
    """ID of the billing profile."""
    name: str | None = None
    email: str | None = None
    """The address for bills from Nectar."""
    users: tuple[str, ...] = ()
    """E-mail addresses, not ids."""
    billing: Secret[Mapping[str, Any]] | None = field(default=None, hash=False)
    """Payment data of any shape, masked as a whole. It may have a link to the portal of
    the payment provider."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
