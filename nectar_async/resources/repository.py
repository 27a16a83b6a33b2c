"""The Data Repository: every company at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from attrs import fields

from nectar_async._fanout import FanOut, OnError
from nectar_async._request import Request
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
from nectar_async.resources._filters import (
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

    Each view costs the list of companies (unless `companies` names them) and the pages
    of each, ten requests at a time. The filters are those of the company's own list;
    each view takes these as well:

    Args:
        companies: companies or their ids; all that the key reaches by default.
        on_error: `raise` stops at the first company that fails; `collect` keeps it
            in `.failures` and goes on; a function is given each failure and may
            raise to stop.
        look_ahead: pages that may be asked for and not yet given; by default four
            for each permit of the client's gate.
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
    ) -> FanOut[Connection]:
        """Connections with their accounts; filters as in `connections.by_company`.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        filters = CONNECTIONS.query(locals())
        return self._fan_out(
            _connections.by_company, filters, companies, on_error, look_ahead
        )

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
    ) -> FanOut[Account]:
        """Accounts, which the API gives with their connections alone.

        The filters are those of `connections.by_company`, and so are the pages: `limit`
        and the receipts count connections.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        filters = CONNECTIONS.query(locals())
        return self._fan_out(
            _connections.by_company,
            filters,
            companies,
            on_error,
            look_ahead,
            give=_accounts,
        )

    def meters(
        self,
        *,
        companies: _Companies | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
    ) -> FanOut[Meter]:
        """Meters; filters as in `meters.by_company`.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        filters = METERS.query(locals())
        return self._fan_out(
            _meters.by_company, filters, companies, on_error, look_ahead
        )

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
    ) -> FanOut[Document]:
        """Bills with all that is on them; filters as in `documents.by_company`.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        filters = DOCUMENTS.query(locals())
        return self._fan_out(
            _documents.by_company, filters, companies, on_error, look_ahead
        )

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
    ) -> FanOut[UsageData]:
        """Usage records; filters as in `usage.by_company`.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        filters = USAGE.query(locals())
        return self._fan_out(
            _usage.by_company, filters, companies, on_error, look_ahead
        )

    def _fan_out(
        self,
        request: _Asks,
        filters: dict[str, object],
        companies: _Companies | None,
        on_error: OnError,
        look_ahead: int | None,
        *,
        give: Callable[[Page[Any]], Page[T]] | None = None,
    ) -> FanOut[T]:
        if on_error not in {"raise", "collect"} and not callable(on_error):
            raise InvalidArgumentError(
                f"on_error is 'raise', 'collect' or a function, not {on_error!r}"
            )
        if look_ahead is not None and look_ahead < 1:
            raise InvalidArgumentError(f"look_ahead is at least 1, not {look_ahead}")
        if isinstance(companies, str):
            raise InvalidArgumentError(f"companies is a list; write [{companies!r}]")
        named = None if companies is None else [_id_of(one) for one in companies]

        async def ids() -> Sequence[str]:
            if named is not None:
                return named
            return [company.id for company in await Companies(self._core).all()]

        return FanOut(
            ids,
            lambda company_id: request(company_id, filters),
            self._core.source,
            on_error=on_error,
            look_ahead=look_ahead,
            give=give,
        )


def _accounts(page: Page[Connection]) -> Page[Account]:
    """The same page with the accounts of its connections."""
    accounts = [one for connection in page.items for one in connection.accounts]
    facts = {one.name: getattr(page, one.name) for one in fields(Page)}
    return Page(**{**facts, "items": tuple(accounts)})


def _id_of(company: object) -> str:
    if isinstance(company, Company):
        return company.id
    if not isinstance(company, str | UUID) or not company:
        raise InvalidArgumentError(
            f"companies are companies or their ids, not {company!r}"
        )
    return str(company)
