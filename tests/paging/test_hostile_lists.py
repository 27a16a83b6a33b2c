"""Lists that lie, move and never end: a named error, or what came and its worth."""

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
JUST_MORE = 60
"""Requests that are surely no endless walk: the repository may walk a list thrice, with
as many pages on their way as it has workers."""


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness(clock_speed=0) as harness:
        yield harness


async def walked(
    nectar: NectarClient, company_id: str, ask: Read
) -> tuple[str, set[str]]:
    """The verdict on a walk, and the ids of the records that it gave, each once."""
    walk: Any = nectar.usage.by_company(company_id)
    if ask is walk_usage:
        ids = [one.id async for one in walk]
    else:
        if ask.__name__ == "everything":
            walk = nectar.repository.usage(companies=[company_id])
        else:
            walk = walk.prefetch()
        async with walk as records:
            ids = [one.id async for one in records]
    assert len(ids) == len(set(ids))
    return str(walk.receipt.verdict), set(ids)


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
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
async def test_pages_without_end_that_bring_nothing_are_an_error(
    harness: Harness, effects: list[Effect], ask: Read
) -> None:
    harness.fault(*effects, operation=USAGE)
    with pytest.raises(PaginationError, match="does not advance") as caught:
        await walked(harness.client(), harness.company_id, ask)
    assert caught.value.cursor is not None
    assert harness.sandbox.witness.requests < JUST_MORE


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
async def test_pages_that_take_turns_for_ever_are_an_error(
    harness: Harness, ask: Read
) -> None:
    """Each page differs from the one before, and none of them is new."""
    harness.fault(PromiseMore(), operation=USAGE)
    for page in range(3, 150):
        harness.fault(StandStill(at=2 - page % 2), operation=USAGE, page=page)
    with pytest.raises(PaginationError, match="does not advance"):
        await walked(harness.client(), harness.company_id, ask)
    assert harness.sandbox.witness.requests < 2 * JUST_MORE


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
async def test_a_page_that_says_it_is_another_ends_the_walk_as_short(
    harness: Harness, ask: Read
) -> None:
    harness.fault(StandStill(at=2), operation=USAGE)
    verdict, ids = await walked(harness.client(), harness.company_id, ask)
    assert (verdict, len(ids)) == ("short", 100)
    assert harness.sandbox.witness.requests < JUST_MORE


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
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
async def test_totals_that_lie_lose_no_record(
    harness: Harness, effect: Effect, verdict: str, ask: Read
) -> None:
    harness.fault(effect, operation=USAGE)
    found, ids = await walked(harness.client(), harness.company_id, ask)
    assert ids == set(harness.usage_ids)
    assert found == verdict
    assert harness.sandbox.witness.requests < JUST_MORE


@pytest.mark.parametrize("ask", [walk_usage, read_repository], ids=describe_parameter)
@pytest.mark.parametrize(
    "key", ["totalUsageData", "totalPages", "perPage", "currentPage"]
)
async def test_a_count_that_is_none_loses_no_record(
    harness: Harness, key: str, ask: Read
) -> None:
    whole = {"1" * 30, "-1"} if key != "currentPage" else set()
    for text in ("1e999", "1e999999999", "null", '"many"', "{}", "true", *whole):
        harness.sandbox.faults.clear()
        harness.fault(SetValue(key=key, json=text), operation=USAGE)
        _, ids = await walked(harness.client(), harness.company_id, ask)
        assert ids == set(harness.usage_ids), text


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
@pytest.mark.parametrize(
    "effect",
    [Shuffle(), Change(insert=3), Change(delete=3), Change(insert=120)],
    ids=repr,
)
async def test_rows_that_move_in_mid_walk_are_repaired_or_told(
    harness: Harness, effect: Effect, ask: Read
) -> None:
    before = set(harness.usage_ids)
    harness.fault(effect, operation=USAGE, page=2, times=1)
    verdict, ids = await walked(harness.client(), harness.company_id, ask)
    if ask.__name__ == "everything":
        # It walks again over what moved, and then knows all that there is.
        assert ids >= set(harness.usage_ids)
        assert verdict in {"complete", "drifted"}
    else:
        assert verdict in {"drifted", "short"}
        assert ids <= before | set(harness.usage_ids)


