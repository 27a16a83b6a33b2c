"""Invitations: links by which somebody else enters the credentials of a portal."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from attrs import define, field

from nectar_async.sandbox.generator.dates import Instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nectar_async.sandbox.generator.clock import Clock
    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["CREATE", "EDIT", "InvitationRecord", "InvitationStore"]

CREATE = "CREATE_CONNECTION"
EDIT = "EDIT_CONNECTION"

_LINK = "https://dash.nectarclimate.com/p/i/"
_SECOND = 1_000_000_000
_FRACTION_DIGITS = 6


@define
class _InvitationEvent:
    """A line of an invitation's log."""

    event_type: str
    moment: Instant
    email: str | None = None


@define(kw_only=True, eq=False)
class InvitationRecord:
    """A link, what it may be used for, and what became of it."""

    id: str
    token: str = field(repr=False)
    company: int
    """The company's index."""
    company_id: str
    connection_id: str | None
    """The connection to reconnect; None for a link that makes new ones."""
    created: Instant
    allowed_emails: Sequence[str] = ()
    expires: Instant | None = None
    max_uses: int | None = None
    prefill: Mapping[str, Any]
    use_count: int = 0
    is_revoked: bool = False
    created_connections: list[str] = field(factory=list)
    """Ids of the connections that came through this link."""
    _events: list[_InvitationEvent] = field(factory=list)

    @property
    def invitation_type(self) -> str:
        """What the link is for."""
        return CREATE if self.connection_id is None else EDIT

    def status(self, now: Instant) -> str:
        """What it is by now; of what ended it, the first thing counts."""
        if self.is_revoked:
            return "REVOKED"
        if self.max_uses is not None and self.use_count >= self.max_uses:
            return "FULFILLED"
        is_over = self.expires is not None and self.expires <= now
        return "EXPIRED" if is_over else "ACTIVE"

    def allows(self, email: str | None) -> bool:
        """Whether this person may use the link; with no addresses given, anyone may."""
        allowed = {address.lower() for address in self.allowed_emails}
        return not allowed or (email or "").lower() in allowed

    def revoke(self, now: Instant) -> None:
        """Withdraw it; one that has ended already stays as it is."""
        if self.status(now) == "ACTIVE":
            self.is_revoked = True
            self.note("REVOKED", now)

    def note(self, event_type: str, moment: Instant, email: str | None = None) -> None:
        """Add a line to the log."""
        self._events.append(_InvitationEvent(event_type, moment, email))

    def as_json(
        self, now: Instant, created_connections: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """The invitation as the API sends it; its connections as they are by now."""
        return {
            "id": self.id,
            "token": self.token,
            "invitationType": self.invitation_type,
            "status": self.status(now),
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
        """The log, oldest first."""
        events = self._events
        if self.expires is not None and self.status(now) == "EXPIRED":
            events = [*events, _InvitationEvent("EXPIRED", self.expires)]
        return [
            {
                "id": f"{self.id}-{place}",
                "eventType": event.event_type,
                "createdAt": event.moment.text,
                "email": event.email,
            }
            for place, event in enumerate(events)
        ]


class InvitationStore:
    """All invitations of a sandbox."""

    def __init__(self, ids: Ids, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock
        self._by_id: dict[str, InvitationRecord] = {}

    def create(
        self,
        *,
        company: tuple[int, str],
        connection_id: str | None,
        wanted: Mapping[str, Any],
    ) -> InvitationRecord:
        """A new one; `company` is its index and id, `wanted` the request's body."""
        now = self._clock.now()
        index, company_id = company
        serial = str(len(self._by_id))
        invitation_id = self._ids.make("invitation", index, serial)
        seconds = wanted.get("expiresInSeconds")
        emails = wanted.get("allowedEmails", ())
        invitation = InvitationRecord(
            id=invitation_id,
            token=blake2b(
                f"token/{invitation_id}".encode(), digest_size=20
            ).hexdigest(),
            company=index,
            company_id=company_id,
            connection_id=connection_id,
            created=now,
            allowed_emails=emails,
            expires=None if seconds is None else _later(now, int(seconds)),
            max_uses=wanted.get("maxUses"),
            prefill=wanted.get("prefill", {}),
        )
        invitation.note("CREATED", now)
        for email in emails if wanted.get("sendEmail") else ():
            invitation.note("EMAIL_SENT", now, email)
        self._by_id[invitation_id] = invitation
        return invitation

    def find(self, invitation_id: str) -> InvitationRecord | None:
        """The one of that id."""
        return self._by_id.get(invitation_id.lower())

    def find_token(self, token: str) -> InvitationRecord | None:
        """The one whose link ends with that token."""
        return next(
            (each for each in self._by_id.values() if each.token == token), None
        )

    def of_company(self, index: int) -> list[InvitationRecord]:
        """Those of a company, newest first."""
        every = reversed(self._by_id.values())
        return [each for each in every if each.company == index]


def _later(moment: Instant, seconds: int) -> Instant:
    nanoseconds = moment.nanoseconds + seconds * _SECOND
    return Instant.at(nanoseconds, digits=_FRACTION_DIGITS)
