"""Meters and their identifiers on bills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async._types import Flag
from nectar_async.models._base import NOT_ON_WIRE, Model
from nectar_async.models._extra import format_keys
from nectar_async.models.enums import (
    DatasourceType,
    DistrictMediumType,
    DistrictType,
    FuelType,
    GasType,
    IdentifierType,
    MeterHighLow,
    NetMeteringType,
    RefrigerantType,
    TimeOfUse,
    WaterType,
)

__all__ = ["Meter", "MeterIdentifier"]


@frozen(kw_only=True)
class MeterIdentifier(Model):
    """One number by which bills name a meter: a serial, an account, a delivery point.

    A meter may have several; an update of its identifiers replaces all of them.
    """

    raw_name: str | None = None
    """The caption as printed on the bill."""
    value: str | None = None
    """The identifier as printed on the bill. The `identifier` filters compare it
    without case, leading zeros, spaces, dashes, underscores, commas and slashes."""
    name: IdentifierType | None = None
    """The type to which the caption was mapped."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class Meter(Model):
    """A meter of one commodity at one site, on one account.

    It need not be a device: a container for waste is a meter too. Demand is on bills
    only: see `DemandMeter`.
    """

    id: str
    site: str | None = None
    """Id of the site; usage data has the whole site in its place."""
    identifiers: tuple[MeterIdentifier, ...] = ()
    """The numbers by which bills name the meter."""
    datasource_type: DatasourceType | None = None
    """The commodity."""
    account: str | None = None
    """Id of the account."""
    address: str | None = None
    time_of_use: TimeOfUse | None = None
    """The time-of-use period, for a meter that counts a single one."""
    net_metering_type: NetMeteringType | None = None
    """The direction of the energy."""
    water_type: WaterType | None = None
    meter_high_low: MeterHighLow | None = None
    gas_type: GasType | None = None
    fuel_type: FuelType | None = None
    district_type: DistrictType | None = None
    district_medium_type: DistrictMediumType | None = None
    waste_description: str | None = None
    waste_type: str | None = None
    """Id of the material. On usage data it is the company's name for it."""
    waste_stream: str | None = None
    """Id of the destination. On usage data it is the company's name for it."""
    refrigerant_type: RefrigerantType | None = None
    is_tracked: bool | None = None
    """False if collection for the meter has stopped; its data stays."""
    is_duplicated: Flag | None = None
    """Whether it is a duplicate of another meter, which reports leave out. The API
    sends a text or a boolean."""
    tags: tuple[Any, ...] = field(default=(), hash=False)
    """JSON values of any shape; their content is not documented."""
    company_id: str | None = field(default=None, eq=False, metadata=NOT_ON_WIRE)
    """Id of its company, where the list or the record tells it: it is not a field of
    the API, and records that differ in it only are equal."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
