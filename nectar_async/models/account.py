"""Accounts: what a customer has with a utility."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from nectar_async._types import Flag
from nectar_async.models._base import Model
from nectar_async.models._extra import names_of
from nectar_async.models.enums import DatasourceType
from nectar_async.models.statuses import AccountStatus, AccountTrackingStatus

__all__ = ["Account"]


@frozen(kw_only=True)
class Account(Model):
    """A customer's account with a utility, found behind the login of a connection.

    Accounts come inside their connection and as the answer to an update; the API has
    no call that lists or reads them. The meters of one account may be at several sites.
    """

    id: str
    meters: tuple[str, ...] = ()
    """Ids of the account's meters."""
    is_tracked: bool | None = None
    """Whether bills are collected: a deprecated alias of `tracking_status`, where
    UNSET reads as True. Yet it is the one of the two that an update takes."""
    is_duplicated: Flag | None = None
    """Whether it is the double of another account, which reports leave out. The API
    sends text or a boolean; here it is a boolean."""
    account_number: str | None = None
    """Blank where the utility has no numbers."""
    tracking_status: AccountTrackingStatus | None = None
    """Whether bills are collected. It cannot be written: see `is_tracked`."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on; it goes before the dates of the site, the
    connection and the company."""
    is_collecting_invoice_data: bool | None = None
    is_collecting_smart_meter_data: bool | None = None
    datasource_types: tuple[DatasourceType, ...] = ()
    """The commodities that the account is billed for."""
    last_service_date: date | None = None
    """The last day of service, for an account that the utility has closed."""
    status: AccountStatus | None = None
    """How far the set-up of the account is; `status.advice` says what to do."""
    status_last_update_time: datetime | None = None
    """When the present status was last recorded."""
    status_first_seen_time: datetime | None = None
    """When the present status was first set."""
    status_error_detail: str | None = None
    """What went wrong, in free text."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
