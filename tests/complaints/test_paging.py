"""Complaints about lists and their pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import date, timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from complaints.naive_paging import (
    Fetch,
    TotalOfTheDay,
    all_companies,
    by_halves,
    by_next_page,
    fetcher,
    one_by_one,
    retried_at_first,
    until_a_page_fails,
    while_rows,
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

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)
FAILED = Response(503)


def fetch_of(transport: MemoryTransport, company: str = "a") -> Fetch:
    """The list of a company for a naive walk, by the very same addresses."""
    usage = Request.get(
        "usage_list_by_company",
        "/usage/company/{company_id}",
        Page[UsageData],
        listing=Listing(items="usage_data"),
        company_id=company,
    )
    return fetcher(
        transport.send, lambda page: usage.at(page).resolve("https://nectar.example")
    )


async def ids(records: Any) -> list[str]:
    return [record.id async for record in records]


async def drain(names: AsyncIterator[str], take: Callable[[str], None]) -> None:
    async for name in names:
        take(name)


async def test_no_page_is_skipped(make_client: MakeClient) -> None:
    """A generated paginator skipped every second page, and raised nothing.

    Pages are asked for by the plan of the envelope, and the receipt compares what came
    with its total.

    https://github.com/kernel/kernel-node-sdk/issues/127
    """
    server = ListServer.of_pages(a=5)
    assert len(await by_next_page(fetch_of(server.transport))) == 6

    nectar = make_client(server.transport)
    assert await ids(nectar.usage.by_company("a")) == rows("a", 10)


async def test_an_empty_page_does_not_end_the_walk(make_client: MakeClient) -> None:
    """A page whose rows are all filtered out ends the walk.

    An empty page is not the end; the receipt tells that rows are missing.

    https://github.com/apify/apify-client-js/issues/1044
    https://github.com/meltano/sdk/issues/2980
    """

    def answer(request: Request[Any]) -> object:
        """Rows 3 and 4, of page 2, are filtered out of it."""
        _, page = address(request)
        found = [] if page == 2 else rows("a", 2 * page)[-2:]
        return envelope(found, page=page, per_page=2, total=6)

    transport = MemoryTransport(answer)
    assert await while_rows(fetch_of(transport)) == ["a-1", "a-2"]

    walk = make_client(transport).usage.by_company("a")
    assert await ids(walk) == ["a-1", "a-2", "a-5", "a-6"]
    assert walk.receipt.verdict == "short"


async def test_a_server_that_gives_its_last_page_for_ever_is_left(
    make_client: MakeClient,
) -> None:
    """The walk never ends: past the end the server gives its last page again.

    A page that is not the one asked for is the end; one that comes again and promises
    more is a `PaginationError`.

    https://github.com/Redocly/redocly-cli/issues/2885
    """

    def clamping(*, is_honest: bool) -> MemoryTransport:
        """Gives the last of three pages for all behind it; may even promise more."""

        def answer(request: Request[Any]) -> object:
            page = min(address(request)[1], 3)
            if len(transport.requests) > 100:
                raise OSError("enough")
            more = {} if is_honest else {"hasNext": True, "totalPages": page + 1}
            found = rows("a", 2 * page)[-2:]
            return envelope(found, page=page, per_page=2, total=6, **more)

        transport = MemoryTransport(answer)
        return transport

    with pytest.raises(OSError, match="enough"):
        await while_rows(fetch_of(clamping(is_honest=True)))
    with pytest.raises(OSError, match="enough"):
        await one_by_one(fetch_of(clamping(is_honest=False)))

    transport = clamping(is_honest=True)
    assert await ids(make_client(transport).usage.by_company("a")) == rows("a", 6)
    assert len(transport.requests) == 3

    transport, given = clamping(is_honest=False), list[str]()
    walk = make_client(transport).usage.by_company("a")
    with pytest.raises(PaginationError, match="does not advance"):
        await drain((record.id async for record in walk), given.append)
    assert given == rows("a", 6)
    assert len(transport.requests) == 4


async def test_a_total_that_changes_is_told(make_client: MakeClient) -> None:
    """The total changes while one iterates, and nobody says so.

    The receipt has the first total, the last one, and a verdict.

    https://github.com/PyGithub/PyGithub/issues/3018
    """
    server = ListServer.of_pages(a=3)
    server.change("a", 1, rows("a", 5))
    naive = TotalOfTheDay(fetch_of(server.transport))
    await naive.first()
    before = naive.total
    await naive.page(3)
    assert (before, naive.total) == (6, 5)  # and nothing says which one it is

    server = ListServer.of_pages(a=3)
    server.change("a", 1, rows("a", 5))
    walk = make_client(server.transport).usage.by_company("a")
    assert await ids(walk) == rows("a", 5)
    told = walk.receipt
    assert (told.total_first, told.total_last, told.records) == (6, 5, 5)
    assert told.verdict == "drifted"


@pytest.mark.parametrize("change", ["deleted", "inserted"])
async def test_rows_that_move_in_mid_walk_are_not_lost(
    make_client: MakeClient, change: str
) -> None:
    """Rows that move between pages in mid-walk are lost, or come twice.

    No record comes twice. A single list tells by its verdict that rows moved; the
    repository walks it again, and nothing is missing.

    https://github.com/dlt-hub/verified-sources/issues/659
    """
    before = rows("a", 12)
    after = before[3:] if change == "deleted" else [*rows("new", 3), *before]

    def moving() -> ListServer:
        server = ListServer({"a": before}, per_page=3)
        server.change("a", 2, after)
        return server

    naive = await one_by_one(fetch_of(moving().transport))
    if change == "deleted":
        assert set(after) - set(naive) == {"a-7", "a-8", "a-9"}
    else:
        assert len(naive) - len(set(naive)) == 3
        assert set(after) - set(naive) == set(rows("new", 3))

    walk = make_client(moving().transport).usage.by_company("a")
    given = await ids(walk)
    assert len(given) == len(set(given))
    assert walk.receipt.verdict == "drifted"

    nectar = make_client(moving().transport)
    async with nectar.repository.usage(companies=["a"]) as records:
        everything = await ids(records)
    assert sorted(everything) == sorted({*before, *after})
    assert records.receipt.rewalked > 0


async def test_a_walk_goes_on_where_it_broke(make_client: MakeClient) -> None:
    """The quota ends at page 30 of 100, and all there is is page 1 again.

    Each error of a list has a cursor, and `pager.resume(cursor)` goes on from there.

    https://github.com/gidgethub/gidgethub/issues/19
    """

    def used_up() -> ListServer:
        """A quota that is gone at page 30 of 100."""
        server = ListServer.of_pages(a=100)
        server.script("a", 30, Response(429))
        return server

    server, naive = used_up(), list[str]()
    with pytest.raises(OSError, match="429"):
        await drain(until_a_page_fails(fetch_of(server.transport)), naive.append)
    assert len(naive) == 58
    await drain(until_a_page_fails(fetch_of(server.transport)), naive.append)
    assert len(naive) == 58 + 200
    assert server.pages_of("a").count(1) == 2

    server = used_up()
    walk = make_client(server.transport, retry=ONCE).usage.by_company("a")
    given: list[str] = []
    with pytest.raises(RateLimitedError) as caught:
        await drain((record.id async for record in walk), given.append)
    assert len(given) == 58
    given += await ids(walk.resume(caught.value.cursor or ""))
    assert given == rows("a", 200)
    assert server.pages_of("a").count(1) == 1


async def test_pages_of_one_slow_list_come_side_by_side(
    make_client: MakeClient,
) -> None:
    """The pages of one slow list come one after the other.

    The first page says how many there are; the others are fetched up to ten at a time,
    and come in order.

    https://github.com/dlt-hub/dlt/issues/2844
    """
    server = ListServer.of_pages(a=60)
    server.turns = 20
    await one_by_one(fetch_of(server.transport))
    assert server.peak == 1

    assert len(await ids(make_client(server.transport).usage.by_company("a"))) == 120
    assert server.peak == 10


async def test_what_is_set_holds_for_every_page(make_client: MakeClient) -> None:
    """Retries and timeouts that were set hold for the first page only.

    Every page goes through the same pipeline.

    https://github.com/googleapis/gapic-generator-python/issues/2065
    """

    def shaky() -> ListServer:
        """Pages 1 and 3 fail once; page 4 hangs once."""
        server = ListServer.of_pages(a=5)
        server.script("a", 1, FAILED)
        server.script("a", 3, FAILED)
        server.script("a", 4, anyio.sleep_forever)
        return server

    naive: list[str] = []
    walk = retried_at_first(fetch_of(shaky().transport), retries=3, timeout=0.1)
    with pytest.raises(OSError, match="503"):
        await drain(walk, naive.append)
    assert naive == rows("a", 4)

    server = shaky()
    nectar = make_client(
        server.transport,
        attempt_timeout=0.1,
        retry=RetryPolicy(attempts=4),
        clock=VirtualClock(),
    )
    assert await ids(nectar.usage.by_company("a")) == rows("a", 10)
    assert nectar.statistics().retries == 3


async def test_one_list_that_fails_does_not_lose_the_others(
    make_client: MakeClient,
) -> None:
    """One bad partition throws away hours of everybody else's progress.

    With `on_error="collect"` the others go on, and each failure has a cursor.

    https://github.com/meltano/sdk/issues/1064
    https://github.com/meltano/sdk/issues/280
    """

    def broken() -> ListServer:
        server = ListServer.of_pages(a=3, b=3, c=3)
        server.script("b", 2, FAILED)
        return server

    server, naive = broken(), list[str]()
    with suppress(ExceptionGroup):
        naive = await all_companies(fetch_of(server.transport, one) for one in "abc")
    assert naive == []

    server = broken()
    nectar: NectarClient = make_client(server.transport, retry=ONCE)
    async with nectar.repository.usage(on_error="collect") as records:
        given = await ids(records)
    (failure,) = records.failures
    assert sorted(given) == sorted(chain(rows("a", 6), rows("b", 2), rows("c", 6)))
    rest = nectar.usage.by_company("b").resume(failure.error.cursor or "")
    assert await ids(rest) == ["b-3", "b-4", "b-5", "b-6"]


FIRST, LAST = date(2025, 1, 1), date(2025, 1, 16)
DAY = timedelta(days=1)


def days(first: date, last: date) -> list[str]:
    count = (last - first).days
    return [(first + number * DAY).isoformat() for number in range(count + 1)]


def bills_in(kind: str, first: date, last: date) -> list[str]:
    """A bill for each day, named by it, which came in at noon."""
    if kind == "BILL_DATE":
        return days(first, last)
    # Bounds of the others are midnights: noon of the last day is behind it.
    return [day for day in days(FIRST, LAST) if first <= date.fromisoformat(day) < last]


@pytest.mark.parametrize(
    ("kind", "gap"), [("BILL_DATE", 0), ("CREATED_DATE", 1)], ids=["repeats", "loses"]
)
async def test_the_day_where_two_windows_meet_comes_once(
    make_client: MakeClient, kind: str, gap: int
) -> None:
    """Filters by day lose the day where two windows meet, or bring it twice.

    A window that is too much for the server is halved as its kind of date demands, and
    what the halves have in common is given once.

    https://github.com/airbytehq/airbyte/issues/29814
    """
    most = timedelta(days=4)
    whole = bills_in(kind, FIRST, LAST)

    async def fetch(first: date, last: date) -> list[str]:
        if last - first >= most:
            raise OSError(502)
        return bills_in(kind, first, last)

    naive = await by_halves(fetch, FIRST, LAST, gap * DAY)
    assert sorted(naive) != whole
    assert (set(naive) == set(whole), len(naive) > len(whole)) == (not gap, not gap)

    def answer(request: Request[Any]) -> object:
        query = parse_qs(urlsplit(request.url).query)
        first, last = (
            date.fromisoformat(query[k][0]) for k in ("startDate", "endDate")
        )
        if last - first >= most:
            return Response(502)
        found = bills_in(query["dateType"][0], first, last)
        return envelope(found, page=1, per_page=100, total=len(found))

    walk = make_client(answer, clock=VirtualClock()).usage.by_company(
        "a", start_date=FIRST, end_date=LAST, date_type=kind
    )
    assert sorted(await ids(walk)) == whole
    assert walk.receipt.verdict == "complete"
