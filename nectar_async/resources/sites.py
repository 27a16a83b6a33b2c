"""Sites: the buildings."""

from __future__ import annotations

from uuid import UUID

from nectar_async._pager import Pager
from nectar_async._request import Listing, Request
from nectar_async.models.page import Page
from nectar_async.models.site import Site
from nectar_async.resources._resource import Resource

__all__ = ["Sites"]


class Sites(Resource):
    """The buildings of a company.

    https://docs.nectarclimate.com/api-reference/v2-2/sites/get-sites-by-company
    """

    def by_company(self, company_id: str | UUID) -> Pager[Site]:
        """Every site of a company.

        `sites_list_by_company`, GET /site/company/{company_id}. The API's own pages do
        not show this address; if it is another, correct it with
        `Settings(operations={"sites_list_by_company": Operation(...)})`. Whether
        archived sites are listed is not documented: `data_collection_stop_date` tells.
        """
        return self._pages(
            Request.get(
                "sites_list_by_company",
                "/site/company/{company_id}",
                Page[Site],
                listing=Listing(items="sites", is_array=True),
                company_id=company_id,
            )
        )
