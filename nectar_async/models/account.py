"""Accounts: customers' accounts with utilities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from nectar_async._types import Flag
from nectar_async.models._base import NOT_ON_WIRE, Model
from nectar_async.models._extra import format_keys
from nectar_async.models.enums import DatasourceType
from nectar_async.models.statuses import AccountStatus, AccountTrackingStatus

__all__ = ["Account"]


@frozen(kw_only=True)
class Account(Model):
    """A customer's account with a utility, found behind the login of a connection.

    Accounts come inside their connection and as the answer to an update; the API cannot
    list or read them. The meters of one account may be at several sites.
    """

    id: str
    meters: tuple[str, ...] = ()
    """Ids of the account's meters."""
    is_tracked: bool | None = None
    """Whether bills are collected. It is a deprecated alias of `tracking_status`, with
    True for UNSET, but the only one of the two that can be updated."""
    is_duplicated: Flag | None = None
    """Whether it is a duplicate of another account, which reports leave out. The API
    sends a text or a boolean."""
    account_number: str | None = None
    """Empty if the utility has no account numbers."""
    tracking_status: AccountTrackingStatus | None = None
    """Whether bills are collected. It cannot be updated: see `is_tracked`."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on. It has precedence over the dates of the
    site, the connection and the company."""
    is_collecting_invoice_data: bool | None = None
    is_collecting_smart_meter_data: bool | None = None
    datasource_types: tuple[DatasourceType, ...] = ()
    """The commodities that the account is billed for."""
    last_service_date: date | None = None
    """The last day of service, for an account that the utility has closed."""
    status: AccountStatus | None = None
    """The progress of the set-up; `status.advice` says what to do."""
    status_last_update_time: datetime | None = None
    """When the present status was last recorded."""
    status_first_seen_time: datetime | None = None
    """When the present status was first set."""
    status_error_detail: str | None = None
    """Details of the problem, in free text."""
    company_id: str | None = field(default=None, eq=False, metadata=NOT_ON_WIRE)
    """Id of its company, where the list or the record tells it: it is not a field of
    the API, and records that differ in it only are equal."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
