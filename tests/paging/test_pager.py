"""Pagers: batches of pages, failures, cursors, and leaving early."""

# mypy: disable-error-code="unused-awaitable"
# A list can be awaited, and these tests leave some alone.

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import frozen
from doubles import USAGE, ListServer, MakeClient, envelope, rows, settle_down

from nectar_async import (
    MemoryTransport,
    NectarClient,
    NectarError,
    Operation,
    Response,
    RetryPolicy,
    Settings,
    Verdict,
    VirtualClock,
)
from nectar_async.errors import (
    BodyCorruptError,
    DecodeError,
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    ServerError,
)

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)


@frozen
class Result:
    """The ids that an iterator delivered, and the error that ended it."""

    ids: list[str]
    error: Exception | None


async def read(records: AsyncIterator[Any]) -> Result:
    """Read an iterator to its end or first error."""
    ids: list[str] = []
    try:
        async for record in records:
            ids.append(record.id)  # noqa: PERF401 - keeps the ids before an error
    except Exception as error:  # noqa: BLE001 - returned
        return Result(ids, error)
    return Result(ids, None)


async def test_batches_grow_and_nothing_is_in_flight_between_two_records(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=100)
    server.turns = 5
    nectar = make_client(server.transport)
    asked_by_then: list[int] = []
    async for page in nectar.usage.by_company("a").pages():
        assert server.in_flight == 0
        assert nectar.statistics().in_flight == 0
        await settle_down(5)
        assert page.number <= len(server.asked)
        if len(server.asked) not in asked_by_then:
            asked_by_then.append(len(server.asked))
    assert asked_by_then == [1, 3, 7, 17, 37, 77, 100]
    assert sorted(server.pages_of("a")) == list(range(1, 101))
    assert server.peak == 10


@pytest.fixture
def large_pages() -> ListServer:
    """40 pages that are large enough for their decoding to be postponed."""
    server = ListServer.of_pages(a=40, per_page=1_000)
    server.turns = 50
    return server


async def test_the_last_large_pages_of_a_batch_are_decoded_during_the_next_one(
    make_client: MakeClient, large_pages: ListServer
) -> None:
    asked_by_then: dict[int, int] = {}
    nectar = make_client(large_pages.transport)
    async for page in nectar.usage.by_company("a").pages():
        assert large_pages.in_flight == 0
        asked_by_then.setdefault(len(large_pages.asked), page.number)
    assert list(asked_by_then) == [1, 3, 7, 17, 37, 40]
    assert [asked_by_then[count] for count in (1, 3, 7, 17)] == [1, 2, 4, 8]
    # The next batch begins when half of this one, or all but ten of its pages, is used
    # up: before its end, and not earlier than that.
    assert 13 <= asked_by_then[37] < 18
    assert 28 <= asked_by_then[40] < 38


async def test_undecoded_pages_are_delivered_before_the_next_batch_fails(
    make_client: MakeClient, large_pages: ListServer
) -> None:
    large_pages.script("a", 18, Response(403))
    result = await read(aiter(make_client(large_pages.transport).usage.by_company("a")))
    assert result.ids == large_pages.companies["a"][:17_000]
    assert isinstance(result.error, PermissionDeniedError)
    assert result.error.page == 18


async def test_an_undecoded_page_that_cannot_be_decoded_ends_the_walk_in_its_place(
    make_client: MakeClient, large_pages: ListServer
) -> None:
    odd = {"usageData": ["odd"] * 5_000, "totalPages": 40, "currentPage": 15}
    large_pages.script("a", 15, Response(200, body=json.dumps(odd).encode()))
    nectar = make_client(large_pages.transport)
    result = await read(aiter(nectar.usage.by_company("a")))
    assert result.ids == large_pages.companies["a"][:14_000]
    assert isinstance(result.error, DecodeError)
    assert result.error.page == 15
    assert large_pages.in_flight == 0


