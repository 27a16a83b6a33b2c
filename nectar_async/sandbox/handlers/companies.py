"""Companies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.portal_logins import later
from nectar_async.sandbox.server.amounts import within
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply
from nectar_async.sandbox.server.pagination import array
from nectar_async.sandbox.server.team import CALLER
from nectar_async.sandbox.server.wire_format import company_json, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_async.sandbox.generator.entities import CompanyRecord

__all__ = ["by_id", "create", "delete", "get", "list_all", "update"]

_TURN = 100
_CREATED = 201
_NO_CONTENT = 204
_BAD_REQUEST = 400
_NOT_FOUND = 404
_DELETE_SECONDS = 5
_USERS_OF_NECTAR = "@example.com"
_FIELDS: Mapping[str, str] = {
    "name": "name",
    "externalId": "external_id",
    "dataCollectionStartDate": "start_date",
    "isImpliedMeteringEnabled": "is_implied_metering_enabled",
    "isDemandEnabled": "is_demand_enabled",
    "isBasicIdentifierMappingEnabled": "is_basic_identifier_mapping_enabled",
    "isLowAccuracyModeEnabled": "is_low_accuracy_mode_enabled",
}


async def list_all(call: Call) -> Reply:
    """Every company; other requests get their turn while thousands are written."""
    lines = []
    for company in call.portfolio:
        lines.append(encode(company_json(company)))
        if len(lines) % _TURN == 0:
            await asyncio.sleep(0)
    return array(lines)


async def get(call: Call) -> Reply:
    """One company."""
    return Reply.json(company_json(by_id(call)))


async def create(call: Call) -> Reply:
    """A company of which the caller, the team and the users named are the admins."""
    fields = _fields(call)
    team = call.state.team.as_json()["users"]
    users = _known_users(call, call.json.get("users", ()))
    fields["users"] = _without_repetition((CALLER, *team, *users))
    company = call.portfolio.create_company(fields)
    return Reply.json(company_json(company), status=_CREATED)


async def update(call: Call) -> Reply:
    """The company with some fields changed; `users` takes the place of all others."""
    company = by_id(call)
    fields = _fields(call)
    if "users" in call.json:
        staying = [user for user in company.users if user == CALLER]
        users = _known_users(call, call.json["users"])
        fields["users"] = _without_repetition((*staying, *users))
    with call.portfolio.change(company.index) as changes:
        changes.edit(company.id, fields)
    return await get(call)


async def delete(call: Call) -> Reply:
    """The beginning of the end: the company stays visible for a few seconds."""
    gone_at = later(call.clock.now(), _DELETE_SECONDS)
    with call.portfolio.change(by_id(call).index) as changes:
        changes.gone_at = changes.gone_at or gone_at
    return Reply(status=_NO_CONTENT, headers={})


def by_id(call: Call) -> CompanyRecord:
    """The company that the path names, or 404."""
    company = call.portfolio.find_company(call.params["company_id"])
    if company is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return company


def _fields(call: Call) -> dict[str, Any]:
    fields = {_FIELDS[key]: call.json[key] for key in call.json if key in _FIELDS}
    fraction = call.json.get("impliedMeteringFraction")
    if fraction is not None:
        share = within("impliedMeteringFraction", fraction, 1)
        fields["sewer_percent"] = int(share * 100)
    return fields


def _known_users(call: Call, users: Iterable[str]) -> tuple[str, ...]:
    """The users, if every one of them has an account at Nectar."""
    team = {user.lower() for user in call.state.team.as_json()["users"]}
    strange = [
        user
        for user in users
        if not user.lower().endswith(_USERS_OF_NECTAR) and user.lower() not in team
    ]
    if strange:
        detail = f"users: there are no Nectar users {', '.join(strange)}."
        raise RefusalError(_BAD_REQUEST, detail)
    return tuple(users)


def _without_repetition(users: Iterable[str]) -> tuple[str, ...]:
    return tuple({user.lower(): user for user in users}.values())
