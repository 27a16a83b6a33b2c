"""Invitations: links with which other people enter the credentials of a portal."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from nectar_async.sandbox.generator.connection_logins import (
    read_editable_fields,
    start_login_check,
)
from nectar_async.sandbox.server.checks import check_new_connection
from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import CompanyRecord, ConnectionRecord
    from nectar_async.sandbox.generator.ids import Ids
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.generator.server_clock import ServerClock

__all__ = ["CREATE", "EDIT", "InvitationRecord", "InvitationStore", "use_invitation"]

CREATE = "CREATE_CONNECTION"
EDIT = "EDIT_CONNECTION"

_FROM_PREFILL = {
    "url": "url",
    "initialSites": "sites",
    "utilityTypes": "initialDatasourceTypes",
    "country": "country",
    "connectionOwnerEmail": "workflowOwnerEmail",
    "dataCollectionStartDate": "dataCollectionStartDate",
}
"""The keys of a prefilled form, and their names in `ConnectionCreate`."""

_LINK = "https://dash.nectarclimate.com/p/i/"
_BAD_REQUEST = 400
_FORBIDDEN = 403
_NOT_FOUND = 404
_GONE = 410


@define
class _InvitationEvent:
    """An event in the history of an invitation."""

    event_type: str
    moment: Instant
    email: str | None = None


@define(kw_only=True, eq=False)
class InvitationRecord:
    """An invitation: its rules and its history."""

    id: str
    token: str = field(repr=False)
    company: int
    """The index of its company."""
    company_id: str
    connection_id: str | None
    """The connection to reconnect; None if the link creates connections."""
    created: Instant
    allowed_emails: Sequence[str] = ()
    expires: Instant | None = None
    max_uses: int | None = None
    prefill: Mapping[str, Any]
    use_count: int = 0
    is_revoked: bool = False
    created_connections: list[str] = field(factory=list)
    """Ids of the connections that were created with the link."""
    _events: list[_InvitationEvent] = field(factory=list)

    @property
    def invitation_type(self) -> str:
        """Whether the link creates or edits a connection."""
        return CREATE if self.connection_id is None else EDIT

    def find_status(self, now: Instant) -> str:
        """Find the status at `now`; the first of several reasons to end counts."""
        if self.is_revoked:
            return "REVOKED"
        if self.max_uses is not None and self.use_count >= self.max_uses:
            return "FULFILLED"
        is_over = self.expires is not None and self.expires <= now
        return "EXPIRED" if is_over else "ACTIVE"

    def allows(self, email: str | None) -> bool:
        """Whether a person may use the link; without allowed addresses, anyone may."""
        allowed = {address.lower() for address in self.allowed_emails}
        return not allowed or (email or "").lower() in allowed

    def revoke(self, now: Instant) -> None:
        """Revoke the invitation, if it is still active."""
        if self.find_status(now) == "ACTIVE":
            self.is_revoked = True
            self.add_event("REVOKED", now)

    def add_event(
        self, event_type: str, moment: Instant, email: str | None = None
    ) -> None:
        """Add an event to the history."""
        self._events.append(_InvitationEvent(event_type, moment, email))

    def as_json(
        self, now: Instant, created_connections: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Build the invitation's JSON, with the JSON of its connections."""
        return {
            "id": self.id,
            "token": self.token,
            "invitationType": self.invitation_type,
            "status": self.find_status(now),
            "invitationUrl": f"{_LINK}{self.token}",
            "companyId": self.company_id,
            "connectionId": self.connection_id,
            "allowedEmails": self.allowed_emails,
            "expiresAt": self.expires.text if self.expires is not None else None,
            "maxUses": self.max_uses,
            "useCount": self.use_count,
            "createdAt": self.created.text,
            "prefill": self.prefill,
            "createdConnections": created_connections,
        }

    def events_json(self, now: Instant) -> list[dict[str, Any]]:
        """Build the JSON of the events, oldest first."""
        events = self._events
        if self.expires is not None and self.find_status(now) == "EXPIRED":
            events = [*events, _InvitationEvent("EXPIRED", self.expires)]
        return [
            {
                "id": f"{self.id}-{number}",
                "eventType": event.event_type,
                "createdAt": event.moment.text,
                "email": event.email,
            }
            for number, event in enumerate(events)
        ]


