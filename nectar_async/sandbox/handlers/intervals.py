"""The handler that lists smart meter intervals."""

from __future__ import annotations

from nectar_async.sandbox.generator.dates import Instant
from nectar_async.sandbox.generator.intervals import IntervalList, IntervalSeries
from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.entity_json import interval_json
from nectar_async.sandbox.server.filters import MeterFilter, read_single
from nectar_async.sandbox.server.messages import RefusalError, Reply, encode_json
from nectar_async.sandbox.server.pagination import encode_page, parse_page_number

__all__ = ["list_by_connection"]

_BAD_REQUEST = 400


async def list_by_connection(call: Call) -> Reply:
    """List a connection's intervals, sorted by meter and time."""
    _, connection = lookup.find_connection(call)
    start, end = _parse_moment(call, "startDate"), _parse_moment(call, "endDate")
    meter_filter = MeterFilter.from_query(call.query)
    all_series = (
        IntervalSeries.between(call.portfolio, meter, start, end)
        for meter in connection.meters
        if meter_filter.keeps(meter)
    )
    return encode_page(
        IntervalList(
            call.portfolio, [series for series in all_series if series is not None]
        ),
        lambda interval: encode_json(interval_json(interval)),
        page=parse_page_number(call.query),
        items="intervals",
        total="totalIntervals",
    )


def _parse_moment(call: Call, key: str) -> int | None:
    text = read_single(call.query, key)
    if text is None:
        return None
    try:
        return Instant.parse(text).nanoseconds
    except (ValueError, OverflowError):
        detail = f"{key}: This must be a date-time."
        raise RefusalError(_BAD_REQUEST, detail) from None
