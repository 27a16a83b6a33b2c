"""Complaints about lists and their pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import date, timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from complaints.flawed_paging import (
    Fetch,
    LatestTotal,
    build_fetch,
    iterate,
    iterate_in_a_group,
    read_all_companies,
    read_by_next_page,
    read_sequentially,
    read_until_empty,
    read_with_first_page_retried,
    split_window,
)
from doubles import ListServer, MakeClient, address, envelope, rows

from nectar_async import (
    Listing,
    MemoryTransport,
    NectarClient,
    Page,
    PaginationError,
    RateLimitedError,
    Request,
    Response,
    RetryPolicy,
    UsageData,
    VirtualClock,
)

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

ONCE = RetryPolicy(attempts=1)
FAILED = Response(503)


def build_company_fetch(transport: MemoryTransport, company: str = "a") -> Fetch:
    """Build a fetch function for the usage list of a company, with the same URLs."""
    usage = Request.get(
        "usage_list_by_company",
        "/usage/company/{company_id}",
        Page[UsageData],
        listing=Listing(items="usage_data"),
        company_id=company,
    )
    return build_fetch(
        transport.send, lambda page: usage.at(page).resolve("https://nectar.example")
    )


async def read_ids(records: Any) -> list[str]:
    return [record.id async for record in records]


async def drain(ids: AsyncIterator[str], add: Callable[[str], None]) -> None:
    async for record_id in ids:
        add(record_id)


async def test_no_page_is_skipped(make_client: MakeClient) -> None:
    """A generated paginator skips every second page without an error.

    The page numbers come from the envelope, and the receipt compares the records with
    its total.

    https://github.com/kernel/kernel-node-sdk/issues/127
    """
    server = ListServer.of_pages(a=5)
    assert len(await read_by_next_page(build_company_fetch(server.transport))) == 6

    nectar = make_client(server.transport)
    assert await read_ids(nectar.usage.by_company("a")) == rows("a", 10)


async def test_an_empty_page_does_not_end_the_list(make_client: MakeClient) -> None:
    """An empty page in the middle ends the iteration.

    An empty page is not the end, and the receipt shows that records are missing.

    https://github.com/apify/apify-client-js/issues/1044
    https://github.com/meltano/sdk/issues/2980
    """

    def answer(request: Request[Any]) -> object:
        """Answer page 2 without its rows 3 and 4."""
        _, page = address(request)
        ids = [] if page == 2 else rows("a", 2 * page)[-2:]
        return envelope(ids, page=page, per_page=2, total=6)

    transport = MemoryTransport(answer)
    assert await read_until_empty(build_company_fetch(transport)) == ["a-1", "a-2"]

    pager = make_client(transport).usage.by_company("a")
    assert await read_ids(pager) == ["a-1", "a-2", "a-5", "a-6"]
    assert pager.receipt.verdict == "short"


async def test_a_server_that_repeats_its_last_page_ends_the_list(
    make_client: MakeClient,
) -> None:
    """The iteration never ends, because the server repeats its last page forever.

    A page with another number than the requested one is the end. A repeated page that
    announces more pages is a `PaginationError`.

    https://github.com/Redocly/redocly-cli/issues/2885
    """

    def serve_three_pages(*, is_honest: bool) -> MemoryTransport:
        """Repeat page 3 for all later ones; without `is_honest` announce more pages."""

        def answer(request: Request[Any]) -> object:
            page = min(address(request)[1], 3)
            if len(transport.requests) > 100:
                raise OSError("too many requests")
            more = {} if is_honest else {"hasNext": True, "totalPages": page + 1}
            ids = rows("a", 2 * page)[-2:]
            return envelope(ids, page=page, per_page=2, total=6, **more)

        transport = MemoryTransport(answer)
        return transport

    with pytest.raises(OSError, match="too many requests"):
        await read_until_empty(build_company_fetch(serve_three_pages(is_honest=True)))
    with pytest.raises(OSError, match="too many requests"):
        await read_sequentially(build_company_fetch(serve_three_pages(is_honest=False)))

    transport = serve_three_pages(is_honest=True)
    assert await read_ids(make_client(transport).usage.by_company("a")) == rows("a", 6)
    assert len(transport.requests) == 3

    transport, ids = serve_three_pages(is_honest=False), list[str]()
    pager = make_client(transport).usage.by_company("a")
    with pytest.raises(PaginationError, match="does not advance"):
        await drain((record.id async for record in pager), ids.append)
    assert ids == rows("a", 6)
    assert len(transport.requests) == 4


async def test_a_changed_total_is_in_the_receipt(make_client: MakeClient) -> None:
    """The total changes during the iteration without a notice.

    The receipt has the first total, the last total and a verdict.

    https://github.com/PyGithub/PyGithub/issues/3018
    """
    server = ListServer.of_pages(a=3)
    server.change("a", 1, rows("a", 5))
    flawed = LatestTotal(build_company_fetch(server.transport))
    await flawed.read_first()
    before = flawed.total
    await flawed.read_page(3)
    assert (before, flawed.total) == (6, 5)  # nothing shows which of them is meant

    server = ListServer.of_pages(a=3)
    server.change("a", 1, rows("a", 5))
    pager = make_client(server.transport).usage.by_company("a")
    assert await read_ids(pager) == rows("a", 5)
    receipt = pager.receipt
    assert (receipt.total_first, receipt.total_last, receipt.records) == (6, 5, 5)
    assert receipt.verdict == "drifted"


@pytest.mark.parametrize("change", ["deleted", "inserted"])
async def test_records_that_move_during_the_iteration_are_not_lost(
    make_client: MakeClient, change: str
) -> None:
    """Records that move between pages during the iteration are lost or repeated.

    Here no record is repeated. The verdict of a single list shows that records moved.
    `nectar.repository` reads such a list again, so that no record is missing.

    https://github.com/dlt-hub/verified-sources/issues/659
    """
    before = rows("a", 12)
    after = before[3:] if change == "deleted" else [*rows("new", 3), *before]

    def build_changing_server() -> ListServer:
        server = ListServer({"a": before}, per_page=3)
        server.change("a", 2, after)
        return server

    flawed = await read_sequentially(
        build_company_fetch(build_changing_server().transport)
    )
    if change == "deleted":
        assert set(after) - set(flawed) == {"a-7", "a-8", "a-9"}
    else:
        assert len(flawed) - len(set(flawed)) == 3
        assert set(after) - set(flawed) == set(rows("new", 3))

    pager = make_client(build_changing_server().transport).usage.by_company("a")
    ids = await read_ids(pager)
    assert len(ids) == len(set(ids))
    assert pager.receipt.verdict == "drifted"

    nectar = make_client(build_changing_server().transport)
    async with nectar.repository.usage(companies=["a"]) as records:
        all_ids = await read_ids(records)
    assert sorted(all_ids) == sorted({*before, *after})
    assert records.receipt.rewalked > 0


async def test_an_iteration_is_resumed_where_it_failed(make_client: MakeClient) -> None:
    """After an error at page 30 of 100 the iteration can only start again at page 1.

    Each error of a list has a cursor, and `pager.resume(cursor)` continues there.

    https://github.com/gidgethub/gidgethub/issues/19
    """

    def build_limited_server() -> ListServer:
        """Answer page 30 of 100 with 429 once."""
        server = ListServer.of_pages(a=100)
        server.script("a", 30, Response(429))
        return server

    server, flawed = build_limited_server(), list[str]()
    with pytest.raises(OSError, match="429"):
        await drain(iterate(build_company_fetch(server.transport)), flawed.append)
    assert len(flawed) == 58
    await drain(iterate(build_company_fetch(server.transport)), flawed.append)
    assert len(flawed) == 58 + 200
    assert server.pages_of("a").count(1) == 2

    server = build_limited_server()
    pager = make_client(server.transport, retry=ONCE).usage.by_company("a")
    ids: list[str] = []
    with pytest.raises(RateLimitedError) as caught:
        await drain((record.id async for record in pager), ids.append)
    assert len(ids) == 58
    ids += await read_ids(pager.resume(caught.value.cursor or ""))
    assert ids == rows("a", 200)
    assert server.pages_of("a").count(1) == 1


async def test_pages_of_one_slow_list_are_fetched_concurrently(
    make_client: MakeClient,
) -> None:
    """The pages of one slow list are fetched one after the other.

    The first page has the number of pages. The others are fetched up to ten at a time
    and are yielded in order.

    https://github.com/dlt-hub/dlt/issues/2844
    """
    server = ListServer.of_pages(a=60)
    server.turns = 20
    await read_sequentially(build_company_fetch(server.transport))
    assert server.peak == 1

    assert (
        len(await read_ids(make_client(server.transport).usage.by_company("a"))) == 120
    )
    assert server.peak == 10


async def test_retries_and_timeouts_apply_to_every_page(
    make_client: MakeClient,
) -> None:
    """Retries and timeouts apply to the first page only.

    Every page goes through the same pipeline.

    https://github.com/googleapis/gapic-generator-python/issues/2065
    """

    def build_failing_server() -> ListServer:
        """Fail pages 1 and 3 once, and never answer page 4 the first time."""
        server = ListServer.of_pages(a=5)
        server.script("a", 1, FAILED)
        server.script("a", 3, FAILED)
        server.script("a", 4, anyio.sleep_forever)
        return server

    flawed: list[str] = []
    pager = read_with_first_page_retried(
        build_company_fetch(build_failing_server().transport), retries=3, timeout=0.1
    )
    with pytest.raises(OSError, match="503"):
        await drain(pager, flawed.append)
    assert flawed == rows("a", 4)

    server = build_failing_server()
    nectar = make_client(
        server.transport,
        attempt_timeout=0.1,
        retry=RetryPolicy(attempts=4),
        clock=VirtualClock(),
    )
    assert await read_ids(nectar.usage.by_company("a")) == rows("a", 10)
    assert nectar.statistics().retries == 3


async def test_a_failed_list_does_not_lose_the_others(
    make_client: MakeClient,
) -> None:
    """One failed partition discards hours of progress of all others.

    With `on_error="collect"` the others continue, and each failure has a cursor.

    https://github.com/meltano/sdk/issues/1064
    https://github.com/meltano/sdk/issues/280
    """

    def build_broken_server() -> ListServer:
        server = ListServer.of_pages(a=3, b=3, c=3)
        server.script("b", 2, FAILED)
        return server

    server, flawed = build_broken_server(), list[str]()
    with suppress(ExceptionGroup):
        flawed = await read_all_companies(
            build_company_fetch(server.transport, company) for company in "abc"
        )
    assert flawed == []

    server = build_broken_server()
    nectar: NectarClient = make_client(server.transport, retry=ONCE)
    async with nectar.repository.usage(on_error="collect") as records:
        ids = await read_ids(records)
    (failure,) = records.failures
    assert sorted(ids) == sorted(chain(rows("a", 6), rows("b", 2), rows("c", 6)))
    rest = nectar.usage.by_company("b").resume(failure.error.cursor or "")
    assert await read_ids(rest) == ["b-3", "b-4", "b-5", "b-6"]


FIRST, LAST = date(2025, 1, 1), date(2025, 1, 16)
DAY = timedelta(days=1)


def list_days(first: date, last: date) -> list[str]:
    count = (last - first).days
    return [(first + number * DAY).isoformat() for number in range(count + 1)]


def list_bills(date_type: str, first: date, last: date) -> list[str]:
    """List one bill for each day, created at noon, by its day."""
    if date_type == "BILL_DATE":
        return list_days(first, last)
    # The end of the other date types is a midnight, before the noon of that day.
    return [
        day for day in list_days(FIRST, LAST) if first <= date.fromisoformat(day) < last
    ]


@pytest.mark.parametrize(
    ("date_type", "gap"),
    [("BILL_DATE", 0), ("CREATED_DATE", 1)],
    ids=["repeats", "loses"],
)
async def test_the_day_where_two_windows_meet_is_listed_once(
    make_client: MakeClient, date_type: str, gap: int
) -> None:
    """Date filters lose or repeat the day where two windows meet.

    A window that is too large for the server is halved by the rule of its date type,
    and records of both halves are yielded once.

    https://github.com/airbytehq/airbyte/issues/29814
    """
    maximum = timedelta(days=4)
    whole = list_bills(date_type, FIRST, LAST)

    async def fetch(first: date, last: date) -> list[str]:
        if last - first >= maximum:
            raise OSError(502)
        return list_bills(date_type, first, last)

    flawed = await split_window(fetch, FIRST, LAST, gap * DAY)
    assert sorted(flawed) != whole
    assert (set(flawed) == set(whole), len(flawed) > len(whole)) == (not gap, not gap)

    def answer(request: Request[Any]) -> object:
        query = parse_qs(urlsplit(request.url).query)
        first, last = (
            date.fromisoformat(query[k][0]) for k in ("startDate", "endDate")
        )
        if last - first >= maximum:
            return Response(502)
        bills = list_bills(query["dateType"][0], first, last)
        return envelope(bills, page=1, per_page=100, total=len(bills))

    pager = make_client(answer, clock=VirtualClock()).usage.by_company(
        "a", start_date=FIRST, end_date=LAST, date_type=date_type
    )
    assert sorted(await read_ids(pager)) == whole
    assert pager.receipt.verdict == "complete"


async def read_each_in_a_task(items: AsyncIterator[Any]) -> list[Any]:
    """Read an iterator as `asyncio.wait_for` does: each item in a task of its own."""
    read: list[Any] = []
    while True:
        task = asyncio.ensure_future(anext(items))
        try:
            read.append(await task)
        except StopAsyncIteration:
            return read


def test_a_walk_can_be_driven_from_several_tasks() -> None:
    """A generator with a task group breaks if its items are read in several tasks.

    A walk has tasks of its own, which are in no cancel scope of the caller.

    https://github.com/modelcontextprotocol/python-sdk/issues/79
    https://github.com/openai/openai-agents-python/issues/840
    """

    async def main() -> None:
        server = ListServer.of_pages(a=3)
        fetch = build_company_fetch(server.transport)
        with pytest.raises(RuntimeError, match="different task"):
            await read_each_in_a_task(iterate_in_a_group(fetch))

        async with (
            NectarClient("key", transport=server.transport) as nectar,
            nectar.usage.by_company("a").prefetch() as records,
        ):

            async def iterate_ids() -> AsyncIterator[str]:
                async for record in records:
                    yield record.id

            assert await read_each_in_a_task(iterate_ids()) == rows("a", 6)

    asyncio.run(main())
