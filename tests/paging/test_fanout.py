"""Fan-out: every record of every company, failures, and leaving early."""

# mypy: disable-error-code="unused-awaitable"
# A list can be awaited, and these tests leave some alone.

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import anyio
import anyio.lowlevel
import pytest
from doubles import USAGE, ListServer, MakeClient, envelope, settle_down

from nectar_async import (
    Company,
    Failure,
    FanOut,
    MemoryTransport,
    NectarClient,
    Pager,
    Progress,
    Request,
    Response,
    RetryPolicy,
    UsageData,
    Verdict,
    VirtualClock,
)
from nectar_async.errors import (
    DecodeError,
    InvalidArgumentError,
    NectarError,
    NotFoundError,
    PermissionDeniedError,
)

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)


async def read_ids(records: FanOut[UsageData]) -> list[str]:
    return [record.id async for record in records]


async def take(records: Pager[UsageData], record_ids: list[str]) -> None:
    """Read until the end or an error, and keep what was read."""
    async for page in records.pages():
        record_ids += [record.id for record in page.items]


@pytest.mark.parametrize("permits", [1, 2, 10])
@pytest.mark.parametrize(
    "pages", [{}, {"a": 1}, {"a": 40}, {"a": 1, "b": 30, "c": 2, "d": 1, "e": 7}]
)
async def test_every_record_of_every_company_is_delivered_once(
    make_client: MakeClient, pages: dict[str, int], permits: int
) -> None:
    server = ListServer.of_pages(**pages)
    nectar = make_client(server.transport, max_concurrency=permits)
    async with nectar.repository.usage() as records:
        assert sorted(await read_ids(records)) == server.all_rows()
        assert records.receipt.verdict is Verdict.COMPLETE
        assert records.failures == ()
    assert len(server.asked) == len(set(server.asked)) == sum(pages.values())
    assert server.peak <= permits


async def test_a_company_without_records_is_complete(make_client: MakeClient) -> None:
    server = ListServer({"a": [], "b": ["b-1"], "c": []})
    async with make_client(server.transport).repository.usage() as records:
        assert await read_ids(records) == ["b-1"]
        assert records.receipt.verdict is Verdict.COMPLETE
        assert records.progress.companies_done == 3


async def test_pages_of_one_company_come_in_order(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9, b=9, c=9)
    async with make_client(server.transport).repository.usage() as records:
        pages_read = [(company, page.number) async for company, page in records.pages()]
    for company in "abc":
        numbers = [number for name, number in pages_read if name == company]
        assert numbers == list(range(1, 10))


