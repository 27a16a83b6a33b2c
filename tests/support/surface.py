"""Call every operation of the SDK with all of its arguments."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from nectar_async import BadRequestError, NectarClient, NotFoundError
from nectar_async.models import (
    DatasourceType,
    DateType,
    InvitationPrefill,
    MeterIdentifier,
    SecurityQuestion,
)

__all__ = ["call_everything"]

T = TypeVar("T")

_UNKNOWN_ID = UUID(int=0)
_TEXT_FIELDS = (
    *("tariff", "multiplier_description", "multiplier2_description"),
    *("supplier_name", "utility_name"),
)
_NUMBER_FIELDS = (
    *("usage", "current_reading", "previous_reading", "multiplier", "multiplier2"),
    *("billed_demand", "fraction_renewable", "net_metering_generated_kwh"),
    *("net_metering_grid_import_kwh", "net_metering_grid_export_kwh"),
)
_CLEARED_FIELDS = (
    *("net_metering_type", "water_type", "gas_type", "fuel_type", "district_type"),
    *("district_medium_type", "waste_description", "waste_type", "waste_stream"),
    "refrigerant_type",
)
_WINDOW: dict[str, Any] = {
    "start_date": date(2025, 1, 1),
    "end_date": date(2025, 3, 31),
}
_TWO_COMMODITIES: dict[str, Any] = {
    "datasource_type": [DatasourceType.ELECTRICITY, DatasourceType.GAS]
}


async def call_everything(nectar: NectarClient) -> None:
    """Call every operation at least once."""
    await nectar.ping()
    companies = await nectar.companies.all()
    company_id = companies[0].id
    new_company = await _call_company_operations(nectar)
    sites = [site.id for site in await _read_all(nectar.sites.by_company(company_id))]
    await _call_connection_operations(nectar, company_id, sites)
    await _call_document_operations(nectar, company_id, sites[0])
    await _call_meter_operations(nectar, company_id, sites)
    await _call_usage_operations(nectar, company_id, sites[0])
    await _call_invitation_operations(nectar, company_id, sites)
    await _call_job_operations(nectar, company_id, sites[0])
    await _call_other_operations(nectar, company_id)
    await nectar.companies.delete(new_company)
    await _call_refused_operations(nectar)


async def _call_company_operations(nectar: NectarClient) -> str:
    team = await nectar.team.get()
    await nectar.team.update(team.users)
    everything: dict[str, Any] = {
        "external_id": "set by a test",
        "data_collection_start_date": date(2024, 1, 1),
        "is_implied_metering_enabled": True,
        "implied_metering_fraction": Decimal("0.25"),
        "is_demand_enabled": True,
        "is_basic_identifier_mapping_enabled": True,
        "is_low_accuracy_mode_enabled": False,
        "users": team.users,
    }
    company = await nectar.companies.create("Zoë & Söhne", **everything)
    everything["external_id"] = None
    await nectar.companies.update(company.id, name="Zoë", **everything)
    await nectar.companies.get(company.id)
    place: dict[str, Any] = {
        "external_id": "site-1",
        "address": "1 Harbor Street",
        "path": ["US", "IL"],
        "occupancy_percent": Decimal("12.5"),
    }
    site = await nectar.sites.create(company.id, "First", **place)
    place |= {"external_id": None, "occupancy_percent": None, "path": []}
    await nectar.sites.update(site.id, name="Second", **place)
    await nectar.sites.get(site.id)
    await nectar.sites.delete(site.id)
    return company.id


async def _call_connection_operations(
    nectar: NectarClient, company: str, sites: Sequence[str]
) -> None:
    login: dict[str, Any] = {
        "url": "https://nectarclimate.com",
        "username": "nectar-sandbox-username",
        "password": "nectar-sandbox-password",
        "country": "US",
        "security_questions": [SecurityQuestion(key="First pet?", value="Rex")],
        "initial_datasource_types": [DatasourceType.ELECTRICITY],
        "workflow_owner_email": "owner@example.com",
        "data_collection_start_date": date(2024, 1, 1),
        "multiply_by_occupancy": True,
        "external_id": "set by a test",
    }
    connection = await nectar.connections.create(company, sites=sites[:1], **login)
    login |= {"external_id": None, "data_collection_start_date": None}
    await nectar.connections.update(connection.id, initial_sites=sites[:1], **login)
    await nectar.connections.deactivate(connection.id)
    await nectar.connections.activate(connection.id)
    await nectar.connections.confirm(connection.id)
    await nectar.connections.get(connection.id)
    connections = await _read_all(nectar.connections.by_company(company))
    await _read_all(
        nectar.connections.by_company(
            company,
            connection_owner_email="owner@example.com",
            limit=1,
            sites=sites,
            status="CONNECTED",
        )
    )
    await _read_all(
        nectar.intervals.by_connection(
            connections[0].id,
            start_date=datetime(2024, 1, 1, tzinfo=UTC),
            end_date=datetime(2024, 1, 3, tzinfo=UTC),
            identifier="000",
            **_TWO_COMMODITIES,
        )
    )
    accounts = [
        account.id for connection in connections for account in connection.accounts
    ]
    await nectar.accounts.update(accounts[0], is_tracked=True, update_meters=False)
    await nectar.accounts.bulk_update(
        company, accounts[:2], is_tracked=True, update_meters=True
    )
    links: Any = nectar.magic_links  # Any: type checkers report deprecated calls
    await links.create(company)
    await links.create_prefilled(
        company,
        sites=sites[:1],
        url="https://nectarclimate.com",
        data_collection_start_date=date(2024, 1, 1),
    )
    await links.create_edit(connection.id)


async def _call_document_operations(
    nectar: NectarClient, company: str, site: str
) -> None:
    bills = await _read_all(nectar.documents.by_company(company))
    connections = await _read_all(nectar.connections.by_company(company))
    await nectar.documents.update(
        bills[0].id,
        bill_date=date(2024, 1, 1),
        due_date=None,
        total_charges=Decimal("12.50"),
        charges_units="EUR",
        invoice_id="R-1",
        notes=None,
        is_flagged=True,
    )
    await nectar.documents.get(bills[0].id)
    filters = {**_WINDOW, **_TWO_COMMODITIES, "identifier": "0", "is_deleted": False}
    for kind in DateType:
        await _read_all(nectar.documents.by_company(company, date_type=kind, **filters))
        await _read_all(
            nectar.documents.by_connection(connections[0].id, date_type=kind, **filters)
        )
        await _read_all(nectar.documents.by_site(site, date_type=kind, **filters))
    await _read_all(nectar.documents.by_company(company, is_deleted=True))


async def _call_meter_operations(
    nectar: NectarClient, company: str, sites: Sequence[str]
) -> None:
    meters = await _read_all(nectar.meters.by_company(company))
    bills = await _read_all(nectar.documents.by_company(company, **_WINDOW))
    connections = await _read_all(nectar.connections.by_company(company))
    for owner, list_meters in (
        (company, nectar.meters.by_company),
        (sites[0], nectar.meters.by_site),
        (bills[0].id, nectar.meters.by_document),
        (connections[0].id, nectar.meters.by_connection),
    ):
        await _read_all(list_meters(owner, identifier="0", **_TWO_COMMODITIES))
    await nectar.meters.update(
        meters[0].id,
        site=sites[-1],
        identifiers=[*meters[0].identifiers, MeterIdentifier(value="set by a test")],
        address="2 Harbor Street",
        datasource_type=meters[0].datasource_type or DatasourceType.ELECTRICITY,
        time_of_use="ON_PEAK",
        meter_high_low="HIGH",
        is_tracked=True,
        is_duplicated=False,
        tags=["roof", 7],
        **dict.fromkeys(_CLEARED_FIELDS),
    )
    await nectar.meters.get(meters[0].id)


async def _call_usage_operations(nectar: NectarClient, company: str, site: str) -> None:
    rows = await _read_all(nectar.usage.by_company(company))
    row: Any = next(row for row in rows if row.document is not None and row.usage)
    lists = nectar.usage
    meters = await _read_all(nectar.meters.by_company(company))
    connections = await _read_all(nectar.connections.by_company(company))
    filters = {**_WINDOW, **_TWO_COMMODITIES, "identifier": "0"}
    for owner, list_usage in (
        (company, lists.by_company),
        (site, lists.by_site),
        (meters[0].id, lists.by_meter),
        (connections[0].id, lists.by_connection),
        (row.document.id, lists.by_document),
    ):
        for kind in DateType:
            await _read_all(list_usage(owner, date_type=kind, **filters))
    values: dict[str, Any] = {
        **dict.fromkeys(_TEXT_FIELDS, "set by a test"),
        **dict.fromkeys(_NUMBER_FIELDS, Decimal("0.5")),
    }
    await lists.update(
        row.id,
        start_date=row.start_date,
        end_date=row.end_date,
        usage_units=row.usage_units,
        exclusion=False,
        is_estimated=True,
        is_implied=False,
        country="US",
        meter=meters[0].id,
        site=site,
        identifiers=[MeterIdentifier(value="set again by a test")],
        **values,
    )
    await lists.get(row.id)
    await lists.delete(row.id)


async def _call_invitation_operations(
    nectar: NectarClient, company: str, sites: Sequence[str]
) -> None:
    options: dict[str, Any] = {
        "allowed_emails": ["ops@example.com"],
        "expires_in_seconds": 3600,
        "max_uses": 2,
        "send_email": False,
    }
    providers = await _read_all(nectar.providers.search("light"))
    prefill = InvitationPrefill(
        datasource_id=providers[0].id,
        initial_sites=tuple(sites[:1]),
        utility_types=(DatasourceType.ELECTRICITY,),
        country="US",
        connection_owner_email="owner@example.com",
        data_collection_start_date=date(2024, 1, 1),
    )
    invitation = await nectar.invitations.create(company, prefill=prefill, **options)
    connections = await _read_all(nectar.connections.by_company(company))
    await nectar.invitations.create_reconnect(connections[0].id, **options)
    await nectar.invitations.get(invitation.id)
    await nectar.invitations.revoke(invitation.id)
    await _read_all(
        nectar.invitations.by_company(
            company, status="REVOKED", invitation_type="CREATE_CONNECTION"
        )
    )


async def _call_job_operations(nectar: NectarClient, company: str, site: str) -> None:
    job = await nectar.jobs.submit_document(
        company, b"%PDF-1.7\n%%EOF\n", site_id=site, file_name="Zählerstand 1.pdf"
    )
    await nectar.jobs.get(job.id)
    await nectar.jobs.submit_bulk(
        company, ["https://files.example.com/a.pdf?signature=made-up"], site_id=site
    )


async def _call_other_operations(nectar: NectarClient, company: str) -> None:
    await _read_all(nectar.providers.search())
    await nectar.webhook_portal.get()
    views = nectar.repository
    for view in (
        views.connections(companies=[company]),
        views.accounts(companies=[company]),
        views.meters(companies=[company]),
        views.documents(companies=[company], **_WINDOW),
        views.usage(companies=[company], **_WINDOW),
    ):
        async with view as records:
            await _read_all(records)


async def _call_refused_operations(nectar: NectarClient) -> None:
    """Call operations that the API refuses, for the shapes of its errors."""
    for ask in (nectar.companies.get, nectar.usage.get, nectar.documents.get):
        try:
            await ask(_UNKNOWN_ID)
        except NotFoundError:
            continue
        raise RuntimeError("an unknown ID was found")
    try:
        await nectar.companies.create("Taken", users=["nobody@elsewhere.invalid"])
    except BadRequestError:
        return
    raise RuntimeError("a company with an unknown user was created")


async def _read_all(records: AsyncIterable[T]) -> list[T]:
    return [record async for record in records]
