"""Sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.companies import new_site
from nectar_async.sandbox.handlers import companies
from nectar_async.sandbox.server.amounts import within
from nectar_async.sandbox.server.filters import page_number
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply
from nectar_async.sandbox.server.pagination import array, page_of
from nectar_async.sandbox.server.wire_format import encode, site_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.entities import CompanyRecord, SiteRecord

__all__ = [
    "by_id",
    "create",
    "delete",
    "get",
    "list_by_company",
    "list_by_company_in_pages",
    "update",
]

_CREATED = 201
_NO_CONTENT = 204
_NOT_FOUND = 404
_FIELDS: Mapping[str, str] = {
    "name": "name",
    "externalId": "external_id",
    "address": "address",
    "occupancyPercent": "occupancy_percent",
}


async def list_by_company(call: Call) -> Reply:
    """The sites of a company as a bare array."""
    return array(_lines(call))


async def list_by_company_in_pages(call: Call) -> Reply:
    """The sites of a company in the envelope, which the contract allows as well."""
    lines = _lines(call)
    page = page_number(call.query)
    return page_of(lines, page=page, items="sites", total="totalSites")


async def create(call: Call) -> Reply:
    """A further site, without meters."""
    company = companies.by_id(call)
    fields = _fields(call)
    with call.portfolio.change(company.index) as changes:
        site = new_site(call.portfolio.ids, company.index, len(changes.sites), fields)
        changes.sites.append(site)
    return Reply.json(site_json(site), status=_CREATED)


async def get(call: Call) -> Reply:
    """One site."""
    _, site = by_id(call)
    return Reply.json(site_json(site))


async def update(call: Call) -> Reply:
    """The site with some fields changed; bills and meters keep their addresses."""
    company, site = by_id(call)
    fields = _fields(call)
    with call.portfolio.change(company.index) as changes:
        changes.edit(site.id, fields)
    return await get(call)


async def delete(call: Call) -> Reply:
    """The site as archived from today on; it stays readable, and so does its usage."""
    company, site = by_id(call)
    today = call.clock.today()
    if site.stop_day is None or site.stop_day > today:
        with call.portfolio.change(company.index) as changes:
            changes.edit(site.id, {"stop_day": today})
    return Reply(status=_NO_CONTENT, headers={})


def by_id(call: Call) -> tuple[CompanyRecord, SiteRecord]:
    """The site that the path names and its company, or 404."""
    found = call.portfolio.find_site(call.params["site_id"])
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return found


def _lines(call: Call) -> list[bytes]:
    return [encode(site_json(site)) for site in companies.by_id(call).sites]


def _fields(call: Call) -> dict[str, Any]:
    fields = {_FIELDS[key]: call.json[key] for key in call.json if key in _FIELDS}
    if fields.get("occupancy_percent") is not None:
        within("occupancyPercent", fields["occupancy_percent"], 100)
    if "path" in call.json:
        fields["path"] = tuple(call.json["path"])
    return fields
