"""The Data Repository: lists over all companies at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeAlias, TypeVar, get_args
from uuid import UUID

from attrs import evolve

from nectar_async._paging.fanout import CompanyList, FanOut, OnError
from nectar_async._paging.receipt import build_unreadable_error
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
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource
from nectar_async.resources.companies import COMPANY_LIST
from nectar_async.resources.connections import CONNECTION_LISTS
from nectar_async.resources.documents import DOCUMENT_LISTS
from nectar_async.resources.meters import METER_LISTS, DatasourceTypes
from nectar_async.resources.usage import USAGE_LISTS

__all__ = ["Repository"]

T = TypeVar("T")

_Companies: TypeAlias = Iterable[Company | str | UUID]


class Repository(Resource):
    """The lists of the API over all companies, like the dashboard's Data Repository.

    ```python
    async with nectar.repository.usage(on_error="collect") as records:
        async for record in records:
            ...
    print(records.receipt, records.failures)
    ```

    Each view requests the list of companies (unless `companies` names them) and all
    pages of each company, ten requests at a time. `on_error="raise"` stops at the first
    company that fails; "collect" adds it to `.failures` and goes on; a function is
    called with each failure and may raise to stop. `look_ahead` is described
    at `Pager.prefetch`, which has the same default.

    If rows of a company change places while its pages are read, the company is read
    again, at most twice. This is detected when totals differ between pages, or when
    there are fewer distinct records than the total. `verify` costs one more request for
    each company and also detects a changed page 1, for example after one row was
    removed from it and another was added later. A row that is removed behind page 1
    while another is added behind page 1 goes unnoticed.
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
        """List connections with their accounts. Needs `async with`.

        Args:
            companies: companies or their IDs; by default all that the key can access.
            connection_owner_email: the exact `workflow_owner_email`.
            limit: records per page, 1 to 500.
            sites: IDs of sites, one or several.
            status: a single status.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: how many pages may be requested ahead of the consumer.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._fan_out(CONNECTION_LISTS, locals())

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
        """List accounts, which the API sends only with connections. Needs `async with`.

        The filters and the pages are those of `connections.by_company`: `limit` and the
        receipts count connections.

        Args:
            companies: companies or their IDs; by default all that the key can access.
            connection_owner_email: the exact `workflow_owner_email`.
            limit: records per page, 1 to 500.
            sites: IDs of sites, one or several.
            status: a single status.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: how many pages may be requested ahead of the consumer.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._fan_out(
            CONNECTION_LISTS, locals(), convert=_to_accounts, model=Account
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
        """List meters. Needs `async with`.

        Args:
            companies: companies or their IDs; by default all that the key can access.
            datasource_type: one commodity or several; all by default.
            identifier: any identifier of the meter, in its normal form; see `Meters`.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: how many pages may be requested ahead of the consumer.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._fan_out(METER_LISTS, locals())

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
        """List bills with their usage, line items and demand. Needs `async with`.

        Args:
            companies: companies or their IDs; by default all that the key can access.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `BILL_DATE` (the default,
                which leaves out records without a bill), `USAGE_PERIOD`,
                `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of a meter on the bill, in its normal form; see
                `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: how many pages may be requested ahead of the consumer.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._fan_out(DOCUMENT_LISTS, locals())

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
        """List usage records. Needs `async with`.

        Args:
            companies: companies or their IDs; by default all that the key can access.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `BILL_DATE` (the default,
                which leaves out records without a bill), `USAGE_PERIOD`,
                `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            on_error: `raise`, `collect` or a function; see `Repository`.
            look_ahead: how many pages may be requested ahead of the consumer.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._fan_out(USAGE_LISTS, locals())

    def _fan_out(
        self,
        lists: OwnedLists[Any],
        arguments: Mapping[str, Any],
        *,
        convert: Callable[[Page[Any]], Page[T]] | None = None,
        model: type[T] | None = None,
    ) -> FanOut[T]:
        query = lists.filters.build_query(arguments)
        companies, on_error = arguments["companies"], arguments["on_error"]
        look_ahead = arguments["look_ahead"]
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
        ids = None if companies is None else [_to_id(company) for company in companies]

        async def list_companies() -> CompanyList:
            if ids is not None:
                return CompanyList(ids)
            pager = self._pages(COMPANY_LIST)
            found = [company.id async for company in pager]
            error = build_unreadable_error(pager.receipt, COMPANY_LIST)
            return CompanyList(found, pager.receipt, error)

        return FanOut(
            list_companies,
            lambda company_id: lists.build_checked_request(
                "company", company_id, query
            ),
            self._executor.source,
            on_error=on_error,
            look_ahead=look_ahead,
            verify=arguments["verify"],
            convert=convert,
            model=model or get_args(lists.page)[0],
        )


def _to_accounts(page: Page[Connection]) -> Page[Account]:
    """Replace the connections of a page by their accounts."""
    accounts = tuple(
        account for connection in page.items for account in connection.accounts
    )
    untyped: Any = page  # `evolve` keeps the type of what it changes
    account_page: Page[Account] = evolve(untyped, items=accounts)
    return account_page


def _to_id(company: object) -> str:
    if isinstance(company, Company):
        return company.id
    if not isinstance(company, str | UUID) or not company:
        raise InvalidArgumentError(
            f"companies must be companies or their ids, not {company!r}"
        )
    return str(company)
