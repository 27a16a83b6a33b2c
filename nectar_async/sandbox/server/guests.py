"""The person behind an invitation's link, who types the credentials of a portal in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from nectar_async.sandbox.generator.portal_logins import checked, state_of
from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import ConnectionRecord
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.server.invitations import InvitationRecord

__all__ = ["use"]

_FROM_PREFILL = {
    "url": "url",
    "initialSites": "sites",
    "utilityTypes": "initialDatasourceTypes",
    "country": "country",
    "connectionOwnerEmail": "workflowOwnerEmail",
    "dataCollectionStartDate": "dataCollectionStartDate",
}
"""What a prefilled form has, and how a new connection calls it."""

_BAD_REQUEST = 400
_FORBIDDEN = 403
_NOT_FOUND = 404
_GONE = 410


def use(
    invitation: InvitationRecord, portfolio: Portfolio, typed: Mapping[str, Any]
) -> ConnectionRecord:
    """What becomes of the link when someone opens it and enters `typed`.

    `typed` has `url`, `username`, `password` and `sites`, of which the link's prefill
    may bring the first and the last, and the `email` of whoever types.

    Raises:
        RefusalError: 410 for a link that has ended, 403 for somebody whom it is not
            for, 400 for credentials that are none.
    """
    now = portfolio.clock.now()
    email = typed.get("email")
    status = invitation.status(now)
    if status != "ACTIVE":
        raise RefusalError(_GONE, f"This invitation is {status}.")
    if not invitation.allows(email):
        raise RefusalError(_FORBIDDEN, "This invitation is for somebody else.")
    invitation.note("OPENED", now, email)
    if invitation.connection_id is None:
        connection = _connect(invitation, portfolio, typed, now)
        invitation.created_connections.append(connection.id)
        invitation.note("CONNECTION_CREATED", now, email)
    else:
        connection = _reconnect(invitation.connection_id, portfolio, typed, now)
        invitation.note("CONNECTION_UPDATED", now, email)
    invitation.use_count += 1
    if invitation.status(now) == "FULFILLED":
        invitation.note("FULFILLED", now)
    return connection


def _connect(
    invitation: InvitationRecord,
    portfolio: Portfolio,
    typed: Mapping[str, Any],
    now: Instant,
) -> ConnectionRecord:
    prefilled = {
        name: invitation.prefill[key]
        for key, name in _FROM_PREFILL.items()
        if key in invitation.prefill
    }
    wanted = {**prefilled, **typed}
    for name in ("url", "username", "password", "sites"):
        _require(wanted, name)
    return portfolio.add_connection(invitation.company, wanted, now)


def _reconnect(
    connection_id: str, portfolio: Portfolio, typed: Mapping[str, Any], now: Instant
) -> ConnectionRecord:
    found = portfolio.find_connection(connection_id)
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    company, connection = found
    _require(typed, "password")
    renewed = checked(
        evolve(
            connection,
            url=typed.get("url", connection.url),
            username=typed.get("username", connection.username),
        ),
        now,
        password=typed["password"],
    )
    with portfolio.change(company.index) as changes:
        changes.edit(connection.id, state_of(renewed))
    return renewed


def _require(values: Mapping[str, Any], name: str) -> None:
    if not values.get(name):
        raise RefusalError(_BAD_REQUEST, f"{name}: This field is required.")
