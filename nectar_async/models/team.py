"""The team: whoever the API key belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import names_of

__all__ = ["Team"]


@frozen(kw_only=True)
class Team(Model):
    """The organization of the API key: who is in it, and who pays.

    An update that sends `users` replaces the whole list; whoever calls stays in.
    """

    id: str
    """Id of the billing profile."""
    name: str | None = None
    email: str | None = None
    """The address for bills from Nectar."""
    users: tuple[str, ...] = ()
    """E-mail addresses, not ids."""
    billing: Secret[Mapping[str, Any]] | None = field(default=None, hash=False)
    """Payment data in no fixed shape, masked as a whole; a link to the portal of the
    payment provider is said to be inside."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
