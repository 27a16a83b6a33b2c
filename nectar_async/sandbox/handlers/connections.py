"""Connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from nectar_async.sandbox.generator.portal_logins import checked, confirmed, state_of
from nectar_async.sandbox.handlers import companies, lookup
from nectar_async.sandbox.server.checks import check_sites, check_unique
from nectar_async.sandbox.server.filters import page_number
from nectar_async.sandbox.server.messages import Call, Reply
from nectar_async.sandbox.server.pagination import written_page
from nectar_async.sandbox.server.queries import page_size, single
from nectar_async.sandbox.server.wire_format import connection_json, encode, sites_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.entities import CompanyRecord, ConnectionRecord

__all__ = ["confirm", "create", "get", "list_by_company", "update"]

_CREATED = 201
_CREDENTIALS = frozenset({"url", "username", "password"})
_FIELDS: Mapping[str, str] = {
    "isActive": "is_active",
    "externalId": "external_id",
    "url": "url",
    "username": "username",
    "country": "country",
    "workflowOwnerEmail": "owner_email",
    "dataCollectionStartDate": "start_date",
    "multiplyByOccupancy": "multiplies_by_occupancy",
}


async def list_by_company(call: Call) -> Reply:
    """A page of a company's connections, which is as long as the caller likes."""
    company = companies.by_id(call)
    owner = single(call.query, "connectionOwnerEmail")
    status = single(call.query, "status")
    sites = {site_id.lower() for site_id in call.query.get("sites", ())}
    kept = [
        connection
        for connection in call.portfolio.company_data(company.index).connections
        if owner in {None, connection.owner_email}
        and status in {None, connection.status}
        and (not sites or not sites.isdisjoint(sites_of(connection)))
    ]
    return written_page(
        kept,
        lambda connection: encode(connection_json(company, connection)),
        page=page_number(call.query),
        items="connections",
        total="totalConnections",
        per_page=page_size(call.query),
    )


async def create(call: Call) -> Reply:
    """A connection that is PENDING until its portal was asked."""
    company = companies.by_id(call)
    now = call.clock.now()
    connection = call.portfolio.add_connection(company.index, call.json, now)
    return Reply.json(connection_json(company, connection), status=_CREATED)


async def get(call: Call) -> Reply:
    """One connection."""
    company, connection = lookup.find_connection(call)
    return Reply.json(connection_json(company, connection))


async def update(call: Call) -> Reply:
    """The connection with some fields changed; new credentials are checked again."""
    company, connection = lookup.find_connection(call)
    now = call.clock.now()
    fields = _fields(call, company)
    changed = evolve(connection, **fields, updated=now)
    if not _CREDENTIALS.isdisjoint(call.json):
        check_unique(
            call.portfolio.company_data(company.index).connections,
            changed.url,
            changed.username,
            but=connection.id,
        )
        changed = checked(changed, now, password=call.json.get("password"))
    _keep(call, company, changed)
    return await get(call)


async def confirm(call: Call) -> Reply:
    """The connection as CONNECTED, if that is what the caller says."""
    company, connection = lookup.find_connection(call)
    if call.json["confirm"]:
        _keep(call, company, confirmed(connection, call.clock.now()))
    return await get(call)


def _fields(call: Call, company: CompanyRecord) -> dict[str, Any]:
    fields = {_FIELDS[key]: call.json[key] for key in call.json if key in _FIELDS}
    if "initialSites" in call.json:
        wanted = call.json["initialSites"]
        fields["sites"] = check_sites(company, wanted, key="initialSites")
    if "initialDatasourceTypes" in call.json:
        fields["datasource_types"] = tuple(call.json["initialDatasourceTypes"])
    return fields


def _keep(call: Call, company: CompanyRecord, connection: ConnectionRecord) -> None:
    with call.portfolio.change(company.index) as changes:
        changes.edit(connection.id, state_of(connection))
