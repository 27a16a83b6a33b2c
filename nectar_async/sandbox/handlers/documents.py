"""Bills, which the API calls documents."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import companies, lookup, sites
from nectar_async.sandbox.server.filters import UsageFilter, page_number
from nectar_async.sandbox.server.messages import Call, Reply
from nectar_async.sandbox.server.pagination import written_page
from nectar_async.sandbox.server.queries import is_set
from nectar_async.sandbox.server.usage_writer import document_json
from nectar_async.sandbox.server.wire_format import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        DocumentRecord,
        UsageRecord,
    )

    _Bill = tuple[DocumentRecord, list[UsageRecord]]

__all__ = [
    "get",
    "list_by_company",
    "list_by_connection",
    "list_by_site",
    "update",
]

_FIELDS: Mapping[str, str] = {
    "totalCharges": "total",
    "chargesUnits": "currency",
    "invoiceId": "number",
    "notes": "notes",
    "isFlagged": "is_flagged",
}
_DAYS: Mapping[str, str] = {"billDate": "bill_day", "dueDate": "due_day"}


async def list_by_company(call: Call) -> Reply:
    """A page of a company's bills."""
    return _page(call, companies.by_id(call), lambda _: True)


async def list_by_connection(call: Call) -> Reply:
    """A page of the bills that a connection brought."""
    company, connection = lookup.find_connection(call)
    accounts = {account.id for account in connection.accounts}
    return _page(call, company, lambda bill: bill[0].account_id in accounts)


async def list_by_site(call: Call) -> Reply:
    """A page of the bills that a site's meters are on."""
    company, site = sites.by_id(call)
    return _page(
        call, company, lambda bill: any(row.meter.site.id == site.id for row in bill[1])
    )


async def get(call: Call) -> Reply:
    """One bill, be it a deleted one."""
    company, document = lookup.find_document(call)
    company_data = call.portfolio.company_data(company.index)
    rows = [
        row
        for row in company_data.rows(call.version)
        if row.document is not None and row.document.id == document.id
    ]
    return Reply.json(document_json(company, document, rows, call.version))


async def update(call: Call) -> Reply:
    """The bill with some fields changed; its line items stay as they are printed."""
    company, document = lookup.find_document(call)
    body = call.json
    fields: dict[str, Any] = {_FIELDS[key]: body[key] for key in body if key in _FIELDS}
    for key, name in _DAYS.items():
        if key in body:
            fields[name] = _day(body[key])
    fields["updated"] = max(call.clock.now(), document.created)
    with call.portfolio.change(company.index) as changes:
        changes.edit(document.id, fields)
    return await get(call)


def _page(
    call: Call, company: CompanyRecord, belongs: Callable[[_Bill], bool]
) -> Reply:
    wanted = UsageFilter.from_query(call.query)
    bills = call.portfolio.company_data(company.index).documents(
        version=call.version, with_deleted=is_set(call.query, "isDeleted")
    )
    return written_page(
        [bill for bill in bills if belongs(bill) and wanted.keeps_bill(*bill)],
        lambda bill: encode(document_json(company, *bill, call.version)),
        page=page_number(call.query),
        items="documents",
        total="totalDocuments",
    )


def _day(text: str | None) -> int | None:
    return None if text is None else date.fromisoformat(text).toordinal()
