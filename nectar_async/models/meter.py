"""Meters and the identifiers that bills print for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.models.enums import IdentifierType

__all__ = ["MeterIdentifier"]


@frozen(kw_only=True, weakref_slot=False)
class MeterIdentifier:
    """One number by which bills name a meter: a serial, an account, a delivery point.

    A meter may have several; an update of its identifiers replaces all of them.
    """

    raw_name: str | None = None
    """The caption as printed on the bill."""
    value: str | None = None
    """The identifier as it stands on the bill. The `identifier` filters compare it
    without case, leading zeros, spaces, dashes, underscores, commas and slashes."""
    name: IdentifierType | None = None
    """The type to which the caption was mapped."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
