"""What the meter calls are made of: the body, and the lists."""

from __future__ import annotations

from uuid import UUID

from nectar_async._http.request import Request
from nectar_async.errors import InvalidArgumentError
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
from nectar_async.models.meter import Meter, MeterIdentifier
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checks import (
    Nullable,
    anything,
    boolean,
    identity,
    many,
    one_of,
    one_of_known,
    text,
)
from nectar_async.resources._field_table import Fields

__all__ = ["BODY", "by_company", "by_owner", "identifiers"]

_LISTING = Listing(items="meters")

_IDENTIFIER = {"raw_name": text(), "value": text(), "name": one_of(IdentifierType)}


def _identifier(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, MeterIdentifier):
        raise InvalidArgumentError(
            f"{name} must be a MeterIdentifier, not {type(value).__name__}"
        )
    fields = {
        part: check(f"{name}.{part}", one)
        for part, check in _IDENTIFIER.items()
        if (one := getattr(value, part)) is not None
    }
    return {**fields, **value.extra}


identifiers = many(_identifier)
"""Identifiers as they come with meters; what is None stays at home."""

BODY = Fields(
    {
        "site": identity,
        "identifiers": identifiers,
        "address": Nullable(text()),
        "datasource_type": one_of_known(DatasourceType),
        "time_of_use": Nullable(one_of(TimeOfUse)),
        "net_metering_type": Nullable(one_of(NetMeteringType)),
        "water_type": Nullable(one_of(WaterType)),
        "meter_high_low": Nullable(one_of(MeterHighLow)),
        "gas_type": Nullable(one_of(GasType)),
        "fuel_type": Nullable(one_of(FuelType)),
        "district_type": Nullable(one_of(DistrictType)),
        "district_medium_type": Nullable(one_of(DistrictMediumType)),
        "waste_description": Nullable(text()),
        "waste_type": Nullable(identity),
        "waste_stream": Nullable(identity),
        "refrigerant_type": Nullable(one_of(RefrigerantType)),
        "is_tracked": boolean,
        "is_duplicated": boolean,
        "tags": many(anything),
    }
)


def by_owner(
    owner: str, owner_id: str | UUID, filters: dict[str, object]
) -> Request[Page[Meter]]:
    """The request for the meters of a company, connection, document or site."""
    return Request.get(
        f"meters_list_by_{owner}",
        f"/meter/{owner}/{{{owner}_id}}",
        Page[Meter],
        query=filters,
        listing=_LISTING,
        **{f"{owner}_id": owner_id},
    )


def by_company(
    company_id: str | UUID, filters: dict[str, object]
) -> Request[Page[Meter]]:
    """The same for a company; the cross-company view asks it of each."""
    return by_owner("company", company_id, filters)
