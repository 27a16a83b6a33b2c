"""Operations on companies, the owners of sites and connections."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import NoneType
from uuid import UUID

from nectar_async._http.callbacks import run_callback
from nectar_async._http.request import Request
from nectar_async._paging.fanout import OnError
from nectar_async._paging.receipt import build_unreadable_error
from nectar_async._paging.records import Failure
from nectar_async._types import UNSET, Unset
from nectar_async.models.company import Company
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import (
    Nullable,
    check_bool,
    check_date,
    check_email,
    decimal_check,
    list_check,
    text_check,
)
from nectar_async.resources._resource import Resource

__all__ = ["COMPANY_LIST", "Companies"]

_LISTING = Listing(items="companies", is_array=True)

_FIELDS = FieldTable(
    {
        "name": text_check(1, 200),
        "external_id": Nullable(text_check()),
        "data_collection_start_date": check_date,
        "is_implied_metering_enabled": check_bool,
        "implied_metering_fraction": decimal_check(0, 1, places=2),
        "is_demand_enabled": check_bool,
        "is_basic_identifier_mapping_enabled": check_bool,
        "is_low_accuracy_mode_enabled": check_bool,
        "users": list_check(check_email),
    }
)


COMPANY_LIST: Request[Page[Company]] = Request.get(
    "companies_list", "/company", Page[Company], listing=_LISTING
)
"""The request for the list of all companies."""


class Companies(Resource):
    """The companies that the key can access.

    The fields of a company that can be written:

    Args:
        name: 1 to 200 characters.
        external_id: your own ID; None clears it.
        data_collection_start_date: bills are collected from this day on; the server's
            default is 1 January of the previous year.
        is_implied_metering_enabled: whether sewer usage is estimated from water usage.
        implied_metering_fraction: the share of water usage that is taken as sewer
            usage, from 0 to 1 with two decimal places.
        is_demand_enabled: whether electricity demand is extracted as well (beta).
        is_basic_identifier_mapping_enabled: whether meters are identified by a smaller
            set of identifier types.
        is_low_accuracy_mode_enabled: whether bills are read faster and less accurately.
            It is sent only when you set it.
        users: e-mail addresses of the admins. Each needs a Nectar user: an address
            without one is refused (400), and nothing is changed.

    https://docs.nectarclimate.com/api-reference/v2-2/companies/retrieve-companies
    """

    async def all(self, *, on_error: OnError = "raise") -> list[Company]:
        """Return every company with its sites; the API sends them in one answer.

        `companies_list`, GET /company.

        Args:
            on_error: what happens if items of the list cannot be read, such as a null:
                `raise`, `collect` to leave them out, or a function that is called with
                a `Failure` without a company id.

        Raises:
            DecodeError: items cannot be read, and `on_error` is "raise".
        """
        pager = self._pages(COMPANY_LIST)
        companies = [company async for company in pager]
        error = build_unreadable_error(pager.receipt, COMPANY_LIST)
        if error is not None and on_error == "raise":
            raise error
        if error is not None and callable(on_error):
            with self._executor.open_call():
                await run_callback(on_error, Failure("", error))
        return companies

    async def get(self, company_id: str | UUID) -> Company:
        """Return one company with its sites.

        `companies_get`, GET /company/{company_id}.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.get(
                "companies_get", "/company/{company_id}", Company, company_id=company_id
            )
        )

    async def create(
        self,
        name: str,
        *,
        external_id: str | Unset | None = UNSET,
        data_collection_start_date: date | Unset = UNSET,
        is_implied_metering_enabled: bool | Unset = UNSET,
        implied_metering_fraction: Decimal | int | str | Unset = UNSET,
        is_demand_enabled: bool | Unset = UNSET,
        is_basic_identifier_mapping_enabled: bool | Unset = UNSET,
        is_low_accuracy_mode_enabled: bool | Unset = UNSET,
        users: Iterable[str] | Unset = UNSET,
    ) -> Company:
        """Create a company. `companies_create`, POST /company.

        You and your team become its admins; `users` are further ones. The API has no
        idempotency key, so the request is repeated only when it certainly had no
        effect.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
            BadRequestError: an address in `users` has no Nectar user; nothing was
                created.
        """
        return await self._fetch(
            Request.post(
                "companies_create",
                "/company",
                Company,
                json=_FIELDS.build_body(locals(), required={"name"}),
            )
        )

    async def update(
        self,
        company_id: str | UUID,
        *,
        name: str | Unset = UNSET,
        external_id: str | Unset | None = UNSET,
        data_collection_start_date: date | Unset = UNSET,
        is_implied_metering_enabled: bool | Unset = UNSET,
        implied_metering_fraction: Decimal | int | str | Unset = UNSET,
        is_demand_enabled: bool | Unset = UNSET,
        is_basic_identifier_mapping_enabled: bool | Unset = UNSET,
        is_low_accuracy_mode_enabled: bool | Unset = UNSET,
        users: Iterable[str] | Unset = UNSET,
    ) -> Company:
        """Change a company. `companies_update`, PATCH /company/{company_id}.

        UNSET leaves a field as it is. `users` REPLACES the whole list: everybody who is
        not in it loses access, except yourself.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "companies_update",
                "/company/{company_id}",
                Company,
                json=_FIELDS.build_body(locals()),
                is_repeatable=True,
                company_id=company_id,
            )
        )

    async def delete(self, company_id: str | UUID) -> None:
        """Delete a company with all its data.

        `companies_delete`, DELETE /company/{company_id}. The API answers before the
        deletion is done: the company may stay visible for a while, and a later failure
        is not reported. The API reference does not show this address; if it differs,
        correct it with `Settings(operations={"companies_delete": Operation(...)})`.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.delete(
                "companies_delete",
                "/company/{company_id}",
                NoneType,
                company_id=company_id,
            )
        )
