"""Magic links, which invitations have replaced."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.handlers import companies, lookup
from nectar_async.sandbox.server.checks import check_sites
from nectar_async.sandbox.server.messages import Call, Reply
from nectar_async.sandbox.server.wire_format import connection_json, encode

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.entities import CompanyRecord

__all__ = ["create", "create_edit", "create_prefilled"]

_PAGE = "https://dash.nectarclimate.com/p/connect"
_SECRET_BYTES = 20


async def create(call: Call) -> Reply:
    """The company's link to a page for a new connection: always the same."""
    return Reply.json(_link(call, companies.by_id(call), b""))


async def create_prefilled(call: Call) -> Reply:
    """A link of its own to such a page with some fields filled."""
    company = companies.by_id(call)
    if call.json.get("sites"):
        check_sites(company, call.json["sites"])
    return Reply.json(_link(call, company, encode(call.json)))


async def create_edit(call: Call) -> Reply:
    """The connection with what it takes to build the link to its edit page."""
    company, connection = lookup.find_connection(call)
    return Reply.json(
        {
            **connection_json(company, connection),
            "publicCompanyId": _public_id(call, company),
            "connectionMagicLinkSecret": _secret(call, connection.id, b""),
        }
    )


def _link(call: Call, company: CompanyRecord, prefill: bytes) -> dict[str, Any]:
    public_id = _public_id(call, company)
    secret = _secret(call, company.id, prefill)
    return {
        "companyMagicLinkSecret": secret,
        "publicCompanyId": public_id,
        "magicLinkUrl": f"{_PAGE}/{public_id}/{secret}",
    }


def _public_id(call: Call, company: CompanyRecord) -> str:
    return call.portfolio.ids.make("public-company", company.index)


def _secret(call: Call, some_id: str, prefill: bytes) -> str:
    key = str(call.portfolio.seed).encode()
    text = some_id.encode() + prefill
    return blake2b(text, digest_size=_SECRET_BYTES, key=key).hexdigest()