async def test_as_many_requests_as_permits_are_in_flight(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(**{f"c{number}": 3 for number in range(30)})
    server.turns = 20
    async with make_client(server.transport).repository.usage() as records:
        await read_ids(records)
    assert server.peak == 10


async def test_a_slow_company_does_not_delay_others(make_client: MakeClient) -> None:
    server = ListServer.of_pages(slow=1, a=3, b=3)
    release = server.hold("slow", 1)
    record_ids: list[str] = []
    with anyio.fail_after(5):
        async with make_client(server.transport).repository.usage() as records:
            async for record in records:
                record_ids.append(record.id)
                if len(record_ids) == 12:
                    release.set()
    assert record_ids[12:] == server.companies["slow"]


async def test_one_slow_page_of_a_large_company_does_not_delay_other_companies(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(large=200, a=3, b=3)
    release = server.hold("large", 2)
    record_ids: list[str] = []
    with anyio.move_on_after(10):
        nectar = make_client(server.transport, max_concurrency=2)
        async with nectar.repository.usage() as records:
            async for record in records:
                record_ids.append(record.id)
                if (
                    len([name for name in record_ids if not name.startswith("large")])
                    == 12
                ):
                    release.set()
    assert len(record_ids) == 412


async def test_a_consumer_that_stops_reading_stops_the_requests(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(**{f"c{number}": 9 for number in range(30)})
    nectar = make_client(server.transport)
    async with nectar.repository.usage(look_ahead=12) as records:
        async for _ in records:
            await settle_down(200)
            assert len(server.asked) == 13  # one is delivered, twelve are ahead
            break


async def test_progress_counts_companies_pages_and_records(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=1, b=2)
    async with make_client(server.transport).repository.usage() as records:
        assert records.progress == Progress(
            companies=2, companies_done=0, pages=0, records=0
        )
        await read_ids(records)
        assert records.progress == Progress(
            companies=2, companies_done=2, pages=3, records=6
        )


async def test_each_company_has_its_receipt(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1, b=2)
    server.script("b", 2, Response(403))
    nectar = make_client(server.transport)
    async with nectar.repository.usage(on_error="collect") as records:
        await read_ids(records)
        assert records.receipts["a"].verdict is Verdict.COMPLETE
        assert records.receipts["a"].records == 2
        assert records.receipts["b"].verdict is Verdict.UNFINISHED
        assert records.receipt.verdict is Verdict.UNFINISHED
        assert records.receipt.records == 4


async def test_a_walk_left_inside_the_last_page_is_unfinished(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=1)
    async with make_client(server.transport).repository.usage() as records:
        async for _ in records:
            break
    assert records.receipt.verdict is Verdict.UNFINISHED


async def test_a_walk_that_was_not_started_is_unfinished(
    make_client: MakeClient,
) -> None:
    nectar = make_client(MemoryTransport({"companies_list": Response(403)}))
    records = nectar.repository.usage()
    assert records.receipt.verdict == "unfinished"
    with pytest.raises(PermissionDeniedError):
        await records.__aenter__()
    assert records.receipt.verdict == "unfinished"


# Failures.


async def test_the_first_failure_is_raised(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=2, b=30, c=2)
    server.script("b", 3, Response(404))
    nectar = make_client(server.transport)
    with pytest.raises(NotFoundError) as caught:
        async with nectar.repository.usage() as records:
            await read_ids(records)
    assert (caught.value.operation, caught.value.page) == (USAGE, 3)
    assert caught.value.target == "company b, page 3"
    assert server.in_flight == 0


@pytest.mark.parametrize("page", [1, 2, 5])
async def test_a_company_that_fails_does_not_stop_the_others(
    make_client: MakeClient, page: int
) -> None:
    server = ListServer.of_pages(a=7, b=7, c=7)
    server.script("b", page, Response(403))
    nectar = make_client(server.transport)
    async with nectar.repository.usage(on_error="collect") as records:
        record_ids = await read_ids(records)
        (failure,) = records.failures
        assert records.progress.companies_done == 3
    expected = server.companies["b"][: 2 * page - 2]
    expected += server.companies["a"] + server.companies["c"]
    assert sorted(record_ids) == sorted(expected)
    assert failure.company_id == "b"
    assert isinstance(failure.error, PermissionDeniedError)
    assert failure.error.cursor is not None
    resumed = nectar.usage.by_company("b").resume(failure.error.cursor)
    record_ids += [record.id async for record in resumed]
    assert sorted(record_ids) == server.all_rows()


async def test_every_company_may_fail(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1, b=1, c=1)
    for company in "abc":
        server.script(company, 1, Response(403))
    nectar = make_client(server.transport)
    async with nectar.repository.usage(on_error="collect") as records:
        assert await read_ids(records) == []
        assert sorted(failure.company_id for failure in records.failures) == [
            "a",
            "b",
            "c",
        ]


async def test_each_failure_names_its_company_also_when_a_transport_raises_one_object(
    make_client: MakeClient,
) -> None:
    companies = [{"id": name, "name": name} for name in "ab"]
    double = {"companies_list": companies, USAGE: NotFoundError("gone", status=404)}
    nectar = make_client(MemoryTransport(double))
    async with nectar.repository.usage(on_error="collect") as records:
        await read_ids(records)
        targets = {
            failure.company_id: failure.error.target for failure in records.failures
        }
    assert targets == {"a": "company a, page 1", "b": "company b, page 1"}


async def test_a_page_that_cannot_be_decoded_is_a_failure_of_its_company(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=3, b=3)
    server.script("a", 2, Response(200, {}, b"<html>"))
    nectar = make_client(server.transport)
    async with nectar.repository.usage(on_error="collect") as records:
        assert len(await read_ids(records)) == 8
        (failure,) = records.failures
    assert isinstance(failure.error, DecodeError)
    assert (failure.company_id, failure.error.page) == ("a", 2)


async def test_a_function_is_called_with_each_failure(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1, b=1, c=1)
    server.script("a", 1, Response(403))
    server.script("c", 1, Response(404))
    failures: list[Failure] = []
    nectar = make_client(server.transport)
    async with nectar.repository.usage(on_error=failures.append) as records:
        assert await read_ids(records) == ["b-1", "b-2"]
        assert tuple(failures) == records.failures
    assert sorted(failure.company_id for failure in failures) == ["a", "c"]


async def test_a_function_stops_the_walk_by_raising(make_client: MakeClient) -> None:
    class Enough(Exception):  # noqa: N818 - the user's own
        pass

    def stop(failure: Failure) -> None:
        raise Enough(failure.company_id)

    server = ListServer.of_pages(a=1, b=9)
    server.script("a", 1, Response(403))
    nectar = make_client(server.transport)
    with pytest.raises(Enough, match="a"):
        async with nectar.repository.usage(on_error=stop) as records:
            await read_ids(records)


@pytest.mark.parametrize("on_error", ["raise", "collect"])
async def test_an_exception_of_another_library_is_never_collected(
    make_client: MakeClient, on_error: Any
) -> None:
    server = ListServer.of_pages(a=3, b=3)
    server.script("b", 2, RuntimeError("a bug in a transport"))
    nectar = make_client(server.transport)
    with pytest.raises(RuntimeError, match="a bug"):
        async with nectar.repository.usage(on_error=on_error) as records:
            await read_ids(records)


@pytest.mark.parametrize("bad", ["", "..", "a\nb"])
@pytest.mark.parametrize("place", [0, 1, 15])
async def test_an_invalid_id_is_an_error_before_anything_is_sent(
    make_client: MakeClient, bad: str, place: int
) -> None:
    names = [f"c{number}" for number in range(20)]
    server = ListServer.of_pages(**dict.fromkeys(names, 2))
    nectar = make_client(server.transport)
    names.insert(place, bad)
    with pytest.raises(InvalidArgumentError):
        async with nectar.repository.usage(companies=names) as records:
            await read_ids(records)


# Leaving.


async def test_an_error_of_the_callers_block_is_raised_unchanged(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9, b=9)
    nectar = make_client(server.transport)

    async def body() -> None:
        async with nectar.repository.usage() as records:
            await anext(records)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        await body()
    assert caught.value.__context__ is None
    assert server.in_flight == 0


async def test_an_exception_group_of_the_callers_block_is_raised_unchanged(
    make_client: MakeClient,
) -> None:
    group = ExceptionGroup("mine", [ValueError("x")])
    server = ListServer.of_pages(a=9)
    with pytest.raises(ExceptionGroup) as caught:
        async with make_client(server.transport).repository.usage():
            raise group
    assert caught.value is group


async def test_leaving_early_leaves_no_task_running(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=30, b=30)
    server.turns = 3
    nectar = make_client(server.transport)
    async with nectar.repository.usage() as records:
        async for _ in records:
            break
    assert server.in_flight == 0
    count = len(server.asked)
    await settle_down()
    assert len(server.asked) == count


@pytest.mark.slow
async def test_cancelling_at_any_moment_leaves_no_task_running(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=5, b=2, c=9)
    server.turns = 2
    nectar = make_client(server.transport, max_concurrency=3)

    async def walk() -> None:
        async with nectar.repository.usage() as records:
            await read_ids(records)

    for turns in range(60):
        async with anyio.create_task_group() as group:
            group.start_soon(walk)
            await settle_down(turns)
            group.cancel_scope.cancel()
        assert server.in_flight == 0
        now = nectar.statistics()
        assert (now.in_flight, now.waiting) == (0, 0)


async def test_a_walk_is_bounded_by_fail_after(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9)
    server.hold("a", 3)
    nectar = make_client(server.transport)

    async def walk() -> None:
        async with nectar.repository.usage() as records:
            await read_ids(records)

    with pytest.raises(TimeoutError):
        with anyio.fail_after(0.02):
            await walk()
    assert server.in_flight == 0


async def test_a_walk_is_bounded_by_move_on_after(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9)
    server.hold("a", 3)
    nectar = make_client(server.transport)
    record_ids: list[str] = []
    with anyio.move_on_after(60) as scope:
        async with nectar.repository.usage() as records:
            async for record in records:
                record_ids.append(record.id)
                if len(record_ids) == 4:  # the third page is held
                    scope.deadline = anyio.current_time() + 0.01
    assert scope.cancelled_caught
    assert record_ids == server.companies["a"][:4]
    await anyio.lowlevel.checkpoint()


async def test_a_timeout_inside_the_callers_block_does_not_stop_the_walk(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=3)
    release = server.hold("a", 2)
    async with make_client(server.transport).repository.usage() as records:
        first = [(await anext(records)).id, (await anext(records)).id]
        with anyio.move_on_after(0.01) as scope:
            await anext(records)
        assert scope.cancelled_caught
        release.set()
        assert first + await read_ids(records) == server.companies["a"]


async def test_a_page_that_was_ready_when_its_reader_was_cancelled_is_not_lost(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=2, b=2)
    async with make_client(server.transport).repository.usage() as records:
        await settle_down()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(records)
        record_ids: list[str] = []
        with anyio.move_on_after(10):
            record_ids = await read_ids(records)
    assert sorted(record_ids) == server.all_rows()


async def test_reading_after_the_block_was_left_is_an_error(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9)
    async with make_client(server.transport).repository.usage() as records:
        await anext(records)
    with anyio.fail_after(10), pytest.raises(RuntimeError, match="left before"):
        await anext(records)


async def test_a_walk_that_was_read_to_its_end_stays_exhausted_after_its_block(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=2)
    async with make_client(server.transport).repository.usage() as records:
        await read_ids(records)
    assert await read_ids(records) == []


async def test_reading_without_entering_the_block_is_an_error(
    make_client: MakeClient,
) -> None:
    records = make_client(ListServer.of_pages(a=1).transport).repository.usage()
    with pytest.raises((RuntimeError, NectarError)):
        await anext(records)


async def test_a_walk_can_be_entered_only_once(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=3)
    records = make_client(server.transport).repository.usage()
    async with records:
        await anext(records)
    try:
        async with records:
            record_ids = await read_ids(records)
    except RuntimeError:
        return
    assert record_ids == server.companies["a"]
    assert records.progress.records == 6


# Cancellation by asyncio.


on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def walk_for_ever(nectar: NectarClient) -> None:
    async with nectar.repository.usage() as records:
        await read_ids(records)


@on_asyncio
async def test_a_walk_is_bounded_by_asyncio_timeout(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9)
    server.hold("a", 3)
    nectar = make_client(server.transport)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await walk_for_ever(nectar)
    assert server.in_flight == 0
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@on_asyncio
async def test_a_walk_in_a_task_can_be_cancelled(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9)
    server.hold("a", 3)
    task = asyncio.create_task(walk_for_ever(make_client(server.transport)))
    await settle_down()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert server.in_flight == 0


@on_asyncio
async def test_a_walk_is_bounded_by_wait_for(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9)
    server.hold("a", 3)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(walk_for_ever(make_client(server.transport)), 0.02)
    assert server.in_flight == 0


# Which companies.

SOME = UUID("3b1e6f0a-0000-4000-8000-000000000001")


async def test_companies_are_ids_or_objects_and_each_is_read_once(
    make_client: MakeClient,
) -> None:
    server = ListServer({"a": ["1"], "b": ["2"], str(SOME): ["3"], "d": ["4"]})
    nectar = make_client(server.transport)
    company = Company(id="b", name="B")
    companies: list[Company | str | UUID] = ["a", company, SOME, "a", str(SOME)]
    async with nectar.repository.usage(companies=companies) as records:
        assert sorted(await read_ids(records)) == ["1", "2", "3"]
    assert len(server.asked) == 3
    assert {request.operation for request in server.transport.requests} == {USAGE}


async def test_no_companies_are_no_requests(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1)
    nectar = make_client(server.transport)
    async with nectar.repository.usage(companies=[]) as records:
        assert await read_ids(records) == []
    assert server.transport.requests == []
    assert records.receipt.verdict is Verdict.COMPLETE


async def test_companies_may_be_an_iterator(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1, b=1)
    nectar = make_client(server.transport)
    async with nectar.repository.usage(companies=iter("ab")) as records:
        assert len(await read_ids(records)) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        {"companies": "a"},
        {"on_error": "ignore"},
        {"look_ahead": 0},
        {"look_ahead": -5},
        {"datasource_type": []},
    ],
)
async def test_invalid_arguments_are_refused_before_anything_is_sent(
    make_client: MakeClient, arguments: dict[str, Any]
) -> None:
    server = ListServer.of_pages(a=1)
    nectar = make_client(server.transport)
    with pytest.raises(InvalidArgumentError):
        nectar.repository.usage(**arguments)
    assert server.transport.requests == []


async def test_two_walks_share_the_permits(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=20, b=20)
    server.turns = 3
    nectar = make_client(server.transport, max_concurrency=4)

    async def walk() -> None:
        async with nectar.repository.usage() as records:
            assert sorted(await read_ids(records)) == server.all_rows()

    async with anyio.create_task_group() as group:
        group.start_soon(walk)
        group.start_soon(walk)
    assert server.peak == 4


async def test_a_company_whose_list_changed_is_read_again(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=4, b=2)
    server.change("a", 2, server.companies["a"][2:])
    everything = server.all_rows()
    async with make_client(server.transport).repository.usage() as records:
        assert sorted(await read_ids(records)) == everything
    assert records.receipt.verdict is Verdict.COMPLETE
    assert records.receipts["a"].rewalked == 3
    assert (records.receipts["a"].total_first, records.receipts["a"].total_last) == (
        8,
        6,
    )
    assert records.receipts["b"].rewalked == 0
    assert records.progress.companies_done == 2


async def test_a_change_that_leaves_the_total_alone_is_found_by_verifying(
    make_client: MakeClient,
) -> None:
    def moving() -> ListServer:
        server = ListServer.of_pages(a=2)
        first, *others = server.companies["a"]
        server.change("a", 2, [*others, first + "-new"])
        return server

    server = moving()
    async with make_client(server.transport).repository.usage() as records:
        await read_ids(records)
    assert records.receipt.verdict is Verdict.COMPLETE

    server = moving()
    nectar = make_client(server.transport)
    async with nectar.repository.usage(verify=True) as records:
        record_ids = await read_ids(records)
    assert len(record_ids) == len(set(record_ids)) == 5
    assert records.receipt.verdict is Verdict.COMPLETE
    # Two pages and a verification; two pages again, and another verification.
    assert server.pages_of("a") == [1, 2, 1, 1, 2, 1]
    assert records.receipts["a"].pages == 6
    assert records.receipts["a"].rewalked == 2

    server = moving()
    pager = make_client(server.transport).usage.by_company("a", verify=True)
    assert len([record async for record in pager]) == 4
    assert pager.receipt.verdict is Verdict.DRIFTED


async def test_prefetching_verifies_too(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=2)
    first, *others = server.companies["a"]
    server.change("a", 2, [*others, first + "-new"])
    pager = make_client(server.transport).usage.by_company("a", verify=True)
    async with pager.prefetch() as records:
        assert len([record async for record in records]) == 4
    assert records.receipt.verdict is Verdict.DRIFTED


async def test_a_window_that_times_out_is_read_in_halves_while_others_go_on(
    make_client: MakeClient,
) -> None:
    windows: list[tuple[str, str, str]] = []

    def answer(request: Request[Any]) -> object:
        query = parse_qs(urlsplit(request.url).query)
        (start,), (end,) = query["startDate"], query["endDate"]
        company = request.parts["company_id"]
        windows.append((company, start, end))
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
        if company == "large" and days > 2:
            return Response(502, {}, b"<html>timeout</html>")
        ids = [f"{company}-{start}-{number}" for number in range(days)]
        return envelope(ids, page=1, per_page=100, total=days)

    nectar = make_client(MemoryTransport(answer), clock=VirtualClock())
    async with nectar.repository.usage(
        companies=["large", "small"],
        start_date=date(2025, 1, 1),
        end_date=date(2025, 1, 8),
    ) as records:
        record_ids = await read_ids(records)
    assert len(record_ids) == len(set(record_ids)) == 16
    receipt = records.receipts["large"]
    assert receipt.verdict is Verdict.COMPLETE
    assert (receipt.total_first, receipt.total_last, receipt.distinct) == (8, 8, 8)
    # Each window that times out is requested twice; each half that does not once.
    asked = Counter(windows)
    assert asked["large", "2025-01-01", "2025-01-08"] == 2
    assert asked["large", "2025-01-01", "2025-01-04"] == 2
    assert asked["large", "2025-01-03", "2025-01-04"] == 1
    assert asked["small", "2025-01-01", "2025-01-08"] == 1


async def test_the_cursor_of_a_failure_in_halves_points_to_the_windows_that_are_left(
    make_client: MakeClient,
) -> None:
    is_down = True

    def answer(request: Request[Any]) -> object:
        query = parse_qs(urlsplit(request.url).query)
        (start,), (end,) = query["startDate"], query["endDate"]
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
        if days > 4:
            return Response(502)
        if start == "2025-01-05" and is_down:
            return Response(404, {}, b'{"detail": "not yet"}')
        ids = [f"{start}-{number}" for number in range(days)]
        return envelope(ids, page=1, per_page=100, total=days)

    nectar = make_client(MemoryTransport(answer), clock=VirtualClock())
    window: dict[str, Any] = {
        "start_date": date(2025, 1, 1),
        "end_date": date(2025, 1, 8),
    }
    pager = nectar.usage.by_company("c", **window)
    record_ids: list[str] = []
    with pytest.raises(NotFoundError) as caught:
        await take(pager, record_ids)
    assert len(record_ids) == 4
    cursor = caught.value.cursor
    assert cursor is not None
    assert cursor.endswith(":1:2025-01-05..2025-01-08")
    is_down = False
    await take(nectar.usage.by_company("c", **window).resume(cursor), record_ids)
    assert len(record_ids) == len(set(record_ids)) == 8


@pytest.mark.anyio
async def test_two_tasks_cannot_enter_one_fanout(make_client: MakeClient) -> None:
    fanout = make_client(ListServer.of_pages(a=2).transport).repository.usage()
    outcomes: list[object] = []

    async def enter() -> None:
        try:
            async with fanout as records:
                outcomes.append(len([record async for record in records]))
        except RuntimeError as error:
            outcomes.append(str(error))

    async with anyio.create_task_group() as group:
        group.start_soon(enter)
        group.start_soon(enter)
    assert 4 in outcomes
    assert any("only once" in str(outcome) for outcome in outcomes)
