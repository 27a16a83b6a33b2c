"""Faults in a replay, and what the client does about them, in virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from doubles import USAGE, MakeClient, settle_down
from faulty_replay import ACME, DAYS, POST, ROWS, ReplayClient, record

from nectar_async import RetryPolicy, SystemClock, VirtualClock
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyTooLargeError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    DecodeError,
    MaintenanceError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectedError,
    ServerError,
    ServerTimeoutError,
    UnmatchedRequestError,
)
from nectar_async.faults import (
    Answer,
    CutGzip,
    Disconnect,
    Drip,
    DropBody,
    Effect,
    Empty,
    FaultLike,
    Html,
    Refuse,
    Stall,
    StallBody,
)
from nectar_async.recording import Overlay
from nectar_async.sandbox import Crowd
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)
CLASS: Any = Refuse
START = datetime(2026, 1, 1, tzinfo=UTC)

Replay = Callable[..., ReplayClient]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings") / "acme"
    record(folder)
    return folder


@pytest.fixture
def replay(make_client: MakeClient, path: Path) -> Replay:
    """Build a client that replays the recording with overlays and settings."""

    def replay(*overlays: FaultLike, **settings: Any) -> ReplayClient:
        return ReplayClient(make_client, path, *overlays, **settings)

    return replay


async def test_a_replay_without_overlays_takes_no_time(
    replay: Replay,
) -> None:
    client = replay()
    assert await client.read_ids() == ROWS
    assert (client.pages, client.clock.sleeps) == ([1, 2, 3, 4], [])


# Answers.


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        pytest.param(None, 0.5, id="absent"),
        pytest.param(7, 7.0, id="seconds"),
        pytest.param(1.5, 1.5, id="part-of-a-second"),
        pytest.param("8", 8.0, id="text"),
        pytest.param("in 9 seconds", 9.0, id="date-from-now"),
        pytest.param(START.replace(minute=1), 60.0, id="date"),
        pytest.param(START.replace(year=2025), 0.0, id="date-that-is-past"),
        pytest.param("soon", 0.5, id="garbage"),
    ],
)
async def test_the_client_waits_as_long_as_retry_after_says(
    replay: Replay, retry_after: Any, wait: float
) -> None:
    client = replay(Overlay(Answer(429, retry_after=retry_after), page=1, times=1))
    assert await client.read_ids() == ROWS
    assert client.clock.sleeps == [wait]
    assert client.pages == [1, 1, 2, 3, 4]


async def test_a_relative_date_is_based_on_the_date_of_the_response(
    replay: Replay,
) -> None:
    client = replay(Answer(429, retry_after="in 90 seconds"), retry=ONCE)
    client.clock.advance(0.25)
    with pytest.raises(RateLimitedError) as caught:
        await client.read_ids()
    assert caught.value.retry_after == 90


async def test_ten_minutes_of_waits_pass_at_once(replay: Replay) -> None:
    patient = RetryPolicy(attempts=7)
    client = replay(
        Overlay(Answer(429, retry_after=100), page=3, times=6), retry=patient
    )
    began = time.monotonic()
    assert await client.read_ids() == ROWS
    assert client.clock.sleeps == [100.0] * 6
    assert client.clock.monotonic() == 600
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NotFoundError), (500, ServerError), (503, MaintenanceError)],
    ids=["not-found", "server-error", "maintenance"],
)
async def test_a_status_raises_its_error(
    replay: Replay, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"Scripted answer {status}"):
        await replay(Answer(status), retry=ONCE).read_ids()


async def test_a_request_is_repeated_until_the_server_recovers(replay: Replay) -> None:
    client = replay(Overlay(Answer(504), page=2, times=2))
    assert await client.read_ids() == ROWS
    assert client.clock.sleeps == [0.5, 1.0]


async def test_a_date_range_that_times_out_is_split_in_two(replay: Replay) -> None:
    client = replay(Overlay(Html(502), operation=USAGE, times=2))
    assert await client.read_ids(**DAYS) == ROWS
    asked = [dict(request.query) for request in client.transport.witness.requests]
    assert [(request["startDate"], request["endDate"]) for request in asked] == [
        *[("2026-01-01", "2026-01-04")] * 2,
        *[("2026-01-01", "2026-01-02")] * 4,
        *[("2026-01-03", "2026-01-04")] * 4,
    ]
    assert client.clock.sleeps == [0.5]


async def test_an_answer_has_the_given_headers_and_body(replay: Replay) -> None:
    body = b'{"id": "site-9"}'
    client = replay(Answer(201, headers={"x-request-id": "r-1"}, body=body))
    assert await client.nectar.send(POST) == {"id": "site-9"}


@pytest.mark.parametrize(
    ("effect", "words"),
    [(Html(), "got HTML or XML"), (Empty(), "got an empty body")],
    ids=["html", "empty"],
)
async def test_a_success_without_json_is_not_repeated(
    replay: Replay, effect: Effect, words: str
) -> None:
    client = replay(Overlay(effect, page=2))
    with pytest.raises(DecodeError, match=words) as caught:
        await client.read_ids()
    assert caught.value.page == 2
    assert client.clock.sleeps == []


# Delivery.


@pytest.mark.parametrize(
    "effect", [Refuse(), Disconnect(), DropBody(), CutGzip()], ids=repr
)
async def test_a_broken_read_is_repeated(replay: Replay, effect: Effect) -> None:
    client = replay(Overlay(effect, page=2, times=2))
    assert await client.read_ids() == ROWS
    assert client.clock.sleeps == [0.5, 1.0]
    assert client.pages == [1, 2, 2, 2, 3, 4]


async def test_a_write_that_was_not_sent_is_repeated(replay: Replay) -> None:
    client = replay(Overlay(Refuse(), times=1))
    assert (await client.nectar.send(POST))["id"] == "site-1"
    assert client.request_count == 2


@pytest.mark.parametrize("effect", [Disconnect(), DropBody(), StallBody()], ids=repr)
async def test_a_write_that_may_have_been_done_is_not_repeated(
    replay: Replay, effect: Effect
) -> None:
    client = replay(Overlay(effect, times=1))
    with pytest.raises((ConnectionFailedError, AttemptTimeoutError)) as caught:
        await client.nectar.send(POST)
    assert caught.value.is_sent
    assert (client.request_count, client.clock.sleeps) == (1, [])


async def test_an_answer_that_a_fault_withheld_can_be_requested_again(
    replay: Replay,
) -> None:
    client = replay(Overlay(DropBody(), times=1))
    with pytest.raises(ConnectionFailedError):
        await client.nectar.send(POST)
    assert (await client.nectar.send(POST))["id"] == "site-1"
    with pytest.raises(UnmatchedRequestError):
        await client.nectar.send(POST)


# Stalls.


async def test_an_endless_body_ends_with_the_attempt_timeout(
    replay: Replay,
) -> None:
    client = replay(Overlay(StallBody(), page=2, times=2))
    assert await client.read_ids() == ROWS
    assert client.clock.sleeps == [0.5, 1.0]
    assert client.clock.monotonic() == 30 + 0.5 + 30 + 1


async def test_a_server_that_always_stalls_raises_a_timeout(replay: Replay) -> None:
    client = replay(StallBody())
    began = time.monotonic()
    with pytest.raises(AttemptTimeoutError, match="no answer within 30 s") as caught:
        await client.read_ids()
    assert (caught.value.attempts, caught.value.elapsed) == (4, 123.5)
    assert client.clock.sleeps == [0.5, 1.0, 2.0]
    assert time.monotonic() - began < 10


async def test_stalls_at_the_same_time_take_the_time_of_one(replay: Replay) -> None:
    client = replay(Overlay(StallBody(), operation=USAGE, skip=1, times=2))
    assert await client.read_ids() == ROWS
    # Pages 2 and 3 stall at the same time, and are repeated at the same time.
    assert client.clock.sleeps == [0.5, 0.5]
    assert client.clock.monotonic() == 30.5


async def test_a_stall_does_not_time_out_other_requests(
    replay: Replay,
) -> None:
    client = replay(Overlay(StallBody(), page=2, times=1), retry=ONCE)
    with pytest.raises(AttemptTimeoutError) as caught:
        await client.read_ids()
    assert caught.value.page == 2
    assert not hasattr(caught.value, "__notes__")  # page 3 came


async def test_the_deadline_ends_a_stall(replay: Replay) -> None:
    client = replay(StallBody(), attempt_timeout=None, deadline=45)
    with pytest.raises(DeadlineExceededError, match=r"45\.0 s in 1 attempt") as caught:
        await client.read_ids()
    assert (caught.value.network_seconds, caught.value.elapsed) == (45, 45)


async def test_the_deadline_includes_attempts_and_back_off(replay: Replay) -> None:
    client = replay(StallBody(), attempt_timeout=10, deadline=20)
    with pytest.raises(DeadlineExceededError) as caught:
        await client.read_ids()
    assert caught.value.network_seconds == 19.5
    assert caught.value.backoff_seconds == 0.5
    assert client.clock.monotonic() == 20


async def test_the_deadline_ends_a_wait_in_the_queue(replay: Replay) -> None:
    client = replay(StallBody(100), max_concurrency=1, attempt_timeout=None)
    hurried = client.nectar.with_settings(deadline=40)
    async with anyio.create_task_group() as group:
        group.start_soon(client.nectar.companies.all)
        await settle_down(9)
        with pytest.raises(DeadlineExceededError) as caught:
            await hurried.send(POST)
    assert (caught.value.queue_seconds, caught.value.network_seconds) == (40, 0)
    assert client.clock.monotonic() == 100


async def test_a_stall_without_any_bound_is_refused(replay: Replay) -> None:
    client = replay(StallBody(), attempt_timeout=None)
    with pytest.raises(ConfigurationError, match="set attempt_timeout or deadline"):
        await client.read_ids()


async def test_a_late_answer_is_not_counted_as_a_wait_of_the_client(
    replay: Replay,
) -> None:
    client = replay(Overlay(Stall(29.5), page=1))
    assert await client.read_ids() == ROWS
    assert (client.clock.sleeps, client.clock.monotonic()) == ([], 29.5)


async def test_a_slow_body_takes_the_time_of_all_its_pieces(replay: Replay) -> None:
    quick, slow = Drip(size=100, seconds=1), Drip(size=1, seconds=1)
    client = replay(Overlay(quick, page=1))
    assert await client.read_ids() == ROWS
    assert 0 < client.clock.monotonic() < 5
    client = replay(Overlay(slow, page=1, times=1))
    assert await client.read_ids() == ROWS
    assert client.clock.monotonic() == 30.5


async def test_a_stall_in_real_time_ends_with_the_attempt_timeout(
    make_client: MakeClient, path: Path
) -> None:
    transport = RecordedTransport(path, overlays=[Overlay(StallBody(), times=1)])
    nectar = make_client(
        transport, clock=SystemClock(), attempt_timeout=0.05, retry=ONCE
    )
    with pytest.raises(AttemptTimeoutError):
        await nectar.companies.all()
    assert await make_client(RecordedTransport(path)).companies.all()


async def test_a_late_answer_is_late_in_real_time(
    make_client: MakeClient, path: Path
) -> None:
    nectar = make_client(RecordedTransport(path, overlays=[Stall(0.01)]))
    began = time.monotonic()
    assert await nectar.companies.all()
    assert time.monotonic() - began >= 0.01


# Conditions.


async def test_an_overlay_hits_requests_that_meet_all_conditions(
    make_client: MakeClient, path: Path
) -> None:
    clock = VirtualClock()
    late = Overlay(Stall(1), operation=USAGE, page=3, skip=1, times=2)
    transport = RecordedTransport(path, overlays=[late], repeat="last")
    nectar = make_client(transport, clock=clock)
    times = []
    for _ in range(4):
        await nectar.companies.all()
        assert [record.id async for record in nectar.usage.by_company(ACME)] == ROWS
        times.append(clock.monotonic())
    assert times == [0, 1, 2, 2]


async def test_the_first_overlay_is_applied_first(replay: Replay) -> None:
    client = replay(Overlay(Refuse(), page=1, times=1), Stall(2), retry=ONCE)
    with pytest.raises(ConnectionFailedError):
        await client.read_ids()
    assert client.clock.monotonic() == 0
    client = replay(Stall(2), Overlay(Refuse(), page=1, times=1), retry=ONCE)
    with pytest.raises(ConnectionFailedError):
        await client.read_ids()
    assert client.clock.monotonic() == 2


def test_a_value_that_is_no_overlay_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a fault is written as"):
        RecordedTransport("nowhere", overlays=[CLASS])
    with pytest.raises(
        ConfigurationError, match=r"overlays must be a list: write .*\["
    ):
        RecordedTransport("nowhere", overlays="refuse")


async def test_a_replaying_recorder_applies_overlays(
    make_client: MakeClient, path: Path
) -> None:
    clock = VirtualClock()
    recorder = Recorder(path, overlays=["answer status=429 retry-after=4 times=1"])
    nectar = make_client({}, recorder=recorder, clock=clock)
    assert [company.id for company in await nectar.companies.all()] == [ACME]
    assert clock.sleeps == [4.0]


async def test_a_request_that_a_fault_answered_counts_as_used(replay: Replay) -> None:
    client = replay(Overlay(Answer(404), operation=POST.operation))
    with pytest.raises(NotFoundError):
        await client.nectar.send(POST)
    assert client.transport.unused
    assert not [
        exchange for exchange in client.transport.unused if "sites_create" in exchange
    ]


# Effects that do not depend on a recording.


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("send-away", RedirectedError),
        ("expire-link", PermissionDeniedError),
        ("gzip-bomb size=80000000", BodyTooLargeError),
        ("set-value key=usageData json=7", DecodeError),
        ("nest", DecodeError),
        ("run-out-of-time above=7", ServerTimeoutError),
        ("stand-still", PaginationError),
        ("promise-more", PaginationError),
        ("refuse probability=1", ConnectionFailedError),
        ("refuse company=acme", ConnectionFailedError),
    ],
)
async def test_an_effect_of_the_sandbox_fails_a_replay_as_well(
    replay: Replay, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await replay(text, retry=ONCE).read_ids()


async def test_a_replay_loses_one_value_to_bytes_that_are_no_text(
    replay: Replay,
) -> None:
    ids = await replay("garble page=1").read_ids()
    assert len(ids) == len(ROWS)
    assert [some_id for some_id in ids if some_id not in ROWS] == ["\ufffd(" + ROWS[0]]


@pytest.mark.parametrize(
    "text", ["repeat-keys", "set-header name=x value=y", "refuse company=other"]
)
async def test_an_effect_of_the_sandbox_leaves_a_replay_whole(
    replay: Replay, text: str
) -> None:
    assert await replay(text).read_ids() == ROWS


async def test_a_list_that_ran_out_of_time_can_be_requested_again(
    replay: Replay,
) -> None:
    client = replay("run-out-of-time above=7 times=1")
    assert await client.read_ids() == ROWS
    assert client.clock.sleeps == [0.5]


async def test_an_effect_of_a_server_says_that_it_needs_one(replay: Replay) -> None:
    with pytest.raises(ConfigurationError, match="Crowd works in a sandbox only"):
        await replay(Crowd(limit=1)).read_ids()
