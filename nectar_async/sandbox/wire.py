"""Companies, sites, meters and connections as the API sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nectar_async.sandbox.charges import decimal
from nectar_async.sandbox.moments import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.entities import (
        Account,
        Company,
        Connection,
        Meter,
        Site,
    )
    from nectar_async.sandbox.identity import Ids

__all__ = [
    "company_json",
    "connection_json",
    "encode",
    "identifiers_json",
    "meter_json",
    "site_json",
]

_PORTAL = "https://portal.example.com"

encode = msgspec.json.Encoder().encode
"""A value as compact JSON."""


def company_json(company: Company) -> dict[str, Any]:
    """A company with its sites whole."""
    percent = company.sewer_percent
    return {
        "id": company.id,
        "name": company.name,
        "isDemandEnabled": company.is_demand_enabled,
        "sites": [site_json(site) for site in company.sites],
        "users": company.users,
        "externalId": company.external_id,
        "dataCollectionStartDate": company.start_date,
        "isImpliedMeteringEnabled": percent is not None,
        "impliedMeteringFraction": decimal(100 if percent is None else percent, 2),
        "isBasicIdentifierMappingEnabled": company.is_basic_identifier_mapping_enabled,
        "isLowAccuracyModeEnabled": company.is_low_accuracy_mode_enabled,
    }


def site_json(site: Site) -> dict[str, Any]:
    """A site, as it also stands in companies and usage records."""
    return {
        "id": site.id,
        "name": site.name,
        "dataCollectionStopDate": iso(site.stop_day) if site.stop_day else None,
        "externalId": site.external_id,
        "address": site.address,
        "path": site.path,
        "occupancyPercent": site.occupancy_percent,
    }


def meter_json(ids: Ids, company: Company, meter: Meter) -> dict[str, Any]:
    """A meter of the meter lists; here waste has uuids, in usage records names."""
    kind = {
        key: ids.make(key, company.index, value)
        if key in {"wasteType", "wasteStream"}
        else value
        for key, value in meter.kind.items()
    }
    return {
        "id": meter.id,
        "site": meter.site.id,
        "identifiers": identifiers_json(meter),
        "datasourceType": meter.commodity.datasource_type,
        "account": meter.account_id,
        "address": meter.site.address.upper(),
        **kind,
        "isTracked": meter.is_tracked,
        "isDuplicated": "false",
        "tags": [],
    }


def connection_json(company: Company, connection: Connection) -> dict[str, Any]:
    """A connection with its accounts."""
    meters = [meter for account in connection.accounts for meter in account.meters]
    return {
        "id": connection.id,
        "created": connection.created.text,
        "publicCompanyId": None,
        "connectionMagicLinkSecret": None,
        "statusLastUpdateTime": connection.updated.text,
        "statusFirstSeenTime": connection.created.text,
        "statusErrorDetail": None,
        "updated": connection.updated.text,
        "externalId": None,
        "datasource": {"name": connection.utility, "url": _PORTAL},
        "accounts": [_account_json(account) for account in connection.accounts],
        "company": {
            "id": company.id,
            "name": company.name,
            "externalId": company.external_id,
        },
        "url": _PORTAL,
        "status": connection.status,
        "country": company.region.country,
        "initialSites": sorted({meter.site.id for meter in meters}),
        "initialDatasourceTypes": _datasource_types(meters),
        "username": f"login-{connection.id[:8]}",
        "workflowOwnerEmail": connection.owner_email,
        "dataCollectionStartDate": None,
        "multiplyByOccupancy": False,
        "isActive": True,
    }


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "meters": [meter.id for meter in account.meters],
        "isTracked": True,
        "isDuplicated": "false",
        "accountNumber": account.number,
        "trackingStatus": "ENABLED",
        "dataCollectionStartDate": None,
        "isCollectingInvoiceData": True,
        "isCollectingSmartMeterData": False,
        "datasourceTypes": _datasource_types(account.meters),
        "lastServiceDate": None,
    }


def identifiers_json(meter: Meter) -> list[dict[str, str | None]]:
    """A meter's numbers, as meters and usage records carry them."""
    return [
        {
            "rawName": identifier.raw_name,
            "value": identifier.value,
            "name": identifier.name,
        }
        for identifier in meter.identifiers
    ]


def _datasource_types(meters: Sequence[Meter]) -> list[str]:
    return sorted({meter.commodity.datasource_type for meter in meters})
