"""Trouble laid over a recording, and what the client makes of it; it takes no time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from doubles import USAGE, MakeClient, settle_down
from faulty_replay import ACME, DAYS, POST, ROWS, Stage, record

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
from nectar_async.faults import Effect, FaultLike
from nectar_async.recording import Overlay
from nectar_async.recording.effects import (
    Answer,
    CutGzip,
    Disconnect,
    Drip,
    DropBody,
    Empty,
    Html,
    Refuse,
    Stall,
    StallBody,
)
from nectar_async.sandbox import Crowd
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)
CLASS: Any = Refuse
START = datetime(2026, 1, 1, tzinfo=UTC)

Lay = Callable[..., Stage]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings") / "acme"
    record(folder)
    return folder


@pytest.fixture
def lay(make_client: MakeClient, path: Path) -> Lay:
    """A client on the recording with these overlays, and settings."""

    def lay(*overlays: FaultLike, **settings: Any) -> Stage:
        return Stage(make_client, path, *overlays, **settings)

    return lay


async def test_without_overlays_the_recording_is_given_and_no_time_passes(
    lay: Lay,
) -> None:
    stage = lay()
    assert await stage.ids() == ROWS
    assert (stage.pages, stage.clock.sleeps) == ([1, 2, 3, 4], [])


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
async def test_a_rate_limit_is_waited_for_as_it_asks(
    lay: Lay, retry_after: Any, wait: float
) -> None:
    stage = lay(Overlay(Answer(429, retry_after=retry_after), page=1, times=1))
    assert await stage.ids() == ROWS
    assert stage.clock.sleeps == [wait]
    assert stage.pages == [1, 1, 2, 3, 4]


async def test_a_date_from_now_is_of_the_servers_own_clock(lay: Lay) -> None:
    stage = lay(Answer(429, retry_after="in 90 seconds"), retry=ONCE)
    stage.clock.advance(0.25)
    with pytest.raises(RateLimitedError) as caught:
        await stage.ids()
    assert caught.value.retry_after == 90


async def test_ten_minutes_of_waiting_take_no_time(lay: Lay) -> None:
    patient = RetryPolicy(attempts=7)
    stage = lay(Overlay(Answer(429, retry_after=100), page=3, times=6), retry=patient)
    began = time.monotonic()
    assert await stage.ids() == ROWS
    assert stage.clock.sleeps == [100.0] * 6
    assert stage.clock.monotonic() == 600
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NotFoundError), (500, ServerError), (503, MaintenanceError)],
    ids=["not-found", "server-error", "maintenance"],
)
async def test_a_status_is_the_error_that_it_always_is(
    lay: Lay, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"Scripted answer {status}"):
        await lay(Answer(status), retry=ONCE).ids()


async def test_a_server_that_recovers_is_asked_until_it_does(lay: Lay) -> None:
    stage = lay(Overlay(Answer(504), page=2, times=2))
    assert await stage.ids() == ROWS
    assert stage.clock.sleeps == [0.5, 1.0]


async def test_a_window_that_takes_too_long_is_walked_in_halves(lay: Lay) -> None:
    stage = lay(Overlay(Html(502), operation=USAGE, times=2))
    assert await stage.ids(**DAYS) == ROWS
    asked = [dict(one.query) for one in stage.transport.witness.requests]
    assert [(one["startDate"], one["endDate"]) for one in asked] == [
        *[("2026-01-01", "2026-01-04")] * 2,
        *[("2026-01-01", "2026-01-02")] * 4,
        *[("2026-01-03", "2026-01-04")] * 4,
    ]
    assert stage.clock.sleeps == [0.5]


async def test_an_answer_has_the_headers_and_the_body_that_are_given(lay: Lay) -> None:
    body = b'{"id": "site-9"}'
    stage = lay(Answer(201, headers={"x-request-id": "r-1"}, body=body))
    assert await stage.nectar.send(POST) == {"id": "site-9"}


@pytest.mark.parametrize(
    ("effect", "words"),
    [(Html(), "got HTML or XML"), (Empty(), "got an empty body")],
    ids=["html", "empty"],
)
async def test_a_success_that_is_none_is_not_asked_for_again(
    lay: Lay, effect: Effect, words: str
) -> None:
    stage = lay(Overlay(effect, page=2))
    with pytest.raises(DecodeError, match=words) as caught:
        await stage.ids()
    assert caught.value.page == 2
    assert stage.clock.sleeps == []


# The way of an answer.


@pytest.mark.parametrize(
    "effect", [Refuse(), Disconnect(), DropBody(), CutGzip()], ids=repr
)
async def test_a_read_that_breaks_is_asked_for_again(lay: Lay, effect: Effect) -> None:
    stage = lay(Overlay(effect, page=2, times=2))
    assert await stage.ids() == ROWS
    assert stage.clock.sleeps == [0.5, 1.0]
    assert stage.pages == [1, 2, 2, 2, 3, 4]


async def test_a_write_that_was_never_sent_is_sent_again(lay: Lay) -> None:
    stage = lay(Overlay(Refuse(), times=1))
    assert (await stage.nectar.send(POST))["id"] == "site-1"
    assert stage.asked == 2


@pytest.mark.parametrize("effect", [Disconnect(), DropBody(), StallBody()], ids=repr)
async def test_a_write_that_may_have_happened_is_not(lay: Lay, effect: Effect) -> None:
    stage = lay(Overlay(effect, times=1))
    with pytest.raises((ConnectionFailedError, AttemptTimeoutError)) as caught:
        await stage.nectar.send(POST)
    assert caught.value.is_sent
    assert (stage.asked, stage.clock.sleeps) == (1, [])


async def test_trouble_leaves_the_recorded_answer_for_who_asks_again(lay: Lay) -> None:
    stage = lay(Overlay(DropBody(), times=1))
    with pytest.raises(ConnectionFailedError):
        await stage.nectar.send(POST)
    assert (await stage.nectar.send(POST))["id"] == "site-1"
    with pytest.raises(UnmatchedRequestError):
        await stage.nectar.send(POST)


# Silence.


async def test_a_body_that_never_ends_is_given_up_at_the_attempts_time(
    lay: Lay,
) -> None:
    stage = lay(Overlay(StallBody(), page=2, times=2))
    assert await stage.ids() == ROWS
    assert stage.clock.sleeps == [0.5, 1.0]
    assert stage.clock.monotonic() == 30 + 0.5 + 30 + 1


async def test_a_server_that_only_stalls_is_an_error_in_the_end(lay: Lay) -> None:
    stage = lay(StallBody())
    began = time.monotonic()
    with pytest.raises(AttemptTimeoutError, match="no answer within 30 s") as caught:
        await stage.ids()
    assert (caught.value.attempts, caught.value.elapsed) == (4, 123.5)
    assert stage.clock.sleeps == [0.5, 1.0, 2.0]
    assert time.monotonic() - began < 10


async def test_silence_of_many_at_once_is_one_silence(lay: Lay) -> None:
    stage = lay(Overlay(StallBody(), operation=USAGE, skip=1, times=2))
    assert await stage.ids() == ROWS
    # Pages 2 and 3 are silent side by side, and are asked for again side by side.
    assert stage.clock.sleeps == [0.5, 0.5]
    assert stage.clock.monotonic() == 30.5


async def test_who_is_about_to_be_answered_is_not_timed_out_with_the_silent(
    lay: Lay,
) -> None:
    stage = lay(Overlay(StallBody(), page=2, times=1), retry=ONCE)
    with pytest.raises(AttemptTimeoutError) as caught:
        await stage.ids()
    assert caught.value.page == 2
    assert not hasattr(caught.value, "__notes__")  # page 3 came


async def test_the_deadline_of_a_request_ends_a_silence(lay: Lay) -> None:
    stage = lay(StallBody(), attempt_timeout=None, deadline=45)
    with pytest.raises(DeadlineExceededError, match=r"45\.0 s in 1 attempt") as caught:
        await stage.ids()
    assert (caught.value.network_seconds, caught.value.elapsed) == (45, 45)


async def test_the_deadline_counts_attempts_and_back_off(lay: Lay) -> None:
    stage = lay(StallBody(), attempt_timeout=10, deadline=20)
    with pytest.raises(DeadlineExceededError) as caught:
        await stage.ids()
    assert caught.value.network_seconds == 19.5
    assert caught.value.backoff_seconds == 0.5
    assert stage.clock.monotonic() == 20


async def test_the_deadline_ends_a_wait_in_the_line(lay: Lay) -> None:
    stage = lay(StallBody(100), max_concurrency=1, attempt_timeout=None)
    hurried = stage.nectar.with_settings(deadline=40)
    async with anyio.create_task_group() as group:
        group.start_soon(stage.nectar.companies.all)
        await settle_down(9)
        with pytest.raises(DeadlineExceededError) as caught:
            await hurried.send(POST)
    assert (caught.value.queue_seconds, caught.value.network_seconds) == (40, 0)
    assert stage.clock.monotonic() == 100


async def test_silence_that_nothing_would_end_is_explained(lay: Lay) -> None:
    stage = lay(StallBody(), attempt_timeout=None)
    with pytest.raises(ConfigurationError, match="set attempt_timeout or deadline"):
        await stage.ids()


async def test_an_answer_that_is_late_is_no_wait_of_the_clients(lay: Lay) -> None:
    stage = lay(Overlay(Stall(29.5), page=1))
    assert await stage.ids() == ROWS
    assert (stage.clock.sleeps, stage.clock.monotonic()) == ([], 29.5)


async def test_a_body_in_pieces_takes_as_long_as_all_of_them(lay: Lay) -> None:
    quick, slow = Drip(size=100, seconds=1), Drip(size=1, seconds=1)
    stage = lay(Overlay(quick, page=1))
    assert await stage.ids() == ROWS
    assert 0 < stage.clock.monotonic() < 5
    stage = lay(Overlay(slow, page=1, times=1))
    assert await stage.ids() == ROWS
    assert stage.clock.monotonic() == 30.5


async def test_by_the_machines_clock_silence_is_as_long_as_the_attempt(
    make_client: MakeClient, path: Path
) -> None:
    transport = RecordedTransport(path, overlays=[Overlay(StallBody(), times=1)])
    nectar = make_client(
        transport, clock=SystemClock(), attempt_timeout=0.05, retry=ONCE
    )
    with pytest.raises(AttemptTimeoutError):
        await nectar.companies.all()
    assert await make_client(RecordedTransport(path)).companies.all()


async def test_by_the_machines_clock_an_answer_is_late_by_it(
    make_client: MakeClient, path: Path
) -> None:
    nectar = make_client(RecordedTransport(path, overlays=[Stall(0.01)]))
    began = time.monotonic()
    assert await nectar.companies.all()
    assert time.monotonic() - began >= 0.01


# Which requests meet it.


async def test_an_overlay_is_met_where_all_its_conditions_hold(
    make_client: MakeClient, path: Path
) -> None:
    clock = VirtualClock()
    late = Overlay(Stall(1), operation=USAGE, page=3, skip=1, times=2)
    transport = RecordedTransport(path, overlays=[late], repeat="last")
    nectar = make_client(transport, clock=clock)
    times = []
    for _ in range(4):
        await nectar.companies.all()
        assert [one.id async for one in nectar.usage.by_company(ACME)] == ROWS
        times.append(clock.monotonic())
    assert times == [0, 1, 2, 2]


async def test_the_first_overlay_is_met_first(lay: Lay) -> None:
    stage = lay(Overlay(Refuse(), page=1, times=1), Stall(2), retry=ONCE)
    with pytest.raises(ConnectionFailedError):
        await stage.ids()
    assert stage.clock.monotonic() == 0
    stage = lay(Stall(2), Overlay(Refuse(), page=1, times=1), retry=ONCE)
    with pytest.raises(ConnectionFailedError):
        await stage.ids()
    assert stage.clock.monotonic() == 2


def test_a_value_that_is_no_overlay_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a fault is written as"):
        RecordedTransport("nowhere", overlays=[CLASS])
    with pytest.raises(ConfigurationError, match=r"overlays are a list: write .*\["):
        RecordedTransport("nowhere", overlays="refuse")


async def test_a_recorder_that_replays_meets_overlays_too(
    make_client: MakeClient, path: Path
) -> None:
    clock = VirtualClock()
    recorder = Recorder(path, overlays=["answer status=429 retry-after=4 times=1"])
    nectar = make_client({}, recorder=recorder, clock=clock)
    assert [one.id for one in await nectar.companies.all()] == [ACME]
    assert clock.sleeps == [4.0]


async def test_what_trouble_answered_was_asked_for_all_the_same(lay: Lay) -> None:
    stage = lay(Overlay(Answer(404), operation=POST.operation))
    with pytest.raises(NotFoundError):
        await stage.nectar.send(POST)
    assert stage.transport.unused
    assert not [one for one in stage.transport.unused if "sites_create" in one]


# Effects that once were the sandbox's alone.


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("send-away", RedirectedError),
        ("expire-link", PermissionDeniedError),
        ("gzip-bomb size=80000000", BodyTooLargeError),
        ("garble", DecodeError),
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
    lay: Lay, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await lay(text, retry=ONCE).ids()


@pytest.mark.parametrize(
    "text", ["repeat-keys", "set-header name=x value=y", "refuse company=other"]
)
async def test_an_effect_of_the_sandbox_leaves_a_replay_whole(
    lay: Lay, text: str
) -> None:
    assert await lay(text).ids() == ROWS


async def test_a_list_that_ran_out_of_time_can_be_requested_again(lay: Lay) -> None:
    stage = lay("run-out-of-time above=7 times=1")
    assert await stage.ids() == ROWS
    assert stage.clock.sleeps == [0.5]


async def test_an_effect_of_a_server_says_that_it_needs_one(lay: Lay) -> None:
    with pytest.raises(ConfigurationError, match="Crowd works in a sandbox only"):
        await lay(Crowd(limit=1)).ids()
