"""Sites: the buildings."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from types import NoneType
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.page import Listing, Page
from nectar_async.models.site import Site
from nectar_async.resources._checks import Nullable, decimal, many, text
from nectar_async.resources._field_table import Fields
from nectar_async.resources._resource import Resource

__all__ = ["BODY", "Sites"]

_LONGEST_PATH = 10


def _path(name: str, value: object) -> object:
    tags = many(text(1, 100))(name, value)
    if len(tags) > _LONGEST_PATH:
        raise InvalidArgumentError(
            f"{name} has {len(tags)} tags; the API takes {_LONGEST_PATH} at most"
        )
    return tags


BODY = Fields(
    {
        "name": text(1, 255),
        "external_id": Nullable(text()),
        "address": text(0, 255),
        "path": _path,
        "occupancy_percent": Nullable(decimal(0, 100, places=4)),
    }
)


class Sites(Resource):
    """The buildings of a company.

    The fields of a site that can be written:

    Args:
        name: 1 to 255 characters.
        external_id: your own id, which exports such as Energy Star use too; None
            clears it.
        address: 255 characters at most.
        path: up to ten location tags, from the general to the specific, of up to 100
            characters each.
        occupancy_percent: 0 to 100 with four decimal places; None clears it.

    https://docs.nectarclimate.com/api-reference/v2-2/sites/get-sites-by-company
    """

    def by_company(
        self,
        company_id: str | UUID,
        *,
        verify: bool = False,
    ) -> Pager[Site]:
        """Every site of a company.

        `sites_list_by_company`, GET /site/company/{company_id}. The API's own pages do
        not show this address; if it is another, correct it with
        `Settings(operations={"sites_list_by_company": Operation(...)})`. Whether
        archived sites are listed is not documented: `data_collection_stop_date` tells.

        Args:
            company_id: whose they are.
            verify: ask for page 1 again at the end; finds the moves that show on it.
        """
        return self._pages(
            Request.get(
                "sites_list_by_company",
                "/site/company/{company_id}",
                Page[Site],
                listing=Listing(items="sites", is_array=True),
                company_id=company_id,
            ),
            verify=verify,
        )

    async def get(self, site_id: str | UUID) -> Site:
        """One site. `sites_get`, GET /site/{site_id}.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.get("sites_get", "/site/{site_id}", Site, site_id=site_id)
        )

    async def create(
        self,
        company_id: str | UUID,
        name: str,
        *,
        external_id: str | Unset | None = UNSET,
        address: str | Unset = UNSET,
        path: Iterable[str] | Unset = UNSET,
        occupancy_percent: Decimal | int | str | Unset | None = UNSET,
    ) -> Site:
        """Create a site. `sites_create`, POST /site/company/{company_id}.

        The API has no key against doing it twice, so it is repeated only when it
        provably did not happen.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "sites_create",
                "/site/company/{company_id}",
                Site,
                json=BODY.body(locals(), required={"name"}),
                company_id=company_id,
            )
        )

    async def update(
        self,
        site_id: str | UUID,
        *,
        name: str | Unset = UNSET,
        external_id: str | Unset | None = UNSET,
        address: str | Unset = UNSET,
        path: Iterable[str] | Unset = UNSET,
        occupancy_percent: Decimal | int | str | Unset | None = UNSET,
    ) -> Site:
        """Change a site. `sites_update`, PATCH /site/{site_id}.

        What is UNSET stays as it is. `path` replaces the whole list (presumably; the
        API's pages do not say), so `[]` empties it.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "sites_update",
                "/site/{site_id}",
                Site,
                json=BODY.body(locals()),
                is_repeatable=True,
                site_id=site_id,
            )
        )

    async def delete(self, site_id: str | UUID) -> None:
        """Archive a site: there is no way back through the API.

        `sites_delete`, DELETE /site/{site_id}. Collection stops, history stays, and
        `data_collection_stop_date` is set. The API's own pages do not show this
        address; if it is another, correct it with
        `Settings(operations={"sites_delete": Operation(...)})`.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.delete("sites_delete", "/site/{site_id}", NoneType, site_id=site_id)
        )
