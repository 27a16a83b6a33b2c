"""Invitations: links by which customers connect their own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import names_of
from nectar_async.models.enums import DatasourceType, InvitationType
from nectar_async.models.statuses import ConnectionStatus, InvitationStatus

__all__ = [
    "CreatedConnection",
    "Invitation",
    "InvitationDetail",
    "InvitationEvent",
    "InvitationPrefill",
]


@frozen(kw_only=True)
class InvitationPrefill(Model):
    """What the form behind an invitation is filled with before the customer sees it.

    It is sent with a new invitation and comes back with it. All of it may be missing,
    and is in invitations to reconnect.
    """

    datasource_id: str | None = None
    """The utility: the id of a provider that the search found."""
    url: str | None = None
    """The portal of the utility."""
    initial_sites: tuple[str, ...] = ()
    """Ids of the sites that the connection is for."""
    utility_types: tuple[DatasourceType, ...] = ()
    """The commodities; a connection calls them `initial_datasource_types`."""
    country: str | None = None
    """Two letters, as in ISO 3166-1: `US`."""
    connection_owner_email: str | None = None
    """Who owns the connection, which calls it `workflow_owner_email`."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class CreatedConnection(Model):
    """A connection that was made through an invitation, in short.

    Fetch the connection by its id for the rest of it.
    """

    id: str | None = None
    datasource_name: str | None = None
    """Name of the utility."""
    status: ConnectionStatus | None = None
    created: datetime | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class InvitationEvent(Model):
    """One line of the log of an invitation, such as that it was opened."""

    id: str | None = None
    event_type: str | None = None
    """Free text: its values are not published."""
    created_at: datetime | None = None
    email: str | None = None
    """Who did it, where that is known."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class Invitation(Model):
    """A link by which a customer connects an account, or repairs a connection.

    The page behind the link asks for no sign-in, so the link and its token are masked.
    An invitation that has expired cannot be revived, and none can be sent again: make
    a new one. The list of a company has all of this but the log.
    """

    id: str
    token: Secret[str] | None = None
    """The last part of `invitation_url`."""
    invitation_type: InvitationType | None = None
    """Whether it makes a connection or repairs the one of `connection_id`."""
    status: InvitationStatus | None = None
    invitation_url: Secret[str] | None = None
    """The link to hand to the customer."""
    company_id: str | None = None
    connection_id: str | None = None
    """The connection to repair; None for an invitation that makes one."""
    allowed_emails: tuple[str, ...] = ()
    """Who may use it, having verified the address; empty is anyone with the link."""
    expires_at: datetime | None = None
    """None: never."""
    max_uses: int | None = None
    """None: any number."""
    use_count: int | None = None
    created_at: datetime | None = None
    """Other nouns call it `created`."""
    prefill: InvitationPrefill | None = None
    """Empty for an invitation to reconnect."""
    created_connections: tuple[CreatedConnection, ...] = ()
    """What was made through it; empty for an invitation to reconnect."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class InvitationDetail(Invitation):
    """An invitation with its log, as it comes when one is fetched by its id."""

    events: tuple[InvitationEvent, ...] = ()
    """What happened to it."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
