"""Handlers of magic links, the predecessors of invitations."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.checks import check_sites
from nectar_async.sandbox.server.entity_json import connection_json
from nectar_async.sandbox.server.messages import Reply, encode_json

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.entities import CompanyRecord

__all__ = ["create", "create_edit", "create_prefilled"]

_PAGE = "https://dash.nectarclimate.com/p/connect"
_SECRET_BYTES = 20


async def create(call: Call) -> Reply:
    """Create the company's link for new connections, always the same one."""
    return Reply.json(_build_link(call, lookup.find_company(call), b""))


async def create_prefilled(call: Call) -> Reply:
    """Create a link for a new connection with prefilled fields."""
    company = lookup.find_company(call)
    if call.json.get("sites"):
        check_sites(company, call.json["sites"])
    return Reply.json(_build_link(call, company, encode_json(call.json)))


async def create_edit(call: Call) -> Reply:
    """Get a connection with the parts of the link to its edit page."""
    company, connection = lookup.find_connection(call)
    return Reply.json(
        {
            **connection_json(company, connection),
            "publicCompanyId": _make_public_id(call, company),
            "connectionMagicLinkSecret": _make_secret(call, connection.id, b""),
        }
    )


def _build_link(call: Call, company: CompanyRecord, prefill: bytes) -> dict[str, Any]:
    public_id = _make_public_id(call, company)
    secret = _make_secret(call, company.id, prefill)
    return {
        "companyMagicLinkSecret": secret,
        "publicCompanyId": public_id,
        "magicLinkUrl": f"{_PAGE}/{public_id}/{secret}",
    }


def _make_public_id(call: Call, company: CompanyRecord) -> str:
    return call.portfolio.ids.make("public-company", company.index)


def _make_secret(call: Call, some_id: str, prefill: bytes) -> str:
    key = str(call.portfolio.seed).encode()
    text = some_id.encode() + prefill
    return blake2b(text, digest_size=_SECRET_BYTES, key=key).hexdigest()
