"""Hostile and broken answers: each ends in a named error or in the right result.

Always over real HTTP, in bounded time and memory, and with nothing left behind: that
last part is the fixture's, after each test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from harness import (
    Harness,
    Read,
    describe_parameter,
    get_company,
    list_companies,
    open_harness,
    read_repository,
    walk_usage,
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
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


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
    "effect", [CutGzip(), *(one for one, _ in TROUBLE)], ids=describe_parameter
)
async def test_what_passes_costs_one_repeat_and_no_record(
    harness: Harness, effect: Effect
) -> None:
    harness.fault(effect, operation=USAGE, page=2, times=1)
    nectar = harness.client()
    records = await walk_usage(nectar, harness.company_id)
    assert [one.id for one in records] == harness.usage_ids
    assert harness.sandbox.witness.requests == PAGES + 1


@pytest.mark.parametrize("effect", SILENCE, ids=describe_parameter)
async def test_silence_is_waited_for_once_and_then_asked_again(
    harness: Harness, effect: Effect
) -> None:
    harness.fault(effect, operation=USAGE, page=2, times=1)
    nectar = harness.client(attempt_timeout=SOON)
    records = await walk_usage(nectar, harness.company_id)
    assert [one.id for one in records] == harness.usage_ids
    assert nectar.statistics().retries >= 1


@pytest.mark.parametrize("ask", [get_company, read_repository], ids=describe_parameter)
@pytest.mark.parametrize(("effect", "error"), TROUBLE, ids=describe_parameter)
async def test_what_does_not_pass_is_given_up_after_the_attempts_allowed(
    harness: Harness, effect: Effect, error: type[NectarError], ask: Read
) -> None:
    harness.fault(effect)
    nectar = harness.client(retry=RetryPolicy(attempts=2))
    with pytest.raises(error) as caught:
        await ask(nectar, harness.company_id)
    assert caught.value.attempts == 2
    assert harness.sandbox.witness.requests == 2


async def test_a_packing_that_is_always_cut_is_given_up(harness: Harness) -> None:
    harness.fault(CutGzip())
    error = await raised(harness.client().companies.all)
    assert isinstance(error, BodyCorruptError)
    assert harness.sandbox.witness.requests <= RetryPolicy().attempts


@pytest.mark.parametrize("effect", SILENCE, ids=describe_parameter)
async def test_silence_for_ever_is_bounded(harness: Harness, effect: Effect) -> None:
    harness.fault(effect)
    nectar = harness.client(attempt_timeout=0.05, retry=RetryPolicy(attempts=2))
    with pytest.raises(AttemptTimeoutError) as caught:
        await walk_usage(nectar, harness.company_id)
    assert caught.value.attempts == 2


@pytest.mark.parametrize("ask", [list_companies, walk_usage], ids=describe_parameter)
@pytest.mark.parametrize(("effect", "error"), NONSENSE, ids=describe_parameter)
async def test_nonsense_is_an_error_at_once(
    harness: Harness, effect: Effect, error: type[NectarError], ask: Read
) -> None:
    harness.fault(effect)
    nectar = harness.client(max_body_bytes=MEBIBYTE)
    with pytest.raises(error) as caught:
        await ask(nectar, harness.company_id)
    assert type(caught.value) is error
    await harness.assert_nothing_is_left()
    assert harness.sandbox.witness.requests == caught.value.attempts == 1
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
    harness: Harness, retry_after: str | None, waits: list[float]
) -> None:
    # The sandbox lives in another time than the client, whose clock is the one asked.
    told = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    busy = Answer(status=429, retry_after=retry_after, headers=told)
    harness.fault(busy, times=1)
    clock = VirtualClock()
    await harness.client(clock=clock).ping()
    assert clock.sleeps == pytest.approx(waits)


async def test_a_server_that_asks_for_a_year_gets_an_error_that_says_so(
    harness: Harness,
) -> None:
    harness.fault(Answer(status=429, retry_after=str(365 * 86_400)))
    clock = VirtualClock()
    with pytest.raises(RateLimitedError) as caught:
        await harness.client(clock=clock).ping()
    assert caught.value.retry_after == 365 * 86_400
    assert clock.sleeps == []
