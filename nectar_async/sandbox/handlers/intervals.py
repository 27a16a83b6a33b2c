"""Smart meter intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_async.sandbox.generator.dates import Instant
from nectar_async.sandbox.generator.intervals import IntervalLines, IntervalSeries
from nectar_async.sandbox.server.filters import normal_identifier, page_number
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply
from nectar_async.sandbox.server.pagination import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_async.sandbox.generator.entities import ConnectionRecord, MeterRecord

__all__ = ["list_by_connection"]

_BAD_REQUEST = 400
_NOT_FOUND = 404


async def list_by_connection(call: Call) -> Reply:
    """A page of a connection's intervals, meter by meter and each in order of time."""
    found = call.portfolio.find_connection(call.params["connection_id"])
    if found is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    start, end = _moment(call, "startDate"), _moment(call, "endDate")
    every = (
        IntervalSeries.of(call.portfolio, meter, start, end)
        for meter in _meters(call, found[1])
    )
    return page_of(
        IntervalLines(
            call.portfolio, [series for series in every if series is not None]
        ),
        page=page_number(call.query),
        items="intervals",
        total="totalIntervals",
    )


def _meters(call: Call, connection: ConnectionRecord) -> Iterator[MeterRecord]:
    types = call.query.get("datasourceType", ())
    identifier = call.query.get("identifier", (None,))[-1]
    wanted = None if identifier is None else normal_identifier(identifier)
    for account in connection.accounts:
        for meter in account.meters:
            values = {normal_identifier(each.value) for each in meter.identifiers}
            if (not types or meter.commodity.datasource_type in types) and (
                wanted is None or wanted in values
            ):
                yield meter


def _moment(call: Call, key: str) -> int | None:
    text = call.query.get(key, (None,))[-1]
    if text is None:
        return None
    try:
        return Instant.read(text).nanoseconds
    except (ValueError, OverflowError):
        detail = f"{key}: There is no such moment."
        raise RefusalError(_BAD_REQUEST, detail) from None
