"""Handlers of companies: list, create, get, update, delete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.checks import parse_decimal
from nectar_async.sandbox.server.entity_json import company_json
from nectar_async.sandbox.server.messages import RefusalError, Reply, encode_json
from nectar_async.sandbox.server.pagination import build_array
from nectar_async.sandbox.server.stores import CALLER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


__all__ = ["create", "delete", "get", "list_all", "update"]

_YIELD_EVERY = 100
_CREATED = 201
_NO_CONTENT = 204
_BAD_REQUEST = 400
_DELETE_SECONDS = 5
_KNOWN_DOMAIN = "@example.com"
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
    """List all companies. Other requests are served while thousands are encoded."""
    lines = []
    for company in call.portfolio:
        lines.append(encode_json(company_json(company)))
        if len(lines) % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
    return build_array(lines)


async def get(call: Call) -> Reply:
    """Get a company."""
    return Reply.json(company_json(lookup.find_company(call)))


async def create(call: Call) -> Reply:
    """Create a company; its admins are the caller, the team and the given users."""
    fields = _parse_fields(call)
    team = call.state.team.users
    users = _check_users(call, call.json.get("users", ()))
    fields["users"] = _drop_repetitions((CALLER, *team, *users))
    company = call.portfolio.create_company(fields)
    return Reply.json(company_json(company), status=_CREATED)


async def update(call: Call) -> Reply:
    """Change fields of a company; `users` replaces all users but the caller."""
    company = lookup.find_company(call)
    fields = _parse_fields(call)
    if "users" in call.json:
        callers = [user for user in company.users if user == CALLER]
        users = _check_users(call, call.json["users"])
        fields["users"] = _drop_repetitions((*callers, *users))
    with call.portfolio.change(company.index) as changes:
        changes.edit(company.id, fields)
    return await get(call)


async def delete(call: Call) -> Reply:
    """Delete a company; it stays visible for a few seconds."""
    gone_at = call.clock.now().plus(_DELETE_SECONDS)
    with call.portfolio.change(lookup.find_company(call).index) as changes:
        changes.gone_at = changes.gone_at or gone_at
    return Reply(status=_NO_CONTENT, headers={})


def _parse_fields(call: Call) -> dict[str, Any]:
    fields = {_FIELDS[key]: call.json[key] for key in call.json if key in _FIELDS}
    fraction = call.json.get("impliedMeteringFraction")
    if fraction is not None:
        share = parse_decimal("impliedMeteringFraction", fraction, 1)
        fields["sewer_percent"] = int(share * 100)
    return fields


def _check_users(call: Call, users: Iterable[str]) -> tuple[str, ...]:
    """Check that every user has an account at Nectar."""
    team = {user.lower() for user in call.state.team.users}
    unknown = [
        user
        for user in users
        if not user.lower().endswith(_KNOWN_DOMAIN) and user.lower() not in team
    ]
    if unknown:
        detail = f"users: These users do not exist: {', '.join(unknown)}."
        raise RefusalError(_BAD_REQUEST, detail)
    return tuple(users)


def _drop_repetitions(users: Iterable[str]) -> tuple[str, ...]:
    return tuple({user.lower(): user for user in users}.values())
