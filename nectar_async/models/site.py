"""Sites: the buildings and places of a company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys

__all__ = ["Site"]


@frozen(kw_only=True)
class Site(Model):
    """A place of a company to which meters belong.

    Companies and usage data have the whole object inside; meters have its ID only.
    Usage is summed up by the site of the meter, not of the account.
    """

    id: str
    name: str | None = None
    data_collection_stop_date: date | None = None
    """The site is archived after this day. The field cannot be updated, so the API
    cannot restore a deleted site, which is only archived."""
    external_id: str | None = None
    """Your own ID of the site; exports such as Energy Star use it too."""
    address: str | None = None
    path: tuple[str, ...] = ()
    """Location tags from general to specific, at most ten."""
    occupancy_percent: Decimal | None = None
    """Occupied share of the site, from 0 to 100 with up to four decimal places."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
