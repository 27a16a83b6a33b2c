"""Sites: the buildings and places of a company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import names_of

__all__ = ["Site"]


@frozen(kw_only=True)
class Site(Model):
    """A place of a company to which meters belong.

    The same whole object comes alone, inside a company and inside usage data; meters
    hold its id only. Usage is rolled up by the site of the meter, not of the account.
    """

    id: str
    name: str
    data_collection_stop_date: date | None = None
    """The site is archived once this day is past. The field cannot be written, so a
    deleted site, which is only archived, cannot be brought back through the API."""
    external_id: str | None = None
    """Your own id of the site; exports such as Energy Star use it too."""
    address: str | None = None
    path: tuple[str, ...] = ()
    """Location tags from general to specific, at most ten."""
    occupancy_percent: Decimal | None = None
    """Share of the place that is occupied, from 0 to 100 with up to four decimals."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
