"""Operations on connections, the logins through which bills are collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeAlias
from uuid import UUID

import attrs

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Secret, Unset
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.connection import Connection, SecurityQuestion
from nectar_async.models.enums import DatasourceType
from nectar_async.models.page import Listing, Page
from nectar_async.models.statuses import ConnectionStatus
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import (
    Nullable,
    check_bool,
    check_country,
    check_date,
    check_email,
    check_id,
    check_secret,
    closed_enum_check,
    int_check,
    list_check,
    one_or_many_check,
    text_check,
)
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._masking import mask_arguments
from nectar_async.resources._polling import poll
from nectar_async.resources._resource import Resource

__all__ = ["CONNECTION_LISTS", "Connections", "Questions"]

Questions: TypeAlias = Mapping[str, str] | Iterable[SecurityQuestion]
"""Security questions: `{"First pet?": "Rex"}`, or `SecurityQuestion`s."""

_SiteIds: TypeAlias = Iterable[str | UUID]
_Commodities: TypeAlias = Iterable[DatasourceType | str]

_MAX_PAGE_SIZE = 500
_CREDENTIALS = frozenset({"username", "password", "security_questions"})

CONNECTION_LISTS = OwnedLists(
    noun="connections",
    path="/connection",
    page=Page[Connection],
    listing=Listing(items="connections"),
    filters=FieldTable(
        {
            "connection_owner_email": check_email,
            "limit": int_check(1, _MAX_PAGE_SIZE),
            "sites": one_or_many_check(check_id),
            "status": closed_enum_check(ConnectionStatus),
        }
    ),
)


def _check_question(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, SecurityQuestion):
        kind = type(value.reveal() if isinstance(value, Secret) else value).__name__
        raise InvalidArgumentError(f"{name} must be a SecurityQuestion, not {kind}")
    return {
        field.name: check_secret(f"{name}.{field.name}", getattr(value, field.name))
        for field in attrs.fields(SecurityQuestion)
        if field.name != "extra"
    }


def _check_questions(name: str, value: object) -> list[object]:
    """Accept a mapping of questions to answers, or a list of `SecurityQuestion`s."""
    if isinstance(value, Mapping):
        return [
            {
                "key": check_secret(f"{name}[{index}].key", question),
                "value": check_secret(f"{name}[{index}].value", answer),
            }
            for index, (question, answer) in enumerate(value.items())
        ]
    return list_check(_check_question)(name, value)


_COMMON_CHECKS = {
    "url": text_check(1),
    "username": check_secret,
    "password": check_secret,
    "country": check_country,
    "security_questions": _check_questions,
    "initial_datasource_types": list_check(closed_enum_check(DatasourceType)),
    "workflow_owner_email": check_email,
    "multiply_by_occupancy": check_bool,
}

_CREATE_FIELDS = FieldTable(
    {
        **_COMMON_CHECKS,
        "sites": list_check(check_id, 1),
        "data_collection_start_date": check_date,
        "external_id": text_check(),
    }
)
_REQUIRED = frozenset({"url", "username", "password", "sites"})

_UPDATE_FIELDS = FieldTable(
    {
        **_COMMON_CHECKS,
        "is_active": check_bool,
        "external_id": Nullable(text_check()),
        "initial_sites": list_check(check_id),
        "data_collection_start_date": Nullable(check_date),
    }
)

_CONFIRM_FIELDS = FieldTable({"confirm": check_bool})


class Connections(Resource):
    """Logins to utility portals, each with the accounts behind it.

    The API cannot delete a connection: deactivate it instead. Renew a login that no
    longer works instead of adding another: the same portal and user name twice in a
    company is refused (400).

    https://docs.nectarclimate.com/api-reference/v2-2/connections/get-connections-by-company
    """

    def by_company(
        self,
        company_id: str | UUID,
        *,
        connection_owner_email: str | None = None,
        limit: int | None = None,
        sites: str | UUID | Iterable[str | UUID] | None = None,
        status: ConnectionStatus | str | None = None,
        verify: bool = False,
    ) -> Pager[Connection]:
        """List the connections of a company, with their accounts.

        `connections_list_by_company`, GET /connection/company/{company_id}.

        Args:
            company_id: ID of the company.
            connection_owner_email: the exact address of the owner, which a connection
                calls `workflow_owner_email`.
            limit: records per page, 1 to 500 (default 100). No other list has it.
            sites: IDs of sites, one or several.
            status: a single status.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            CONNECTION_LISTS.build_request("company", company_id, locals()),
            verify=verify,
        )

    async def get(self, connection_id: str | UUID) -> Connection:
        """Return one connection.

        `connections_get`, GET /connection/{connection_id}/details.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.get(
                "connections_get",
                "/connection/{connection_id}/details",
                Connection,
                connection_id=connection_id,
            )
        )

    @mask_arguments("username", "password", "security_questions")
    async def create(
        self,
        company_id: str | UUID,
        *,
        url: str,
        username: str | Secret[str],
        password: str | Secret[str],
        sites: _SiteIds,
        country: str | Unset = UNSET,
        security_questions: Questions | Unset = UNSET,
        initial_datasource_types: _Commodities | Unset = UNSET,
        workflow_owner_email: str | Unset = UNSET,
        data_collection_start_date: date | Unset = UNSET,
        multiply_by_occupancy: bool | Unset = UNSET,
        external_id: str | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> Connection:
        """Create a connection with the login of a utility account.

        `connections_create`, POST /connection/company/{company_id}. A portal with a
        second factor needs an invitation instead. Wrong credentials are no HTTP error:
        the connection gets a status that says so; see `wait_until_settled`. The check
        of the portal may take longer than the server's limit of 10 s
        (`ServerTimeoutError`) although the connection was created: look for it with
        `by_company` before another try.

        Args:
            company_id: ID of the company.
            url: the address of the portal; it identifies the provider.
            username: the user name of the login, often an e-mail address.
            password: the password of the login; the API never sends it back.
            sites: IDs of the sites that the accounts belong to.
            country: ISO 3166 code of two letters, such as `US`.
            security_questions: the portal's questions and their answers.
            initial_datasource_types: commodities; by default those of the provider.
            workflow_owner_email: the address of the owner of the connection.
            data_collection_start_date: bills are collected from this day on; by default
                the date of the company.
            multiply_by_occupancy: whether usage is multiplied by the occupancy of its
                site.
            external_id: your own ID.
            extra: further keys of the body, which is not documented in full.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
            BadRequestError: the company already has this portal and user name.
        """
        return await self._fetch(
            Request.post(
                "connections_create",
                "/connection/company/{company_id}",
                Connection,
                json=_CREATE_FIELDS.build_body(locals(), extra, required=_REQUIRED),
                company_id=company_id,
            )
        )

    @mask_arguments("username", "password", "security_questions")
    async def update(
        self,
        connection_id: str | UUID,
        *,
        is_active: bool | Unset = UNSET,
        external_id: str | Unset | None = UNSET,
        username: str | Secret[str] | Unset = UNSET,
        password: str | Secret[str] | Unset = UNSET,
        url: str | Unset = UNSET,
        country: str | Unset = UNSET,
        initial_sites: _SiteIds | Unset = UNSET,
        initial_datasource_types: _Commodities | Unset = UNSET,
        workflow_owner_email: str | Unset = UNSET,
        data_collection_start_date: date | Unset | None = UNSET,
        multiply_by_occupancy: bool | Unset = UNSET,
        security_questions: Questions | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> Connection:
        """Change a connection, or renew its login.

        `connections_update`, PATCH /connection/{connection_id}/details. UNSET
        leaves a field as it is. All fields except `is_active` are likely, not
        documented; lists presumably replace the whole list. A call with credentials may
        trigger a login at the portal, so it is repeated only when it certainly had no
        effect.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        body = _UPDATE_FIELDS.build_body(locals(), extra)
        return await self._fetch(
            Request.patch(
                "connections_update",
                "/connection/{connection_id}/details",
                Connection,
                json=body,
                is_repeatable=_CREDENTIALS.isdisjoint(body),
                connection_id=connection_id,
            )
        )

    async def activate(self, connection_id: str | UUID) -> Connection:
        """Resume the weekly checks. `connections_update` with `is_active=True`."""
        return await self.update(connection_id, is_active=True)

    async def deactivate(self, connection_id: str | UUID) -> Connection:
        """Stop the weekly checks and keep all data. `activate` resumes them.

        `connections_update` with `is_active=False`.
        """
        return await self.update(connection_id, is_active=False)

    async def confirm(
        self,
        connection_id: str | UUID,
        confirm: bool = True,
        *,
        extra: Mapping[str, object] | None = None,
    ) -> Connection:
        """Set the status to CONNECTED; False changes nothing.

        Experimental. `connections_confirm`, POST /connection/{connection_id}/confirm:
        address, verb and key are guesses. If they differ, correct them:

            Settings(operations={"connections_confirm": Operation(
                "PATCH", "/connection/{connection_id}",
                keys={"confirm": "isConfirmed"})})

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "connections_confirm",
                "/connection/{connection_id}/confirm",
                Connection,
                json=_CONFIRM_FIELDS.build_body(locals(), extra, required={"confirm"}),
                is_repeatable=True,
                connection_id=connection_id,
            )
        )

    async def wait_until_settled(
        self,
        connection_id: str | UUID,
        *,
        timeout: float | None = 300.0,
        on_progress: Callable[[Connection], object] | None = None,
    ) -> Connection:
        """Poll a connection until its first check is over, and return it.

        The result is CONNECTED, or has a status whose `advice` says who has to do what;
        a deactivated connection is returned at once. Waits grow from 1 to 15 s. Real
        portals can take hours; the API says up to 48.

        Args:
            connection_id: ID of the connection.
            timeout: seconds for all requests and waits; None for no bound. One more
                request, of one second at most, is made at the end. Server errors and
                broken connections are retried until then.
            on_progress: a function, plain or async, that is called with each state.

        Raises:
            WaitTimeoutError: the check is not over in time, or the server asks for a
                longer wait than is left. `last` is the latest state, and a failure
                after it is the cause.
            NotFoundError, PermissionDeniedError, AuthenticationError: at once.
        """
        with self._executor.open_call():
            return await poll(
                self._executor.clock,
                lambda: self.get(connection_id),
                _is_settled,
                timeout=timeout,
                goal=f"connection {connection_id} to settle",
                on_progress=on_progress,
            )


def _is_settled(connection: Connection) -> bool:
    if connection.is_active is False:
        return True
    return connection.status is not None and connection.status.is_settled
