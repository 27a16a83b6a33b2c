"""Utility providers: the utilities that can be connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys

__all__ = ["UtilityProvider"]


@frozen(kw_only=True)
class UtilityProvider(Model):
    """A utility, as the search for providers returns it.

    The shape of this answer is not documented: other keys are in `extra`.
    """

    id: str | None = None
    """An invitation calls it `datasource_id`."""
    name: str | None = None
    url: str | None = None
    """The portal of the utility."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
