"""Handlers of meters: get, update, and the four lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.commodities import COMMODITIES
from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.checks import parse_identifiers, require_site
from nectar_async.sandbox.server.entity_json import WASTE_KEYS, meter_json
from nectar_async.sandbox.server.filters import MeterFilter
from nectar_async.sandbox.server.messages import RefusalError, Reply, encode_json
from nectar_async.sandbox.server.pagination import encode_page, parse_page_number

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
_KIND_KEYS = (
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
    """Get a meter."""
    company, meter = lookup.find_meter(call)
    return Reply.json(meter_json(call.portfolio.ids, company, meter))


async def update(call: Call) -> Reply:
    """Change fields of a meter; they change in its usage records too."""
    company, meter = lookup.find_meter(call)
    fields = _parse_fields(call, company, meter)
    with call.portfolio.change(company.index) as changes:
        changes.edit(meter.id, fields)
    return await get(call)


async def list_by_company(call: Call) -> Reply:
    """List a company's meters."""
    company = lookup.find_company(call)
    return _build_page(call, company, call.portfolio.company_data(company.index).meters)


async def list_by_site(call: Call) -> Reply:
    """List a site's meters, whichever accounts bill them."""
    company, site = lookup.find_site(call)
    meters = call.portfolio.company_data(company.index).meters
    return _build_page(
        call, company, [meter for meter in meters if meter.site.id == site.id]
    )


async def list_by_connection(call: Call) -> Reply:
    """List the meters of a connection's accounts."""
    company, connection = lookup.find_connection(call)
    return _build_page(call, company, connection.meters)


async def list_by_document(call: Call) -> Reply:
    """List the meters on a bill."""
    company, document = lookup.find_document(call)
    records = call.portfolio.company_data(company.index).records
    meters = {
        record.meter.id: record.meter
        for record in records
        if record.document is not None and record.document.id == document.id
    }
    return _build_page(call, company, meters.values())


def _build_page(
    call: Call, company: CompanyRecord, meters: Iterable[MeterRecord]
) -> Reply:
    meter_filter = MeterFilter.from_query(call.query)
    return encode_page(
        [meter for meter in meters if meter_filter.keeps(meter)],
        lambda meter: encode_json(meter_json(call.portfolio.ids, company, meter)),
        page=parse_page_number(call.query),
        items="meters",
        total="totalMeters",
    )


def _parse_fields(
    call: Call, company: CompanyRecord, meter: MeterRecord
) -> dict[str, Any]:
    body = call.json
    fields = {_FIELDS[key]: body[key] for key in body if key in _FIELDS}
    kind = {key: body[key] for key in _KIND_KEYS if key in body}
    for key in WASTE_KEYS:
        if kind.get(key) is not None:
            kind[key] = _find_waste_name(call, company, key, kind[key])
    if kind:
        fields["kind"] = {**meter.kind, **kind}
    if "site" in body:
        fields["site"] = require_site(company, body["site"])
    if "identifiers" in body:
        fields["identifiers"] = parse_identifiers(body["identifiers"])
    if "datasourceType" in body:
        fields["commodity"] = COMMODITIES[body["datasourceType"]]
    if "tags" in body:
        fields["tags"] = tuple(body["tags"])
    return fields


def _find_waste_name(
    call: Call, company: CompanyRecord, key: str, waste_id: str
) -> str:
    """Find the name of a waste type or stream by its UUID."""
    names = {kind[key] for kind in COMMODITIES["WASTE"].kinds if key in kind}
    for name in names:
        if call.portfolio.ids.make(key, company.index, name) == waste_id.lower():
            return name
    detail = f"{key}: The company has no such value: {waste_id}."
    raise RefusalError(_BAD_REQUEST, detail)
