"""Polls wait longer each time, ask once more at the end, and then explain the error."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable, Iterable
from itertools import repeat

import anyio
import pytest

from nectar_async import (
    InvalidArgumentError,
    Job,
    NectarError,
    NotFoundError,
    VirtualClock,
)
from nectar_async._http.clock import SystemClock
from nectar_async.errors import (
    AttemptTimeoutError,
    AuthenticationError,
    BodyTooLargeError,
    ConnectionFailedError,
    DeadlineExceededError,
    MaintenanceError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    WaitTimeoutError,
)
from nectar_async.models import JobStatus
from nectar_async.resources._polling import poll

pytestmark = pytest.mark.anyio


def return_each(values: Iterable[str]) -> Callable[[], Awaitable[str]]:
    """Build a function that returns one value after the other."""
    remaining = iter(values)

    async def ask() -> str:
        return next(remaining)

    return ask


def is_done(value: str) -> bool:
    return value == "done"


async def test_what_is_done_at_once_costs_no_wait() -> None:
    clock = VirtualClock()
    value = await poll(clock, return_each(["done"]), is_done, timeout=0, goal="it")
    assert (value, clock.sleeps) == ("done", [])


async def test_intervals_grow_by_half_up_to_fifteen_seconds() -> None:
    clock = VirtualClock()
    values = [*repeat("on", 9), "done"]
    await poll(clock, return_each(values), is_done, timeout=None, goal="it")
    assert clock.sleeps[:4] == [1.0, 1.5, 2.25, 3.375]
    assert clock.sleeps[-2:] == [15.0, 15.0]
    assert clock.sleeps == sorted(clock.sleeps)


async def test_jitter_adds_up_to_a_quarter_and_never_takes_away() -> None:
    clock = VirtualClock(jitter=0.999)
    await poll(
        clock, return_each(["on", "on", "done"]), is_done, timeout=None, goal="it"
    )
    assert clock.sleeps == pytest.approx([1.25, 1.875], rel=0.001)


async def test_the_last_wait_is_cut_so_that_one_request_is_made_at_the_end() -> None:
    clock = VirtualClock()
    values = [*repeat("on", 4), "done"]
    value = await poll(clock, return_each(values), is_done, timeout=5, goal="it")
    assert value == "done"
    assert clock.sleeps == [1.0, 1.5, 2.25, 0.25]
    assert clock.monotonic() == 5


async def test_the_error_at_the_end_of_the_time_names_the_goal_and_the_advice() -> None:
    clock = VirtualClock()
    job = Job(id="j-1", status=JobStatus.PENDING)
    requests = 0

    async def ask() -> Job:
        nonlocal requests
        requests += 1
        return job

    with pytest.raises(WaitTimeoutError) as caught:
        await poll(clock, ask, lambda _: False, timeout=5, goal="job j-1 to end")
    words = str(caught.value)
    assert "waited 5.0 s and asked 5 times for job j-1 to end" in words
    assert "PENDING when last seen" in words
    assert "wait again" in words
    assert requests == 5
    assert caught.value.last is job
    assert isinstance(caught.value, TimeoutError)


async def test_the_error_pickles_with_the_latest_value() -> None:
    error = WaitTimeoutError("too long", last=Job(id="j-1", status=JobStatus.PENDING))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    assert (str(again), again.last, type(again)) == (
        "too long",
        error.last,
        type(error),
    )


async def test_a_timeout_of_zero_makes_one_request() -> None:
    clock = VirtualClock()
    with pytest.raises(WaitTimeoutError, match="asked once for"):
        await poll(clock, return_each(["on"]), is_done, timeout=0, goal="it")
    assert clock.sleeps == []


async def test_a_clock_that_wakes_too_early_does_not_prolong_the_poll() -> None:
    class EarlyClock(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            self.advance(-0.001)

    clock = EarlyClock()
    with pytest.raises(WaitTimeoutError):
        await poll(clock, return_each(repeat("on")), is_done, timeout=2, goal="it")
    assert clock.sleeps == pytest.approx([1.0, 1.0], abs=0.01)


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
async def test_on_progress_is_called_with_each_value_in_order(
    *, is_async: bool
) -> None:
    values: list[str] = []

    async def append(value: str) -> None:
        values.append(value)

    on_progress: Callable[[str], object] = append if is_async else values.append
    await poll(
        VirtualClock(),
        return_each(["a", "b", "done"]),
        is_done,
        timeout=None,
        goal="it",
        on_progress=on_progress,
    )
    assert values == ["a", "b", "done"]


async def test_other_errors_of_the_request_are_raised() -> None:
    async def ask() -> str:
        raise NotFoundError("gone")

    with pytest.raises(NotFoundError, match="gone"):
        await poll(VirtualClock(), ask, is_done, timeout=5, goal="it")


@pytest.mark.parametrize(
    "timeout", [-1, float("nan"), True, "5"], ids=["negative", "nan", "bool", "text"]
)
async def test_a_timeout_that_is_no_number_of_seconds_is_refused(
    timeout: float,
) -> None:
    with pytest.raises(
        InvalidArgumentError, match="timeout must be a number of seconds"
    ):
        await poll(
            VirtualClock(), return_each(["on"]), is_done, timeout=timeout, goal="it"
        )


# Requests that fail, or take too long.


def return_or_raise_each(*answers: str | NectarError) -> Callable[[], Awaitable[str]]:
    """Build a function that returns values and raises errors, the last one for ever."""
    remaining = list(answers)

    async def ask() -> str:
        answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(answer, NectarError):
            raise answer
        return answer

    return ask


@pytest.mark.parametrize(
    "error",
    [
        ServerError("500", status=500),
        MaintenanceError("503", status=503),
        RateLimitedError("429", status=429),
        ConnectionFailedError("broke"),
        AttemptTimeoutError("slow"),
        DeadlineExceededError("late"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_temporary_failure_does_not_end_the_poll(error: NectarError) -> None:
    clock = VirtualClock()
    ask = return_or_raise_each("on", error, error, "done")
    assert await poll(clock, ask, is_done, timeout=60, goal="it") == "done"
    assert clock.sleeps == [1.0, 1.5, 2.25]


async def test_a_lasting_outage_is_the_cause_of_the_error_at_the_end() -> None:
    outage = MaintenanceError("503 out", status=503)
    with pytest.raises(WaitTimeoutError, match="asked 5 times") as caught:
        await poll(
            VirtualClock(),
            return_or_raise_each("on", outage),
            is_done,
            timeout=5,
            goal="it",
        )
    assert (caught.value.last, caught.value.__cause__) == ("on", outage)
    assert caught.value.__notes__ == ["the last failure: MaintenanceError: 503 out"]


async def test_a_failure_before_the_latest_value_is_no_cause() -> None:
    ask = return_or_raise_each(ServerError("500", status=500), "on")
    with pytest.raises(WaitTimeoutError) as caught:
        await poll(VirtualClock(), ask, is_done, timeout=5, goal="it")
    assert caught.value.__cause__ is None
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("401", status=401),
        PermissionDeniedError("403", status=403),
        NotFoundError("404", status=404),
        BodyTooLargeError("large"),
        ConnectionFailedError("no trust", is_permanent=True),
    ],
    ids=["401", "403", "404", "too-large", "certificate"],
)
async def test_a_permanent_failure_ends_the_poll_at_once(error: NectarError) -> None:
    clock = VirtualClock()
    with pytest.raises(type(error)):
        await poll(
            clock, return_or_raise_each("on", error), is_done, timeout=60, goal="it"
        )
    assert clock.sleeps == [1.0]


async def test_the_wait_is_the_one_that_the_server_asks_for() -> None:
    clock = VirtualClock()
    refused = RateLimitedError("429", status=429, retry_after=8.0)
    await poll(
        clock, return_or_raise_each(refused, "done"), is_done, timeout=60, goal="it"
    )
    assert clock.sleeps == [8.0]


async def test_a_requested_wait_beyond_the_timeout_ends_the_poll_at_once() -> None:
    clock = VirtualClock()
    refused = RateLimitedError("429", status=429, retry_after=8.0)
    with pytest.raises(WaitTimeoutError) as caught:
        await poll(
            clock, return_or_raise_each("on", refused), is_done, timeout=5, goal="it"
        )
    assert clock.sleeps == [1.0]
    assert (caught.value.last, caught.value.__cause__) == ("on", refused)


async def hang() -> str:
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock()], ids=["real", "not"])
async def test_a_request_that_hangs_is_cancelled_at_the_end_of_the_time(
    clock: SystemClock | VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nectar_async.resources._polling._LAST_ATTEMPT_SECONDS", 0.0)
    with anyio.fail_after(5), pytest.raises(WaitTimeoutError) as caught:
        await poll(clock, hang, is_done, timeout=0.02, goal="it")
    assert caught.value.last is None
    assert caught.value.__notes__ == [
        "the last request was still running when the time was over"
    ]


async def test_the_last_request_has_time_of_its_own() -> None:
    async def ask_slowly() -> str:
        await anyio.sleep(0.01)
        return "done"

    value = await poll(SystemClock(), ask_slowly, is_done, timeout=0, goal="it")
    assert value == "done"


async def test_a_poll_can_be_cancelled() -> None:
    with anyio.move_on_after(0.01) as scope:
        await poll(VirtualClock(), hang, is_done, timeout=9, goal="it")
    assert scope.cancelled_caught
