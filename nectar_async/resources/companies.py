"""Companies: whose bills they are."""

from __future__ import annotations

from uuid import UUID

from nectar_async._request import Listing, Request
from nectar_async.models.company import Company
from nectar_async.models.page import Page
from nectar_async.resources._resource import Resource

__all__ = ["Companies"]


class Companies(Resource):
    """The companies that the key reaches.

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
