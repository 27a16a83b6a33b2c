"""What a sandbox offers to tests and other processes, beside the API: `/_sandbox/...`.

No key is asked for, and the witness does not see these visits.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.server import guests
from nectar_async.sandbox.server.json_schema import Schema, problem
from nectar_async.sandbox.server.messages import RefusalError, Reply
from nectar_async.sandbox.server.request_body import RequestBody, json_object

if TYPE_CHECKING:
    from aiohttp import web

    from nectar_async.sandbox.generator.clock import Clock
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.server.invitations import InvitationStore
    from nectar_async.sandbox.server.request_log import Witness

__all__ = ["CLOCK_PATH", "INVITATIONS_PATH", "OWN_PATHS", "WITNESS_PATH", "ControlApi"]

OWN_PATHS = "/_sandbox/"
"""How the paths begin that are no part of the API."""

WITNESS_PATH = f"{OWN_PATHS}witness"
"""Where the witness can be read over HTTP; a POST to `/reset` below it resets it."""

CLOCK_PATH = f"{OWN_PATHS}clock"
"""Where the time can be read; a POST to `/advance?seconds=30` below it moves it."""

INVITATIONS_PATH = f"{OWN_PATHS}invitations"
"""A POST to `/{token}/use` below it does what the person with the link would do.

The body has `url`, `username`, `password`, `sites` and `email`, as far as needed.
"""

_TOKEN = re.compile(rf"(?<=^{INVITATIONS_PATH})/([0-9a-f]+)/")
_TYPED: Schema = {
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
    """Witness, clock and invitations over HTTP."""

    witness: Witness
    clock: Clock
    portfolio: Portfolio
    invitations: InvitationStore

    async def reply(self, request: web.BaseRequest) -> Reply:
        """The answer, a refusal included."""
        path = _TOKEN.sub("/TOKEN/", request.path)
        answer = _ANSWERS.get((request.method, path), _miss)
        try:
            return await answer(self, request)
        except RefusalError as refusal:
            return refusal.reply


async def _miss(_backstage: ControlApi, _request: web.BaseRequest) -> Reply:
    raise RefusalError(_NOT_FOUND, "Not found.")


async def _read_witness(control_api: ControlApi, _request: web.BaseRequest) -> Reply:
    return Reply.json(control_api.witness.as_json())


async def _reset_witness(control_api: ControlApi, request: web.BaseRequest) -> Reply:
    control_api.witness.reset()
    return await _read_witness(control_api, request)


async def _read_clock(control_api: ControlApi, _request: web.BaseRequest) -> Reply:
    return Reply.json(control_api.clock.as_json())


async def _advance_clock(control_api: ControlApi, request: web.BaseRequest) -> Reply:
    seconds = request.query.get("seconds", "")
    if _SECONDS.fullmatch(seconds) is None:
        raise RefusalError(_BAD_REQUEST, "seconds: This must be a number.")
    control_api.clock.advance(float(seconds))
    return await _read_clock(control_api, request)


async def _use_invitation(control_api: ControlApi, request: web.BaseRequest) -> Reply:
    found = _TOKEN.search(request.path)
    invitation = control_api.invitations.find_token(found[1]) if found else None
    if invitation is None:
        return await _miss(control_api, request)
    typed = json_object((await RequestBody.read(request)).data)
    problem_found = problem(_TYPED, typed)
    if problem_found is not None:
        raise RefusalError(_BAD_REQUEST, problem_found)
    connection = guests.use(invitation, control_api.portfolio, typed)
    return Reply.json({"connectionId": connection.id, "status": connection.status})


_Answer = Callable[[ControlApi, "web.BaseRequest"], Awaitable[Reply]]
_ANSWERS: Mapping[tuple[str, str], _Answer] = {
    ("GET", WITNESS_PATH): _read_witness,
    ("POST", f"{WITNESS_PATH}/reset"): _reset_witness,
    ("GET", CLOCK_PATH): _read_clock,
    ("POST", f"{CLOCK_PATH}/advance"): _advance_clock,
    ("POST", f"{INVITATIONS_PATH}/TOKEN/use"): _use_invitation,
}
