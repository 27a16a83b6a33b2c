"""Bodies that are too large, endless, nested too deeply, or not JSON."""

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


async def catch_error(call: Callable[[], Awaitable[object]]) -> NectarError:
    with pytest.raises(NectarError) as caught:
        await call()
    return caught.value


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Html(), "HTML"),
        (Empty(), "empty body"),
        (Nest(), "nested too deeply"),
    ],
    ids=describe_parameter,
)
async def test_a_body_that_is_not_json_is_named_in_the_error(
    harness: Harness, effect: Effect, words: str
) -> None:
    harness.fault(effect)
    with pytest.raises(DecodeError, match=words):
        await harness.client().companies.all()


@pytest.mark.parametrize("status", [200, 503], ids=str)
async def test_a_gzip_bomb_is_not_decompressed_beyond_the_limit(
    harness: Harness, status: int
) -> None:
    size = 256 * MEBIBYTE
    harness.fault(GzipBomb(size=size, status=status))
    nectar = harness.client(max_body_bytes=MEBIBYTE, retry=RetryPolicy(attempts=1))
    await catch_error(
        nectar.companies.all
    )  # so that the sandbox has compressed it before the measurement
    tracemalloc.start()
    try:
        error = await catch_error(nectar.companies.all)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, BodyTooLargeError if status == 200 else MaintenanceError)
    assert peak < 4 * MEBIBYTE
    assert 0 < nectar.statistics().bytes_received < MEBIBYTE


async def test_an_endless_body_is_not_read_beyond_the_limit(
    harness: Harness,
) -> None:
    harness.fault(Endless())
    nectar = harness.client(max_body_bytes=MEBIBYTE)
    tracemalloc.start()
    try:
        error = await catch_error(nectar.companies.all)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, BodyTooLargeError)
    assert peak < 4 * MEBIBYTE


@pytest.mark.parametrize("read", [walk_usage, read_repository], ids=describe_parameter)
@pytest.mark.parametrize("text", ["1e999", "-1E+999999999", "1e-999999999"])
async def test_a_number_too_large_for_a_float_is_exact(
    harness: Harness, text: str, read: Read
) -> None:
    harness.fault(SetValue(key="usage", json=text))
    records = await read(harness.client(), harness.company_id)
    assert {record.usage for record in records} == {Decimal(text)}
    assert [record.id for record in records] == harness.usage_ids


@pytest.mark.parametrize("read", [walk_usage, read_repository], ids=describe_parameter)
async def test_a_number_too_large_for_a_decimal_is_kept_as_text(
    harness: Harness, read: Read
) -> None:
    number = "1e9999999999999999999"
    harness.fault(SetValue(key="usage", json=number))
    records = await read(harness.client(), harness.company_id)
    assert {(record.usage, record.extra["usage"]) for record in records} == {
        (None, number)
    }
    assert [record.id for record in records] == harness.usage_ids


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
async def test_the_last_of_repeated_keys_counts(harness: Harness, read: Read) -> None:
    plain = await read(harness.client(), harness.company_id)
    harness.fault(RepeatKeys())
    assert await read(harness.client(), harness.company_id) == plain


@pytest.mark.parametrize("read", [walk_usage, prefetch_usage], ids=describe_parameter)
@pytest.mark.parametrize("key", ["usage", "site", "totalUsageData"])
async def test_a_deeply_nested_value_costs_no_record(
    harness: Harness, key: str, read: Read
) -> None:
    harness.fault(Nest(depth=10_000, key=key), operation=USAGE)
    records = await read(harness.client(), harness.company_id)
    assert [record.id for record in records] == harness.usage_ids
