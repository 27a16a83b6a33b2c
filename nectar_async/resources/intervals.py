"""The list of smart-meter intervals, of 15 minutes or an hour each (beta)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from nectar_async._paging.pager import Pager
from nectar_async.models.interval import Interval
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checked_fields import FieldTable, check_dates
from nectar_async.resources._checks import check_datetime
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource
from nectar_async.resources.meters import METER_LISTS, DatasourceTypes

__all__ = ["Intervals"]

_LISTS = OwnedLists(
    noun="intervals",
    path="/interval",
    page=Page[Interval],
    listing=Listing(items="intervals"),
    filters=FieldTable(
        {
            "start_date": check_datetime,
            "end_date": check_datetime,
            **METER_LISTS.filters.checks,
        },
        check_together=check_dates,
    ),
)


class Intervals(Resource):
    """Readings of smart meters, for connections that collect them (beta).

    https://docs.nectarclimate.com/api-reference/v2-2/interval-data/get-interval-data-by-connection
    """

    def by_connection(
        self,
        connection_id: str | UUID,
        *,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[Interval]:
        """List the intervals of a connection.

        `intervals_list_by_connection`, GET /interval/connection/{connection_id}.

        Args:
            connection_id: ID of the connection.
            start_date: a `datetime` with a time zone, not a day as in other lists; the
                name of this filter in the API is likely, not documented.
            end_date: a `datetime`; intervals that end at or before it are included.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            _LISTS.build_request("connection", connection_id, locals()), verify=verify
        )
