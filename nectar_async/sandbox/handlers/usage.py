"""Handlers of usage records: get, update, delete, and the five lists."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.checks import (
    parse_identifiers,
    parse_usage_fields,
    require_site,
)
from nectar_async.sandbox.server.entity_json import UsageEncoder, encode_rows
from nectar_async.sandbox.server.filters import UsageFilter
from nectar_async.sandbox.server.messages import RefusalError, Reply
from nectar_async.sandbox.server.pagination import build_page, parse_page_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        MeterRecord,
        UsageRecord,
    )

__all__ = [
    "delete",
    "get",
    "list_by_company",
    "list_by_connection",
    "list_by_document",
    "list_by_meter",
    "list_by_site",
    "update",
]

_NO_CONTENT = 204
_BAD_REQUEST = 400
_VERSION_WITH_DEMAND_CHANGES = "v2.0"


async def list_by_company(call: Call) -> Reply:
    """List the usage of a company."""
    return _build_page(call, lookup.find_company(call))


async def list_by_site(call: Call) -> Reply:
    """List the usage of a site."""
    company, site = lookup.find_site(call)
    return _build_page(call, company, lambda record: record.meter.site.id == site.id)


async def list_by_meter(call: Call) -> Reply:
    """List the usage of a meter."""
    company, meter = lookup.find_meter(call)
    return _build_page(call, company, lambda record: record.meter.id == meter.id)


async def list_by_connection(call: Call) -> Reply:
    """List the usage of a connection's meters."""
    company, connection = lookup.find_connection(call)
    meters = {meter.id for meter in connection.meters}
    return _build_page(call, company, lambda record: record.meter.id in meters)


async def list_by_document(call: Call) -> Reply:
    """List the usage on a bill; by default, dates select by usage period."""
    company, document = lookup.find_document(call)
    return _build_page(
        call,
        company,
        lambda record: (
            record.document is not None and record.document.id == document.id
        ),
        date_type="USAGE_PERIOD",
    )


async def get(call: Call) -> Reply:
    """Get a usage record."""
    _, record = lookup.find_usage(call)
    return Reply(body=UsageEncoder(call.version).encode(record))


async def update(call: Call) -> Reply:
    """Change fields of a usage record and of its meter."""
    company, record = lookup.find_usage(call)
    if record.is_demand and call.version != _VERSION_WITH_DEMAND_CHANGES:
        raise RefusalError(_BAD_REQUEST, "Demand rows cannot be changed.")
    now = call.clock.now()
    fields = parse_usage_fields(record, call.json)
    fields["updated"] = max(now, record.created)
    meter = record.meter
    if "meter" in call.json:
        meter = fields["meter"] = _require_meter(call, company)
    meter_fields: dict[str, Any] = {}
    if "site" in call.json:
        meter_fields["site"] = require_site(company, call.json["site"])
    values = call.json.get("identifiers")
    if values is not None:
        meter_fields["identifiers"] = parse_identifiers(values)
    with call.portfolio.change(company.index) as changes:
        changes.edit(record.id, fields)
        changes.edit(meter.id, meter_fields)
    return await get(call)


async def delete(call: Call) -> Reply:
    """Delete a usage record; its bill stays."""
    company, record = lookup.find_usage(call)
    with call.portfolio.change(company.index) as changes:
        changes.deleted.add(record.id)
    return Reply(status=_NO_CONTENT, headers={})


def _require_meter(call: Call, company: CompanyRecord) -> MeterRecord:
    owned = call.portfolio.find_meter(call.json["meter"])
    if owned is None or owned[0].id != company.id:
        detail = f"meter: The company has no such meter: {call.json['meter']}."
        raise RefusalError(_BAD_REQUEST, detail)
    return owned[1]


def _build_page(
    call: Call,
    company: CompanyRecord,
    belongs: Callable[[UsageRecord], bool] | None = None,
    *,
    date_type: str = "BILL_DATE",
) -> Reply:
    page = parse_page_number(call.query)
    usage_filter = UsageFilter.from_query(call.query, date_type=date_type)
    data = call.portfolio.company_data(company.index)
    lines = encode_rows(data, call.version)
    if belongs is not None or not usage_filter.keeps_all:
        is_kept = (
            (belongs is None or belongs(record)) and usage_filter.keeps(record)
            for record in data.list_rows(call.version)
        )
        lines = list(compress(lines, is_kept))
    return build_page(lines, page=page, items="usageData", total="totalUsageData")
