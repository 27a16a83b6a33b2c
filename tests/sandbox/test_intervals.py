"""Smart meter intervals of 15 or 60 minutes: their lists and filters."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from contract_schemas import check_schema, response_schema
from raw_client import RawClient

from nectar_async.sandbox.generator.intervals import DAYS
from nectar_async.sandbox.server.filters import normalize_identifier

pytestmark = pytest.mark.asyncio

NOBODY = "00000000-0000-4000-a000-000000000000"
FIRST = "2025-12-25T00:00:00Z"
LAST = "2026-01-01T00:00:00Z"
QUARTERS_A_DAY = 96


def find_smart_connection(raw_client: RawClient) -> Any:
    """Find the connection with the most kinds of smart meters."""
    connections = [
        connection
        for index in range(2)
        for connection in raw_client.sandbox.portfolio.company_data(index).connections
    ]
    return max(connections, key=lambda connection: len(list_kinds(connection)))


def list_kinds(connection: Any) -> set[str]:
    meters = [meter for account in connection.accounts for meter in account.meters]
    types = {meter.commodity.datasource_type for meter in meters}
    return types & {"ELECTRICITY", "GAS", "WATER", "SOLAR", "DISTRICT"}


async def get_page(raw_client: RawClient, *query: tuple[str, str]) -> Any:
    path = f"/v2.2/interval/connection/{find_smart_connection(raw_client).id}"
    response = await raw_client.request(path, list(query))
    assert response.status == 200, response.body
    return response.json


async def list_all(
    raw_client: RawClient, *query: tuple[str, str]
) -> list[dict[str, Any]]:
    intervals: list[dict[str, Any]] = []
    page = 1
    while True:
        response = await get_page(raw_client, *query, ("page", str(page)))
        intervals += response["intervals"]
        if not response["hasNext"]:
            assert len(intervals) == response["totalIntervals"]
            return intervals
        page += 1


@pytest.mark.parametrize("segment", ["v2.2", "v2.1", "v2"])
async def test_every_interval_is_valid(raw_client: RawClient, segment: str) -> None:
    path = f"/{segment}/interval/connection/{find_smart_connection(raw_client).id}"
    response = await raw_client.request(path)
    check_schema(response_schema("intervals_list_by_connection", 200), response.json)
    assert len(response.json["intervals"]) == 100


async def test_intervals_of_a_meter_have_no_gaps(
    raw_client: RawClient,
) -> None:
    results = await list_all(raw_client)
    assert len({interval["id"] for interval in results}) == len(results)
    meters: dict[str, list[Any]] = defaultdict(list)
    for interval in results:
        meters[str(interval["identifiers"]) + interval["usageUnits"]].append(interval)
    assert len(meters) > 1
    for intervals in meters.values():
        assert intervals[0]["start"] == FIRST
        assert intervals[-1]["end"] == LAST
        for earlier, later in pairwise(intervals):
            assert earlier["end"] == later["start"]
        assert len(intervals) in {DAYS * QUARTERS_A_DAY, DAYS * QUARTERS_A_DAY // 4}
        assert all(Decimal(interval["usage"]) >= 0 for interval in intervals)
        assert sum(Decimal(interval["usage"]) for interval in intervals) > 0


async def test_intervals_are_the_same_each_time(raw_client: RawClient) -> None:
    assert await get_page(raw_client) == await get_page(raw_client)


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        ({"startDate": "2025-12-31T00:00:00Z"}, ("2025-12-31T00:00:00Z", LAST)),
        ({"endDate": "2025-12-25T05:00:00Z"}, (FIRST, "2025-12-25T05:00:00Z")),
        (
            {
                "startDate": "2025-12-30T01:30:00+01:00",
                "endDate": "2025-12-30T03:10:00",
            },
            ("2025-12-30T00:30:00Z", "2025-12-30T03:00:00Z"),
        ),
        ({"startDate": "2020-01-01T00:00:00Z", "endDate": LAST}, (FIRST, LAST)),
    ],
    ids=["start", "end", "both", "wide"],
)
async def test_dates_select_the_intervals_between_them(
    raw_client: RawClient, query: dict[str, str], bounds: tuple[str, str]
) -> None:
    expected = [
        interval["id"]
        for interval in await list_all(raw_client)
        if bounds[0] <= interval["start"] and interval["end"] <= bounds[1]
    ]
    results = await list_all(raw_client, *query.items())
    assert [interval["id"] for interval in results] == expected != []


async def test_dates_without_intervals_give_an_empty_list(
    raw_client: RawClient,
) -> None:
    for query in (
        [("startDate", LAST)],
        [("endDate", FIRST)],
        [("startDate", "2025-12-30T00:01:00Z"), ("endDate", "2025-12-30T00:14:00Z")],
        [("startDate", "2025-12-31T00:00:00Z"), ("endDate", "2025-12-30T00:00:00Z")],
    ):
        response = await get_page(raw_client, *query)
        assert (response["totalIntervals"], response["intervals"]) == (0, [])


async def test_intervals_are_filtered_by_commodity_and_identifier(
    raw_client: RawClient,
) -> None:
    everything = await list_all(raw_client)
    connection = find_smart_connection(raw_client)
    types = sorted(list_kinds(connection))
    total = 0
    for kind in types:
        response = await get_page(raw_client, ("datasourceType", kind))
        total += response["totalIntervals"]
    assert total == len(everything)
    both = await get_page(raw_client, *(("datasourceType", kind) for kind in types[:2]))
    assert 0 < both["totalIntervals"] <= total
    wanted = everything[0]["identifiers"][0]["value"]
    expected = [
        interval
        for interval in everything
        if normalize_identifier(wanted)
        in {
            normalize_identifier(identifier["value"])
            for identifier in interval["identifiers"]
        }
    ]
    assert await list_all(raw_client, ("identifier", f"00{wanted}")) == expected


async def test_an_unknown_connection_is_not_found(raw_client: RawClient) -> None:
    response = await raw_client.request(f"/v2.2/interval/connection/{NOBODY}")
    assert response.status == 404
