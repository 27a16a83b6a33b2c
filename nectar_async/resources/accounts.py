"""Accounts: the customer numbers at utilities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._json.json import list_of_objects
from nectar_async._types import UNSET, Unset
from nectar_async.models.account import Account
from nectar_async.resources._checks import boolean, identity, many
from nectar_async.resources._field_table import Fields
from nectar_async.resources._resource import Resource

__all__ = ["BODY", "BULK_BODY", "Accounts"]

BODY = Fields({"is_tracked": boolean, "update_meters": boolean})

BULK_BODY = Fields({"accounts": many(identity, 1), **BODY.checks})


class Accounts(Resource):
    """Utility accounts. They have no list of their own: they come with connections.

    Args:
        is_tracked: whether bills of the account are collected.
        update_meters: whether the meters of the account follow; the API takes True
            where nothing is said, False leaves them alone.

    https://docs.nectarclimate.com/api-reference/v2-2/accounts/update-an-account
    """

    async def update(
        self,
        account_id: str | UUID,
        *,
        is_tracked: bool | Unset = UNSET,
        update_meters: bool | Unset = UNSET,
    ) -> Account:
        """Track an account, or stop. `accounts_update`, PATCH /account/{account_id}.

        `tracking_status` shows the result: `is_tracked` is its older alias, and the
        only one of the two that can be written.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "accounts_update",
                "/account/{account_id}",
                Account,
                json=BODY.body(locals()),
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
        """Track many accounts of a company, or stop; the changed ones.

        `accounts_bulk_update`, PATCH /account/company/{company_id}. Address and key of
        the ids are no more than likely; correct them with
        `Settings(operations={"accounts_bulk_update": Operation(...)})`.

        What the API answers is hardly known. Of an object the list under `accounts`
        (or what `Operation(keys=...)` calls it) is taken, or its only list of objects.
        An empty list where there is none: the update was done all the same.

        Args:
            company_id: whose accounts they are.
            accounts: their ids, one at least.
            is_tracked: whether their bills are collected.
            update_meters: False leaves their meters alone.
            extra: further keys of the body.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        request = Request.patch(
            "accounts_bulk_update",
            "/account/company/{company_id}",
            list[Account],
            json=BULK_BODY.body(locals(), extra, required={"accounts", "is_tracked"}),
            is_repeatable=True,
            company_id=company_id,
        )
        read = self._executor.build_decoder(request)
        true = self._executor.get_keys(request.operation).get("accounts", "accounts")
        return await self._executor.send_and_decode(
            request, lambda body: read(list_of_objects(body, true, "accounts"))
        )
