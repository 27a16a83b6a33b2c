"""Long work runs in steps, one per turn of the event loop, with the same result."""

from __future__ import annotations

import gzip
import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from nectar_async import Listing, MemoryTransport, NectarClient, Response, UsageData
from nectar_async._json.converter import Converter
from nectar_async._json.cooperative import (
    PIECE_SIZE,
    CooperativeScheduler,
    Steps,
    run_at_once,
)
from nectar_async._json.json_text import iterate_pieces
from nectar_async.errors import DecodeError

pytestmark = pytest.mark.anyio

MUCH = 100_000
USAGE = Listing(items="usage_data")
LONG = [
    {"id": f"u-{number}", "usage": "1.50", "supplierName": "x" * 900}
    for number in range(1_000)
]


def work(pieces: int, done: list[Any], name: str = "") -> Steps[str]:
    """Build work of several steps that records its progress."""
    for piece in range(pieces):
        if piece:
            yield
        done.append((name, piece))
    return name


def test_run_at_once_runs_all_steps() -> None:
    done: list[Any] = []
    assert run_at_once(work(3, done, "a")) == "a"
    assert done == [("a", 0), ("a", 1), ("a", 2)]


async def test_one_step_runs_in_each_turn_for_all_callers() -> None:
    scheduler, done, counts = CooperativeScheduler(), list[Any](), list[int]()

    async def take(name: str) -> None:
        assert await scheduler.run(work(3, done, name), MUCH) == name

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(take, name)
        for _ in range(60):
            before = len(done)
            await anyio.lowlevel.checkpoint()
            counts.append(len(done) - before)
    assert len(done) == 9
    assert max(counts) == 1
    assert [piece for name, piece in done if name == "a"] == [0, 1, 2]


async def test_work_waits_until_there_is_no_traffic() -> None:
    scheduler, done = CooperativeScheduler(), list[Any]()

    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run, work(1, done), MUCH)
        for _ in range(6):
            scheduler.note_traffic()
            await anyio.lowlevel.checkpoint()
        assert done == []
    assert done == [("", 0)]


async def test_small_work_runs_at_once() -> None:
    scheduler, done = CooperativeScheduler(), list[Any]()
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run, work(3, done, "much"), MUCH)
        await anyio.lowlevel.checkpoint()
        with anyio.CancelScope() as scope:
            scope.cancel()  # any wait would raise here
            await scheduler.run(work(2, done, "little"), 1_000)
        assert done == [("little", 0), ("little", 1)]


async def test_constant_traffic_does_not_stop_the_work() -> None:
    scheduler, done = CooperativeScheduler(), list[Any]()

    async def move() -> None:
        while not done:
            scheduler.note_traffic()
            await anyio.lowlevel.checkpoint()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(move)
            group.start_soon(scheduler.run, work(1, done), MUCH)


async def test_an_error_is_raised_and_does_not_block_other_work() -> None:
    scheduler = CooperativeScheduler()

    def fail() -> Steps[None]:
        yield
        raise KeyError

    with pytest.raises(KeyError):
        await scheduler.run(fail(), MUCH)
    assert await scheduler.run(work(1, [], "b"), MUCH) == "b"


async def test_cancelled_work_does_not_block_other_work() -> None:
    scheduler, done = CooperativeScheduler(), list[Any]()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await scheduler.run(work(3, done, "a"), MUCH)
    assert scope.cancelled_caught
    assert len(done) < 3
    assert await scheduler.run(work(1, done, "b"), MUCH) == "b"


@pytest.mark.parametrize("size", [0, 1, 25, 1_000])
def test_pieces_contain_all_items_in_order(size: int) -> None:
    items = [str(number).encode() for number in range(37)]
    pieces = list(iterate_pieces(items, size))
    assert [item for _, piece in pieces for item in piece] == items
    assert [items[start] for start, _ in pieces] == [piece[0] for _, piece in pieces]
    assert list(iterate_pieces([], size)) == []


def count_steps(work: Steps[Any]) -> tuple[int, Any]:
    """Run work; return the number of its steps and its result."""
    count = 1
    while True:
        try:
            next(work)
        except StopIteration as end:
            return count, end.value
        count += 1


