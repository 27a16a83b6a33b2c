"""The portfolio's things, as values.

Days are ordinals, and amounts are whole numbers in the last decimal place of their
unit; `wire` turns them into what the API sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.commodities import Commodity, Unit
    from nectar_async.sandbox.moments import Cycle, Instant
    from nectar_async.sandbox.names import Region

__all__ = [
    "Account",
    "Company",
    "Connection",
    "Document",
    "Identifier",
    "Meter",
    "Site",
    "UsageRecord",
]


@frozen(kw_only=True)
class Site:
    """A building. Its meters belong to it, whatever account bills them."""

    id: str
    name: str
    address: str
    path: tuple[str, ...]
    external_id: str | None
    stop_day: int | None
    """Archived from this day on; no bill ends later."""
    occupancy_percent: str | None


@frozen(kw_only=True)
class Company:
    """A company with its sites, but nothing that costs much to make."""

    index: int
    id: str
    name: str
    external_id: str | None
    users: tuple[str, ...]
    region: Region = field(repr=False)
    start_date: str | None
    is_demand_enabled: bool
    sewer_percent: int | None
    """Share of water taken as sewer usage; None where implied metering is off."""
    is_basic_identifier_mapping_enabled: bool
    is_low_accuracy_mode_enabled: bool
    sites: tuple[Site, ...]
    planned_records: int
    """About how many usage records two years bring; 0 for none at all."""


@frozen(kw_only=True)
class Identifier:
    """One of the numbers by which a meter is known."""

    raw_name: str
    value: str
    name: str | None


@frozen(kw_only=True)
class Meter:
    """What is read and billed at a site."""

    id: str
    site: Site
    account_id: str
    commodity: Commodity
    unit: Unit
    kind: Mapping[str, str]
    identifiers: tuple[Identifier, ...]
    day_amount: int
    """What an average day comes to."""
    tariff: str | None
    is_tracked: bool
    sends_numbers: bool
    """Whether its decimals are JSON numbers instead of texts; the API allows both."""
    has_time_of_use: bool
    has_register: bool
    is_implied: bool


@frozen(kw_only=True)
class Account:
    """A customer number at a utility; its meters are billed together."""

    id: str
    number: str
    cycle: Cycle
    meters: tuple[Meter, ...]


@frozen(kw_only=True)
class Connection:
    """A login at a utility's portal, which brings accounts."""

    id: str
    utility: str
    status: str
    created: Instant
    updated: Instant
    owner_email: str
    accounts: tuple[Account, ...]


@frozen(kw_only=True)
class Document:
    """A bill."""

    id: str
    utility: str
    currency: str
    account_id: str
    number: str
    bill_day: int | None
    created: Instant
    updated: Instant
    total_cents: int
    revised_document_id: str | None
    """The bill that took this one's place."""


@frozen(kw_only=True, eq=False)
class UsageRecord:
    """What one meter used in one billing period."""

    id: str
    meter: Meter
    document: Document | None
    start: int
    end: int
    created: Instant
    updated: Instant
    amount: int | None
    places: int
    is_estimated: bool = False
    exclusion: bool = False
    peak_amount: int | None = None
    """The part at peak hours; the rest is off peak."""
    register: int | None = None
    """What the meter's register showed at the start of the period."""
    generated: int | None = None
    imported: int | None = None
    exported: int | None = None
    peak_demand: int | None = None
    """Kilowatts, in tenths."""
