"""Operations on sites, the buildings and places of a company."""

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
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import (
    Nullable,
    decimal_check,
    list_check,
    text_check,
)
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource

__all__ = ["Sites"]

_MAX_TAGS = 10

_LISTS = OwnedLists(
    noun="sites",
    path="/site",
    page=Page[Site],
    listing=Listing(items="sites", is_array=True),
    filters=FieldTable({}),
)


def _check_path(name: str, value: object) -> object:
    tags = list_check(text_check(1, 100))(name, value)
    if len(tags) > _MAX_TAGS:
        raise InvalidArgumentError(
            f"{name} has {len(tags)} tags; the API takes {_MAX_TAGS} at most"
        )
    return tags


_FIELDS = FieldTable(
    {
        "name": text_check(1, 255),
        "external_id": Nullable(text_check()),
        "address": text_check(0, 255),
        "path": _check_path,
        "occupancy_percent": Nullable(decimal_check(0, 100, places=4)),
    }
)


class Sites(Resource):
    """The buildings of a company.

    The fields of a site that can be written:

    Args:
        name: 1 to 255 characters.
        external_id: your own ID, which exports such as Energy Star use too; None
            clears it.
        address: 255 characters at most.
        path: up to ten location tags, from the general to the specific, of up to 100
            characters each.
        occupancy_percent: 0 to 100 with up to four decimal places; None clears it.

    https://docs.nectarclimate.com/api-reference/v2-2/sites/get-sites-by-company
    """

    def by_company(
        self,
        company_id: str | UUID,
        *,
        verify: bool = False,
    ) -> Pager[Site]:
        """List the sites of a company.

        `sites_list_by_company`, GET /site/company/{company_id}. The API reference does
        not show this address; if it differs, correct it with
        `Settings(operations={"sites_list_by_company": Operation(...)})`. Whether
        archived sites are listed is not documented; they have a
        `data_collection_stop_date`.

        Args:
            company_id: ID of the company.
            verify: request page 1 again at the end, to find changes that show on it.
        """
        return self._pages(
            _LISTS.build_request("company", company_id, locals()), verify=verify
        )

    async def get(self, site_id: str | UUID) -> Site:
        """Return one site. `sites_get`, GET /site/{site_id}.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
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

        The API has no idempotency key, so the request is repeated only when it
        certainly had no effect.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "sites_create",
                "/site/company/{company_id}",
                Site,
                json=_FIELDS.build_body(locals(), required={"name"}),
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

        UNSET leaves a field as it is. `path` presumably replaces the whole list,
        so `[]` empties it.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "sites_update",
                "/site/{site_id}",
                Site,
                json=_FIELDS.build_body(locals()),
                is_repeatable=True,
                site_id=site_id,
            )
        )

    async def delete(self, site_id: str | UUID) -> None:
        """Archive a site; the API cannot undo it.

        `sites_delete`, DELETE /site/{site_id}. Collection stops, past data stays, and
        `data_collection_stop_date` is set. The API reference does not show this
        address; if it differs, correct it with
        `Settings(operations={"sites_delete": Operation(...)})`.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.delete("sites_delete", "/site/{site_id}", NoneType, site_id=site_id)
        )
