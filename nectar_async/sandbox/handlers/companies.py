"""Companies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nectar_async.sandbox.calls import Call, RefusalError, Reply
from nectar_async.sandbox.pages import array
from nectar_async.sandbox.wire import company_json, encode

if TYPE_CHECKING:
    from nectar_async.sandbox.entities import Company

__all__ = ["by_id", "get", "list_all"]

_TURN = 100
_NOT_FOUND = 404


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


def by_id(call: Call) -> Company:
    """The company that the path names, or 404."""
    company = call.portfolio.find_company(call.params["company_id"])
    if company is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return company
