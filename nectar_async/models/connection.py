"""Connections: the logins through which bills are collected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import NOT_ON_WIRE, Model
from nectar_async.models._extra import format_keys
from nectar_async.models.account import Account
from nectar_async.models.enums import DatasourceType
from nectar_async.models.statuses import ConnectionStatus

__all__ = [
    "Connection",
    "ConnectionCompany",
    "ConnectionDatasource",
    "SecurityQuestion",
]


@frozen(kw_only=True)
class ConnectionDatasource(Model):
    """The utility of a connection, as it comes inside the connection."""

    name: str | None = None
    url: str | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class ConnectionCompany(Model):
    """The company of a connection, as it comes inside the connection.

    Request the company by its ID for its other fields.
    """

    id: str
    name: str | None = None
    external_id: str | None = None
    """Your own ID of the company."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class Connection(Model):
    """A login to the portal of a utility, and what was found behind it.

    The guides also call it a workflow. Renew a login that no longer works instead of
    adding another: the same utility and user name twice in a company is refused. The
    API never sends the password back.
    """

    id: str
    created: datetime | None = None
    public_company_id: str | None = None
    """ID of the company in magic links only; it differs from `company.id`. Deprecated
    with the links."""
    connection_magic_link_secret: Secret[str] | None = None
    """The last part of the magic link that edits this connection; the link needs no
    sign-in. Deprecated: send a reconnect invitation instead."""
    status_last_update_time: datetime | None = None
    """When the present status was last recorded."""
    status_first_seen_time: datetime | None = None
    """When the present status was first set."""
    status_error_detail: str | None = None
    """Details of the problem, in free text."""
    updated: datetime | None = None
    external_id: str | None = None
    """Your own ID of the connection."""
    datasource: ConnectionDatasource | None = None
    """The utility."""
    accounts: tuple[Account, ...] = ()
    """Every account behind the login as a whole object, not its id."""
    company: ConnectionCompany | None = None
    """The company that owns the connection."""
    url: str | None = None
    """The portal where the login is used."""
    status: ConnectionStatus | None = None
    """Whether the login works; `status.advice` says what to do about it."""
    country: str | None = None
    """Two letters, as in ISO 3166-1: `US`."""
    initial_sites: tuple[str, ...] = ()
    """IDs of the sites that the connection was created for."""
    initial_datasource_types: tuple[DatasourceType, ...] = ()
    """The commodities that the connection was created for."""
    username: Secret[str] | None = None
    """The user name of the login; masked by the server if the company is set to it."""
    workflow_owner_email: str | None = None
    """The owner of the connection. Filters and invitations call it
    `connection_owner_email`."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on; None for the date of the company."""
    multiply_by_occupancy: bool | None = None
    """Whether usage is multiplied by the `occupancy_percent` of its site, for companies
    that decide this for each connection."""
    is_active: bool | None = None
    """False for a deactivated connection; there is no status for that."""
    company_id: str | None = field(default=None, eq=False, metadata=NOT_ON_WIRE)
    """Id of its company, where the list or the record tells it: it is not a field of
    the API, and records that differ in it only are equal."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


def _mask(text: str | Secret[str]) -> Secret[str]:
    return text if isinstance(text, Secret) else Secret(text)


@frozen(kw_only=True)
class SecurityQuestion(Model):
    """A question that a portal asks at login, and the answer to it.

    The API never sends it back. Plain text is converted to a `Secret`:

        SecurityQuestion(key="First pet?", value="Rex")
    """

    key: Secret[str] = field(converter=_mask)
    """The question."""
    value: Secret[str] = field(converter=_mask)
    """The answer."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
