"""Connections: the logins to utility portals that bring bills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeAlias
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Secret, Unset
from nectar_async.models.connection import Connection, SecurityQuestion
from nectar_async.models.enums import DatasourceType
from nectar_async.models.statuses import ConnectionStatus
from nectar_async.resources import _connections
from nectar_async.resources._connections import (
    CONFIRM_BODY,
    CREATE_BODY,
    CREATE_NEEDS,
    UPDATE_BODY,
)
from nectar_async.resources._lists import CONNECTIONS
from nectar_async.resources._masking import discreet
from nectar_async.resources._polling import poll
from nectar_async.resources._resource import Resource

__all__ = ["Connections", "Questions"]

Questions: TypeAlias = Mapping[str, str] | Iterable[SecurityQuestion]
"""Security questions: `{"First pet?": "Rex"}`, or `SecurityQuestion`s."""

_SITES = Iterable[str | UUID]
_COMMODITIES = Iterable[DatasourceType | str]


class Connections(Resource):
    """Logins to utility portals, each with the accounts that it brings.

    There is no call that deletes a connection: deactivate it. Renew one that broke
    instead of adding another; the same portal and user name twice in a company is
    refused (400).

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
        """Connections of a company, with their accounts.

        `connections_list_by_company`, GET /connection/company/{company_id}.

        Args:
            company_id: whose they are.
            connection_owner_email: those of this owner, by the exact address; on the
                connection it is called `workflow_owner_email`.
            limit: records a page, 1 to 500 (100 where nothing is said). This list is
                the only one that has it.
            sites: ids of sites, one or several.
            status: one status.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _connections.by_company(company_id, CONNECTIONS.query(locals())),
            verify=verify,
        )

    async def get(self, connection_id: str | UUID) -> Connection:
        """One connection. `connections_get`, GET /connection/{connection_id}/details.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.get(
                "connections_get",
                "/connection/{connection_id}/details",
                Connection,
                connection_id=connection_id,
            )
        )

    @discreet("username", "password", "security_questions")
    async def create(
        self,
        company_id: str | UUID,
        *,
        url: str,
        username: str | Secret[str],
        password: str | Secret[str],
        sites: _SITES,
        country: str | Unset = UNSET,
        security_questions: Questions | Unset = UNSET,
        initial_datasource_types: _COMMODITIES | Unset = UNSET,
        workflow_owner_email: str | Unset = UNSET,
        data_collection_start_date: date | Unset = UNSET,
        multiply_by_occupancy: bool | Unset = UNSET,
        external_id: str | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> Connection:
        """Connect a utility account with its login.

        `connections_create`, POST /connection/company/{company_id}. A portal with a
        second factor needs an invitation instead. Wrong credentials are no HTTP error:
        the connection gets a status that says so; see `wait_until_settled`. Looking at
        the portal may take the server more than its 10 s (`ServerTimeoutError`)
        although the connection was created: look at `by_company` before another try.

        Args:
            company_id: whose account it is.
            url: the address of the portal; it names the provider.
            username: the login, which a portal may show as an e-mail address.
            password: it never comes back.
            sites: ids of the sites that the accounts belong to.
            country: ISO 3166 code of two letters, as `US`.
            security_questions: what the portal asks, and the answers.
            initial_datasource_types: commodities; those of the provider by default.
            workflow_owner_email: who looks after the connection.
            data_collection_start_date: bills from this day on; the company's default.
            multiply_by_occupancy: whether usage counts by the occupancy of its site.
            external_id: your own id.
            extra: further keys of the body, which is not documented in full.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
            BadRequestError: the same portal and user name are connected already.
        """
        return await self._fetch(
            Request.post(
                "connections_create",
                "/connection/company/{company_id}",
                Connection,
                json=CREATE_BODY.body(locals(), extra, required=CREATE_NEEDS),
                company_id=company_id,
            )
        )

    @discreet("username", "password", "security_questions")
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
        initial_sites: _SITES | Unset = UNSET,
        initial_datasource_types: _COMMODITIES | Unset = UNSET,
        workflow_owner_email: str | Unset = UNSET,
        data_collection_start_date: date | Unset | None = UNSET,
        multiply_by_occupancy: bool | Unset = UNSET,
        security_questions: Questions | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> Connection:
        """Change a connection, or renew its login.

        `connections_update`, PATCH /connection/{connection_id}/details. What is UNSET
        stays as it is. All fields but `is_active` are likely, not documented; lists
        presumably replace the whole list. A call with credentials may trigger a login
        at the portal, so it is repeated only when it provably did not happen.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        body = UPDATE_BODY.body(locals(), extra)
        return await self._fetch(
            Request.patch(
                "connections_update",
                "/connection/{connection_id}/details",
                Connection,
                json=body,
                is_repeatable=not _connections.has_credentials(body),
                connection_id=connection_id,
            )
        )

    async def activate(self, connection_id: str | UUID) -> Connection:
        """Resume the weekly checks. `connections_update` with `is_active=True`."""
        return await self.update(connection_id, is_active=True)

    async def deactivate(self, connection_id: str | UUID) -> Connection:
        """Stop the weekly checks and keep all data; `activate` resumes them.

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
        address, verb and key are guesses. If they are others, correct them:

            Settings(operations={"connections_confirm": Operation(
                "PATCH", "/connection/{connection_id}",
                keys={"confirm": "isConfirmed"})})

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.post(
                "connections_confirm",
                "/connection/{connection_id}/confirm",
                Connection,
                json=CONFIRM_BODY.body(locals(), extra, required={"confirm"}),
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
        """Ask until the first check is over, well or not; waits grow from 1 to 15 s.

        The connection that is given is CONNECTED, or has a status whose `advice` says
        who has to do what; a deactivated one is given at once. Real portals can take
        hours, in the API's words up to 48.

        Args:
            connection_id: the connection.
            timeout: seconds to wait, requests and their repeats included; a look at
                the very end has one more. None waits as long as it takes. A failing
                server or connection is looked at again until then.
            on_progress: a function, plain or async, that is given each state seen.

        Raises:
            WaitTimeoutError: it is still not settled, or the server asks to wait for
                longer than is left; `last` is the state last seen, and a failure since
                then the error's cause.
            NotFoundError, PermissionDeniedError, AuthenticationError: at once.
        """
        return await poll(
            self._executor.clock,
            lambda: self.get(connection_id),
            _connections.is_settled,
            timeout=timeout,
            what=f"connection {connection_id} to settle",
            on_progress=on_progress,
        )
