"""Handlers of sites: list, create, get, update, archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.companies import build_site
from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.checks import parse_decimal
from nectar_async.sandbox.server.entity_json import site_json
from nectar_async.sandbox.server.messages import Reply, encode_json
from nectar_async.sandbox.server.pagination import (
    build_array,
    build_page,
    parse_page_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "create",
    "delete",
    "get",
    "list_by_company",
    "list_by_company_in_pages",
    "update",
]

_CREATED = 201
_NO_CONTENT = 204
_FIELDS: Mapping[str, str] = {
    "name": "name",
    "externalId": "external_id",
    "address": "address",
    "occupancyPercent": "occupancy_percent",
}


async def list_by_company(call: Call) -> Reply:
    """List the sites of a company as an array without an envelope."""
    return build_array(_encode_sites(call))


async def list_by_company_in_pages(call: Call) -> Reply:
    """List the sites of a company in pages, which the contract allows too."""
    lines = _encode_sites(call)
    page = parse_page_number(call.query)
    return build_page(lines, page=page, items="sites", total="totalSites")


async def create(call: Call) -> Reply:
    """Create a site without meters."""
    company = lookup.find_company(call)
    fields = _parse_fields(call)
    with call.portfolio.change(company.index) as changes:
        site = build_site(call.portfolio.ids, company.index, len(changes.sites), fields)
        changes.sites.append(site)
    return Reply.json(site_json(site), status=_CREATED)


async def get(call: Call) -> Reply:
    """Get a site."""
    _, site = lookup.find_site(call)
    return Reply.json(site_json(site))


async def update(call: Call) -> Reply:
    """Change fields of a site; bills and meters keep the old postal address."""
    company, site = lookup.find_site(call)
    fields = _parse_fields(call)
    with call.portfolio.change(company.index) as changes:
        changes.edit(site.id, fields)
    return await get(call)


async def delete(call: Call) -> Reply:
    """Archive a site; it and its usage can still be read."""
    company, site = lookup.find_site(call)
    today = call.clock.today()
    if site.stop_day is None or site.stop_day > today:
        with call.portfolio.change(company.index) as changes:
            changes.edit(site.id, {"stop_day": today})
    return Reply(status=_NO_CONTENT, headers={})


def _encode_sites(call: Call) -> list[bytes]:
    return [encode_json(site_json(site)) for site in lookup.find_company(call).sites]


def _parse_fields(call: Call) -> dict[str, Any]:
    fields = {_FIELDS[key]: call.json[key] for key in call.json if key in _FIELDS}
    if fields.get("occupancy_percent") is not None:
        parse_decimal("occupancyPercent", fields["occupancy_percent"], 100)
    if "path" in call.json:
        fields["path"] = tuple(call.json["path"])
    return fields
