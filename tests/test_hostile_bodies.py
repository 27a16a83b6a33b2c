"""Bodies that blow up, or that a parser chokes on."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest
import pytest_asyncio
from harness import (
    READS,
    Harness,
    Read,
    describe_parameter,
    open_harness,
    prefetch_usage,
    read_repository,
    walk_usage,
)

from nectar_async import (
    BodyTooLargeError,
    DecodeError,
    MaintenanceError,
    NectarError,
    RetryPolicy,
)
from nectar_async.sandbox import (
    Effect,
    Empty,
    Endless,
    Garble,
    GzipBomb,
    Html,
    Nest,
    RepeatKeys,
    SetValue,
)

pytestmark = pytest.mark.asyncio

USAGE = "usage_list_by_company"
MEBIBYTE = 1024 * 1024


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


async def raised(ask: Callable[[], Awaitable[object]]) -> NectarError:
    with pytest.raises(NectarError) as caught:
        await ask()
    return caught.value


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Html(), "HTML"),
        (Empty(), "empty body"),
        (Garble(), "JSON"),
        (Nest(), "nested too deeply"),
    ],
    ids=describe_parameter,
)
async def test_a_body_that_is_none_says_what_it_is_instead(
    harness: Harness, effect: Effect, words: str
) -> None:
    harness.fault(effect)
    with pytest.raises(DecodeError, match=words):
        await harness.client().companies.all()


@pytest.mark.parametrize("status", [200, 503], ids=str)
async def test_a_bomb_is_not_unpacked_beyond_the_bound(
    harness: Harness, status: int
) -> None:
    size = 256 * MEBIBYTE
    harness.fault(GzipBomb(size=size, status=status))
    nectar = harness.client(max_body_bytes=MEBIBYTE, retry=RetryPolicy(attempts=1))
    await raised(nectar.companies.all)  # the sandbox packs it once
    tracemalloc.start()
    try:
        error = await raised(nectar.companies.all)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, BodyTooLargeError if status == 200 else MaintenanceError)
    assert peak < 4 * MEBIBYTE
    assert 0 < nectar.statistics().bytes_received < MEBIBYTE


async def test_a_body_without_end_is_not_read_beyond_the_bound(
    harness: Harness,
) -> None:
    harness.fault(Endless())
    nectar = harness.client(max_body_bytes=MEBIBYTE)
    tracemalloc.start()
    try:
        error = await raised(nectar.companies.all)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, BodyTooLargeError)
    assert peak < 4 * MEBIBYTE


@pytest.mark.parametrize("ask", [walk_usage, read_repository], ids=describe_parameter)
@pytest.mark.parametrize("text", ["1e999", "-1E+999999999", "1e-999999999"])
async def test_a_number_beyond_every_float_is_the_number_that_it_is(
    harness: Harness, text: str, ask: Read
) -> None:
    harness.fault(SetValue(key="usage", json=text))
    records = await ask(harness.client(), harness.company_id)
    assert {one.usage for one in records} == {Decimal(text)}
    assert [one.id for one in records] == harness.usage_ids


@pytest.mark.parametrize("ask", [walk_usage, read_repository], ids=describe_parameter)
async def test_a_number_beyond_every_decimal_is_an_error(
    harness: Harness, ask: Read
) -> None:
    harness.fault(SetValue(key="usage", json="1e9999999999999999999"))
    with pytest.raises(DecodeError, match="beyond all bounds"):
        await ask(harness.client(), harness.company_id)


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
async def test_keys_that_come_twice_are_read_as_most_readers_do(
    harness: Harness, ask: Read
) -> None:
    plain = await ask(harness.client(), harness.company_id)
    harness.fault(RepeatKeys())
    assert await ask(harness.client(), harness.company_id) == plain


@pytest.mark.parametrize("ask", [walk_usage, prefetch_usage], ids=describe_parameter)
@pytest.mark.parametrize("key", ["id", "usage", "site", "totalUsageData"])
async def test_a_nest_in_a_record_ends_in_an_error_or_in_the_record(
    harness: Harness, key: str, ask: Read
) -> None:
    harness.fault(Nest(depth=10_000, key=key), operation=USAGE)
    try:
        records = await ask(harness.client(), harness.company_id)
    except DecodeError as error:
        assert "nested too deeply" in str(error)  # noqa: PT017 - either is right
    else:
        assert len(records) == len(harness.usage_ids)
