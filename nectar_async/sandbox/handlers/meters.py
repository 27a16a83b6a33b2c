"""Meters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.commodities import COMMODITIES
from nectar_async.sandbox.handlers import companies, lookup, sites
from nectar_async.sandbox.server.corrections import identifiers, site_named
from nectar_async.sandbox.server.filters import MeterFilter, page_number
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply
from nectar_async.sandbox.server.pagination import written_page
from nectar_async.sandbox.server.wire_format import WASTE_KEYS, encode, meter_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_async.sandbox.generator.entities import CompanyRecord, MeterRecord

__all__ = [
    "get",
    "list_by_company",
    "list_by_connection",
    "list_by_document",
    "list_by_site",
    "update",
]

_BAD_REQUEST = 400
_FIELDS: Mapping[str, str] = {
    "address": "address",
    "isTracked": "is_tracked",
    "isDuplicated": "is_duplicated",
}
_KINDS = (
    "timeOfUse",
    "netMeteringType",
    "waterType",
    "meterHighLow",
    "gasType",
    "fuelType",
    "districtType",
    "districtMediumType",
    "wasteDescription",
    "wasteType",
    "wasteStream",
    "refrigerantType",
)


async def get(call: Call) -> Reply:
    """One meter."""
    company, meter = lookup.find_meter(call)
    return Reply.json(meter_json(call.portfolio.ids, company, meter))


async def update(call: Call) -> Reply:
    """The meter with some fields changed, of which its usage tells as well."""
    company, meter = lookup.find_meter(call)
    fields = _fields(call, company, meter)
    with call.portfolio.change(company.index) as changes:
        changes.edit(meter.id, fields)
    return await get(call)


async def list_by_company(call: Call) -> Reply:
    """A page of a company's meters."""
    company = companies.by_id(call)
    return _page(call, company, call.portfolio.company_data(company.index).meters)


async def list_by_site(call: Call) -> Reply:
    """A page of a site's meters, whatever account bills them."""
    company, site = sites.by_id(call)
    meters = call.portfolio.company_data(company.index).meters
    return _page(call, company, [m for m in meters if m.site.id == site.id])


async def list_by_connection(call: Call) -> Reply:
    """A page of the meters of a connection's accounts."""
    company, connection = lookup.find_connection(call)
    meters = [meter for account in connection.accounts for meter in account.meters]
    return _page(call, company, meters)


async def list_by_document(call: Call) -> Reply:
    """A page of the meters that are on a bill."""
    company, document = lookup.find_document(call)
    records = call.portfolio.company_data(company.index).records
    meters = {
        record.meter.id: record.meter
        for record in records
        if record.document is not None and record.document.id == document.id
    }
    return _page(call, company, meters.values())


def _page(call: Call, company: CompanyRecord, meters: Iterable[MeterRecord]) -> Reply:
    wanted = MeterFilter.from_query(call.query)
    return written_page(
        [meter for meter in meters if wanted.keeps(meter)],
        lambda meter: encode(meter_json(call.portfolio.ids, company, meter)),
        page=page_number(call.query),
        items="meters",
        total="totalMeters",
    )


def _fields(call: Call, company: CompanyRecord, meter: MeterRecord) -> dict[str, Any]:
    body = call.json
    fields = {_FIELDS[key]: body[key] for key in body if key in _FIELDS}
    kind = {key: body[key] for key in _KINDS if key in body}
    for key in WASTE_KEYS:
        if kind.get(key) is not None:
            kind[key] = _waste_name(call, company, key, kind[key])
    if kind:
        fields["kind"] = {**meter.kind, **kind}
    if "site" in body:
        fields["site"] = site_named(company, body["site"])
    if "identifiers" in body:
        fields["identifiers"] = identifiers(body["identifiers"])
    if "datasourceType" in body:
        fields["commodity"] = COMMODITIES[body["datasourceType"]]
    if "tags" in body:
        fields["tags"] = tuple(body["tags"])
    return fields


def _waste_name(call: Call, company: CompanyRecord, key: str, waste_id: str) -> str:
    """What usage records call the material or destination of that uuid."""
    names = {kind[key] for kind in COMMODITIES["WASTE"].kinds if key in kind}
    for name in names:
        if call.portfolio.ids.make(key, company.index, name) == waste_id.lower():
            return name
    detail = f"{key}: the company knows nothing of {waste_id}."
    raise RefusalError(_BAD_REQUEST, detail)
