"""Sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_async.sandbox.calls import Call, RefusalError, Reply
from nectar_async.sandbox.filters import page_number
from nectar_async.sandbox.handlers import companies
from nectar_async.sandbox.pages import array, page_of
from nectar_async.sandbox.wire import encode, site_json

if TYPE_CHECKING:
    from nectar_async.sandbox.entities import Company, Site

__all__ = ["by_id", "list_by_company", "list_by_company_in_pages"]

_NOT_FOUND = 404


async def list_by_company(call: Call) -> Reply:
    """The sites of a company as a bare array."""
    return array(_lines(call))


async def list_by_company_in_pages(call: Call) -> Reply:
    """The sites of a company in the envelope, which the contract allows as well."""
    lines = _lines(call)
    page = page_number(call.query)
    return page_of(lines, page=page, items="sites", total="totalSites")


def by_id(call: Call) -> tuple[Company, Site]:
    """The site that the path names and its company, or 404."""
    found = call.portfolio.find_site(call.params["site_id"])
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return found


def _lines(call: Call) -> list[bytes]:
    return [encode(site_json(site)) for site in companies.by_id(call).sites]
