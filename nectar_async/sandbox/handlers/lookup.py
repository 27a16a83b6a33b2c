"""What the id in a path names, and whose it is; 404 where there is no such thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nectar_async.sandbox.server.messages import Call, RefusalError

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        UsageRecord,
    )

__all__ = [
    "find_account",
    "find_connection",
    "find_document",
    "find_meter",
    "find_usage",
]

_NOT_FOUND = 404

_Found = TypeVar("_Found")


def find_account(call: Call) -> tuple[CompanyRecord, AccountRecord]:
    """The account that the path names."""
    return _there(call.portfolio.find_account(call.params["account_id"]))


def find_connection(call: Call) -> tuple[CompanyRecord, ConnectionRecord]:
    """The connection that the path names."""
    return _there(call.portfolio.find_connection(call.params["connection_id"]))


def find_document(call: Call) -> tuple[CompanyRecord, DocumentRecord]:
    """The bill that the path names, be it a deleted one."""
    return _there(call.portfolio.find_document(call.params["document_id"]))


def find_meter(call: Call) -> tuple[CompanyRecord, MeterRecord]:
    """The meter that the path names."""
    return _there(call.portfolio.find_meter(call.params["meter_id"]))


def find_usage(call: Call) -> tuple[CompanyRecord, UsageRecord]:
    """The usage record or demand row that the path names."""
    return _there(call.portfolio.find_usage(call.params["usage_data_id"]))


def _there(found: _Found | None) -> _Found:
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return found
