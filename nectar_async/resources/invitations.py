"""Invitations: links with which somebody else connects, or renews, an account."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import attrs

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.errors import InvalidArgumentError, NectarError
from nectar_async.models.enums import DatasourceType, InvitationType
from nectar_async.models.invitation import (
    Invitation,
    InvitationDetail,
    InvitationPrefill,
)
from nectar_async.models.page import Listing, Page
from nectar_async.models.statuses import InvitationStatus
from nectar_async.resources._checks import (
    boolean,
    country,
    day,
    email,
    identity,
    many,
    one_of_known,
    text,
    whole,
)
from nectar_async.resources._field_table import Fields
from nectar_async.resources._lists import INVITATIONS
from nectar_async.resources._resource import Resource

__all__ = ["BODY", "PREFILL", "RECONNECT_BODY", "Invitations"]

_SHORTEST_SECONDS = 60

PREFILL = Fields(
    {
        "datasource_id": text(1),
        "url": text(1),
        "initial_sites": many(identity),
        "utility_types": many(one_of_known(DatasourceType)),
        "country": country,
        "connection_owner_email": email,
        "data_collection_start_date": day,
    }
)


def _prefill(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, InvitationPrefill):
        raise InvalidArgumentError(
            f"{name} must be an InvitationPrefill, not {type(value).__name__}"
        )
    given = {
        field.name: one
        for field in attrs.fields(InvitationPrefill)
        if field.name in PREFILL.checks
        and (one := getattr(value, field.name)) not in (None, ())
    }
    try:
        fields = PREFILL.body({**dict.fromkeys(PREFILL.checks, UNSET), **given})
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{name}.{error.message}") from None
    return {**fields, **value.extra}


RECONNECT_BODY = Fields(
    {
        "allowed_emails": many(email),
        "expires_in_seconds": whole(_SHORTEST_SECONDS),
        "max_uses": whole(1),
        "send_email": boolean,
    }
)

BODY = Fields({**RECONNECT_BODY.checks, "prefill": _prefill})


class Invitations(Resource):
    """Links with which somebody else connects an account, without a Nectar user.

    Args:
        allowed_emails: who may use it; the recipient has to verify the address.
            Anyone with the link where nothing is said.
        expires_in_seconds: 60 at least; it never expires where nothing is said. An
            expired one cannot be revived.
        max_uses: 1 at least; unlimited where nothing is said.
        send_email: True mails a link to every allowed address, to none without any.

    The link opens somebody's account page, so `invitation_url` and `token` are
    `Secret`s.

    https://docs.nectarclimate.com/api-reference/v2-2/invitations/create-connection-invitation
    """

    async def create(
        self,
        company_id: str | UUID,
        *,
        allowed_emails: Iterable[str] | Unset = UNSET,
        expires_in_seconds: int | Unset = UNSET,
        max_uses: int | Unset = UNSET,
        send_email: bool | Unset = UNSET,
        prefill: InvitationPrefill | Unset = UNSET,
    ) -> Invitation:
        """Invite somebody to connect a new account.

        `invitations_create`, POST /invitation/company/{company_id}. Repeated only when
        it provably did not happen.

        Args:
            company_id: for whom the account is connected.
            allowed_emails: as above.
            expires_in_seconds: as above.
            max_uses: as above.
            send_email: as above.
            prefill: what the recipient finds filled in.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "invitations_create",
                "/invitation/company/{company_id}",
                Invitation,
                json=BODY.body(locals()),
                company_id=company_id,
            )
        )

    async def create_reconnect(
        self,
        connection_id: str | UUID,
        *,
        allowed_emails: Iterable[str] | Unset = UNSET,
        expires_in_seconds: int | Unset = UNSET,
        max_uses: int | Unset = UNSET,
        send_email: bool | Unset = UNSET,
    ) -> Invitation:
        """Invite somebody to renew the login of a connection.

        `invitations_create_reconnect`, POST /invitation/connection/{connection_id}.
        Repeated only when it provably did not happen. Whether it can help, says
        `connection.status.advice`.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "invitations_create_reconnect",
                "/invitation/connection/{connection_id}",
                Invitation,
                json=RECONNECT_BODY.body(locals()),
                connection_id=connection_id,
            )
        )

    def by_company(
        self,
        company_id: str | UUID,
        *,
        status: InvitationStatus | str | None = None,
        invitation_type: InvitationType | str | None = None,
        verify: bool = False,
    ) -> Pager[Invitation]:
        """Invitations of a company.

        `invitations_list_by_company`, GET /invitation/company/{company_id}. The keys of
        the filters and of the list are no more than likely; correct them with
        `Settings(operations={"invitations_list_by_company": Operation(keys={...})})`.

        Args:
            company_id: whose they are.
            status: one status.
            invitation_type: one kind.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            Request.get(
                "invitations_list_by_company",
                "/invitation/company/{company_id}",
                Page[Invitation],
                query=INVITATIONS.query(locals()),
                listing=Listing(items="invitations"),
                company_id=company_id,
            ),
            verify=verify,
        )

    async def get(self, invitation_id: str | UUID) -> InvitationDetail:
        """One invitation with its log. `invitations_get`.

        GET /invitation/{invitation_id}.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.get(
                "invitations_get",
                "/invitation/{invitation_id}",
                InvitationDetail,
                invitation_id=invitation_id,
            )
        )

    async def revoke(self, invitation_id: str | UUID) -> Invitation:
        """Withdraw an invitation; twice does no harm.

        `invitations_revoke`, POST /invitation/{invitation_id}/revoke. What the API
        answers is not documented: where it is nothing, the invitation is asked for. An
        error of that has a note that says so.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        request = Request.post(
            "invitations_revoke",
            "/invitation/{invitation_id}/revoke",
            Invitation,
            is_repeatable=True,
            invitation_id=invitation_id,
        )
        read = self._executor.build_decoder(request)
        revoked = await self._executor.send_and_decode(
            request, lambda body: read(body) if body.strip() else None
        )
        if revoked is not None:
            return revoked
        try:
            return await self.get(invitation_id)
        except NectarError as error:
            error.add_note(
                "the invitation was revoked; only asking for it afterwards failed"
            )
            raise
