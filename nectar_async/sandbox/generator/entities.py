"""The entities of the portfolio, as values to compute with.

Their classes end in `Record`, because the SDK's models have the plain names. Days are
ordinals, and amounts are whole numbers in the last decimal place of their unit;
`server.entity_json` writes them as the API's JSON.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nectar_async.sandbox.generator.commodities import Commodity, Unit
    from nectar_async.sandbox.generator.dates import BillingCycle, Instant
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

_NO_OVERRIDES: Mapping[str, Any] = MappingProxyType({})


@frozen(kw_only=True)
class SiteRecord:
    """A building with meters, whichever accounts bill them."""

    id: str
    name: str
    address: str
    path: tuple[str, ...]
    external_id: str | None
    stop_day: int | None
    """The day from which it is archived; no bill ends later."""
    occupancy_percent: str | None


@frozen(kw_only=True)
class CompanyRecord:
    """A company with its sites, without its connections, bills and usage."""

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
    """The percentage of water counted as sewer usage, with implied metering."""
    is_basic_identifier_mapping_enabled: bool
    is_low_accuracy_mode_enabled: bool
    sites: tuple[SiteRecord, ...]
    planned_records: int
    """The approximate number of usage records in two years."""


@frozen(kw_only=True)
class IdentifierRecord:
    """One of the numbers that identify a meter."""

    raw_name: str | None
    value: str
    name: str | None


@frozen(kw_only=True)
class MeterRecord:
    """A meter at a site."""

    id: str
    site: SiteRecord
    account_id: str | None
    """None for a meter that is known from uploaded bills only."""
    address: str | None
    country: str | None
    commodity: Commodity
    unit: Unit
    kind: Mapping[str, str | None]
    identifiers: tuple[IdentifierRecord, ...]
    day_amount: int
    """The usage of an average day."""
    tariff: str | None
    is_tracked: bool
    has_json_numbers: bool
    """Whether its decimals are sent as JSON numbers, which the API allows too."""
    has_time_of_use: bool
    has_register: bool
    is_implied: bool
    is_duplicated: bool = False
    tags: tuple[Any, ...] = ()


@frozen(kw_only=True)
class AccountRecord:
    """An account at a utility, whose meters are billed together."""

    id: str
    number: str
    cycle: BillingCycle
    meters: tuple[MeterRecord, ...]
    status_seen: Instant | None = None
    """When the present status was set; it follows from `is_tracked`."""
    is_tracked: bool = True


@frozen(kw_only=True)
class LoginCheck:
    """A running check of a portal login."""

    due: Instant
    """When the result is known."""
    succeeds: bool


@frozen(kw_only=True)
class ConnectionRecord:
    """A login at a utility's portal, with the accounts behind it."""

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
    """Ids of the sites it was created for; None for the sites of its meters."""
    datasource_types: tuple[str, ...] | None = None
    """The commodities it was created for; None for those of its meters."""
    start_date: str | None = None
    multiplies_by_occupancy: bool = False
    is_active: bool = True
    is_password_right: bool = field(default=True, repr=False)
    """Whether the last password was right; the password itself is not stored."""
    check: LoginCheck | None = None
    has_sample_data: bool = False
    """Whether a caller created it, so that its accounts are sample data."""
    samples_due: Instant | None = None
    """When the sample data appears."""

    @property
    def meters(self) -> list[MeterRecord]:
        """The meters of all its accounts."""
        return [meter for account in self.accounts for meter in account.meters]

    @property
    def site_ids(self) -> Sequence[str]:
        """The ids of its sites: those it was created for, or those of its meters."""
        if self.sites is not None:
            return self.sites
        return sorted({meter.site.id for meter in self.meters})


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
    """The sum of its line items."""
    total: str | None = None
    """The total that a caller set."""
    notes: str | None = None
    is_flagged: bool = False
    revised_document_id: str | None
    """The id of the bill that replaced this one."""
    is_deleted: bool = False


@frozen(kw_only=True, eq=False)
class UsageRecord:
    """The usage of one meter in one billing period."""

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
    """The usage at peak hours; the rest is off peak."""
    register: int | None = None
    """The meter's reading at the start of the period."""
    generated: int | None = None
    imported: int | None = None
    exported: int | None = None
    peak_demand: int | None = None
    """In tenths of kilowatts."""
    is_demand: bool = False
    """Whether this is a demand row of v2.1; its amount is in tenths of kilowatts."""
    overrides: Mapping[str, Any] = _NO_OVERRIDES
    """Fields by API name that a caller set and that the generator does not use."""
