"""Handlers of bills, which the API calls documents, and of their files."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.entity_json import document_json
from nectar_async.sandbox.server.files import build_missing_error
from nectar_async.sandbox.server.filters import UsageFilter, parse_flag
from nectar_async.sandbox.server.messages import Reply, encode_json
from nectar_async.sandbox.server.pagination import encode_page, parse_page_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        DocumentRecord,
        UsageRecord,
    )

    _Bill = tuple[DocumentRecord, list[UsageRecord]]

__all__ = [
    "download",
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
    """List a company's bills."""
    return _build_page(call, lookup.find_company(call), lambda _: True)


async def list_by_connection(call: Call) -> Reply:
    """List the bills of a connection's accounts."""
    company, connection = lookup.find_connection(call)
    accounts = {account.id for account in connection.accounts}
    return _build_page(call, company, lambda bill: bill[0].account_id in accounts)


async def list_by_site(call: Call) -> Reply:
    """List the bills with a site's meters.

    A bill without usage, such as a deleted copy, belongs to the sites of its account.
    """
    company, site = lookup.find_site(call)
    accounts = {
        account.id
        for account in call.portfolio.company_data(company.index).accounts
        if any(meter.site.id == site.id for meter in account.meters)
    }

    def belongs(bill: _Bill) -> bool:
        document, rows = bill
        if not rows:
            return document.account_id in accounts
        return any(row.meter.site.id == site.id for row in rows)

    return _build_page(call, company, belongs)


async def get(call: Call) -> Reply:
    """Get a bill; it may be a deleted one."""
    company, document = lookup.find_document(call)
    data = call.portfolio.company_data(company.index)
    rows = [
        row
        for row in data.list_rows(call.version)
        if row.document is not None and row.document.id == document.id
    ]
    return Reply.json(document_json(company, document, rows, call.version))


async def update(call: Call) -> Reply:
    """Change fields of a bill; its line items stay the same."""
    company, document = lookup.find_document(call)
    body = call.json
    fields: dict[str, Any] = {_FIELDS[key]: body[key] for key in body if key in _FIELDS}
    for key, name in _DAYS.items():
        if key in body:
            fields[name] = _to_ordinal(body[key])
    fields["updated"] = max(call.clock.now(), document.created)
    with call.portfolio.change(company.index) as changes:
        changes.edit(document.id, fields)
    return await get(call)


async def download(call: Call) -> Reply:
    """Serve the file of a bill, to a request with a signed link."""
    call.state.files.check_query(call.query)
    document_id = call.params["document_id"]
    if call.portfolio.find_document(document_id) is None:
        raise build_missing_error()
    revision = int(call.params["revision"])
    return call.state.files.read(document_id, revision, call.headers)


def _build_page(
    call: Call, company: CompanyRecord, belongs: Callable[[_Bill], bool]
) -> Reply:
    usage_filter = UsageFilter.from_query(call.query)
    bills = call.portfolio.company_data(company.index).list_documents(
        version=call.version, with_deleted=parse_flag(call.query, "isDeleted")
    )
    return encode_page(
        [bill for bill in bills if belongs(bill) and usage_filter.keeps_bill(*bill)],
        lambda bill: encode_json(document_json(company, *bill, call.version)),
        page=parse_page_number(call.query),
        items="documents",
        total="totalDocuments",
    )


def _to_ordinal(text: str | None) -> int | None:
    return None if text is None else date.fromisoformat(text).toordinal()