async def test_rows_in_another_order_are_the_same_rows(harness: Harness) -> None:
    harness.fault(Shuffle(seed=3))
    nectar = harness.client()
    verdict, ids = await walked(nectar, harness.company_id, walk_usage)
    assert (verdict, ids) == ("complete", set(harness.usage_ids))
    given = [one.id for one in await walk_usage(nectar, harness.company_id)]
    assert given != harness.usage_ids


FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


@pytest.mark.parametrize(
    "date_type", ["BILL_DATE", "USAGE_PERIOD", "CREATED_DATE", "UPDATED_DATE"]
)
@pytest.mark.parametrize(
    "limit", [RunOutOfTime(above=40), RunOutOfTime(days=31)], ids=repr
)
async def test_a_list_that_is_too_long_comes_in_parts(
    harness: Harness, date_type: str, limit: RunOutOfTime
) -> None:
    nectar = harness.client()

    async def pull() -> tuple[str, list[str]]:
        walk = nectar.usage.by_company(
            harness.company_id, start_date=FIRST, end_date=LAST, date_type=date_type
        )
        ids = [one.id async for one in walk]
        return walk.receipt.verdict, ids

    _, whole = await pull()
    assert len(whole) > 100
    harness.fault(limit, operation=USAGE)
    verdict, ids = await pull()
    assert len(ids) == len(set(ids))
    assert (verdict, set(ids)) == ("complete", set(whole))


async def test_bills_that_are_too_many_come_in_parts(harness: Harness) -> None:
    nectar = harness.client()

    async def pull() -> set[str]:
        walk = nectar.documents.by_company(
            harness.company_id, start_date=FIRST, end_date=LAST
        )
        return {one.id async for one in walk}

    whole = await pull()
    harness.fault(RunOutOfTime(above=50))
    assert await pull() == whole


def smart_meters(connection: Any) -> int:
    """How many meters of a connection send every quarter of an hour."""
    meters = [meter for account in connection.accounts for meter in account.meters]
    return [one.commodity.datasource_type for one in meters].count("ELECTRICITY")


@pytest.mark.parametrize(
    "limit", [RunOutOfTime(above=150), RunOutOfTime(days=0.3)], ids=repr
)
async def test_intervals_that_are_too_many_come_in_parts(
    harness: Harness, limit: RunOutOfTime
) -> None:
    nectar = harness.client()
    end = datetime(2026, 1, 1, tzinfo=UTC)
    connections = harness.sandbox.portfolio.company_data(0).connections
    smart = max(connections, key=smart_meters)

    async def pull() -> tuple[str, list[str]]:
        walk = nectar.intervals.by_connection(
            smart.id, start_date=end - timedelta(days=1), end_date=end
        )
        ids = [one.id async for one in walk]
        return str(walk.receipt.verdict), ids

    verdict, whole = await pull()
    assert (verdict, len(whole) > 150) == ("complete", True)
    harness.fault(limit)
    verdict, ids = await pull()
    assert len(ids) == len(set(ids))
    assert (verdict, set(ids)) == ("complete", set(whole))
    assert harness.sandbox.witness.requests < 2 * JUST_MORE


async def test_a_list_without_bounds_that_is_too_long_is_an_error_with_advice(
    harness: Harness,
) -> None:
    harness.fault(RunOutOfTime(above=40))
    with pytest.raises(ServerTimeoutError, match="start_date") as caught:
        await walk_usage(harness.client(), harness.company_id)
    assert harness.sandbox.witness.requests == caught.value.attempts == 4


async def test_a_day_that_is_too_long_in_itself_is_an_error(harness: Harness) -> None:
    harness.fault(RunOutOfTime(above=0), operation=USAGE)
    walk = harness.client().usage.by_company(
        harness.company_id, start_date=FIRST, end_date=LAST
    )
    with pytest.raises(NectarError) as caught:
        _ = [one async for one in walk]
    assert isinstance(caught.value, ServerTimeoutError)
    assert harness.sandbox.witness.requests < JUST_MORE
