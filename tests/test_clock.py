"""Time comes through one seam, and a virtual clock takes none."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from nectar_async import Clock, SystemClock, VirtualClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock()])
def test_both_clocks_are_clocks(clock: object) -> None:
    assert isinstance(clock, Clock)


def test_the_system_clock_tells_the_machines_time() -> None:
    clock = SystemClock()
    before, first = time.monotonic(), clock.monotonic()
    assert before <= first <= clock.monotonic() <= time.monotonic()
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_jitter_of_the_system_clock_is_spread_below_one() -> None:
    clock = SystemClock()
    drawn = {clock.jitter() for _ in range(100)}
    assert len(drawn) > 50
    assert all(0 <= one < 1 for one in drawn)


async def test_the_system_clock_waits_on_the_event_loop() -> None:
    await SystemClock().sleep(0)


async def test_a_virtual_wait_takes_no_time_and_is_written_down() -> None:
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
