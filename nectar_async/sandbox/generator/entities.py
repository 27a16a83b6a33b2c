"""The portfolio's things, as values.

Days are ordinals, and amounts are whole numbers in the last decimal place of their
unit; `wire` turns them into what the API sends.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.commodities import Commodity, Unit
    from nectar_async.sandbox.generator.dates import Cycle, Instant
    from nectar_async.sandbox.generator.names import Region

__all__ = [
    "AccountRecord",
    "CompanyRecord",
    "ConnectionRecord",
    "DocumentRecord",
    "IdentifierRecord",
    "LoginCheck",
    "MeterRecord",
    "SiteRecord",
    "UsageRecord",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@frozen(kw_only=True)
class SiteRecord:
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
class CompanyRecord:
    """A company with its sites, but nothing that costs much to make."""

    index: int
    id: str
    name: str
    external_id: str | None
    users: tuple[str, ...]
    region: Region = field(repr=False)
    start_date: str | None
    is_demand_enabled: bool
    is_implied_metering_enabled: bool
    sewer_percent: int
    """Share of water taken as sewer usage, where implied metering is on."""
    is_basic_identifier_mapping_enabled: bool
    is_low_accuracy_mode_enabled: bool
    sites: tuple[SiteRecord, ...]
    planned_records: int
    """About how many usage records two years bring; 0 for none at all."""


@frozen(kw_only=True)
class IdentifierRecord:
    """One of the numbers by which a meter is known."""

    raw_name: str | None
    value: str
    name: str | None


@frozen(kw_only=True)
class MeterRecord:
    """What is read and billed at a site."""

    id: str
    site: SiteRecord
    account_id: str | None
    """None for a meter that is known from uploaded bills alone."""
    address: str | None
    country: str | None
    commodity: Commodity
    unit: Unit
    kind: Mapping[str, str | None]
    identifiers: tuple[IdentifierRecord, ...]
    day_amount: int
    """What an average day comes to."""
    tariff: str | None
    is_tracked: bool
    sends_numbers: bool
    """Whether its decimals are JSON numbers instead of texts; the API allows both."""
    has_time_of_use: bool
    has_register: bool
    is_implied: bool
    is_duplicated: bool = False
    tags: tuple[Any, ...] = ()


@frozen(kw_only=True)
class AccountRecord:
    """A customer number at a utility; its meters are billed together."""

    id: str
    number: str
    cycle: Cycle
    meters: tuple[MeterRecord, ...]
    status_seen: Instant | None = None
    """When the present status was set; it follows from `is_tracked`."""
    is_tracked: bool = True


@frozen(kw_only=True)
class LoginCheck:
    """A login at a portal that is under way."""

    due: Instant
    """When it is known how it went."""
    succeeds: bool


@frozen(kw_only=True)
class ConnectionRecord:
    """A login at a utility's portal, which brings accounts."""

    id: str
    utility: str
    url: str
    username: str = field(repr=False)
    country: str
    status: str
    error_detail: str | None = None
    created: Instant
    updated: Instant
    status_seen: Instant
    """When the status was first seen."""
    status_checked: Instant
    """When the status was last recorded."""
    owner_email: str | None
    accounts: tuple[AccountRecord, ...]
    external_id: str | None = None
    sites: tuple[str, ...] | None = None
    """Ids of the sites it was made for; None for those of its meters."""
    datasource_types: tuple[str, ...] | None = None
    """The commodities it was made for; None for those of its meters."""
    start_date: str | None = None
    multiplies_by_occupancy: bool = False
    is_active: bool = True
    knows_password: bool = field(default=True, repr=False)
    """Whether the password last given is the right one; it is not kept itself."""
    check: LoginCheck | None = None
    brings_samples: bool = False
    """Whether it was made by a caller, so that its accounts are sample data."""
    samples_due: Instant | None = None
    """When the sample data is there."""


@frozen(kw_only=True)
class DocumentRecord:
    """A bill."""

    id: str
    utility: str
    currency: str
    account_id: str | None
    number: str | None
    file_name: str
    job_id: str | None = None
    bill_day: int | None
    due_day: int | None
    created: Instant
    updated: Instant
    total_cents: int
    """What its line items add up to."""
    total: str | None = None
    """The total as a caller corrected it."""
    notes: str | None = None
    is_flagged: bool = False
    revised_document_id: str | None
    """The bill that took this one's place."""
    is_deleted: bool = False


@frozen(kw_only=True, eq=False)
class UsageRecord:
    """What one meter used in one billing period."""

    id: str
    meter: MeterRecord
    document: DocumentRecord | None
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
    is_demand: bool = False
    """Whether this is v2.1's row of a demand; its amount is in tenths of kilowatts."""
    written: Mapping[str, Any] = _NOTHING
    """What a caller corrected and nothing here reckons with, as the API sends it."""
