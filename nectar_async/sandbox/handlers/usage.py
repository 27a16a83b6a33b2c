"""Usage lists."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

from nectar_async.sandbox.filters import UsageFilter, page_number
from nectar_async.sandbox.handlers import companies, sites
from nectar_async.sandbox.pages import page_of

if TYPE_CHECKING:
    from nectar_async.sandbox.calls import Call, Reply
    from nectar_async.sandbox.entities import Company

__all__ = ["list_by_company", "list_by_site"]


async def list_by_company(call: Call) -> Reply:
    """A page of the usage of a company."""
    return _page(call, companies.by_id(call))


async def list_by_site(call: Call) -> Reply:
    """A page of the usage of a site."""
    company, site = sites.by_id(call)
    return _page(call, company, site_id=site.id)


def _page(call: Call, company: Company, *, site_id: str | None = None) -> Reply:
    page = page_number(call.query)
    wanted = UsageFilter.from_query(call.query)
    book = call.portfolio.book(company.index)
    lines = book.lines(call.version)
    if site_id is not None or not wanted.keeps_all:
        kept = (
            (site_id is None or record.meter.site.id == site_id)
            and wanted.keeps(record)
            for record in book.records
        )
        lines = list(compress(lines, kept))
    return page_of(lines, page=page, items="usageData", total="totalUsageData")
