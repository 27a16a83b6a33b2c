"""Handlers of connections: list, create, get, update, confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from nectar_async.sandbox.generator.connection_logins import (
    confirm_login,
    read_editable_fields,
    start_login_check,
)
from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.checks import (
    check_new_connection,
    check_sites,
    check_unique_login,
)
from nectar_async.sandbox.server.entity_json import connection_json
from nectar_async.sandbox.server.filters import read_single
from nectar_async.sandbox.server.messages import Reply, encode_json
from nectar_async.sandbox.server.pagination import (
    encode_page,
    parse_page_number,
    parse_page_size,
)

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
    """List a company's connections; `limit` sets the size of the pages."""
    company = lookup.find_company(call)
    owner = read_single(call.query, "connectionOwnerEmail")
    status = read_single(call.query, "status")
    sites = {site_id.lower() for site_id in call.query.get("sites", ())}
    connections = [
        connection
        for connection in call.portfolio.company_data(company.index).connections
        if owner in {None, connection.owner_email}
        and status in {None, connection.status}
        and (not sites or not sites.isdisjoint(connection.site_ids))
    ]
    return encode_page(
        connections,
        lambda connection: encode_json(connection_json(company, connection)),
        page=parse_page_number(call.query),
        items="connections",
        total="totalConnections",
        per_page=parse_page_size(call.query),
    )


async def create(call: Call) -> Reply:
    """Create a connection; it is PENDING until its login was checked."""
    company = lookup.find_company(call)
    check_new_connection(call.portfolio.company_data(company.index), call.json)
    now = call.clock.now()
    connection = call.portfolio.add_connection(company.index, call.json, now)
    return Reply.json(connection_json(company, connection), status=_CREATED)


async def get(call: Call) -> Reply:
    """Get a connection."""
    company, connection = lookup.find_connection(call)
    return Reply.json(connection_json(company, connection))


async def update(call: Call) -> Reply:
    """Change fields of a connection; new credentials are checked."""
    company, connection = lookup.find_connection(call)
    now = call.clock.now()
    fields = _parse_fields(call, company)
    changed = evolve(connection, **fields, updated=now)
    if not _CREDENTIALS.isdisjoint(call.json):
        check_unique_login(
            call.portfolio.company_data(company.index).connections,
            changed.url,
            changed.username,
            ignore=connection.id,
        )
        changed = start_login_check(changed, now, password=call.json.get("password"))
    _store(call, company, changed)
    return await get(call)


async def confirm(call: Call) -> Reply:
    """Set a connection to CONNECTED, if the body confirms it."""
    company, connection = lookup.find_connection(call)
    if call.json["confirm"]:
        _store(call, company, confirm_login(connection, call.clock.now()))
    return await get(call)


def _parse_fields(call: Call, company: CompanyRecord) -> dict[str, Any]:
    fields = {_FIELDS[key]: call.json[key] for key in call.json if key in _FIELDS}
    if "initialSites" in call.json:
        site_ids = call.json["initialSites"]
        fields["sites"] = check_sites(company, site_ids, key="initialSites")
    if "initialDatasourceTypes" in call.json:
        fields["datasource_types"] = tuple(call.json["initialDatasourceTypes"])
    return fields


def _store(call: Call, company: CompanyRecord, connection: ConnectionRecord) -> None:
    with call.portfolio.change(company.index) as changes:
        changes.edit(connection.id, read_editable_fields(connection))
