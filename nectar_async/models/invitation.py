"""Invitations: links by which customers connect their own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys
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
    """The values with which the form behind an invitation is filled in.

    They are sent with a new invitation and come back with it. All may be missing; an
    invitation to reconnect has none.
    """

    datasource_id: str | None = None
    """The utility: the ID of a provider, from the search for providers."""
    url: str | None = None
    """The portal of the utility."""
    initial_sites: tuple[str, ...] = ()
    """Ids of the sites that the connection is for."""
    utility_types: tuple[DatasourceType, ...] = ()
    """The commodities; a connection calls them `initial_datasource_types`."""
    country: str | None = None
    """Two letters, as in ISO 3166-1: `US`."""
    connection_owner_email: str | None = None
    """The owner of the connection, which calls it `workflow_owner_email`."""
    data_collection_start_date: date | None = None
    """Bills are collected from this day on."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class CreatedConnection(Model):
    """A summary of a connection that was created through an invitation.

    Request the connection by its ID for its other fields.
    """

    id: str | None = None
    datasource_name: str | None = None
    """Name of the utility."""
    status: ConnectionStatus | None = None
    created: datetime | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class InvitationEvent(Model):
    """One event of an invitation, for example that it was opened."""

    id: str | None = None
    event_type: str | None = None
    """Free text: its values are not published."""
    created_at: datetime | None = None
    email: str | None = None
    """The address of the person, if known."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class Invitation(Model):
    """A link by which a customer connects an account, or repairs a connection.

    The link and its token are masked, because the page behind the link needs no
    sign-in. An expired invitation cannot be revived, and no invitation can be sent
    again: create a new one. Lists have invitations without their events.
    """

    id: str
    token: Secret[str] | None = None
    """The last part of `invitation_url`."""
    invitation_type: InvitationType | None = None
    """Whether it creates a connection or repairs the one of `connection_id`."""
    status: InvitationStatus | None = None
    invitation_url: Secret[str] | None = None
    """The link to hand to the customer."""
    company_id: str | None = None
    connection_id: str | None = None
    """ID of the connection to repair; None if the invitation creates one."""
    allowed_emails: tuple[str, ...] = ()
    """Addresses that may use it, once verified; empty for anybody with the link."""
    expires_at: datetime | None = None
    """None if it never expires."""
    max_uses: int | None = None
    """None if it is unlimited."""
    use_count: int | None = None
    created_at: datetime | None = None
    """Other models call it `created`."""
    prefill: InvitationPrefill | None = None
    """Empty for an invitation to reconnect."""
    created_connections: tuple[CreatedConnection, ...] = ()
    """Connections created through it; empty for an invitation to reconnect."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class InvitationDetail(Invitation):
    """An invitation with its events, as it is returned by `invitations.get`."""

    events: tuple[InvitationEvent, ...] = ()
    """The log of the invitation."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