def encode_page(records: list[Any]) -> bytes:
    return json.dumps({"usageData": records, "totalPages": 1}).encode()


@pytest.mark.parametrize("is_strict", [False, True], ids=["lenient", "strict"])
def test_a_long_page_is_decoded_in_steps_with_the_same_result(is_strict: bool) -> None:
    converter = Converter(is_strict=is_strict)
    body = encode_page(LONG)
    count, page = count_steps(converter.decode_page_in_steps(body, UsageData, USAGE, 1))
    assert count > len(body) / PIECE_SIZE
    expected = [
        converter.decode(json.dumps(record).encode(), UsageData) for record in LONG
    ]
    assert list(page.items) == expected


def test_a_page_of_ordinary_size_takes_three_steps() -> None:
    body = encode_page(LONG[:165])
    assert len(body) > 150_000
    count, page = count_steps(
        Converter().decode_page_in_steps(body, UsageData, USAGE, 1)
    )
    assert (count, len(page.items)) == (3, 165)


def test_a_small_page_takes_one_step() -> None:
    body = encode_page(LONG[:80])
    count, page = count_steps(
        Converter().decode_page_in_steps(body, UsageData, USAGE, 1)
    )
    assert (count, len(page.items)) == (1, 80)


def test_parts_are_shared_across_the_steps_of_a_page() -> None:
    body = encode_page(
        [{**record, "site": {"id": "s", "name": "Quay"}} for record in LONG[:165]]
    )
    page = Converter().decode_page(body, UsageData, USAGE, 1)
    assert len({id(record.site) for record in page.items}) == 1


def test_many_odd_records_are_decoded_in_steps() -> None:
    odd = [{"id": str(number), "usage": "much"} for number in range(100)]
    count, page = count_steps(
        Converter().decode_page_in_steps(encode_page(odd), UsageData, USAGE, 1)
    )
    assert count >= 10
    assert [record.extra for record in page.items] == [{"usage": "much"}] * 100


@pytest.mark.parametrize("at", [0, 499, 999])
def test_a_problem_of_a_long_page_is_named_by_its_index(at: int) -> None:
    records = [*LONG[:at], {"name": "no id"}, *LONG[at + 1 :]]
    page = Converter().decode_page(encode_page(records), UsageData, USAGE, 1)
    assert page.problems == (f"missing @ $.usageData[{at}].id",)
    assert len(page.items) == len(LONG) - 1
    with pytest.raises(DecodeError, match=rf"\$\.usageData\[{at}\]\.id"):
        Converter(is_strict=True).decode_page(encode_page(records), UsageData, USAGE, 1)


def test_a_page_of_a_thousand_problems_names_a_hundred() -> None:
    records = [{"supplierName": "x" * 900}] * 1_000
    with pytest.raises(DecodeError) as caught:
        Converter().decode_page(encode_page(records), UsageData, USAGE, 1)
    assert 100 <= len(caught.value.problems) < 400


def test_a_new_key_in_a_long_page_is_kept() -> None:
    records = [{**record, "newKey": number} for number, record in enumerate(LONG)]
    page = Converter().decode_page(encode_page(records), UsageData, USAGE, 1)
    assert [record.extra for record in page.items] == [
        {"newKey": n} for n in range(1_000)
    ]


async def test_other_tasks_run_while_a_large_answer_is_decompressed_and_decoded() -> (
    None
):
    body = gzip.compress(encode_page(LONG), mtime=0)
    answer = Response(200, {"Content-Encoding": "gzip"}, body)
    transport = MemoryTransport({"usage_list_by_company": answer})
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with (
        NectarClient(transport=transport) as nectar,
        anyio.create_task_group() as group,
    ):
        pages = nectar.usage.by_company("c-1").pages()
        group.start_soon(count)
        page = await anext(pages)
        group.cancel_scope.cancel()
    assert len(page.items) == 1_000
    assert turns > 2 * len(encode_page(LONG)) / PIECE_SIZE