async def test_every_record_is_delivered_once_and_in_order(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=23)
    nectar = make_client(server.transport)
    pager = nectar.usage.by_company("a")
    assert [record.id async for record in pager] == server.companies["a"]
    assert pager.receipt.verdict is Verdict.COMPLETE
    assert pager.receipt.records == 46


async def test_reading_one_record_costs_one_request(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=23)
    nectar = make_client(server.transport)
    pager = nectar.usage.by_company("a")
    async for record in pager:
        assert record.id == "a-1"
        break
    await settle_down()
    assert server.asked == [("a", 1)]
    assert pager.receipt.verdict is Verdict.UNFINISHED


@pytest.mark.parametrize("way", ["records", "prefetch"])
async def test_a_walk_is_finished_when_the_caller_asks_for_more_after_the_last_record(
    make_client: MakeClient, way: str
) -> None:
    server = ListServer.of_pages(a=1)
    nectar = make_client(server.transport)
    pager = nectar.usage.by_company("a")
    if way == "records":
        records = aiter(pager)
        assert [(await anext(records)).id, (await anext(records)).id] == ["a-1", "a-2"]
        assert pager.receipt.verdict == "unfinished"
        assert await anext(records, None) is None
    else:
        async with pager.prefetch() as prefetched:
            records = aiter(prefetched)
            assert (await anext(records)).id == "a-1"
            assert (await anext(records)).id == "a-2"
            assert prefetched.receipt.verdict == "unfinished"
            assert await anext(records, None) is None
            assert prefetched.receipt.verdict == "complete"
    assert pager.receipt.verdict == "complete"


async def test_an_exhausted_walk_stays_exhausted(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1)
    records = aiter(make_client(server.transport).usage.by_company("a"))
    assert [record.id async for record in records] == ["a-1", "a-2"]
    assert await anext(records, None) is None
    assert len(server.asked) == 1


async def test_two_walks_of_one_pager_are_independent(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=3)
    pager = make_client(server.transport).usage.by_company("a")
    first, second = aiter(pager), aiter(pager)
    id_pairs: list[tuple[str, str]] = []
    async for record in first:
        second_record = await anext(second)
        id_pairs.append((record.id, second_record.id))
    assert id_pairs == [(name, name) for name in server.companies["a"]]
    assert len(server.asked) == 6


async def test_rows_that_move_are_delivered_once_and_the_verdict_is_drifted(
    make_client: MakeClient,
) -> None:
    server = ListServer({"a": rows("a", 6)})
    server.change("a", 1, ["new", *rows("a", 6)])
    nectar = make_client(server.transport, max_concurrency=1)
    pager = nectar.usage.by_company("a")
    ids = [record.id async for record in pager]
    assert ids == rows("a", 6)
    assert pager.receipt.repeats == 1
    assert pager.receipt.verdict is Verdict.DRIFTED


async def test_deleted_rows_make_the_verdict_drifted(make_client: MakeClient) -> None:
    server = ListServer({"a": rows("a", 6)})
    server.change("a", 1, rows("a", 6)[1:])
    pager = make_client(server.transport).usage.by_company("a")
    ids = [record.id async for record in pager]
    assert "a-3" not in ids
    assert pager.receipt.verdict is Verdict.DRIFTED


async def test_a_list_that_shrinks_below_the_requested_pages_ends(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=6)
    server.change("a", 1, rows("a", 4))
    pager = make_client(server.transport).usage.by_company("a")
    assert [record.id async for record in pager] == rows("a", 4)


async def test_an_empty_page_in_the_middle_is_not_the_end(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=4)
    empty = envelope([], page=2, per_page=2, total=8)
    server.script("a", 2, empty)
    pager = make_client(server.transport).usage.by_company("a")
    ids = [record.id async for record in pager]
    assert ids == [*rows("a", 2), *rows("a", 8)[4:]]
    assert pager.receipt.verdict is Verdict.SHORT


