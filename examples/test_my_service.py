"""Tests of my_service.py on recordings: no server, no key, no network, no waiting.

    pytest test_my_service.py

The plugin comes with nectar-async. The recorded answers of the API are in
`recordings/`, without secrets and personal data, and belong in your repository like any
test data. One flag records them again, or runs the same tests against a sandbox:

    NECTAR_API_KEY=... pytest test_my_service.py --nectar-record=record
    pytest test_my_service.py --nectar-sandbox

(These recordings are of a sandbox: --nectar-sandbox --nectar-record=record.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from my_service import service

from nectar_async import NectarClient, faults
from nectar_async.testing.plugin import NectarRecording

COMPANY = "d89d31e0-982f-4965-a6a1-4bbeeb46b54e"
WINTER = "since=2025-01-01&until=2025-03-31"  # the days on which bills came
MONTHS = {
    "2024-12": "12941.63",
    "2025-01": "77614.25",
    "2025-02": "74279.86",
    "2025-03": "50946.78",
}

# The plugin's fixtures are plain functions, so any async plugin works.
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def web(nectar: NectarClient) -> AsyncIterator[httpx.AsyncClient]:
    """A test client of the service, which replays the recording of the test."""
    transport = httpx.ASGITransport(app=service(nectar))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as web:
        yield web


@pytest.mark.nectar(recording="winter")
async def test_months_are_added_up(web: httpx.AsyncClient) -> None:
    answer = (await web.get(f"/companies/{COMPANY}/electricity?{WINTER}")).json()
    assert answer == {"months": MONTHS, "is_stale": False}


# The same recording, with injected faults.


@pytest.mark.nectar(
    recording="winter", overlay="answer status=429 retry-after=7 times=1"
)
async def test_a_busy_api_is_waited_for(
    web: httpx.AsyncClient, nectar_recording: NectarRecording
) -> None:
    answer = (await web.get(f"/companies/{COMPANY}/electricity?{WINTER}")).json()
    assert not answer["is_stale"]
    assert nectar_recording.clock.sleeps == [7.0]  # without a real wait


@pytest.mark.nectar(recording="winter", overlay=faults.Answer(429, retry_after=30))
async def test_an_api_that_stays_busy_is_told_to_the_visitor(
    web: httpx.AsyncClient,
) -> None:
    answer = await web.get(f"/companies/{COMPANY}/electricity?{WINTER}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


@pytest.mark.nectar(
    recording="winter", overlay="answer status=429 retry-after=30 skip=1"
)
async def test_months_of_the_last_time_are_better_than_none(
    web: httpx.AsyncClient,
) -> None:
    path = f"/companies/{COMPANY}/electricity?{WINTER}"
    fresh, stale = (await web.get(path)).json(), (await web.get(path)).json()
    assert (fresh["is_stale"], stale["is_stale"]) == (False, True)
    assert stale["months"] == fresh["months"]


AWAY = ["answer status=500", "answer status=503", "disconnect", "html status=502"]


@pytest.mark.parametrize(
    "path", [f"/companies/{COMPANY}/electricity?{WINTER}", f"/electricity?{WINTER}"]
)
@pytest.mark.parametrize(
    "effect",
    [pytest.param(away, marks=pytest.mark.nectar(overlay=away)) for away in AWAY],
)
@pytest.mark.nectar(recording="winter")
async def test_visitors_are_answered_while_the_api_is_away(
    web: httpx.AsyncClient, effect: str, path: str
) -> None:
    answer = await web.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60"), effect


# A recording of its own, for a test that checks the requests.


@pytest.mark.nectar(sandbox={"companies": 24})
async def test_companies_are_asked_for_ten_at_once(
    web: httpx.AsyncClient, nectar_recording: NectarRecording
) -> None:
    answer = (await web.get("/electricity?since=2025-01-01&until=2025-01-07")).json()
    witness = nectar_recording.witness
    assert len(answer) == 24
    assert witness.by_operation["usage_list_by_company"] == 24
    assert 1 < witness.peak_in_flight <= 10
    assert witness.in_flight == 0


async def test_a_company_of_nobody_is_not_found(web: httpx.AsyncClient) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    answer = await web.get(f"/companies/{nobody}/electricity?{WINTER}")
    assert answer.status_code == 404
