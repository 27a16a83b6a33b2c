"""Usage data: the usage of one meter in one period, as read from one bill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import NOT_ON_WIRE, Model
from nectar_async.models._extra import format_keys
from nectar_async.models.embedded_document import DocumentEmbedded
from nectar_async.models.enums import (
    DatasourceType,
    DistrictMediumType,
    DistrictType,
    ElectricityType,
    FuelType,
    GasType,
    MeterHighLow,
    NetMeteringType,
    RefrigerantType,
    TimeOfUse,
    WaterType,
)
from nectar_async.models.meter import MeterIdentifier
from nectar_async.models.site import Site
from nectar_async.models.units import TimeOfUseBreakdownUsageUnits, UsageUnits

__all__ = ["TimeOfUseBreakdownItem", "UsageData", "UsageDataNested"]


@frozen(kw_only=True)
class TimeOfUseBreakdownItem(Model):
    """The part of a usage record in one time-of-use period."""

    time_of_use: TimeOfUse | None = None
    usage: Decimal | None = None
    """The part's amount, in this item's own `usage_units`."""
    usage_units: TimeOfUseBreakdownUsageUnits | None = None
    description: str | None = None
    """The caption as printed on the bill."""
    start_date: date | None = None
    end_date: date | None = None
    """The last day, inclusive."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class UsageDataNested(Model):
    """The usage of one meter in one billing period, as it comes inside a document.

    All versions of the API share this class; fields that a version does not send are
    None or empty. v2.0 sends `time_of_use`, `time_of_use_breakdown` and
    `service_address`; v2.1 sends `time_of_use` and `electricity_type`. For v2.2 the
    release note replaces `time_of_use` by `time_of_use_breakdown`, but the guide does
    not: expect either. Since v2.1, the lists have records of demand too, and the API
    refuses to change them.
    """

    id: str
    """An opaque string; a UUID in v2.0 only."""
    created: datetime | None = None
    updated: datetime | None = None
    start_date: date | None = None
    """The first day of the period."""
    end_date: date | None = None
    """The last day of the period, inclusive: 15 January to 14 February is 31 days."""
    usage: Decimal | None = None
    """The amount of the whole period in `usage_units`, with all digits of the bill and
    not converted to another unit. A correction may be negative."""
    usage_units: UsageUnits | None = None
    time_of_use_breakdown: tuple[TimeOfUseBreakdownItem, ...] = ()
    """Parts of `usage` by time-of-use period: do not add them to it."""
    service_address: str | None = None
    meter: str | None = None
    """Id of the meter."""
    meter_address: str | None = None
    meter_is_tracked: bool | None = None
    """False if collection for the meter has stopped; its data stays."""
    site: Site | None = None
    """The whole site, not its id."""
    identifiers: tuple[MeterIdentifier, ...] = ()
    """The identifiers of the meter."""
    datasource_type: DatasourceType | None = None
    """The commodity."""
    time_of_use: TimeOfUse | None = None
    """The time-of-use period of the whole record; `time_of_use_breakdown` replaces it
    in v2.2."""
    electricity_type: ElectricityType | None = None
    """Whether the record is usage or demand (v2.1)."""
    net_metering_type: NetMeteringType | None = None
    """The direction of the energy. Net usage is imports minus exports; generation is
    not part of it."""
    water_type: WaterType | None = None
    meter_high_low: MeterHighLow | None = None
    gas_type: GasType | None = None
    fuel_type: FuelType | None = None
    district_type: DistrictType | None = None
    district_medium_type: DistrictMediumType | None = None
    waste_description: str | None = None
    waste_type: str | None = None
    """The company's name of the material. On a meter it is an ID."""
    waste_stream: str | None = None
    """The company's name of the destination. On a meter it is an ID."""
    refrigerant_type: RefrigerantType | None = None
    additional_fields: Mapping[str, Any] | None = field(default=None, hash=False)
    """Further values as the API sends them, of any shape."""
    is_estimated: bool | None = None
    """Whether the utility estimated the amount instead of reading the meter."""
    is_implied: bool | None = None
    """Whether Nectar derived the record, such as sewer usage from water usage."""
    current_reading: Decimal | None = None
    previous_reading: Decimal | None = None
    multiplier: Decimal | None = None
    multiplier_description: str | None = None
    multiplier2: Decimal | None = None
    multiplier2_description: str | None = None
    fraction_renewable: Decimal | None = None
    net_metering_generated_kwh: Decimal | None = None
    """Always in kWh, regardless of `usage_units`."""
    net_metering_grid_import_kwh: Decimal | None = None
    """Always in kWh, regardless of `usage_units`."""
    net_metering_grid_export_kwh: Decimal | None = None
    """Always in kWh, regardless of `usage_units`."""
    exclusion: bool | None = None
    """Whether the record is an exclusion. Nectar's guides disagree on its meaning: such
    a record is subtracted from totals (a tenant's share of a landlord's meter), or it
    is left out of them. The value is passed through as it is."""
    tariff: str | None = None
    billed_demand: Decimal | None = None
    supplier_name: str | None = None
    utility_name: str | None = None
    country: str | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class UsageData(UsageDataNested):
    """The usage of one meter in one billing period, with the bill it was read from."""

    document: DocumentEmbedded | None = None
    """The bill without the data that was read from it: see `DocumentEmbedded`."""
    company_id: str | None = field(default=None, eq=False, metadata=NOT_ON_WIRE)
    """Id of its company, where the list or the record tells it: it is not a field of
    the API, and records that differ in it only are equal."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