async def test_a_server_that_does_not_advance_is_an_error_with_a_cursor(
    make_client: MakeClient,
) -> None:
    stuck = envelope(["x"], page=1, per_page=1, total=9)
    transport = MemoryTransport(
        lambda request: stuck | {"currentPage": 1 + request.url.count("page=2")}
    )
    pager = make_client(transport).usage.by_company("a")
    result = await read(aiter(pager))
    assert result.ids == ["x"]
    assert isinstance(result.error, PaginationError)
    assert (result.error.page, result.error.operation) == (2, USAGE)


# Failures.


async def test_pages_before_the_one_that_fails_are_delivered_first(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=30)
    server.script("a", 9, Response(403))
    nectar = make_client(server.transport)
    records = aiter(nectar.usage.by_company("a"))
    result = await read(records)
    assert result.ids == rows("a", 60)[:16]
    error = result.error
    assert isinstance(error, PermissionDeniedError)
    assert (error.page, error.operation) == (9, USAGE)
    assert error.target == "company a, page 9"
    assert error.cursor is not None
    assert error.request_id is not None
    assert await anext(records, None) is None


async def test_requests_for_pages_after_the_one_that_fails_are_cancelled(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=30)
    server.script("a", 8, Response(403))
    for page in range(9, 18):
        server.hold("a", page)
    with anyio.fail_after(2):
        result = await read(aiter(make_client(server.transport).usage.by_company("a")))
    assert result.ids == rows("a", 14)
    assert server.in_flight == 0


async def test_the_first_page_that_fails_is_raised_and_the_others_are_notes(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=30)
    gate = server.hold("a", 4)

    async def late() -> Response:
        gate.set()
        return Response(404)

    server.script("a", 4, Response(403))
    server.script("a", 6, late)
    nectar = make_client(server.transport)
    result = await read(aiter(nectar.usage.by_company("a")))
    assert result.ids == rows("a", 6)
    assert isinstance(result.error, PermissionDeniedError)
    assert result.error.page == 4
    (note,) = result.error.__notes__
    assert "NotFoundError" in note
    assert "page 6" in note


async def test_a_walk_continues_where_the_cursor_of_its_error_points(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=12)
    server.script("a", 7, Response(403))
    pager = make_client(server.transport).usage.by_company("a")
    first = await read(aiter(pager))
    assert isinstance(first.error, NectarError)
    assert first.error.cursor is not None
    resumed = pager.resume(first.error.cursor)
    second = await read(aiter(resumed))
    assert second.error is None
    assert first.ids + second.ids == server.companies["a"]
    assert resumed.receipt.verdict is Verdict.COMPLETE
    assert resumed.receipt.pages == 6


async def test_a_cursor_works_with_corrected_keys(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=4)
    server.script("a", 3, Response(403))
    corrections = {USAGE: Operation(keys={"startDate": "from"})}
    nectar = make_client(server.transport, operations=corrections)
    pager = nectar.usage.by_company("a", start_date=date(2025, 1, 1))
    first = await read(aiter(pager))
    assert isinstance(first.error, NectarError)
    assert first.error.cursor is not None
    second = await read(aiter(pager.resume(first.error.cursor)))
    assert first.ids + second.ids == server.companies["a"]


async def test_an_error_has_its_page_with_a_corrected_page_key(
    make_client: MakeClient,
) -> None:
    def answer(request: Any) -> object:
        if "pageNumber=2" in request.url:
            return Response(403)
        return envelope(["x"], page=1, per_page=1, total=2)

    corrections = {USAGE: Operation(keys={"page": "pageNumber"})}
    nectar = make_client(MemoryTransport(answer), operations=corrections)
    result = await read(aiter(nectar.usage.by_company("a")))
    assert isinstance(result.error, PermissionDeniedError)
    assert result.error.page == 2


async def test_a_cursor_of_another_list_is_refused(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=2)
    server.script("a", 2, Response(403))
    nectar = make_client(server.transport)
    result = await read(aiter(nectar.usage.by_company("a")))
    assert isinstance(result.error, NectarError)
    assert result.error.cursor is not None
    with pytest.raises(InvalidArgumentError):
        nectar.usage.by_company("b").resume(result.error.cursor)


