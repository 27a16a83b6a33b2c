"""Companies: whose bills they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import NoneType
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._types import UNSET, Unset
from nectar_async.models.company import Company
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checks import (
    Nullable,
    boolean,
    day,
    decimal,
    email,
    many,
    text,
)
from nectar_async.resources._field_table import Fields
from nectar_async.resources._resource import Resource

__all__ = ["BODY", "Companies"]

BODY = Fields(
    {
        "name": text(1, 200),
        "external_id": Nullable(text()),
        "data_collection_start_date": day,
        "is_implied_metering_enabled": boolean,
        "implied_metering_fraction": decimal(0, 1, places=2),
        "is_demand_enabled": boolean,
        "is_basic_identifier_mapping_enabled": boolean,
        "is_low_accuracy_mode_enabled": boolean,
        "users": many(email),
    }
)


class Companies(Resource):
    """The companies that the key reaches.

    The fields of a company that can be written:

    Args:
        name: 1 to 200 characters.
        external_id: your own id; None clears it.
        data_collection_start_date: bills are collected from this day on; the server
            takes 1 January of the previous year where nothing is said.
        is_implied_metering_enabled: whether sewer usage is estimated from water usage.
        implied_metering_fraction: the share of water that counts as sewer, 0 to 1 with
            two decimal places.
        is_demand_enabled: whether electricity demand is extracted as well (beta).
        is_basic_identifier_mapping_enabled: fewer types of meter identifiers.
        is_low_accuracy_mode_enabled: faster and less accurate reading of bills. It is
            sent only when you set it.
        users: e-mail addresses of the admins, who need a Nectar user: an address
            without one is refused (400), and nothing is done.

    https://docs.nectarclimate.com/api-reference/v2-2/companies/retrieve-companies
    """

    async def all(self) -> list[Company]:
        """Every company with its sites; the API gives them in one answer.

        `companies_list`, GET /company.
        """
        return [
            company
            async for company in self._pages(
                Request.get(
                    "companies_list",
                    "/company",
                    Page[Company],
                    listing=Listing(items="companies", is_array=True),
                )
            )
        ]

    async def get(self, company_id: str | UUID) -> Company:
        """One company with its sites. `companies_get`, GET /company/{company_id}.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
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
        key against doing it twice, so it is repeated only when it provably did not
        happen.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
            BadRequestError: a user who is none; nothing was created.
        """
        return await self._fetch(
            Request.post(
                "companies_create",
                "/company",
                Company,
                json=BODY.body(locals(), required={"name"}),
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

        What is UNSET stays as it is. `users` REPLACES the whole list: whoever is not in
        it loses access, yourself aside.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "companies_update",
                "/company/{company_id}",
                Company,
                json=BODY.body(locals()),
                is_repeatable=True,
                company_id=company_id,
            )
        )

    async def delete(self, company_id: str | UUID) -> None:
        """Delete a company with all that it holds.

        `companies_delete`, DELETE /company/{company_id}. The API answers as soon as the
        work has started: the company may be seen for a while, and a later failure is
        not told. The API's own pages do not show this address; if it is another,
        correct it with `Settings(operations={"companies_delete": Operation(...)})`.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.delete(
                "companies_delete",
                "/company/{company_id}",
                NoneType,
                company_id=company_id,
            )
        )
