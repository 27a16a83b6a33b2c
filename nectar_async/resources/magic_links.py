"""Operations on magic links, the deprecated predecessors of invitations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from attrs import evolve
from typing_extensions import deprecated

from nectar_async._http.request import Request
from nectar_async._types import UNSET, Unset
from nectar_async.models.connection import Connection
from nectar_async.models.link import MagicLink
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import check_date, check_id, list_check, text_check
from nectar_async.resources._resource import Resource

__all__ = ["MagicLinks"]

_FIELDS = FieldTable(
    {
        "sites": list_check(check_id),
        "url": text_check(1),
        "data_collection_start_date": check_date,
    }
)


class MagicLinks(Resource):
    """Deprecated by the API: use `invitations`, which expire and can be revoked.

    Each call creates something, so it is repeated only when it certainly had no effect.

    https://docs.nectarclimate.com/api-reference/v2-2/connections/create-magic-link
    """

    @deprecated("use invitations.create(company_id)")
    async def create(self, company_id: str | UUID) -> MagicLink:
        """Create a link for connecting an account to a company.

        `magic_links_create`, GET /connection/company/{company_id}/link.
        """
        return await self._fetch(
            evolve(
                Request.get(
                    "magic_links_create",
                    "/connection/company/{company_id}/link",
                    MagicLink,
                    company_id=company_id,
                ),
                is_repeatable=False,
            )
        )

    @deprecated("use invitations.create(company_id, prefill=InvitationPrefill(...))")
    async def create_prefilled(
        self,
        company_id: str | UUID,
        *,
        sites: Iterable[str | UUID] | Unset = UNSET,
        url: str | Unset = UNSET,
        data_collection_start_date: date | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> MagicLink:
        """Create a link to a form with sites, portal and first day filled in.

        `magic_links_create_prefilled`, POST /connection/company/{company_id}/link.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "magic_links_create_prefilled",
                "/connection/company/{company_id}/link",
                MagicLink,
                json=_FIELDS.build_body(locals(), extra),
                company_id=company_id,
            )
        )

    @deprecated("use invitations.create_reconnect(connection_id)")
    async def create_edit(self, connection_id: str | UUID) -> Connection:
        """Return a connection with the parts of a link for renewing its login.

        `magic_links_create_edit`, GET /connection/{connection_id}. The link is
        `https://dash.nectarclimate.com/p/connect/{public_company_id}/workflow/` and
        `connection_magic_link_secret`. To read a connection, use `connections.get`.
        """
        return await self._fetch(
            evolve(
                Request.get(
                    "magic_links_create_edit",
                    "/connection/{connection_id}",
                    Connection,
                    connection_id=connection_id,
                ),
                is_repeatable=False,
            )
        )
