"""Operations on invitations, by which customers connect their own accounts."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

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
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import (
    check_bool,
    check_country,
    check_date,
    check_email,
    check_id,
    closed_enum_check,
    int_check,
    list_check,
    text_check,
)
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource

__all__ = ["Invitations"]

_MIN_SECONDS = 60

_LISTS = OwnedLists(
    noun="invitations",
    path="/invitation",
    page=Page[Invitation],
    listing=Listing(items="invitations"),
    filters=FieldTable(
        {
            "status": closed_enum_check(InvitationStatus),
            "invitation_type": closed_enum_check(InvitationType),
        }
    ),
)

_PREFILL_FIELDS = FieldTable(
    {
        "datasource_id": text_check(1),
        "url": text_check(1),
        "initial_sites": list_check(check_id),
        "utility_types": list_check(closed_enum_check(DatasourceType)),
        "country": check_country,
        "connection_owner_email": check_email,
        "data_collection_start_date": check_date,
    }
)


def _check_prefill(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, InvitationPrefill):
        raise InvalidArgumentError(
            f"{name} must be an InvitationPrefill, not {type(value).__name__}"
        )
    arguments: dict[str, object] = {
        name: UNSET if (item := getattr(value, name)) in (None, ()) else item
        for name in _PREFILL_FIELDS.checks
    }
    try:
        fields = _PREFILL_FIELDS.build_body(arguments)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{name}.{error.message}") from None
    return {**fields, **value.extra}


_RECONNECT_FIELDS = FieldTable(
    {
        "allowed_emails": list_check(check_email),
        "expires_in_seconds": int_check(_MIN_SECONDS),
        "max_uses": int_check(1),
        "send_email": check_bool,
    }
)

_FIELDS = FieldTable({**_RECONNECT_FIELDS.checks, "prefill": _check_prefill})


class Invitations(Resource):
    """Links by which customers connect their accounts without a Nectar user.

    Args:
        allowed_emails: addresses of those who may use the invitation, and have to
            verify their address; by default anybody with the link.
        expires_in_seconds: 60 at least; by default the invitation never expires. An
            expired invitation cannot be revived.
        max_uses: 1 at least; unlimited by default.
        send_email: whether the link is mailed to every allowed address.

    The link opens the customer's page without a sign-in, so `invitation_url` and
    `token` are `Secret`s.

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
        """Create an invitation to connect a new account.

        `invitations_create`, POST /invitation/company/{company_id}. The request is
        repeated only when it certainly had no effect.

        Args:
            company_id: ID of the company that the account is connected to.
            allowed_emails: see `Invitations`.
            expires_in_seconds: see `Invitations`.
            max_uses: see `Invitations`.
            send_email: see `Invitations`.
            prefill: values with which the form behind the link is filled in.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "invitations_create",
                "/invitation/company/{company_id}",
                Invitation,
                json=_FIELDS.build_body(locals()),
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
        """Create an invitation to renew the login of a connection.

        `invitations_create_reconnect`, POST /invitation/connection/{connection_id}. The
        request is repeated only when it certainly had no effect.
        `connection.status.advice.does_invitation_help` says whether it can help.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "invitations_create_reconnect",
                "/invitation/connection/{connection_id}",
                Invitation,
                json=_RECONNECT_FIELDS.build_body(locals()),
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
        """List the invitations of a company.

        `invitations_list_by_company`, GET /invitation/company/{company_id}. The keys of
        the filters and of the list are likely, not documented; correct them with
        `Settings(operations={"invitations_list_by_company": Operation(keys={...})})`.

        Args:
            company_id: ID of the company.
            status: a single status.
            invitation_type: a single type.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            _LISTS.build_request("company", company_id, locals()), verify=verify
        )

    async def get(self, invitation_id: str | UUID) -> InvitationDetail:
        """Return one invitation with its log. `invitations_get`.

        GET /invitation/{invitation_id}.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
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
        """Withdraw an invitation; a second call does no harm.

        `invitations_revoke`, POST /invitation/{invitation_id}/revoke. The answer is not
        documented: if it is empty, the invitation is requested afterwards. An error of
        that second request has a note that the invitation was revoked.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
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
                "the invitation was revoked; only the request for it afterwards failed"
            )
            raise