class InvitationStore:
    """All invitations of a sandbox."""

    def __init__(self, ids: Ids, clock: ServerClock) -> None:
        self._ids = ids
        self._clock = clock
        self._by_id: dict[str, InvitationRecord] = {}

    def create(
        self,
        *,
        company: CompanyRecord,
        connection_id: str | None,
        fields: Mapping[str, Any],
    ) -> InvitationRecord:
        """Create an invitation.

        Args:
            company: Its company.
            connection_id: The connection to reconnect; None to create connections.
            fields: The request's body.
        """
        now = self._clock.now()
        serial = str(len(self._by_id))
        invitation_id = self._ids.make("invitation", company.index, serial)
        seconds = fields.get("expiresInSeconds")
        emails = fields.get("allowedEmails", ())
        invitation = InvitationRecord(
            id=invitation_id,
            token=blake2b(
                f"token/{invitation_id}".encode(), digest_size=20
            ).hexdigest(),
            company=company.index,
            company_id=company.id,
            connection_id=connection_id,
            created=now,
            allowed_emails=emails,
            expires=None if seconds is None else now.plus(int(seconds)),
            max_uses=fields.get("maxUses"),
            prefill=fields.get("prefill", {}),
        )
        invitation.add_event("CREATED", now)
        for email in emails if fields.get("sendEmail") else ():
            invitation.add_event("EMAIL_SENT", now, email)
        self._by_id[invitation_id] = invitation
        return invitation

    def find(self, invitation_id: str) -> InvitationRecord | None:
        """Find an invitation by its id."""
        return self._by_id.get(invitation_id.lower())

    def find_by_token(self, token: str) -> InvitationRecord | None:
        """Find an invitation by the token in its link."""
        return next(
            (
                invitation
                for invitation in self._by_id.values()
                if invitation.token == token
            ),
            None,
        )

    def list_by_company(self, index: int) -> list[InvitationRecord]:
        """List the invitations of a company, newest first."""
        newest_first = reversed(self._by_id.values())
        return [
            invitation for invitation in newest_first if invitation.company == index
        ]


def use_invitation(
    invitation: InvitationRecord, portfolio: Portfolio, fields: Mapping[str, Any]
) -> ConnectionRecord:
    """Use an invitation, as the page behind its link does, and get the connection.

    Args:
        invitation: The invitation.
        portfolio: The portfolio in which the connection is changed or created.
        fields: `url`, `username`, `password` and `sites`, and the `email` of the
            person. The invitation may prefill `url` and `sites`.

    Raises:
        RefusalError: 410 for an invitation that has ended, 403 for a person who may not
            use it, 400 for missing or invalid fields.
    """
    now = portfolio.clock.now()
    email = fields.get("email")
    status = invitation.find_status(now)
    if status != "ACTIVE":
        raise RefusalError(_GONE, f"This invitation is {status}.")
    if not invitation.allows(email):
        raise RefusalError(_FORBIDDEN, "This invitation is for another person.")
    invitation.add_event("OPENED", now, email)
    if invitation.connection_id is None:
        connection = _create_connection(invitation, portfolio, fields, now)
        invitation.created_connections.append(connection.id)
        invitation.add_event("CONNECTION_CREATED", now, email)
    else:
        connection = _reconnect(invitation.connection_id, portfolio, fields, now)
        invitation.add_event("CONNECTION_UPDATED", now, email)
    invitation.use_count += 1
    if invitation.find_status(now) == "FULFILLED":
        invitation.add_event("FULFILLED", now)
    return connection


def _create_connection(
    invitation: InvitationRecord,
    portfolio: Portfolio,
    fields: Mapping[str, Any],
    now: Instant,
) -> ConnectionRecord:
    prefilled = {
        name: invitation.prefill[key]
        for key, name in _FROM_PREFILL.items()
        if key in invitation.prefill
    }
    merged = {**prefilled, **fields}
    for name in ("url", "username", "password", "sites"):
        _require(merged, name)
    check_new_connection(portfolio.company_data(invitation.company), merged)
    return portfolio.add_connection(invitation.company, merged, now)


def _reconnect(
    connection_id: str, portfolio: Portfolio, fields: Mapping[str, Any], now: Instant
) -> ConnectionRecord:
    owned = portfolio.find_connection(connection_id)
    if owned is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    company, connection = owned
    _require(fields, "password")
    renewed = start_login_check(
        evolve(
            connection,
            url=fields.get("url", connection.url),
            username=fields.get("username", connection.username),
        ),
        now,
        password=fields["password"],
    )
    with portfolio.change(company.index) as changes:
        changes.edit(connection.id, read_editable_fields(renewed))
    return renewed


def _require(values: Mapping[str, Any], name: str) -> None:
    if not values.get(name):
        raise RefusalError(_BAD_REQUEST, f"{name}: This field is required.")
