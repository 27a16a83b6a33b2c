"""Effects on responses and lists of a sandbox, as a plain client sees them."""

from __future__ import annotations

import gzip
import json

import aiohttp
import pytest
from raw_client import RawClient

from nectar_async.sandbox import (
    Answer,
    Effect,
    Empty,
    Fault,
    Garble,
    GzipBomb,
    Html,
    Miscount,
    Nest,
    PromiseMore,
    RepeatKeys,
    RunOutOfTime,
    Sandbox,
    SendAway,
    SetValue,
    Shuffle,
    StandStill,
)

pytestmark = pytest.mark.asyncio

MEBIBYTE = 1024 * 1024
PLAIN = {"Accept-Encoding": "identity"}


def usage_path(raw_client: RawClient) -> str:
    return f"/v2.2/usage/company/{raw_client.sandbox.portfolio.company(0).id}"


def add_fault(raw_client: RawClient, effect: Effect, times: int | None = None) -> None:
    raw_client.sandbox.faults.add(Fault(effect, times=times))


@pytest.mark.parametrize("status", [200, 502, 503])
async def test_an_html_page_has_the_given_status(
    raw_client: RawClient, status: int
) -> None:
    add_fault(raw_client, Html(status=status))
    response = await raw_client.request("/v2.2/ping")
    assert (response.status, response.headers["Content-Type"][:9]) == (
        status,
        "text/html",
    )
    assert response.body.startswith(b"<!DOCTYPE html>")


async def test_a_success_can_be_empty(raw_client: RawClient) -> None:
    add_fault(raw_client, Empty())
    response = await raw_client.request("/v2.2/company")
    assert (response.status, response.body) == (200, b"")


async def test_a_response_has_the_given_retry_after(raw_client: RawClient) -> None:
    add_fault(raw_client, Answer(status=429, retry_after="7"))
    response = await raw_client.request("/v2.2/ping")
    assert (response.status, response.headers["Retry-After"]) == (429, "7")


async def test_a_request_is_redirected_to_another_server_or_to_itself(
    raw_client: RawClient,
) -> None:
    add_fault(raw_client, SendAway(origin="http://other.example:8"), times=1)
    add_fault(raw_client, SendAway(status=301))
    path = f"{usage_path(raw_client)}?page=2"
    away, back = [await raw_client.request(path) for _ in range(2)]
    assert (away.status, away.headers["Location"]) == (
        307,
        f"http://other.example:8{path}",
    )
    assert (back.status, back.headers["Location"]) == (301, path)


@pytest.mark.parametrize("size", [0, 1, MEBIBYTE, 3 * MEBIBYTE + 7])
async def test_a_gzip_bomb_is_small_and_decompresses_to_its_size(size: int) -> None:
    async with (
        Sandbox(companies=1, faults=[Fault(GzipBomb(size=size))]) as sandbox,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        packed = (await RawClient(sandbox, session).request("/v2.2/ping")).body
    assert gzip.decompress(packed) == b" " * size
    assert len(packed) < 4_000


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 502),
        ({"startDate": "2025-01-01"}, 502),
        ({"startDate": "2025-01-01", "endDate": "2025-01-31"}, 200),
        ({"startDate": "2025-01-01", "endDate": "2025-02-01"}, 502),
        (
            {
                "startDate": "2025-01-01",
                "endDate": "2025-02-01",
                "dateType": "CREATED_DATE",
            },
            200,
        ),
    ],
    ids=str,
)
async def test_a_list_of_too_many_days_times_out(
    raw_client: RawClient, query: dict[str, str], status: int
) -> None:
    add_fault(raw_client, RunOutOfTime(days=31))
    response = await raw_client.request(usage_path(raw_client), list(query.items()))
    assert response.status == status
    assert (await raw_client.request("/v2.2/ping")).status == 200


