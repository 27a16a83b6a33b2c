"""The clocks: the machine's, and virtual time with its waits and timeouts."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from doubles import settle_down

from nectar_async import (
    Clock,
    NectarClient,
    Request,
    Response,
    Settings,
    SystemClock,
    VirtualClock,
)
from nectar_async._http.clock import current_clock, move_on_after

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock()])
def test_both_clocks_are_clocks(clock: object) -> None:
    assert isinstance(clock, Clock)


def test_the_system_clock_has_the_time_of_the_machine() -> None:
    clock = SystemClock()
    before, first = time.monotonic(), clock.monotonic()
    assert before <= first <= clock.monotonic() <= time.monotonic()
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_jitter_of_the_system_clock_is_between_zero_and_one() -> None:
    clock = SystemClock()
    drawn = {clock.jitter() for _ in range(100)}
    assert len(drawn) > 50
    assert all(0 <= number < 1 for number in drawn)


async def test_the_system_clock_waits_on_the_event_loop() -> None:
    await SystemClock().sleep(0)


async def test_a_virtual_wait_takes_no_time_and_is_logged() -> None:
    clock = VirtualClock()
    began = time.monotonic()
    await clock.sleep(3_600)
    await clock.sleep(0.5)
    assert time.monotonic() - began < 60
    assert clock.sleeps == [3_600, 0.5]
    assert clock.monotonic() == 3_600.5
    assert clock.now() == datetime(2026, 1, 1, 1, 0, 0, 500_000, tzinfo=UTC)


def test_virtual_time_advances_without_a_sleeper() -> None:
    clock = VirtualClock(datetime(2025, 6, 1, tzinfo=UTC), jitter=0.25)
    clock.advance(60)
    assert clock.now() == datetime(2025, 6, 1, 0, 1, tzinfo=UTC)
    assert clock.sleeps == []
    assert [clock.jitter(), clock.jitter()] == [0.25, 0.25]


# Virtual waits of several tasks.


async def test_concurrent_waits_overlap_and_end_in_the_order_of_time() -> None:
    clock, log = VirtualClock(), list[tuple[float, float]]()

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        log.append((seconds, clock.monotonic()))

    async with anyio.create_task_group() as group:
        for seconds in (10, 1, 5, 600):
            group.start_soon(sleeper, seconds)
    assert log == [(1, 1), (5, 5), (10, 10), (600, 600)]
    assert sorted(clock.sleeps) == [1, 5, 10, 600]


async def test_virtual_time_does_not_advance_while_a_task_can_run() -> None:
    clock, log = VirtualClock(), list[float]()

    async def worker() -> None:
        for _ in range(30):
            log.append(clock.monotonic())
            await settle_down(10)
        await clock.sleep(0.5)
        log.append(clock.monotonic())

    async with anyio.create_task_group() as group:
        group.start_soon(worker)
        await clock.sleep(1)
    assert log == [0] * 30 + [0.5]


async def test_a_task_that_polls_the_clock_does_not_stop_virtual_time() -> None:
    clock = VirtualClock()

    async def impatient() -> None:
        while clock.monotonic() < 1:
            await anyio.lowlevel.checkpoint()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(impatient)
            await clock.sleep(1)


async def test_a_cancelled_sleeper_delays_no_other_task() -> None:
    clock = VirtualClock()
    async with anyio.create_task_group() as group:
        scopes = [anyio.CancelScope() for _ in range(3)]

        async def sleeper(scope: anyio.CancelScope, seconds: float) -> None:
            with scope:
                await clock.sleep(seconds)

        for scope, seconds in zip(scopes, (1, 2, 3), strict=True):
            group.start_soon(sleeper, scope, seconds)
        await settle_down(3)
        scopes[0].cancel()
        scopes[1].cancel()
    assert clock.monotonic() == 3


async def test_many_sleepers_take_no_time() -> None:
    clock, log = VirtualClock(), list[float]()

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        log.append(seconds)

    began = time.monotonic()
    async with anyio.create_task_group() as group:
        for seconds in range(300, 0, -1):
            group.start_soon(sleeper, seconds)
    assert log == [*range(1, 301)]
    assert time.monotonic() - began < 10


# Bounds in virtual time.


async def test_a_wait_ends_at_its_timeout() -> None:
    clock = VirtualClock()
    with clock.move_on_after(30):
        await clock.sleep(100)
        pytest.fail("the wait went on after its timeout")
    assert clock.monotonic() == 30
    assert clock.sleeps == [100]


async def test_a_wait_that_is_as_long_as_its_timeout_ends_normally() -> None:
    clock, is_over = VirtualClock(), False
    with clock.move_on_after(30):
        await clock.sleep(30)
        is_over = True
    assert is_over


async def test_the_earlier_timeout_ends_the_wait_and_the_other_one_remains() -> None:
    clock, log = VirtualClock(), list[str]()
    with clock.move_on_after(50):
        with clock.move_on_after(20):
            await clock.stall()
        log.append("inner")
        with clock.move_on_after(90):
            assert clock.left == 30
            await clock.stall()
            log.append("never")
    assert (log, clock.monotonic(), clock.sleeps) == (["inner"], 50, [])


async def test_a_stall_without_a_timeout_never_ends() -> None:
    clock = VirtualClock()
    assert math.isinf(clock.left)
    with anyio.move_on_after(0.01) as scope:
        await clock.stall()
    assert scope.cancelled_caught
    assert clock.monotonic() == 0


async def test_a_renewed_timeout_starts_anew() -> None:
    clock = VirtualClock()
    with clock.move_on_after(10) as bound:
        await clock.sleep(8)
        bound.renew()
        await clock.sleep(8)
        assert clock.left == 2
        await clock.stall()
    assert clock.monotonic() == 18


async def test_a_task_that_waits_for_others_times_out_by_their_virtual_time() -> None:
    clock, seen = VirtualClock(), list[float]()

    async def wait_in_queue() -> None:
        with clock.move_on_after(60):
            await anyio.sleep_forever()
        seen.append(clock.monotonic())

    async with anyio.create_task_group() as group:
        group.start_soon(wait_in_queue)
        await settle_down(3)
        await clock.sleep(100)
    assert seen == [60]


async def test_a_wait_for_the_real_world_does_not_time_out_by_virtual_time() -> None:
    clock, answer, seen = VirtualClock(), anyio.Event(), list[bool]()

    async def wait_for_answer() -> None:
        with clock.move_on_after(60), clock.move_on_after(30, waits_for_io=True):
            await answer.wait()
            seen.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(wait_for_answer)
        await settle_down(3)
        await clock.sleep(100)
        answer.set()
    assert seen == [True]


@pytest.mark.parametrize("waits_for_io", [False, True], ids=["inside", "outside"])
async def test_waits_for_real_io_time_out_in_real_time(*, waits_for_io: bool) -> None:
    clock = VirtualClock()
    began = time.monotonic()
    with clock.move_on_after(0.01, waits_for_io=waits_for_io):
        await anyio.sleep_forever()
    assert time.monotonic() - began < 5
    assert clock.monotonic() == 0


async def test_advanced_time_ends_timeouts_as_well() -> None:
    clock = VirtualClock()
    with clock.move_on_after(5):
        clock.advance(6)
        await anyio.sleep_forever()
    assert clock.monotonic() == 6


async def test_a_timeout_of_another_clock_uses_the_time_of_the_machine() -> None:
    with move_on_after(SystemClock(), 0.01) as bound:
        bound.renew()
        await anyio.sleep_forever()


async def test_a_transport_can_read_the_clock_of_the_sending_client() -> None:
    seen: list[object] = []

    class Transport:
        needs_key = False

        async def send(self, _request: Request[Any]) -> Response:
            seen.append(current_clock.get())
            return Response(200, {}, b'"pong v2.2"')

        async def aclose(self) -> None:
            """Nothing to close."""

    clock = VirtualClock()
    async with NectarClient(
        transport=Transport(), settings=Settings(), clock=clock
    ) as nectar:
        await nectar.ping()
    assert seen == [clock]
    assert current_clock.get() is None
