"""Waiting for an end: growing intervals, one last look, and an error that helps."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable, Iterable
from itertools import repeat

import pytest

from nectar_async import InvalidArgumentError, Job, NotFoundError, VirtualClock
from nectar_async._poll import poll
from nectar_async.errors import WaitTimeoutError
from nectar_async.models import JobStatus

pytestmark = pytest.mark.anyio


def asking(values: Iterable[str]) -> Callable[[], Awaitable[str]]:
    """Something that is asked, and gives one value after the other."""
    left = iter(values)

    async def ask() -> str:
        return next(left)

    return ask


def is_done(value: str) -> bool:
    return value == "done"


async def test_what_is_done_at_once_costs_no_wait() -> None:
    clock = VirtualClock()
    value = await poll(clock, asking(["done"]), is_done, timeout=0, what="it")
    assert (value, clock.sleeps) == ("done", [])


async def test_intervals_grow_by_half_up_to_fifteen_seconds() -> None:
    clock = VirtualClock()
    values = [*repeat("on", 9), "done"]
    await poll(clock, asking(values), is_done, timeout=None, what="it")
    assert clock.sleeps[:4] == [1.0, 1.5, 2.25, 3.375]
    assert clock.sleeps[-2:] == [15.0, 15.0]
    assert clock.sleeps == sorted(clock.sleeps)


async def test_jitter_adds_up_to_a_quarter_and_never_takes_away() -> None:
    clock = VirtualClock(jitter=0.999)
    await poll(clock, asking(["on", "on", "done"]), is_done, timeout=None, what="it")
    assert clock.sleeps == pytest.approx([1.25, 1.875], rel=0.001)


async def test_the_last_wait_is_cut_so_that_one_look_happens_at_the_very_end() -> None:
    clock = VirtualClock()
    values = [*repeat("on", 4), "done"]
    value = await poll(clock, asking(values), is_done, timeout=5, what="it")
    assert value == "done"
    assert clock.sleeps == [1.0, 1.5, 2.25, 0.25]
    assert clock.monotonic() == 5


async def test_when_time_is_over_the_error_says_what_and_how_to_go_on() -> None:
    clock = VirtualClock()
    job = Job(id="j-1", status=JobStatus.PENDING)
    looks = 0

    async def ask() -> Job:
        nonlocal looks
        looks += 1
        return job

    with pytest.raises(WaitTimeoutError) as caught:
        await poll(clock, ask, lambda _: False, timeout=5, what="job j-1 to end")
    words = str(caught.value)
    assert "waited 5.0 s and looked 5 times for job j-1 to end" in words
    assert "PENDING when last seen" in words
    assert "wait again" in words
    assert looks == 5
    assert caught.value.last is job
    assert isinstance(caught.value, TimeoutError)


async def test_the_error_pickles_with_what_was_seen_last() -> None:
    error = WaitTimeoutError("too long", last=Job(id="j-1", status=JobStatus.PENDING))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    assert (str(again), again.last, type(again)) == (
        "too long",
        error.last,
        type(error),
    )


async def test_a_timeout_of_zero_is_one_look() -> None:
    clock = VirtualClock()
    with pytest.raises(WaitTimeoutError, match="looked 1 times"):
        await poll(clock, asking(["on"]), is_done, timeout=0, what="it")
    assert clock.sleeps == []


async def test_a_clock_that_wakes_too_early_does_not_make_it_go_on_for_ever() -> None:
    class Grainy(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            self._elapsed -= 0.001

    clock = Grainy()
    with pytest.raises(WaitTimeoutError):
        await poll(clock, asking(repeat("on")), is_done, timeout=2, what="it")
    assert clock.sleeps == pytest.approx([1.0, 1.0], abs=0.01)


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
async def test_progress_is_told_each_value_in_order(*, is_async: bool) -> None:
    seen: list[str] = []

    async def later(value: str) -> None:
        seen.append(value)

    tell: Callable[[str], object] = later if is_async else seen.append
    await poll(
        VirtualClock(),
        asking(["a", "b", "done"]),
        is_done,
        timeout=None,
        what="it",
        on_progress=tell,
    )
    assert seen == ["a", "b", "done"]


async def test_what_asking_raises_is_raised() -> None:
    async def ask() -> str:
        raise NotFoundError("gone")

    with pytest.raises(NotFoundError, match="gone"):
        await poll(VirtualClock(), ask, is_done, timeout=5, what="it")


@pytest.mark.parametrize(
    "timeout", [-1, float("nan"), True, "5"], ids=["negative", "nan", "bool", "text"]
)
async def test_a_timeout_that_is_no_number_of_seconds_is_refused(
    timeout: float,
) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout is a number of seconds"):
        await poll(VirtualClock(), asking(["on"]), is_done, timeout=timeout, what="it")
