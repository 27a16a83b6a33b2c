"""What the usage calls are made of: the body, and the lists."""

from __future__ import annotations

from types import MappingProxyType
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async.models.page import Listing, Page
from nectar_async.models.units import UsageUnits
from nectar_async.models.usage import UsageData
from nectar_async.resources._checks import (
    boolean,
    day,
    decimal,
    identity,
    one_of_known,
    text,
)
from nectar_async.resources._field_table import Fields, in_order
from nectar_async.resources._meters import identifiers

__all__ = ["BODY", "by_company", "by_owner"]

_LISTING = Listing(items="usage_data")

BODY = Fields(
    MappingProxyType(
        {
            "start_date": day,
            "end_date": day,
            "usage": decimal(),
            "usage_units": one_of_known(UsageUnits),
            "exclusion": boolean,
            "is_estimated": boolean,
            "is_implied": boolean,
            "tariff": text(),
            "current_reading": decimal(),
            "previous_reading": decimal(),
            "multiplier": decimal(),
            "multiplier_description": text(),
            "multiplier2": decimal(),
            "multiplier2_description": text(),
            "billed_demand": decimal(),
            "fraction_renewable": decimal(),
            "net_metering_generated_kwh": decimal(),
            "net_metering_grid_import_kwh": decimal(),
            "net_metering_grid_export_kwh": decimal(),
            "supplier_name": text(),
            "utility_name": text(),
            "country": text(),
            "meter": identity,
            "site": identity,
            "identifiers": identifiers,
        }
    ),
    together=in_order,
)


def by_owner(
    owner: str, owner_id: str | UUID, filters: dict[str, object]
) -> Request[Page[UsageData]]:
    """The request for the usage of a company, site, meter, connection or document."""
    return Request.get(
        f"usage_list_by_{owner}",
        f"/usage/{owner}/{{{owner}_id}}",
        Page[UsageData],
        query=filters,
        listing=_LISTING,
        **{f"{owner}_id": owner_id},
    )


def by_company(
    company_id: str | UUID, filters: dict[str, object]
) -> Request[Page[UsageData]]:
    """The same for a company; the cross-company view asks it of each."""
    return by_owner("company", company_id, filters)