async def test_a_missing_cursor_is_refused(make_client: MakeClient) -> None:
    pager = make_client({}).usage.by_company("a")
    none: Any = NotFoundError("of something that is no list").cursor
    with pytest.raises(InvalidArgumentError):
        pager.resume(none)


@pytest.mark.parametrize("page", [1, 2, 5])
@pytest.mark.parametrize("way", ["records", "prefetch"])
async def test_an_exception_of_another_library_is_raised_unchanged(
    make_client: MakeClient, page: int, way: str
) -> None:
    server = ListServer.of_pages(a=9)
    server.script("a", page, RuntimeError("a bug in a transport"))
    pager = make_client(server.transport).usage.by_company("a")
    if way == "records":
        result = await read(aiter(pager))
    else:
        async with pager.prefetch() as records:
            result = await read(aiter(records))
    assert type(result.error) is RuntimeError
    assert result.ids == rows("a", 2 * page - 2)


async def test_pages_are_retried_like_any_request(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=9)
    server.script("a", 5, Response(503), Response(429, {"retry-after": "9"}))
    clock = VirtualClock()
    nectar = make_client(server.transport, clock=clock)
    ids = [record.id async for record in nectar.usage.by_company("a")]
    assert ids == server.companies["a"]
    assert clock.sleeps == [0.5, 9.0]


async def test_a_page_whose_compression_is_damaged_is_retried(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=5)
    damaged = Response(200, {"content-encoding": "gzip"}, b"\x1f\x8bxxxx")
    server.script("a", 1, damaged)
    server.script("a", 4, damaged, damaged)
    nectar = make_client(server.transport, clock=VirtualClock())
    ids = [record.id async for record in nectar.usage.by_company("a")]
    assert ids == server.companies["a"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(200, {}, b"<html>"), DecodeError),
        (Response(200, {"content-encoding": "gzip"}, b"xx"), BodyCorruptError),
    ],
)
async def test_the_error_of_a_page_that_cannot_be_decoded_has_its_page_and_request(
    make_client: MakeClient, answer: Response, kind: type[NectarError]
) -> None:
    server = ListServer.of_pages(a=3)
    server.script("a", 2, *[answer] * 9)
    nectar = make_client(server.transport, clock=VirtualClock())
    result = await read(aiter(nectar.usage.by_company("a")))
    assert result.ids == rows("a", 2)
    assert type(result.error) is kind
    assert isinstance(result.error, NectarError)
    assert (result.error.page, result.error.operation) == (2, USAGE)
    assert result.error.request_id is not None
    assert result.error.attempts >= 1


# Cancellation.


async def test_a_walk_continues_after_a_cancelled_read(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=7)
    gate = server.hold("a", 5)
    nectar = make_client(server.transport)
    records = aiter(nectar.usage.by_company("a"))
    ids = [(await anext(records)).id for _ in range(6)]
    async with anyio.create_task_group() as group:

        async def wait() -> None:
            with scope:
                await anext(records)

        scope = anyio.CancelScope()
        group.start_soon(wait)
        await settle_down()
        assert server.in_flight == 1
        scope.cancel()
        await settle_down()
        assert (server.in_flight, nectar.statistics().in_flight) == (0, 0)
    gate.set()
    ids += [record.id async for record in records]
    assert ids == server.companies["a"]


@pytest.mark.slow
async def test_cancelling_at_any_moment_leaves_no_task_running(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9)
    server.turns = 2
    nectar = make_client(server.transport, max_concurrency=3)
    for turns in range(60):
        async with anyio.create_task_group() as group:
            group.start_soon(read, aiter(nectar.usage.by_company("a")))
            await settle_down(turns)
            group.cancel_scope.cancel()
        assert server.in_flight == 0
        now = nectar.statistics()
        assert (now.in_flight, now.waiting) == (0, 0)


