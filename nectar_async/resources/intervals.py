"""Intervals: smart-meter readings, a quarter of an hour or an hour each (beta)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async.models.interval import Interval
from nectar_async.models.page import Listing, Page
from nectar_async.resources._lists import INTERVALS, DatasourceTypes
from nectar_async.resources._resource import Resource

__all__ = ["Intervals"]


class Intervals(Resource):
    """Readings of smart meters, where a connection collects them (beta).

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
        """Intervals of a connection.

        `intervals_list_by_connection`, GET /interval/connection/{connection_id}.

        Args:
            connection_id: whose accounts they belong to.
            start_date: an instant with its zone, not a day as on other lists; the key
                on the wire is no more than likely.
            end_date: an instant; intervals that end at or before it are kept.
            datasource_type: one commodity or several; all when left out.
            identifier: an identifier of the meter, compared as on usage lists.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            Request.get(
                "intervals_list_by_connection",
                "/interval/connection/{connection_id}",
                Page[Interval],
                query=INTERVALS.query(locals()),
                listing=Listing(items="intervals"),
                connection_id=connection_id,
            ),
            verify=verify,
        )
