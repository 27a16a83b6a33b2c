"""Look-ups of the entities named in paths; each raises a `RefusalError` with 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        SiteRecord,
        UsageRecord,
    )
    from nectar_async.sandbox.server.api_call import Call

__all__ = [
    "find_account",
    "find_company",
    "find_connection",
    "find_document",
    "find_meter",
    "find_site",
    "find_usage",
    "require",
]

_NOT_FOUND = 404

_T = TypeVar("_T")


def find_company(call: Call) -> CompanyRecord:
    """Find the company that the path names."""
    return require(call.portfolio.find_company(call.params["company_id"]))


def find_site(call: Call) -> tuple[CompanyRecord, SiteRecord]:
    """Find the site that the path names, with its company."""
    return require(call.portfolio.find_site(call.params["site_id"]))


def find_account(call: Call) -> tuple[CompanyRecord, AccountRecord]:
    """Find the account that the path names, with its company."""
    return require(call.portfolio.find_account(call.params["account_id"]))


def find_connection(call: Call) -> tuple[CompanyRecord, ConnectionRecord]:
    """Find the connection that the path names, with its company."""
    return require(call.portfolio.find_connection(call.params["connection_id"]))


def find_document(call: Call) -> tuple[CompanyRecord, DocumentRecord]:
    """Find the bill that the path names, with its company; it may be a deleted one."""
    return require(call.portfolio.find_document(call.params["document_id"]))


def find_meter(call: Call) -> tuple[CompanyRecord, MeterRecord]:
    """Find the meter that the path names, with its company."""
    return require(call.portfolio.find_meter(call.params["meter_id"]))


def find_usage(call: Call) -> tuple[CompanyRecord, UsageRecord]:
    """Find the usage record or demand row that the path names, with its company."""
    return require(call.portfolio.find_usage(call.params["usage_data_id"]))


def require(entity: _T | None) -> _T:
    """Return an entity, or refuse the request if it does not exist.

    Raises:
        RefusalError: 404 for None.
    """
    if entity is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return entity
