"""Companies: the owners of sites and connections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys
from nectar_async.models.site import Site

__all__ = ["Company"]


@frozen(kw_only=True)
class Company(Model):
    """A client whose utility bills are collected.

    The answer for a company holds its sites as whole objects and its users as e-mail
    addresses. An update that sends `users` replaces the whole list.
    """

    id: str
    name: str | None = None
    is_demand_enabled: bool | None = None
    """Whether electricity demand is extracted from bills as well (beta)."""
    sites: tuple[Site, ...] = ()
    """Every site as a whole object, not its id."""
    users: tuple[str, ...] = ()
    """E-mail addresses, not ids."""
    external_id: str | None = None
    """Your own ID of the company."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on; the server's default is 1 January of the
    previous year. Accounts, sites and connections may have dates of their own."""
    is_implied_metering_enabled: bool | None = None
    """Whether sewer usage is estimated for bills with water but no sewer reading."""
    implied_metering_fraction: Decimal | None = None
    """Share of the water usage that is taken as sewer usage, from 0 to 1."""
    is_basic_identifier_mapping_enabled: bool | None = None
    """Whether meters are identified by a smaller set of identifier types."""
    is_low_accuracy_mode_enabled: bool | None = None
    """Whether bills are processed faster and less accurately."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
