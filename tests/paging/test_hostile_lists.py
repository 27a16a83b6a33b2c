"""Lists with wrong totals, moving records or endless pages.

They end in a specific error, or in the right records and an honest verdict.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from harness import (
    READS,
    Harness,
    Read,
    describe_parameter,
    open_harness,
    read_repository,
    walk_usage,
)

from nectar_async import NectarClient, NectarError, PaginationError, ServerTimeoutError
from nectar_async.sandbox import (
    Change,
    ClampSilently,
    Effect,
    Miscount,
    PromiseMore,
    RepeatPage,
    RunOutOfTime,
    SetValue,
    Shuffle,
    StandStill,
)

pytestmark = pytest.mark.asyncio

USAGE = "usage_list_by_company"
PAGES = 4
MAX_REQUESTS = 60
"""More requests than any finite read needs. The repository may read a list three times,
with several pages in flight."""


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness(clock_speed=0) as harness:
        yield harness


async def read_ids(
    nectar: NectarClient, company_id: str, read: Read
) -> tuple[str, set[str]]:
    """Read a list; return its verdict and its ids, of which none is repeated."""
    pager: Any = nectar.usage.by_company(company_id)
    if read is walk_usage:
        ids = [record.id async for record in pager]
    else:
        if read is read_repository:
            pager = nectar.repository.usage(companies=[company_id])
        else:
            pager = pager.prefetch()
        async with pager as records:
            ids = [record.id async for record in records]
    assert len(ids) == len(set(ids))
    return str(pager.receipt.verdict), set(ids)


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
@pytest.mark.parametrize(
    "effects",
    [
        [RepeatPage()],
        [ClampSilently(), PromiseMore()],
        [PromiseMore()],
        [StandStill(at=1)],
        [PromiseMore(), StandStill(at=1)],
        [PromiseMore(), StandStill(at=2)],
        [SetValue(key="hasNext", json="true"), ClampSilently()],
    ],
    ids=repr,
)
async def test_endless_pages_without_new_records_are_an_error(
    harness: Harness, effects: list[Effect], read: Read
) -> None:
    harness.fault(*effects, operation=USAGE)
    with pytest.raises(PaginationError, match="does not advance") as caught:
        await read_ids(harness.client(), harness.company_id, read)
    assert caught.value.cursor is not None
    assert harness.sandbox.witness.requests < MAX_REQUESTS


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
async def test_endless_alternating_pages_are_an_error(
    harness: Harness, read: Read
) -> None:
    """Each page differs from the one before, but none has new records."""
    harness.fault(PromiseMore(), operation=USAGE)
    for page in range(3, 150):
        harness.fault(StandStill(at=2 - page % 2), operation=USAGE, page=page)
    with pytest.raises(PaginationError, match="does not advance"):
        await read_ids(harness.client(), harness.company_id, read)
    assert harness.sandbox.witness.requests < 2 * MAX_REQUESTS


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
async def test_a_page_with_a_wrong_number_ends_the_list_as_short(
    harness: Harness, read: Read
) -> None:
    harness.fault(StandStill(at=2), operation=USAGE)
    verdict, ids = await read_ids(harness.client(), harness.company_id, read)
    assert (verdict, len(ids)) == ("short", 100)
    assert harness.sandbox.witness.requests < MAX_REQUESTS


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (Miscount(by=5), "short"),
        (Miscount(by=10**12), "short"),
        (Miscount(by=-5), "drifted"),
        (Miscount(by=-(10**12)), "drifted"),
        (Miscount(each_page=3), "drifted"),
        (Miscount(each_page=-3), "drifted"),
        (Miscount(by=400, each_page=-100), "drifted"),
        (Miscount(pages=1), "complete"),
        (Miscount(pages=10**9), "complete"),
        (Miscount(pages=-1), "complete"),
        (Miscount(pages=-4), "complete"),
    ],
    ids=repr,
)
async def test_wrong_totals_lose_no_record(
    harness: Harness, effect: Effect, verdict: str, read: Read
) -> None:
    harness.fault(effect, operation=USAGE)
    actual, ids = await read_ids(harness.client(), harness.company_id, read)
    assert ids == set(harness.usage_ids)
    assert actual == verdict
    assert harness.sandbox.witness.requests < MAX_REQUESTS


@pytest.mark.parametrize("read", [walk_usage, read_repository], ids=describe_parameter)
@pytest.mark.parametrize(
    "key", ["totalUsageData", "totalPages", "perPage", "currentPage"]
)
async def test_a_count_that_is_not_a_number_loses_no_record(
    harness: Harness, key: str, read: Read
) -> None:
    integers = {"1" * 30, "-1"} if key != "currentPage" else set()
    for text in ("1e999", "1e999999999", "null", '"many"', "{}", "true", *integers):
        harness.sandbox.faults.clear()
        harness.fault(SetValue(key=key, json=text), operation=USAGE)
        _, ids = await read_ids(harness.client(), harness.company_id, read)
        assert ids == set(harness.usage_ids), text


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
@pytest.mark.parametrize(
    "effect",
    [Shuffle(), Change(insert=3), Change(delete=3), Change(insert=120)],
    ids=repr,
)
async def test_records_that_move_are_read_again_or_reported(
    harness: Harness, effect: Effect, read: Read
) -> None:
    before = set(harness.usage_ids)
    harness.fault(effect, operation=USAGE, page=2, times=1)
    verdict, ids = await read_ids(harness.client(), harness.company_id, read)
    if read is read_repository:
        # It reads a list with moved records again, and then has all of them.
        assert ids >= set(harness.usage_ids)
        assert verdict in {"complete", "drifted"}
    else:
        assert verdict in {"drifted", "short"}
        assert ids <= before | set(harness.usage_ids)


async def test_records_in_another_order_are_complete(harness: Harness) -> None:
    harness.fault(Shuffle(seed=3))
    nectar = harness.client()
    verdict, ids = await read_ids(nectar, harness.company_id, walk_usage)
    assert (verdict, ids) == ("complete", set(harness.usage_ids))
    ids_in_order = [
        record.id for record in await walk_usage(nectar, harness.company_id)
    ]
    assert ids_in_order != harness.usage_ids


FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


@pytest.mark.parametrize(
    "date_type", ["BILL_DATE", "USAGE_PERIOD", "CREATED_DATE", "UPDATED_DATE"]
)
@pytest.mark.parametrize(
    "limit", [RunOutOfTime(above=40), RunOutOfTime(days=31)], ids=repr
)
async def test_a_list_that_is_too_long_is_split(
    harness: Harness, date_type: str, limit: RunOutOfTime
) -> None:
    nectar = harness.client()

    async def pull() -> tuple[str, list[str]]:
        pager = nectar.usage.by_company(
            harness.company_id, start_date=FIRST, end_date=LAST, date_type=date_type
        )
        ids = [record.id async for record in pager]
        return pager.receipt.verdict, ids

    _, expected = await pull()
    assert len(expected) > 100
    harness.fault(limit, operation=USAGE)
    verdict, ids = await pull()
    assert len(ids) == len(set(ids))
    assert (verdict, set(ids)) == ("complete", set(expected))


async def test_a_list_of_bills_that_is_too_long_is_split(harness: Harness) -> None:
    nectar = harness.client()

    async def pull() -> set[str]:
        pager = nectar.documents.by_company(
            harness.company_id, start_date=FIRST, end_date=LAST
        )
        return {document.id async for document in pager}

    expected = await pull()
    harness.fault(RunOutOfTime(above=50))
    assert await pull() == expected


def count_smart_meters(connection: Any) -> int:
    """How many meters of a connection have an interval per quarter of an hour."""
    meters = [meter for account in connection.accounts for meter in account.meters]
    return [meter.commodity.datasource_type for meter in meters].count("ELECTRICITY")


@pytest.mark.parametrize(
    "limit", [RunOutOfTime(above=150), RunOutOfTime(days=0.3)], ids=repr
)
async def test_a_list_of_intervals_that_is_too_long_is_split(
    harness: Harness, limit: RunOutOfTime
) -> None:
    nectar = harness.client()
    end = datetime(2026, 1, 1, tzinfo=UTC)
    connections = harness.sandbox.portfolio.company_data(0).connections
    smart = max(connections, key=count_smart_meters)

    async def pull() -> tuple[str, list[str]]:
        pager = nectar.intervals.by_connection(
            smart.id, start_date=end - timedelta(days=1), end_date=end
        )
        ids = [record.id async for record in pager]
        return str(pager.receipt.verdict), ids

    verdict, expected = await pull()
    assert (verdict, len(expected) > 150) == ("complete", True)
    harness.fault(limit)
    verdict, ids = await pull()
    assert len(ids) == len(set(ids))
    assert (verdict, set(ids)) == ("complete", set(expected))
    assert harness.sandbox.witness.requests < 2 * MAX_REQUESTS


async def test_a_list_without_dates_that_is_too_long_is_an_error_with_advice(
    harness: Harness,
) -> None:
    harness.fault(RunOutOfTime(above=40))
    with pytest.raises(ServerTimeoutError, match="start_date") as caught:
        await walk_usage(harness.client(), harness.company_id)
    assert harness.sandbox.witness.requests == caught.value.attempts == 4


async def test_a_single_day_that_is_too_long_is_an_error(harness: Harness) -> None:
    harness.fault(RunOutOfTime(above=0), operation=USAGE)
    pager = harness.client().usage.by_company(
        harness.company_id, start_date=FIRST, end_date=LAST
    )
    with pytest.raises(NectarError) as caught:
        _ = [record async for record in pager]
    assert isinstance(caught.value, ServerTimeoutError)
    assert harness.sandbox.witness.requests < MAX_REQUESTS
