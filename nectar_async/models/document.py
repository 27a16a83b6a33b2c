"""Documents: the bills with the data that was read from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import NOT_ON_WIRE, Model
from nectar_async.models._extra import format_keys
from nectar_async.models.embedded_document import DocumentEmbedded
from nectar_async.models.enums import (
    DemandType,
    ElectricityChargeType,
    GasChargeType,
    LineItemBillingPeriod,
    LineItemChargeType,
)
from nectar_async.models.units import DemandUsageUnits
from nectar_async.models.usage import UsageDataNested

__all__ = ["DemandMeter", "Document", "LineItem"]


@frozen(kw_only=True)
class DemandMeter(Model):
    """One amount of electricity demand that a bill states (v2.2).

    It is read from the tables and summaries of meters, never from a charge, and only if
    `is_demand_enabled` of the company is true. It cannot be updated.
    """

    start_date: date | None = None
    """The first day of the period."""
    end_date: date | None = None
    """The last day of the period, inclusive."""
    is_estimated: bool | None = None
    demand_usage: Decimal | None = None
    """The demand in `demand_usage_units`."""
    demand_usage_units: DemandUsageUnits | None = None
    """A kilowatt is `kW` here and `KW` among the units of usage."""
    description: str | None = None
    """The caption as printed on the bill."""
    demand_type: DemandType | None = None
    usage_data_ids: tuple[str, ...] = ()
    """Ids of records in the `usage_data` of the same document."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class LineItem(Model):
    """One charge of a bill, in the `charges_units` of its document."""

    rate: Decimal | None = None
    """The price of one unit."""
    total_charge: Decimal | None = None
    description: str | None = None
    """The caption as printed on the bill."""
    quantity: Decimal | None = None
    """The charged quantity, in `quantity_units`."""
    quantity_units: str | None = None
    """Free text: here the API does not list its units."""
    multipliers: tuple[Decimal, ...] = ()
    account_ids: tuple[str, ...] = ()
    """Ids of the accounts that the charge is for."""
    charge_type: LineItemChargeType | None = None
    electricity_charge_type: ElectricityChargeType | None = None
    electricity_is_demand: bool | None = None
    """Whether the charge is for demand and not for usage."""
    electricity_time_of_use: str | None = None
    """Free text: here the API does not list its values."""
    gas_charge_type: GasChargeType | None = None
    billing_period: LineItemBillingPeriod | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class Document(DocumentEmbedded):
    """A bill with the data that was read from it.

    The guides call it a bill or a document. The usage of a bill that was revised does
    not count in totals: see `revised_document_id`.
    """

    company: str | None = None
    """Id of the company."""
    usage_data: tuple[UsageDataNested, ...] = ()
    """The usage of the meters on the bill."""
    demand_meters: tuple[DemandMeter, ...] = ()
    """The demand that the bill states; since v2.2."""
    line_items: tuple[LineItem, ...] = ()
    """The charges of the bill."""
    company_id: str | None = field(default=None, eq=False, metadata=NOT_ON_WIRE)
    """Id of its company, where the list or the record tells it: it is not a field of
    the API, and records that differ in it only are equal."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
