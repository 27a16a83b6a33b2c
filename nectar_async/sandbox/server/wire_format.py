"""Companies, sites, meters and connections as the API sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nectar_async.sandbox.generator.charges import decimal
from nectar_async.sandbox.generator.dates import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        MeterRecord,
        SiteRecord,
    )
    from nectar_async.sandbox.generator.ids import Ids

__all__ = [
    "WASTE_KEYS",
    "account_json",
    "company_json",
    "connection_json",
    "encode",
    "identifiers_json",
    "meter_json",
    "site_json",
    "sites_of",
]

WASTE_KEYS = ("wasteType", "wasteStream")
"""What meters have uuids for, and usage records names."""

_TRACKING = {
    True: ("ENABLED", "ONBOARDED"),
    False: ("DISABLED", "CUSTOMER_NOT_TRACKED"),
}

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""A value as compact JSON."""


def company_json(company: CompanyRecord) -> dict[str, Any]:
    """A company with its sites whole."""
    return {
        "id": company.id,
        "name": company.name,
        "isDemandEnabled": company.is_demand_enabled,
        "sites": [site_json(site) for site in company.sites],
        "users": company.users,
        "externalId": company.external_id,
        "dataCollectionStartDate": company.start_date,
        "isImpliedMeteringEnabled": company.is_implied_metering_enabled,
        "impliedMeteringFraction": decimal(company.sewer_percent, 2),
        "isBasicIdentifierMappingEnabled": company.is_basic_identifier_mapping_enabled,
        "isLowAccuracyModeEnabled": company.is_low_accuracy_mode_enabled,
    }


def site_json(site: SiteRecord) -> dict[str, Any]:
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


def meter_json(ids: Ids, company: CompanyRecord, meter: MeterRecord) -> dict[str, Any]:
    """A meter of the meter lists; here waste has uuids, in usage records names."""
    kind = {
        key: ids.make(key, company.index, value)
        if key in WASTE_KEYS and value is not None
        else value
        for key, value in meter.kind.items()
    }
    return {
        "id": meter.id,
        "site": meter.site.id,
        "identifiers": identifiers_json(meter),
        "datasourceType": meter.commodity.datasource_type,
        "account": meter.account_id,
        "address": meter.address,
        **kind,
        "isTracked": meter.is_tracked,
        "isDuplicated": str(meter.is_duplicated).lower(),
        "tags": meter.tags,
    }


def connection_json(
    company: CompanyRecord, connection: ConnectionRecord
) -> dict[str, Any]:
    """A connection with its accounts."""
    meters = [meter for account in connection.accounts for meter in account.meters]
    types = connection.datasource_types
    return {
        "id": connection.id,
        "created": connection.created.text,
        "publicCompanyId": None,
        "connectionMagicLinkSecret": None,
        "statusLastUpdateTime": connection.status_checked.text,
        "statusFirstSeenTime": connection.status_seen.text,
        "statusErrorDetail": connection.error_detail,
        "updated": connection.updated.text,
        "externalId": connection.external_id,
        "datasource": {"name": connection.utility, "url": connection.url},
        "accounts": [account_json(account) for account in connection.accounts],
        "company": {
            "id": company.id,
            "name": company.name,
            "externalId": company.external_id,
        },
        "url": connection.url,
        "status": connection.status,
        "country": connection.country,
        "initialSites": sites_of(connection),
        "initialDatasourceTypes": _datasource_types(meters) if types is None else types,
        "username": connection.username,
        "workflowOwnerEmail": connection.owner_email,
        "dataCollectionStartDate": connection.start_date,
        "multiplyByOccupancy": connection.multiplies_by_occupancy,
        "isActive": connection.is_active,
    }


def sites_of(connection: ConnectionRecord) -> Sequence[str]:
    """The ids that a connection says are its sites."""
    if connection.sites is not None:
        return connection.sites
    meters = (meter for account in connection.accounts for meter in account.meters)
    return sorted({meter.site.id for meter in meters})


def account_json(account: AccountRecord) -> dict[str, Any]:
    """An account; whether it is tracked stands there three times over."""
    tracking, status = _TRACKING[account.is_tracked]
    status_seen = account.status_seen.text if account.status_seen else None
    return {
        "id": account.id,
        "meters": [meter.id for meter in account.meters],
        "isTracked": account.is_tracked,
        "isDuplicated": "false",
        "accountNumber": account.number,
        "trackingStatus": tracking,
        "dataCollectionStartDate": None,
        "isCollectingInvoiceData": True,
        "isCollectingSmartMeterData": False,
        "datasourceTypes": _datasource_types(account.meters),
        "lastServiceDate": None,
        "status": status,
        "statusLastUpdateTime": status_seen,
        "statusFirstSeenTime": status_seen,
        "statusErrorDetail": None,
    }


def identifiers_json(meter: MeterRecord) -> list[dict[str, str | None]]:
    """A meter's numbers, as meters and usage records carry them."""
    return [
        {
            "rawName": identifier.raw_name,
            "value": identifier.value,
            "name": identifier.name,
        }
        for identifier in meter.identifiers
    ]


def _datasource_types(meters: Sequence[MeterRecord]) -> list[str]:
    return sorted({meter.commodity.datasource_type for meter in meters})
