"""Invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import companies
from nectar_async.sandbox.server.filters import page_number
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply
from nectar_async.sandbox.server.pagination import page_of
from nectar_async.sandbox.server.wire_format import encode

if TYPE_CHECKING:
    from nectar_async.sandbox.server.invitations import InvitationRecord

__all__ = ["create", "create_reconnect", "get", "list_by_company", "revoke"]

# About 300 years: a moment must stay one that can be written down.
_MAX_SECONDS = 10_000_000_000
_CREATED = 201
_BAD_REQUEST = 400
_NOT_FOUND = 404


async def create(call: Call) -> Reply:
    """A link by which others connect portals to the company."""
    company = companies.by_id(call)
    _check_expiry(call)
    known = {site.id for site in company.sites}
    for site_id in call.json.get("prefill", {}).get("initialSites", ()):
        if site_id.lower() not in known:
            detail = f"prefill.initialSites: {site_id} is no site of the company."
            raise RefusalError(_BAD_REQUEST, detail)
    made = call.state.invitations.create(
        company=(company.index, company.id), connection_id=None, wanted=call.json
    )
    return Reply.json(_json(call, made), status=_CREATED)


async def create_reconnect(call: Call) -> Reply:
    """A link by which the credentials of one connection are renewed."""
    found = call.portfolio.find_connection(call.params["connection_id"])
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    _check_expiry(call)
    company, connection = found
    wanted = {key: value for key, value in call.json.items() if key != "prefill"}
    made = call.state.invitations.create(
        company=(company.index, company.id), connection_id=connection.id, wanted=wanted
    )
    return Reply.json(_json(call, made), status=_CREATED)


async def list_by_company(call: Call) -> Reply:
    """A page of the company's invitations, newest first."""
    company = companies.by_id(call)
    status = call.query.get("status", (None,))[-1]
    kind = call.query.get("invitationType", (None,))[-1]
    now = call.clock.now()
    lines = [
        encode(_json(call, each))
        for each in call.state.invitations.of_company(company.index)
        if status in {None, each.status(now)} and kind in {None, each.invitation_type}
    ]
    page = page_number(call.query)
    return page_of(lines, page=page, items="invitations", total="totalInvitations")


async def get(call: Call) -> Reply:
    """One invitation, with its log."""
    found = _by_id(call)
    events = found.events_json(call.clock.now())
    return Reply.json({**_json(call, found), "events": events})


async def revoke(call: Call) -> Reply:
    """The invitation, which nobody can use any more; once more changes nothing."""
    found = _by_id(call)
    found.revoke(call.clock.now())
    return Reply.json(_json(call, found))


def _by_id(call: Call) -> InvitationRecord:
    found = call.state.invitations.find(call.params["invitation_id"])
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return found


def _check_expiry(call: Call) -> None:
    seconds = call.json.get("expiresInSeconds")
    if seconds is not None and seconds > _MAX_SECONDS:
        raise RefusalError(
            _BAD_REQUEST, f"expiresInSeconds: This must be {_MAX_SECONDS} or less."
        )


def _json(call: Call, invitation: InvitationRecord) -> dict[str, Any]:
    connections = []
    for connection_id in invitation.created_connections:
        found = call.portfolio.find_connection(connection_id)
        if found is not None:
            _, connection = found
            connections.append(
                {
                    "id": connection.id,
                    "datasourceName": connection.utility,
                    "status": connection.status,
                    "created": connection.created.text,
                }
            )
    return invitation.as_json(call.clock.now(), connections)
