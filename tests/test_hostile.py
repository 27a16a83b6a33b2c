"""Hostile and broken answers: each ends in a named error or in the right result.

Always over real HTTP, in bounded time and memory, and with nothing left behind: that
last part is the fixture's, after each test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from house import (
    Ask,
    House,
    a_walk,
    everything,
    name_of,
    one_company,
    one_list,
    open_house,
)

from nectar_async import (
    BodyCorruptError,
    BodyTooLargeError,
    ConnectionFailedError,
    DecodeError,
    MaintenanceError,
    NectarError,
    RateLimitedError,
    RedirectedError,
    RetryPolicy,
    ServerError,
    ServerTimeoutError,
    VirtualClock,
)
from nectar_async.errors import AttemptTimeoutError
from nectar_async.sandbox import (
    Answer,
    CutGzip,
    Disconnect,
    Drip,
    DropBody,
    Effect,
    Empty,
    Endless,
    Garble,
    GzipBomb,
    Html,
    Nest,
    Reset,
    SendAway,
    Stall,
    StallBody,
    WrongLength,
)

pytestmark = pytest.mark.asyncio

USAGE = "usage_list_by_company"
PAGES = 4
SOON = 0.3
"""Seconds for an attempt, where an answer stalls: an honest one takes far less."""
LONG = 3_600.0
MEBIBYTE = 1024 * 1024


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


# What it is, and the error that it ends in when it never ends.
TROUBLE: list[tuple[Effect, type[NectarError]]] = [
    (Disconnect(), ConnectionFailedError),
    (Reset(), ConnectionFailedError),
    (Reset(share=0.5), ConnectionFailedError),
    (DropBody(), ConnectionFailedError),
    (WrongLength(by=10), ConnectionFailedError),
    (Answer(status=429), RateLimitedError),
    (Answer(status=429, retry_after="7"), RateLimitedError),
    (
        Answer(status=429, retry_after="Thu, 01 Jan 2026 00:00:30 GMT"),
        RateLimitedError,
    ),
    (Answer(status=500), ServerError),
    (Html(status=502), ServerTimeoutError),
    (Html(status=503), MaintenanceError),
    (Html(status=504), ServerTimeoutError),
    (GzipBomb(size=32 * MEBIBYTE, status=503), MaintenanceError),
]
SILENCE: list[Effect] = [
    Stall(LONG),
    StallBody(LONG),
    Drip(size=1, seconds=0.01),
]
# What is asked for once: nothing says that it would be better the next time.
NONSENSE: list[tuple[Effect, type[NectarError]]] = [
    (Html(), DecodeError),
    (Empty(), DecodeError),
    (Garble(), DecodeError),
    (Nest(), DecodeError),
    (SendAway(), RedirectedError),
    (SendAway(status=301), RedirectedError),
    (GzipBomb(size=128 * MEBIBYTE), BodyTooLargeError),
    (Endless(), BodyTooLargeError),
    (Answer(status=429, retry_after="9" * 400), RateLimitedError),
    (
        Answer(status=429, retry_after="Fri, 31 Dec 9999 23:59:59 GMT"),
        RateLimitedError,
    ),
]


@pytest.mark.parametrize(
    "effect", [CutGzip(), *(one for one, _ in TROUBLE)], ids=name_of
)
async def test_what_passes_costs_one_repeat_and_no_record(
    house: House, effect: Effect
) -> None:
    house.fault(effect, operation=USAGE, page=2, times=1)
    nectar = house.client()
    records = await a_walk(nectar, house.company_id)
    assert [one.id for one in records] == house.usage_ids
    assert house.sandbox.witness.requests == PAGES + 1


@pytest.mark.parametrize("effect", SILENCE, ids=name_of)
async def test_silence_is_waited_for_once_and_then_asked_again(
    house: House, effect: Effect
) -> None:
    house.fault(effect, operation=USAGE, page=2, times=1)
    nectar = house.client(attempt_timeout=SOON)
    records = await a_walk(nectar, house.company_id)
    assert [one.id for one in records] == house.usage_ids
    assert nectar.statistics().retries >= 1


@pytest.mark.parametrize("ask", [one_company, everything], ids=name_of)
@pytest.mark.parametrize(("effect", "error"), TROUBLE, ids=name_of)
async def test_what_does_not_pass_is_given_up_after_the_attempts_allowed(
    house: House, effect: Effect, error: type[NectarError], ask: Ask
) -> None:
    house.fault(effect)
    nectar = house.client(retry=RetryPolicy(attempts=2))
    with pytest.raises(error) as caught:
        await ask(nectar, house.company_id)
    assert caught.value.attempts == 2
    assert house.sandbox.witness.requests == 2


async def test_a_packing_that_is_always_cut_is_given_up(house: House) -> None:
    house.fault(CutGzip())
    error = await raised(house.client().companies.all)
    assert isinstance(error, BodyCorruptError)
    assert house.sandbox.witness.requests <= RetryPolicy().attempts


@pytest.mark.parametrize("effect", SILENCE, ids=name_of)
async def test_silence_for_ever_is_bounded(house: House, effect: Effect) -> None:
    house.fault(effect)
    nectar = house.client(attempt_timeout=0.05, retry=RetryPolicy(attempts=2))
    with pytest.raises(AttemptTimeoutError) as caught:
        await a_walk(nectar, house.company_id)
    assert caught.value.attempts == 2


@pytest.mark.parametrize("ask", [one_list, a_walk], ids=name_of)
@pytest.mark.parametrize(("effect", "error"), NONSENSE, ids=name_of)
async def test_nonsense_is_an_error_at_once(
    house: House, effect: Effect, error: type[NectarError], ask: Ask
) -> None:
    house.fault(effect)
    nectar = house.client(max_body_bytes=MEBIBYTE)
    with pytest.raises(error) as caught:
        await ask(nectar, house.company_id)
    assert type(caught.value) is error
    await house.assert_nothing_is_left()
    assert house.sandbox.witness.requests == caught.value.attempts == 1
    assert len(str(caught.value)) < 1_000


async def raised(ask: Callable[[], Awaitable[object]]) -> NectarError:
    with pytest.raises(NectarError) as caught:
        await ask()
    return caught.value


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [
        (None, [0.5]),
        ("7", [7.0]),
        ("0", [0.0]),
        ("-3", [0.0]),
        ("Thu, 01 Jan 2026 00:00:30 GMT", [30.0]),
        ("Thu, 01 Jan 1970 00:00:00 GMT", [0.0]),
        ("soon", [0.5]),
        ("1e99", [0.5]),
        ("", [0.5]),
    ],
    ids=str,
)
async def test_a_server_that_is_too_busy_is_given_the_time_it_asks_for(
    house: House, retry_after: str | None, waits: list[float]
) -> None:
    # The sandbox lives in another time than the client, whose clock is the one asked.
    told = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    busy = Answer(status=429, retry_after=retry_after, headers=told)
    house.fault(busy, times=1)
    clock = VirtualClock()
    await house.client(clock=clock).ping()
    assert clock.sleeps == pytest.approx(waits)


async def test_a_server_that_asks_for_a_year_gets_an_error_that_says_so(
    house: House,
) -> None:
    house.fault(Answer(status=429, retry_after=str(365 * 86_400)))
    clock = VirtualClock()
    with pytest.raises(RateLimitedError) as caught:
        await house.client(clock=clock).ping()
    assert caught.value.retry_after == 365 * 86_400
    assert clock.sleeps == []
