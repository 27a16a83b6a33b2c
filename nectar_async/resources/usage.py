"""Usage: what the meters used, period by period, as the bills say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from nectar_async._pager import Pager
from nectar_async._request import Listing, Request
from nectar_async.models.enums import DatasourceType, DateType
from nectar_async.models.page import Page
from nectar_async.models.usage import UsageData
from nectar_async.resources._filters import usage_filters
from nectar_async.resources._resource import Resource

__all__ = ["Usage"]

_LISTING = Listing(items="usage_data")


class Usage(Resource):
    """Usage records of a company or a site.

    The filters of every list here:

    Args:
        start_date: the first day of the window, inclusive; may be given alone.
        end_date: the last day, inclusive; may be given alone. With `CREATED_DATE` and
            `UPDATED_DATE` the API reads it as 00:00 UTC of that day, so nothing that
            happened later on it is found: ask for the day after.
        date_type: what the window is compared with: `BILL_DATE` (the API's default),
            `USAGE_PERIOD` (periods that overlap it by a day or more), `CREATED_DATE` or
            `UPDATED_DATE`.
        datasource_type: one commodity or several; all when left out.
        identifier: an identifier of the meter (number, POD, account, ...). Dashes,
            spaces, underscores, commas, slashes, leading zeros and case do not count.

    https://docs.nectarclimate.com/api-reference/v2-2/usage-data/get-usage-data-by-company
    """

    def by_company(
        self,
        company_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceType
        | str
        | Iterable[DatasourceType | str]
        | None = None,
        identifier: str | None = None,
    ) -> Pager[UsageData]:
        """Usage of a company. `usage_list_by_company`, GET /usage/company/{company_id}.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            by_company(
                company_id,
                usage_filters(
                    start_date=start_date,
                    end_date=end_date,
                    date_type=date_type,
                    datasource_type=datasource_type,
                    identifier=identifier,
                ),
            )
        )

    def by_site(
        self,
        site_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceType
        | str
        | Iterable[DatasourceType | str]
        | None = None,
        identifier: str | None = None,
    ) -> Pager[UsageData]:
        """Usage of a site. `usage_list_by_site`, GET /usage/site/{site_id}.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            Request.get(
                "usage_list_by_site",
                "/usage/site/{site_id}",
                Page[UsageData],
                query=usage_filters(
                    start_date=start_date,
                    end_date=end_date,
                    date_type=date_type,
                    datasource_type=datasource_type,
                    identifier=identifier,
                ),
                listing=_LISTING,
                site_id=site_id,
            )
        )


def by_company(
    company_id: str | UUID, filters: dict[str, object]
) -> Request[Page[UsageData]]:
    """The request for a company's usage; the cross-company view asks it of each."""
    return Request.get(
        "usage_list_by_company",
        "/usage/company/{company_id}",
        Page[UsageData],
        query=filters,
        listing=_LISTING,
        company_id=company_id,
    )
