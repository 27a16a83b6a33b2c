"""The sandbox has its own clock, which runs and can be advanced."""

from __future__ import annotations

from datetime import date

import aiohttp
import pytest
from raw_client import RawClient

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import Clock, Sandbox
from nectar_async.sandbox.generator.dates import Instant

NEW_YEARS_EVE = date(2025, 12, 31)


def make_stopped_clock() -> Clock:
    return Clock(NEW_YEARS_EVE, speed=0)


def test_the_clock_starts_at_the_midnight_after_the_last_day() -> None:
    clock = make_stopped_clock()
    assert clock.now().text == "2026-01-01T00:00:00.000000Z"
    assert clock.today() == date(2026, 1, 1).toordinal()
    assert clock.unix() == 1_767_225_600


def test_the_clock_runs_at_its_speed() -> None:
    fast = Clock(NEW_YEARS_EVE, speed=1e12)
    assert fast.now() < fast.now()
    assert fast.unix() > 1_767_225_600


def test_the_clock_can_be_advanced() -> None:
    clock = make_stopped_clock()
    clock.advance(86_400.5)
    assert clock.now().text == "2026-01-02T00:00:00.500000Z"
    assert clock.today() == date(2026, 1, 2).toordinal()


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")], ids=str)
def test_the_clock_cannot_go_back(seconds: float) -> None:
    with pytest.raises(ConfigurationError):
        make_stopped_clock().advance(seconds)
    with pytest.raises(ConfigurationError):
        Clock(NEW_YEARS_EVE, speed=seconds)


def test_due_actions_run_once_and_in_order() -> None:
    clock, done = make_stopped_clock(), list[str]()
    clock.after(20, lambda: done.append("late"))
    clock.after(10, lambda: done.append("early"))
    clock.after(10, lambda: done.append("early as well"))
    clock.advance(9.999)
    assert done == []
    clock.advance(0.001)
    assert done == ["early", "early as well"]
    clock.advance(1_000)
    clock.catch_up()
    assert done == ["early", "early as well", "late"]


def test_an_action_runs_at_its_moment_however_far_the_clock_is_advanced() -> None:
    clock, moments = make_stopped_clock(), list[str]()

    def schedule_another() -> None:
        moments.append(clock.now().text)
        clock.after(5, lambda: moments.append(clock.now().text))

    clock.after(60, schedule_another)
    clock.advance(86_400)
    assert moments == ["2026-01-01T00:01:00.000000Z", "2026-01-01T00:01:05.000000Z"]
    assert clock.now().text == "2026-01-02T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000000Z"),
        ("2026-01-01T00:00", "2026-01-01T00:00:00.000000000Z"),
        ("2026-01-01T02:30:00+02:30", "2026-01-01T00:00:00.000000000Z"),
        ("2025-12-31T19:00:00-0500", "2026-01-01T00:00:00.000000000Z"),
        ("2026-01-01T00:00:00.123456789", "2026-01-01T00:00:00.123456789Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000000Z"),
    ],
)
def test_date_times_of_the_api_are_parsed(text: str, same: str) -> None:
    assert Instant.parse(text).text == same


@pytest.mark.parametrize("text", ["2026-01-01", "2026-13-01T00:00:00Z", "now"])
def test_an_invalid_date_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date-time|month"):
        Instant.parse(text)


@pytest.mark.asyncio
async def test_the_clock_can_be_read_and_advanced_over_http() -> None:
    async with (
        Sandbox(companies=1, clock_speed=0) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client = RawClient(sandbox, session)
        path = "/_sandbox/clock"
        advanced = await raw_client.request(
            f"{path}/advance?seconds=30", method="POST", key=None
        )
        response = await raw_client.request(path, key=None)
        assert response.json == advanced.json
        assert response.json["now"] == "2026-01-01T00:00:30.000000Z"
        assert response.json["now"] == sandbox.clock.now().text
        assert sandbox.witness.requests == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", ["", "-1", "nan", "1e9", "99999999999"])
async def test_invalid_seconds_do_not_advance_the_clock(
    raw_client: RawClient, seconds: str
) -> None:
    path = f"/_sandbox/clock/advance?seconds={seconds}"
    response = await raw_client.request(path, method="POST")
    assert response.status == 400
    assert "seconds" in response.json["detail"]
