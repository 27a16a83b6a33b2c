"""Broken and hostile answers end in a specific error or in the right result.

The tests run over real HTTP, in limited time and memory. After each test the fixture
checks that no task, permit or connection remains.
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
ATTEMPT_TIMEOUT = 0.3
"""Seconds for an attempt whose answer stalls; a normal answer is much faster."""
HOUR = 3_600.0
MEBIBYTE = 1024 * 1024


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


# Retryable effects, and the error of an effect that never ends.
RETRYABLE: list[tuple[Effect, type[NectarError]]] = [
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
STALLS: list[Effect] = [
    Stall(HOUR),
    StallBody(HOUR),
    Drip(size=1, seconds=0.01),
]
# Effects that are not retried, and their errors.
NOT_RETRYABLE: list[tuple[Effect, type[NectarError]]] = [
    (Html(), DecodeError),
    (Empty(), DecodeError),
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
    "effect", [CutGzip(), *(effect for effect, _ in RETRYABLE)], ids=describe_parameter
)
async def test_a_retryable_failure_costs_one_request_and_no_record(
    harness: Harness, effect: Effect
) -> None:
    harness.fault(effect, operation=USAGE, page=2, times=1)
    nectar = harness.client()
    records = await walk_usage(nectar, harness.company_id)
    assert [record.id for record in records] == harness.usage_ids
    assert harness.sandbox.witness.requests == PAGES + 1


@pytest.mark.parametrize("effect", STALLS, ids=describe_parameter)
async def test_a_stalled_answer_is_retried_after_the_attempt_timeout(
    harness: Harness, effect: Effect
) -> None:
    harness.fault(effect, operation=USAGE, page=2, times=1)
    nectar = harness.client(attempt_timeout=ATTEMPT_TIMEOUT)
    records = await walk_usage(nectar, harness.company_id)
    assert [record.id for record in records] == harness.usage_ids
    assert nectar.statistics().retries >= 1


@pytest.mark.parametrize("read", [get_company, read_repository], ids=describe_parameter)
@pytest.mark.parametrize(("effect", "error"), RETRYABLE, ids=describe_parameter)
async def test_a_lasting_failure_is_an_error_after_the_allowed_attempts(
    harness: Harness, effect: Effect, error: type[NectarError], read: Read
) -> None:
    harness.fault(effect)
    nectar = harness.client(retry=RetryPolicy(attempts=2))
    with pytest.raises(error) as caught:
        await read(nectar, harness.company_id)
    assert caught.value.attempts == 2
    assert harness.sandbox.witness.requests == 2


async def test_a_gzip_body_that_is_always_cut_is_an_error(harness: Harness) -> None:
    harness.fault(CutGzip())
    error = await catch_error(harness.client().companies.all)
    assert isinstance(error, BodyCorruptError)
    assert harness.sandbox.witness.requests <= RetryPolicy().attempts


@pytest.mark.parametrize("effect", STALLS, ids=describe_parameter)
async def test_answers_that_always_stall_are_an_error(
    harness: Harness, effect: Effect
) -> None:
    harness.fault(effect)
    nectar = harness.client(attempt_timeout=0.05, retry=RetryPolicy(attempts=2))
    with pytest.raises(AttemptTimeoutError) as caught:
        await walk_usage(nectar, harness.company_id)
    assert caught.value.attempts == 2


@pytest.mark.parametrize("read", [list_companies, walk_usage], ids=describe_parameter)
@pytest.mark.parametrize(("effect", "error"), NOT_RETRYABLE, ids=describe_parameter)
async def test_a_wrong_answer_is_an_error_without_a_retry(
    harness: Harness, effect: Effect, error: type[NectarError], read: Read
) -> None:
    harness.fault(effect)
    nectar = harness.client(max_body_bytes=MEBIBYTE)
    with pytest.raises(error) as caught:
        await read(nectar, harness.company_id)
    assert type(caught.value) is error
    await harness.assert_nothing_is_left()
    assert harness.sandbox.witness.requests == caught.value.attempts == 1
    assert len(str(caught.value)) < 1_000


async def test_bytes_that_are_no_text_cost_one_value(harness: Harness) -> None:
    harness.fault(Garble())
    nectar = harness.client()
    pager = nectar.usage.by_company(harness.company_id)
    records = [record async for record in pager]
    receipt = pager.receipt
    assert len(records) == len(harness.usage_ids)
    assert receipt.unreadable == receipt.losses == receipt.pages
    assert receipt.verdict == "complete"
    assert len(await nectar.companies.all()) == len(harness.sandbox.portfolio)


async def catch_error(call: Callable[[], Awaitable[object]]) -> NectarError:
    with pytest.raises(NectarError) as caught:
        await call()
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
async def test_retry_after_sets_the_wait(
    harness: Harness, retry_after: str | None, waits: list[float]
) -> None:
    # A date is compared with the Date header, because the clocks differ.
    headers = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    busy = Answer(status=429, retry_after=retry_after, headers=headers)
    harness.fault(busy, times=1)
    clock = VirtualClock()
    await harness.client(clock=clock).ping()
    assert clock.sleeps == pytest.approx(waits)


async def test_a_retry_after_of_a_year_is_an_error(
    harness: Harness,
) -> None:
    harness.fault(Answer(status=429, retry_after=str(365 * 86_400)))
    clock = VirtualClock()
    with pytest.raises(RateLimitedError) as caught:
        await harness.client(clock=clock).ping()
    assert caught.value.retry_after == 365 * 86_400
    assert clock.sleeps == []
