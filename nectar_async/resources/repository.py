"""The Data Repository: every company at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from attrs import fields as fields_of

from nectar_async._http.request import Request
from nectar_async._paging.fanout import FanOut, OnError
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.account import Account
from nectar_async.models.company import Company
from nectar_async.models.connection import Connection
from nectar_async.models.document import Document
from nectar_async.models.enums import DateType
from nectar_async.models.meter import Meter
from nectar_async.models.page import Page
from nectar_async.models.statuses import ConnectionStatus
from nectar_async.models.usage import UsageData
from nectar_async.resources import _connections, _documents, _meters, _usage
from nectar_async.resources._field_table import Fields
from nectar_async.resources._lists import (
    CONNECTIONS,
    DOCUMENTS,
    METERS,
    USAGE,
    DatasourceTypes,
)
from nectar_async.resources._resource import Resource
from nectar_async.resources.companies import Companies

__all__ = ["Repository"]

T = TypeVar("T")

_Companies: TypeAlias = Iterable[Company | str | UUID]
_Asks: TypeAlias = Callable[[str | UUID, dict[str, object]], Request[Page[Any]]]


class Repository(Resource):
    """The lists of the API over all companies, as its dashboard's Data Repository.

    ```python
    async with nectar.repository.usage(on_error="collect") as records:
        async for record in records:
            ...
    print(records.receipt, records.failures)
    ```

    Each view costs the list of companies (unless `companies` names them) and the pages
    of each, ten requests at a time. `on_error="raise"` stops at the first company that
    fails; "collect" keeps it in `.failures` and goes on; a function is given each
    failure and may raise to stop. `look_ahead` is four pages for each permit of the
    client's gate where nothing is said.

    A company whose rows moved in mid-walk is read again, at most twice. Moves are found
    where totals differ from page to page, or fewer distinct records came than they say;
    with `verify`, which costs a request for each company, also where page 1 is another
    one at the end, as after a row that went in front while one came behind. What
    neither shows is missed: a row that went behind page 1, where the walk had been,
    while another one came behind page 1.
    """

    def connections(
        self,
        *,
        companies: _Companies | None = None,
        connection_owner_email: str | None = None,
        limit: int | None = None,
        sites: str | UUID | Iterable[str | UUID] | None = None,
        status: ConnectionStatus | str | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
    ) -> FanOut[Connection]:
        """Connections with their accounts. Needs `async with`.

        Args:
            companies: companies or their ids; all that the key reaches by default.
            connection_owner_email: the exact address of `workflow_owner_email`.
            limit: records a page, 1 to 500.
            sites: ids of sites, one or several.
            status: one status.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: pages that may be asked for and not yet given.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._fan_out(_connections.by_company, CONNECTIONS, locals())

    def accounts(
        self,
        *,
        companies: _Companies | None = None,
        connection_owner_email: str | None = None,
        limit: int | None = None,
        sites: str | UUID | Iterable[str | UUID] | None = None,
        status: ConnectionStatus | str | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
    ) -> FanOut[Account]:
        """Accounts, which come with connections alone. Needs `async with`.

        The filters are those of `connections.by_company`, and so are the pages: `limit`
        and the receipts count connections.

        Args:
            companies: companies or their ids; all that the key reaches by default.
            connection_owner_email: the exact address of `workflow_owner_email`.
            limit: records a page, 1 to 500.
            sites: ids of sites, one or several.
            status: one status.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: pages that may be asked for and not yet given.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._fan_out(
            _connections.by_company, CONNECTIONS, locals(), give=_accounts
        )

    def meters(
        self,
        *,
        companies: _Companies | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
    ) -> FanOut[Meter]:
        """Meters. Needs `async with`.

        Args:
            companies: companies or their ids; all that the key reaches by default.
            datasource_type: one commodity or several; all when left out.
            identifier: any of theirs, by its normal form; see `Meters`.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: pages that may be asked for and not yet given.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._fan_out(_meters.by_company, METERS, locals())

    def documents(
        self,
        *,
        companies: _Companies | None = None,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        is_deleted: bool | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
    ) -> FanOut[Document]:
        """Bills with all that is on them. Needs `async with`.

        Args:
            companies: companies or their ids; all that the key reaches by default.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of a meter on the bill, by its normal form; see `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: pages that may be asked for and not yet given.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._fan_out(_documents.by_company, DOCUMENTS, locals())

    def usage(
        self,
        *,
        companies: _Companies | None = None,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
    ) -> FanOut[UsageData]:
        """Usage records. Needs `async with`.

        Args:
            companies: companies or their ids; all that the key reaches by default.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of the meter, by its normal form; see `Usage`.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: pages that may be asked for and not yet given.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._fan_out(_usage.by_company, USAGE, locals())

    def _fan_out(
        self,
        request: _Asks,
        fields: Fields,
        given: Mapping[str, Any],
        *,
        give: Callable[[Page[Any]], Page[T]] | None = None,
    ) -> FanOut[T]:
        filters = fields.query(given)
        companies, on_error = given["companies"], given["on_error"]
        look_ahead = given["look_ahead"]
        if on_error not in {"raise", "collect"} and not callable(on_error):
            raise InvalidArgumentError(
                f"on_error must be 'raise', 'collect' or a function, not {on_error!r}"
            )
        if look_ahead is not None and look_ahead < 1:
            raise InvalidArgumentError(
                f"look_ahead must be at least 1, not {look_ahead}"
            )
        if isinstance(companies, str):
            raise InvalidArgumentError(
                f"companies must be a list; write [{companies!r}]"
            )
        named = None if companies is None else [_id_of(one) for one in companies]

        async def ids() -> Sequence[str]:
            if named is not None:
                return named
            return [company.id for company in await Companies(self._executor).all()]

        return FanOut(
            ids,
            lambda company_id: request(company_id, filters),
            self._executor.source,
            on_error=on_error,
            look_ahead=look_ahead,
            verify=given["verify"],
            give=give,
        )


def _accounts(page: Page[Connection]) -> Page[Account]:
    """The same page with the accounts of its connections."""
    accounts = [one for connection in page.items for one in connection.accounts]
    facts = {one.name: getattr(page, one.name) for one in fields_of(Page)}
    return Page(**{**facts, "items": tuple(accounts)})


def _id_of(company: object) -> str:
    if isinstance(company, Company):
        return company.id
    if not isinstance(company, str | UUID) or not company:
        raise InvalidArgumentError(
            f"companies must be companies or their ids, not {company!r}"
        )
    return str(company)
