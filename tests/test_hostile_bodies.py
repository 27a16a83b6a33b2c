"""Bodies that blow up, or that a parser chokes on."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest
import pytest_asyncio
from house import (
    WALKS,
    Ask,
    House,
    a_prefetch,
    a_walk,
    everything,
    name_of,
    open_house,
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
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


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
    ids=name_of,
)
async def test_a_body_that_is_none_says_what_it_is_instead(
    house: House, effect: Effect, words: str
) -> None:
    house.fault(effect)
    with pytest.raises(DecodeError, match=words):
        await house.client().companies.all()


@pytest.mark.parametrize("status", [200, 503], ids=str)
async def test_a_bomb_is_not_unpacked_beyond_the_bound(
    house: House, status: int
) -> None:
    size = 256 * MEBIBYTE
    house.fault(GzipBomb(size=size, status=status))
    nectar = house.client(max_body_bytes=MEBIBYTE, retry=RetryPolicy(attempts=1))
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


async def test_a_body_without_end_is_not_read_beyond_the_bound(house: House) -> None:
    house.fault(Endless())
    nectar = house.client(max_body_bytes=MEBIBYTE)
    tracemalloc.start()
    try:
        error = await raised(nectar.companies.all)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, BodyTooLargeError)
    assert peak < 4 * MEBIBYTE


@pytest.mark.parametrize("ask", [a_walk, everything], ids=name_of)
@pytest.mark.parametrize("text", ["1e999", "-1E+999999999", "1e-999999999"])
async def test_a_number_beyond_every_float_is_the_number_that_it_is(
    house: House, text: str, ask: Ask
) -> None:
    house.fault(SetValue(key="usage", json=text))
    records = await ask(house.client(), house.company_id)
    assert {one.usage for one in records} == {Decimal(text)}
    assert [one.id for one in records] == house.usage_ids


@pytest.mark.parametrize("ask", [a_walk, everything], ids=name_of)
async def test_a_number_beyond_every_decimal_is_an_error(
    house: House, ask: Ask
) -> None:
    house.fault(SetValue(key="usage", json="1e9999999999999999999"))
    with pytest.raises(DecodeError, match="beyond all bounds"):
        await ask(house.client(), house.company_id)


@pytest.mark.parametrize("ask", WALKS, ids=name_of)
async def test_keys_that_come_twice_are_read_as_most_readers_do(
    house: House, ask: Ask
) -> None:
    plain = await ask(house.client(), house.company_id)
    house.fault(RepeatKeys())
    assert await ask(house.client(), house.company_id) == plain


@pytest.mark.parametrize("ask", [a_walk, a_prefetch], ids=name_of)
@pytest.mark.parametrize("key", ["id", "usage", "site", "totalUsageData"])
async def test_a_nest_in_a_record_ends_in_an_error_or_in_the_record(
    house: House, key: str, ask: Ask
) -> None:
    house.fault(Nest(depth=10_000, key=key), operation=USAGE)
    try:
        records = await ask(house.client(), house.company_id)
    except DecodeError as error:
        assert "nested too deeply" in str(error)  # noqa: PT017 - either is right
    else:
        assert len(records) == len(house.usage_ids)
