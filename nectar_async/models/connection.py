"""Connections: the logins through which bills are collected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import names_of
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
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class ConnectionCompany(Model):
    """The company of a connection, as it comes inside the connection.

    Fetch the company by its id for the rest of it.
    """

    id: str
    name: str | None = None
    external_id: str | None = None
    """Your own id of the company."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class Connection(Model):
    """A login to the portal of a utility, and what was found behind it.

    The guides also call it a workflow. A login that no longer works is renewed, not
    added again: the same utility and user name twice in a company is refused. The
    password never comes back.
    """

    id: str
    created: datetime | None = None
    public_company_id: str | None = None
    """Id of the company in magic links and nowhere else: it is not `company.id`.
    Deprecated with the links."""
    connection_magic_link_secret: Secret[str] | None = None
    """The last part of the magic link that edits this connection: whoever has it can
    edit. Deprecated: send a reconnect invitation instead."""
    status_last_update_time: datetime | None = None
    """When the present status was last recorded."""
    status_first_seen_time: datetime | None = None
    """When the present status was first set."""
    status_error_detail: str | None = None
    """What went wrong, in free text."""
    updated: datetime | None = None
    external_id: str | None = None
    """Your own id of the connection."""
    datasource: ConnectionDatasource | None = None
    """The utility."""
    accounts: tuple[Account, ...] = ()
    """Every account behind the login as a whole object, not its id."""
    company: ConnectionCompany | None = None
    """The company that owns the connection."""
    url: str | None = None
    """The portal where the login is used."""
    status: ConnectionStatus | None = None
    """How the login fares; `status.advice` says what to do about it."""
    country: str | None = None
    """Two letters, as in ISO 3166-1: `US`."""
    initial_sites: tuple[str, ...] = ()
    """Ids of the sites that were named when the connection was made."""
    initial_datasource_types: tuple[DatasourceType, ...] = ()
    """The commodities that were named when the connection was made."""
    username: Secret[str] | None = None
    """The login's name; a setting of the company may mask it at the server."""
    workflow_owner_email: str | None = None
    """Who owns the connection. Filters and invitations call it
    `connection_owner_email`."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on; None is the company's own date."""
    multiply_by_occupancy: bool | None = None
    """Whether usage counts by the `occupancy_percent` of its site, for companies that
    decide this connection by connection."""
    is_active: bool | None = None
    """False for a connection that was deactivated; no status says so."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


def _masked(text: str | Secret[str]) -> Secret[str]:
    return text if isinstance(text, Secret) else Secret(text)


@frozen(kw_only=True)
class SecurityQuestion(Model):
    """A question that a portal asks at login, and the answer to it.

    It is sent and does not come back. Plain text is masked as it is taken:

        SecurityQuestion(key="First pet?", value="Rex")
    """

    key: Secret[str] = field(converter=_masked)
    """The question."""
    value: Secret[str] = field(converter=_masked)
    """The answer."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
