"""The control API of a sandbox, `/_sandbox/...`: for tests and other processes.

It needs no API key, and its requests are not logged.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.server.invitations import use_invitation
from nectar_async.sandbox.server.json_schema import Schema, find_problem
from nectar_async.sandbox.server.messages import RefusalError, Reply
from nectar_async.sandbox.server.request_body import RequestBody, parse_json_object

if TYPE_CHECKING:
    from aiohttp import web

    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.generator.server_clock import ServerClock
    from nectar_async.sandbox.server.invitations import InvitationStore
    from nectar_async.sandbox.server.request_log import Witness

__all__ = [
    "CLOCK_PATH",
    "CONTROL_PATH",
    "INVITATIONS_PATH",
    "WITNESS_PATH",
    "ControlApi",
]

CONTROL_PATH = "/_sandbox/"
"""The prefix of all paths of the control API."""

WITNESS_PATH = f"{CONTROL_PATH}witness"
"""GET reads the witness; POST `/reset` below it resets it."""

CLOCK_PATH = f"{CONTROL_PATH}clock"
"""GET reads the time; POST `/advance?seconds=30` below it advances the clock."""

INVITATIONS_PATH = f"{CONTROL_PATH}invitations"
"""POST `/{token}/use` below it uses an invitation, as the page behind its link would.

The body may have `url`, `username`, `password`, `sites` and `email`.
"""

_TOKEN = re.compile(rf"(?<=^{INVITATIONS_PATH})/([0-9a-f]+)/")
_USE_SCHEMA: Schema = {
    "properties": {
        "url": {"type": "string"},
        "username": {"type": "string"},
        "password": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "sites": {"type": "array", "items": {"type": "string", "format": "uuid"}},
    }
}
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)
_BAD_REQUEST = 400
_NOT_FOUND = 404


@frozen(kw_only=True)
class ControlApi:
    """Serves the witness, the clock and invitations."""

    witness: Witness
    clock: ServerClock
    portfolio: Portfolio
    invitations: InvitationStore

    async def reply(self, request: web.BaseRequest) -> Reply:
        """Build the reply to a request, or its refusal."""
        path = _TOKEN.sub("/TOKEN/", request.path)
        handler = _HANDLERS.get((request.method, path), _refuse)
        try:
            return await handler(self, request)
        except RefusalError as refusal:
            return refusal.reply


async def _refuse(_api: ControlApi, _request: web.BaseRequest) -> Reply:
    raise RefusalError(_NOT_FOUND, "Not found.")


async def _read_witness(api: ControlApi, _request: web.BaseRequest) -> Reply:
    return Reply.json(api.witness.as_json())


async def _reset_witness(api: ControlApi, request: web.BaseRequest) -> Reply:
    api.witness.reset()
    return await _read_witness(api, request)


async def _read_clock(api: ControlApi, _request: web.BaseRequest) -> Reply:
    return Reply.json(api.clock.as_json())


async def _advance_clock(api: ControlApi, request: web.BaseRequest) -> Reply:
    seconds = request.query.get("seconds", "")
    if _SECONDS.fullmatch(seconds) is None:
        raise RefusalError(_BAD_REQUEST, "seconds: This must be a number.")
    api.clock.advance(float(seconds))
    return await _read_clock(api, request)


async def _use_invitation(api: ControlApi, request: web.BaseRequest) -> Reply:
    match = _TOKEN.search(request.path)
    invitation = api.invitations.find_by_token(match[1]) if match else None
    if invitation is None:
        return await _refuse(api, request)
    fields = parse_json_object((await RequestBody.read(request)).data)
    problem = find_problem(_USE_SCHEMA, fields)
    if problem is not None:
        raise RefusalError(_BAD_REQUEST, problem)
    connection = use_invitation(invitation, api.portfolio, fields)
    return Reply.json({"connectionId": connection.id, "status": connection.status})


_Handler = Callable[[ControlApi, "web.BaseRequest"], Awaitable[Reply]]
_HANDLERS: Mapping[tuple[str, str], _Handler] = {
    ("GET", WITNESS_PATH): _read_witness,
    ("POST", f"{WITNESS_PATH}/reset"): _reset_witness,
    ("GET", CLOCK_PATH): _read_clock,
    ("POST", f"{CLOCK_PATH}/advance"): _advance_clock,
    ("POST", f"{INVITATIONS_PATH}/TOKEN/use"): _use_invitation,
}