@pytest.mark.parametrize("way", ["records", "prefetch"])
async def test_a_walk_is_bounded_by_fail_after(
    make_client: MakeClient, way: str
) -> None:
    server = ListServer.of_pages(a=9)
    server.hold("a", 5)
    pager = make_client(server.transport).usage.by_company("a")

    async def walk() -> None:
        if way == "records":
            async for _ in pager:
                pass
            return
        async with pager.prefetch() as records:
            async for _ in records:
                pass

    with pytest.raises(TimeoutError):
        with anyio.fail_after(0.02):
            await walk()
    assert server.in_flight == 0


# Prefetching.


async def test_prefetching_delivers_every_record_in_order(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=50)
    server.turns = 20
    pager = make_client(server.transport).usage.by_company("a")
    async with pager.prefetch() as records:
        assert [record.id async for record in records] == server.companies["a"]
        assert records.receipt.verdict is Verdict.COMPLETE
    assert server.peak == 10
    assert len(server.asked) == 50


async def test_prefetching_sends_requests_while_the_caller_works(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=50)
    pager = make_client(server.transport).usage.by_company("a")
    async with pager.prefetch(look_ahead=6) as records:
        async for record in records:
            assert record.id == "a-1"
            await settle_down(100)
            assert len(server.asked) == 7  # one is delivered, six are ahead
            break
    assert server.in_flight == 0


async def test_prefetched_pages_are_delivered_one_by_one(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=5)
    async with make_client(server.transport).usage.by_company("a").prefetch() as ahead:
        assert [page.number async for page in ahead.pages()] == [1, 2, 3, 4, 5]


async def test_prefetching_delivers_the_pages_before_an_error(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9)
    server.script("a", 5, Response(500))
    nectar = make_client(server.transport, retry=ONCE)
    pager = nectar.usage.by_company("a")
    async with pager.prefetch() as records:
        result = await read(aiter(records))
    assert result.ids == rows("a", 8)
    assert isinstance(result.error, ServerError)
    assert result.error.cursor is not None
    later_ids = [record.id async for record in pager.resume(result.error.cursor)]
    assert result.ids + later_ids == server.companies["a"]


async def test_an_error_of_the_callers_block_is_raised_unchanged(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9)
    pager = make_client(server.transport).usage.by_company("a")
    with pytest.raises(ZeroDivisionError):
        async with pager.prefetch():
            raise ZeroDivisionError
    assert server.in_flight == 0


@pytest.mark.parametrize("look_ahead", [0, -1])
async def test_a_look_ahead_below_one_is_refused(
    make_client: MakeClient, look_ahead: int
) -> None:
    pager = make_client({}).usage.by_company("a")
    with pytest.raises(InvalidArgumentError):
        pager.prefetch(look_ahead=look_ahead)


async def test_reading_a_prefetch_after_its_block_was_left_is_an_error(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9)
    async with make_client(server.transport).usage.by_company("a").prefetch() as ahead:
        records = aiter(ahead)
        await anext(records)
    with anyio.fail_after(10), pytest.raises(RuntimeError, match="left before"):
        await anext(records)


async def test_a_prefetch_can_be_entered_only_once(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=3)
    prefetch = make_client(server.transport).usage.by_company("a").prefetch()
    async with prefetch as records:
        await read(aiter(records))
    with pytest.raises(RuntimeError, match="once"):
        await prefetch.__aenter__()


async def test_a_record_that_was_ready_when_its_reader_was_cancelled_is_not_lost(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=3)
    async with make_client(server.transport).usage.by_company("a").prefetch() as ahead:
        records = aiter(ahead)
        await settle_down()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(records)
        with anyio.move_on_after(10):
            assert (await read(records)).ids == server.companies["a"]


async def test_a_walk_works_without_a_reference_to_its_client() -> None:
    server = ListServer.of_pages(a=3)
    nectar = NectarClient(transport=server.transport, settings=Settings())
    ids = [record.id async for record in nectar.usage.by_company("a")]
    assert ids == server.companies["a"]
    await anyio.lowlevel.checkpoint()
