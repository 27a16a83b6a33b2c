"""The Data Repository: every company at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

from nectar_async._fanout import FanOut, OnError
from nectar_async._request import Request
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.company import Company
from nectar_async.models.enums import DatasourceType, DateType
from nectar_async.models.page import Page
from nectar_async.models.usage import UsageData
from nectar_async.resources import usage
from nectar_async.resources._filters import usage_filters
from nectar_async.resources._resource import Resource
from nectar_async.resources.companies import Companies

__all__ = ["Repository"]

T = TypeVar("T")


class Repository(Resource):
    """The lists of the API over all companies, as its dashboard's Data Repository.

    Each view costs the list of companies (unless `companies` names them) and the pages
    of each, ten requests at a time.
    """

    def usage(
        self,
        *,
        companies: Iterable[Company | str | UUID] | None = None,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceType
        | str
        | Iterable[DatasourceType | str]
        | None = None,
        identifier: str | None = None,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
    ) -> FanOut[UsageData]:
        """Usage of every company, or of `companies`; filters as in `usage.by_company`.

        Args:
            companies: companies or their ids; all that the key reaches by default.
            start_date: the first day of the window, inclusive.
            end_date: the last day of the window, inclusive.
            date_type: what the window is compared with.
            datasource_type: one commodity or several.
            identifier: an identifier of the meter.
            on_error: `raise` stops at the first company that fails; `collect` keeps it
                in `.failures` and goes on; a function is given each failure and may
                raise to stop.
            look_ahead: pages that may be asked for and not yet given; by default four
                for each permit of the client's gate.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        filters = usage_filters(
            start_date=start_date,
            end_date=end_date,
            date_type=date_type,
            datasource_type=datasource_type,
            identifier=identifier,
        )
        return self._fan_out(
            lambda company_id: usage.by_company(company_id, filters),
            companies,
            on_error,
            look_ahead,
        )

    def _fan_out(
        self,
        request: Callable[[str], Request[Page[T]]],
        companies: Iterable[Company | str | UUID] | None,
        on_error: OnError,
        look_ahead: int | None,
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
            request,
            self._core.source,
            on_error=on_error,
            look_ahead=look_ahead,
        )


def _id_of(company: object) -> str:
    if isinstance(company, Company):
        return company.id
    if not isinstance(company, str | UUID) or not company:
        raise InvalidArgumentError(
            f"companies are companies or their ids, not {company!r}"
        )
    return str(company)
