"""Intervals: the readings of smart meters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys
from nectar_async.models.meter import MeterIdentifier

__all__ = ["Interval"]


@frozen(kw_only=True)
class Interval(Model):
    """The usage of one meter in one interval, such as 15 minutes.

    It names its meter by identifiers, not by an ID.
    """

    id: str
    created: datetime | None = None
    identifiers: tuple[MeterIdentifier, ...] = ()
    """The identifiers of the meter."""
    account: str | None = None
    """Id of the account."""
    start: datetime | None = None
    """An instant, not a day; the filters of interval lists are instants too."""
    end: datetime | None = None
    usage: Decimal | None = None
    """The amount of the interval in `usage_units`."""
    usage_units: str | None = None
    """Free text: here the API does not list its units."""
    quality: str | None = None
    """Free text: its values are not published."""
    updated: datetime | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
