"""Usage records."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import companies, lookup, sites
from nectar_async.sandbox.server.corrections import (
    identifiers,
    site_named,
    usage_fields,
)
from nectar_async.sandbox.server.filters import UsageFilter, page_number
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply
from nectar_async.sandbox.server.pagination import page_of
from nectar_async.sandbox.server.usage_writer import UsageEncoder

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
_CHANGES_DEMAND = "v2.0"


async def list_by_company(call: Call) -> Reply:
    """A page of the usage of a company."""
    return _page(call, companies.by_id(call))


async def list_by_site(call: Call) -> Reply:
    """A page of the usage of a site."""
    company, site = sites.by_id(call)
    return _page(call, company, lambda record: record.meter.site.id == site.id)


async def list_by_meter(call: Call) -> Reply:
    """A page of the usage of a meter."""
    company, meter = lookup.find_meter(call)
    return _page(call, company, lambda record: record.meter.id == meter.id)


async def list_by_connection(call: Call) -> Reply:
    """A page of the usage that a connection brought."""
    company, connection = lookup.find_connection(call)
    meters = {meter.id for account in connection.accounts for meter in account.meters}
    return _page(call, company, lambda record: record.meter.id in meters)


async def list_by_document(call: Call) -> Reply:
    """A page of the usage on a bill, by default within the bounds of its period."""
    company, document = lookup.find_document(call)
    return _page(
        call,
        company,
        lambda record: (
            record.document is not None and record.document.id == document.id
        ),
        date_type="USAGE_PERIOD",
    )


async def get(call: Call) -> Reply:
    """One record."""
    _, record = lookup.find_usage(call)
    return Reply(body=UsageEncoder(call.version).write(record))


async def update(call: Call) -> Reply:
    """The record with some fields changed, and its meter with those that are its."""
    company, record = lookup.find_usage(call)
    if record.is_demand and call.version != _CHANGES_DEMAND:
        raise RefusalError(_BAD_REQUEST, "Demand rows cannot be changed.")
    now = call.clock.now()
    fields = usage_fields(record, call.json)
    fields["updated"] = max(now, record.created)
    meter = record.meter
    if "meter" in call.json:
        meter = fields["meter"] = _meter_named(call, company)
    of_meter: dict[str, Any] = {}
    if "site" in call.json:
        of_meter["site"] = site_named(company, call.json["site"])
    numbers = call.json.get("identifiers")
    if numbers is not None:
        of_meter["identifiers"] = identifiers(numbers)
    with call.portfolio.change(company.index) as changes:
        changes.edit(record.id, fields)
        changes.edit(meter.id, of_meter)
    return await get(call)


async def delete(call: Call) -> Reply:
    """The record is gone from all lists; its bill stays."""
    company, record = lookup.find_usage(call)
    with call.portfolio.change(company.index) as changes:
        changes.deleted.add(record.id)
    return Reply(status=_NO_CONTENT, headers={})


def _meter_named(call: Call, company: CompanyRecord) -> MeterRecord:
    found = call.portfolio.find_meter(call.json["meter"])
    if found is None or found[0].id != company.id:
        detail = f"meter: the company has no such meter: {call.json['meter']}."
        raise RefusalError(_BAD_REQUEST, detail)
    return found[1]


def _page(
    call: Call,
    company: CompanyRecord,
    belongs: Callable[[UsageRecord], bool] | None = None,
    *,
    date_type: str = "BILL_DATE",
) -> Reply:
    page = page_number(call.query)
    wanted = UsageFilter.from_query(call.query, date_type=date_type)
    company_data = call.portfolio.company_data(company.index)
    lines = company_data.lines(call.version)
    if belongs is not None or not wanted.keeps_all:
        kept = (
            (belongs is None or belongs(record)) and wanted.keeps(record)
            for record in company_data.rows(call.version)
        )
        lines = list(compress(lines, kept))
    return page_of(lines, page=page, items="usageData", total="totalUsageData")
