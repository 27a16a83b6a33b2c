"""Handlers of accounts: callers can change only whether they are tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.entity_json import account_json
from nectar_async.sandbox.server.messages import RefusalError, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.entities import AccountRecord, CompanyRecord

__all__ = ["bulk_update", "update"]

_BAD_REQUEST = 400


async def update(call: Call) -> Reply:
    """Change whether an account is tracked."""
    company, account = lookup.find_account(call)
    if "isTracked" in call.json:
        _set_tracked(call, company, [account])
    _, account = lookup.find_account(call)
    return Reply.json(account_json(account))


async def bulk_update(call: Call) -> Reply:
    """Change whether several accounts are tracked; all must exist in the company."""
    company = lookup.find_company(call)
    known = {account.id: account for account in _list_accounts(call, company)}
    account_ids = list(
        dict.fromkeys(some_id.lower() for some_id in call.json["accounts"])
    )
    unknown = [account_id for account_id in account_ids if account_id not in known]
    if unknown:
        detail = f"accounts: The company has no such accounts: {', '.join(unknown)}."
        raise RefusalError(_BAD_REQUEST, detail)
    _set_tracked(call, company, [known[account_id] for account_id in account_ids])
    now = {account.id: account for account in _list_accounts(call, company)}
    return Reply.json([account_json(now[account_id]) for account_id in account_ids])


def _set_tracked(
    call: Call, company: CompanyRecord, accounts: Sequence[AccountRecord]
) -> None:
    is_tracked = call.json["isTracked"]
    now = call.clock.now()
    with call.portfolio.change(company.index) as changes:
        for account in accounts:
            changes.edit(account.id, {"is_tracked": is_tracked})
            if account.is_tracked != is_tracked:
                changes.edit(account.id, {"status_seen": now})
            if call.json.get("updateMeters", True):
                for meter in account.meters:
                    changes.edit(meter.id, {"is_tracked": is_tracked})


def _list_accounts(call: Call, company: CompanyRecord) -> list[AccountRecord]:
    return call.portfolio.company_data(company.index).accounts
