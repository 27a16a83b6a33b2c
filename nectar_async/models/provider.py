"""Utility providers: the utilities that can be connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import names_of

__all__ = ["UtilityProvider"]


@frozen(kw_only=True)
class UtilityProvider(Model):
    """A utility that the search for providers knows.

    The API does not publish what its search answers with: what else it sends is in
    `extra`.
    """

    id: str | None = None
    """Goes into an invitation as `datasource_id`."""
    name: str | None = None
    url: str | None = None
    """The portal of the utility."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