async def test_a_list_of_too_many_records_times_out(
    raw_client: RawClient,
) -> None:
    total = (await raw_client.list_usage())["totalUsageData"]
    add_fault(raw_client, RunOutOfTime(above=total), times=1)
    add_fault(raw_client, RunOutOfTime(above=total - 1))
    statuses = [
        (await raw_client.request(usage_path(raw_client))).status for _ in range(2)
    ]
    assert statuses == [502, 502]
    raw_client.sandbox.faults.clear()
    add_fault(raw_client, RunOutOfTime(above=total))
    assert (await raw_client.request(usage_path(raw_client))).status == 200
    raw_client.sandbox.faults.clear()
    add_fault(raw_client, RunOutOfTime(above=1))
    assert (await raw_client.request("/v2.2/company")).status == 502


async def test_rows_are_shuffled_over_all_pages(raw_client: RawClient) -> None:
    total, plain = await raw_client.list_all_usage(usage_path(raw_client))
    add_fault(raw_client, Shuffle(seed=5))
    again, mixed = await raw_client.list_all_usage(usage_path(raw_client))
    before, after = ([row["id"] for row in rows] for rows in (plain, mixed))
    assert again == total
    assert before != after
    assert sorted(before) == sorted(after)
    assert await raw_client.list_all_usage(usage_path(raw_client)) == (again, mixed)
    assert (await raw_client.request("/v2.2/ping")).json == "pong v2.2"


async def test_every_page_is_the_same_and_announces_another(
    raw_client: RawClient,
) -> None:
    add_fault(raw_client, PromiseMore())
    add_fault(raw_client, StandStill(at=2))
    response = await raw_client.list_usage(0, ("page", "9"))
    assert (response["currentPage"], response["totalPages"], response["hasNext"]) == (
        9,
        10,
        True,
    )
    raw_client.sandbox.faults.clear()
    second = await raw_client.list_usage(0, ("page", "2"))
    assert response["usageData"] == second["usageData"]


async def test_totals_are_wrong_by_the_given_numbers(raw_client: RawClient) -> None:
    plain = await raw_client.list_usage(0, ("page", "3"))
    add_fault(raw_client, Miscount(by=5, each_page=-2, pages=1))
    response = await raw_client.list_usage(0, ("page", "3"))
    assert response["totalUsageData"] == plain["totalUsageData"] + 5 - 2 * 2
    assert response["totalPages"] == plain["totalPages"] + 1
    assert response["usageData"] == plain["usageData"]


async def test_a_body_is_not_utf8(raw_client: RawClient) -> None:
    add_fault(raw_client, Garble())
    for path in ("/v2.2/company", "/v2.2/ping"):
        body = (await raw_client.request(path)).body
        with pytest.raises(UnicodeDecodeError):
            body.decode()


async def test_a_value_is_replaced_at_every_depth(raw_client: RawClient) -> None:
    add_fault(raw_client, SetValue(key="name", json='{"x": 1e999}'))
    for company in (await raw_client.request("/v2.2/company")).json:
        for entity in (company, *company["sites"]):
            assert str(entity["name"]["x"]) == "1E+999"


async def test_keys_are_repeated_and_the_true_value_is_last(
    raw_client: RawClient,
) -> None:
    plain = (await raw_client.request(usage_path(raw_client))).json
    add_fault(raw_client, RepeatKeys())
    response = await raw_client.request(usage_path(raw_client))
    assert response.json == plain
    firsts = json.loads(response.body, object_pairs_hook=lambda pairs: pairs)
    assert [value for _, value in firsts[::2]] == [None] * (len(firsts) // 2)


@pytest.mark.parametrize("key", [None, "name"])
async def test_lists_are_nested_to_the_given_depth(
    raw_client: RawClient, key: str | None
) -> None:
    add_fault(raw_client, Nest(depth=2_000, key=key))
    body = (await raw_client.request("/v2.2/company")).body
    assert b"[" * 2_000 + b"]" * 2_000 in body


async def test_a_body_that_is_not_json_is_unchanged(raw_client: RawClient) -> None:
    add_fault(raw_client, RepeatKeys())
    add_fault(raw_client, Html())
    assert (await raw_client.request("/v2.2/ping")).body.startswith(b"<!DOCTYPE html>")
