"""Operations on accounts, the customers' accounts with utilities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._json.json_text import find_list_of_objects
from nectar_async._types import UNSET, Unset
from nectar_async.models.account import Account
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import check_bool, check_id, list_check
from nectar_async.resources._resource import Resource

__all__ = ["Accounts"]

_FIELDS = FieldTable({"is_tracked": check_bool, "update_meters": check_bool})
_BULK_FIELDS = FieldTable({"accounts": list_check(check_id, 1), **_FIELDS.checks})


class Accounts(Resource):
    """Utility accounts. The API has no list of them: they come with connections.

    Args:
        is_tracked: whether bills of the account are collected.
        update_meters: whether the change applies to the meters of the account too; the
            server's default is True.

    https://docs.nectarclimate.com/api-reference/v2-2/accounts/update-an-account
    """

    async def update(
        self,
        account_id: str | UUID,
        *,
        is_tracked: bool | Unset = UNSET,
        update_meters: bool | Unset = UNSET,
    ) -> Account:
        """Start or stop tracking an account.

        `accounts_update`, PATCH /account/{account_id}. `tracking_status` of the answer
        shows the result: `is_tracked` is its older alias, and the only one of the two
        that can be written.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "accounts_update",
                "/account/{account_id}",
                Account,
                json=_FIELDS.build_body(locals()),
                is_repeatable=True,
                account_id=account_id,
            )
        )

    async def bulk_update(
        self,
        company_id: str | UUID,
        accounts: Iterable[str | UUID],
        is_tracked: bool,
        *,
        update_meters: bool | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> list[Account]:
        """Start or stop tracking many accounts of a company, and return them.

        `accounts_bulk_update`, PATCH /account/company/{company_id}. The address and the
        key of the IDs are likely, not documented; correct them with
        `Settings(operations={"accounts_bulk_update": Operation(...)})`.

        The answer is not documented either. If it is an object, the accounts are its
        list under `accounts` (or the key that `Operation(keys=...)` names), or its only
        list of objects. The result is empty if there is no such list, although the
        update was done.

        Args:
            company_id: ID of the company.
            accounts: IDs of accounts, one at least.
            is_tracked: whether bills of the accounts are collected.
            update_meters: whether the change applies to their meters too.
            extra: further keys of the body.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        request = Request.patch(
            "accounts_bulk_update",
            "/account/company/{company_id}",
            list[Account],
            json=_BULK_FIELDS.build_body(
                locals(), extra, required={"accounts", "is_tracked"}
            ),
            is_repeatable=True,
            company_id=company_id,
        )
        read = self._executor.build_decoder(request)
        key = self._executor.get_keys(request.operation).get("accounts", "accounts")
        return await self._executor.send_and_decode(
            request, lambda body: read(find_list_of_objects(body, key, "accounts"))
        )
