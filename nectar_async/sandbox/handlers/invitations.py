"""Handlers of invitations: create, reconnect, list, get, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.messages import RefusalError, Reply, encode_json
from nectar_async.sandbox.server.pagination import build_page, parse_page_number

if TYPE_CHECKING:
    from nectar_async.sandbox.server.invitations import InvitationRecord

__all__ = ["create", "create_reconnect", "get", "list_by_company", "revoke"]

# About 300 years, so that the date can still be formatted.
_MAX_SECONDS = 10_000_000_000
_CREATED = 201
_BAD_REQUEST = 400


async def create(call: Call) -> Reply:
    """Create an invitation to connect portals to a company."""
    company = lookup.find_company(call)
    _check_expiry(call)
    known = {site.id for site in company.sites}
    for site_id in call.json.get("prefill", {}).get("initialSites", ()):
        if site_id.lower() not in known:
            detail = f"prefill.initialSites: The company has no such site: {site_id}."
            raise RefusalError(_BAD_REQUEST, detail)
    invitation = call.state.invitations.create(
        company=company, connection_id=None, fields=call.json
    )
    return Reply.json(_build_json(call, invitation), status=_CREATED)


async def create_reconnect(call: Call) -> Reply:
    """Create an invitation to renew the credentials of a connection."""
    company, connection = lookup.find_connection(call)
    _check_expiry(call)
    fields = {key: value for key, value in call.json.items() if key != "prefill"}
    invitation = call.state.invitations.create(
        company=company, connection_id=connection.id, fields=fields
    )
    return Reply.json(_build_json(call, invitation), status=_CREATED)


async def list_by_company(call: Call) -> Reply:
    """List a company's invitations, newest first."""
    company = lookup.find_company(call)
    status = call.query.get("status", (None,))[-1]
    kind = call.query.get("invitationType", (None,))[-1]
    now = call.clock.now()
    lines = [
        encode_json(_build_json(call, invitation))
        for invitation in call.state.invitations.list_by_company(company.index)
        if status in {None, invitation.find_status(now)}
        and kind in {None, invitation.invitation_type}
    ]
    page = parse_page_number(call.query)
    return build_page(lines, page=page, items="invitations", total="totalInvitations")


async def get(call: Call) -> Reply:
    """Get an invitation, with its events."""
    invitation = _find_invitation(call)
    events = invitation.events_json(call.clock.now())
    return Reply.json({**_build_json(call, invitation), "events": events})


async def revoke(call: Call) -> Reply:
    """Revoke an invitation; a second time this changes nothing."""
    invitation = _find_invitation(call)
    invitation.revoke(call.clock.now())
    return Reply.json(_build_json(call, invitation))


def _find_invitation(call: Call) -> InvitationRecord:
    return lookup.require(call.state.invitations.find(call.params["invitation_id"]))


def _check_expiry(call: Call) -> None:
    seconds = call.json.get("expiresInSeconds")
    if seconds is not None and seconds > _MAX_SECONDS:
        raise RefusalError(
            _BAD_REQUEST, f"expiresInSeconds: This must be {_MAX_SECONDS} or less."
        )


def _build_json(call: Call, invitation: InvitationRecord) -> dict[str, Any]:
    connections = []
    for connection_id in invitation.created_connections:
        owned = call.portfolio.find_connection(connection_id)
        if owned is not None:
            _, connection = owned
            connections.append(
                {
                    "id": connection.id,
                    "datasourceName": connection.utility,
                    "status": connection.status,
                    "created": connection.created.text,
                }
            )
    return invitation.as_json(call.clock.now(), connections)
