"""API keys, refusals, pages, compression, latency and the witness, over real HTTP."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import aiohttp
import pytest
from attrs import field, frozen
from raw_client import RawClient

from nectar_async import Request, Response
from nectar_async.faults import Proceed
from nectar_async.sandbox import Fault, Sandbox, Stall, fingerprint
from nectar_async.settings import Settings

pytestmark = pytest.mark.asyncio

NOBODY = "00000000-0000-4000-a000-000000000000"


@frozen
class Hold:
    """An effect that never returns a response."""

    entered: asyncio.Event = field(factory=asyncio.Event)
    exited: asyncio.Event = field(factory=asyncio.Event)

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.exited.set()
        raise AssertionError("the wait ended without a cancellation")


@pytest.mark.parametrize("key", [None, "", "wrong", "nectar-sandbox-keys", "schlüssel"])
async def test_only_the_api_key_is_accepted(
    raw_client: RawClient, key: str | None
) -> None:
    headers = {"X-API-Key": key} if key else None
    response = await raw_client.request("/v2.2/company", key=None, headers=headers)
    assert response.status == 401
    assert response.json == {"detail": "Invalid or missing API key."}


async def test_further_api_keys_are_accepted() -> None:
    async with (
        Sandbox(companies=1, api_key="key-one", api_keys=["key-two"]) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client = RawClient(sandbox, session)
        for key in ("key-one", "key-two"):
            assert (await raw_client.request("/v2.2/ping", key=key)).status == 200
        assert sandbox.witness.by_key == {
            fingerprint("key-one"): 1,
            fingerprint("key-two"): 1,
        }
        assert "key-one" not in str(sandbox.witness.as_json())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v2.2/company/{NOBODY}", 404),
        ("/v2.2/company/no-uuid", 404),
        (f"/v2.2/site/company/{NOBODY}", 404),
        (f"/v2.2/usage/company/{NOBODY}", 404),
        (f"/v2.2/usage/site/{NOBODY}", 404),
        ("/v2.2/usage/site/no-uuid", 404),
        ("/v2.0/ping", 404),
        ("/v3/ping", 404),
        ("/ping", 404),
        ("/", 404),
        ("/v2.2", 404),
        ("/v2.2/ping/", 404),
        ("/_sandbox/nothing", 404),
    ],
)
async def test_an_unknown_path_is_not_found(
    raw_client: RawClient, path: str, status: int
) -> None:
    response = await raw_client.request(path)
    assert response.status == status
    assert response.json == {"detail": "Not found."}


async def test_a_known_path_with_another_method_is_not_allowed(
    raw_client: RawClient,
) -> None:
    response = await raw_client.request("/v2.2/ping", method="PUT")
    assert response.status == 405
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Allow"] == "GET"


async def test_the_refusal_of_a_method_names_the_allowed_ones(
    raw_client: RawClient,
) -> None:
    response = await raw_client.request(f"/v2.2/company/{NOBODY}", method="TRACE")
    assert response.status == 405
    assert response.headers["Allow"] == "DELETE, GET, PATCH"


async def test_a_restricted_company_is_listed_and_refused(
    raw_client: RawClient,
) -> None:
    company, other, *_ = raw_client.sandbox.portfolio
    raw_client.sandbox.restricted.add(company.id)
    listed = (await raw_client.request("/v2.2/company")).json
    assert company.id in {entry["id"] for entry in listed}
    for path in (f"usage/company/{company.id}", f"usage/site/{company.sites[0].id}"):
        response = await raw_client.request(f"/v2.2/{path}")
        assert response.status == 403
        assert response.json == {"detail": "No access to this resource."}
    assert (await raw_client.request(f"/v2.2/company/{other.id}")).status == 200


async def test_pages_have_a_hundred_items_and_add_up_to_the_list(
    raw_client: RawClient,
) -> None:
    first = await raw_client.list_usage(0)
    total, pages = first["totalUsageData"], first["totalPages"]
    assert pages == -(-total // 100) > 1
    ids: list[str] = []
    for number in range(1, pages + 1):
        page = await raw_client.list_usage(0, ("page", str(number)))
        assert page["currentPage"] == number
        assert page["perPage"] == 100
        assert page["hasNext"] is (number < pages)
        assert page["hasPrevious"] is (number > 1)
        assert len(page["usageData"]) == min(100, total - 100 * (number - 1))
        ids += [record["id"] for record in page["usageData"]]
    assert len(set(ids)) == total


async def test_a_page_past_the_end_is_the_last_page_with_its_number(
    raw_client: RawClient,
) -> None:
    pages = (await raw_client.list_usage(0))["totalPages"]
    last = await raw_client.list_usage(0, ("page", str(pages)))
    assert await raw_client.list_usage(0, ("page", str(pages + 1))) == last
    assert await raw_client.list_usage(0, ("page", "9" * 30)) == last
    assert last["currentPage"] == pages


async def test_an_empty_list_has_one_empty_page(raw_client: RawClient) -> None:
    empty = await raw_client.list_usage(0, ("identifier", "nobody"), ("page", "3"))
    assert empty == {
        "totalUsageData": 0,
        "perPage": 100,
        "totalPages": 1,
        "currentPage": 1,
        "hasNext": False,
        "hasPrevious": False,
        "usageData": [],
    }


async def test_the_usage_of_the_sites_is_the_usage_of_the_company(
    raw_client: RawClient,
) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    total, records = await raw_client.list_all_usage(
        f"/v2.2/usage/company/{company.id}"
    )
    ids: set[str] = set()
    for site in company.sites:
        _, site_records = await raw_client.list_all_usage(f"/v2.2/usage/site/{site.id}")
        assert {record["site"]["id"] for record in site_records} <= {site.id}
        ids |= {record["id"] for record in site_records}
    assert ids == {record["id"] for record in records}
    assert len(ids) == total


async def test_large_responses_are_compressed_if_the_client_accepts_it() -> None:
    """Small ones are not compressed, nor those to a client that accepts identity."""
    async with (
        Sandbox(companies=1) as sandbox,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        raw_client = RawClient(sandbox, session)
        path = f"/v2.2/usage/company/{sandbox.portfolio.company(0).id}"
        plain = await raw_client.request(path, headers={"Accept-Encoding": "identity"})
        packed = await raw_client.request(
            path, headers={"Accept-Encoding": "gzip, deflate"}
        )
        small = await raw_client.request(
            "/v2.2/ping", headers={"Accept-Encoding": "gzip"}
        )
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["Content-Length"]) == len(packed.body)
    assert "Content-Encoding" not in small.headers


@pytest.mark.slow
async def test_a_sandbox_of_ten_thousand_companies_starts_fast() -> None:
    """It generates only the requested companies."""
    async with (
        Sandbox(companies=10_000) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client = RawClient(sandbox, session)
        assert (await raw_client.list_usage(9_999))["currentPage"] == 1
        assert len((await raw_client.request("/v2.2/company")).json) == 10_000


async def test_latency_is_the_minimum_time_of_a_response() -> None:
    async with (
        Sandbox(companies=1, latency=0.02) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        await RawClient(sandbox, session).request("/v2.2/ping")
        (entry,) = sandbox.witness.log
    assert entry.finished - entry.started >= 0.02


async def test_the_settings_point_at_the_sandbox() -> None:
    async with Sandbox(companies=1) as sandbox:
        assert sandbox.settings == Settings(base_url=sandbox.url)
        assert sandbox.url.startswith("http://127.0.0.1:")


async def test_the_sandbox_has_no_url_before_it_listens() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = Sandbox(companies=1).url


async def test_the_witness_logs_requests(raw_client: RawClient) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    await raw_client.request("/v2.2/ping")
    await raw_client.list_usage(0, ("page", "2"))
    await raw_client.request(f"/v2.2/company/{NOBODY}", key=None)
    await raw_client.request("/nowhere")
    witness = raw_client.sandbox.witness
    assert witness.requests == 4
    assert witness.in_flight == 0
    assert witness.peak_in_flight == 1
    assert witness.by_operation == {
        "ping_get": 1,
        "usage_list_by_company": 1,
        "companies_get": 1,
    }
    assert witness.by_key == {fingerprint(raw_client.sandbox.api_key): 3}
    assert [
        (entry.operation, entry.page, entry.company, entry.status)
        for entry in witness.log
    ] == [
        ("ping_get", None, None, 200),
        ("usage_list_by_company", "2", company.id, 200),
        ("companies_get", None, None, 401),
        (None, None, None, 404),
    ]
    assert all(0 <= entry.started <= entry.finished for entry in witness.log)


async def test_the_witness_counts_requests_in_flight(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(Stall(0.05)))
    await asyncio.gather(*(raw_client.request("/v2.2/ping") for _ in range(7)))
    assert raw_client.sandbox.witness.peak_in_flight == 7
    assert raw_client.sandbox.witness.in_flight == 0


async def test_a_request_of_a_disconnected_client_is_not_in_flight(
    raw_client: RawClient,
) -> None:
    hold = Hold()
    raw_client.sandbox.faults.add(Fault(hold))
    waiting = asyncio.ensure_future(raw_client.request("/v2.2/ping"))
    await hold.entered.wait()
    waiting.cancel()
    await hold.exited.wait()
    response = await raw_client.request("/_sandbox/witness")
    assert response.json["inFlight"] == 0
    assert [entry["status"] for entry in response.json["log"]] == [None]


async def test_the_witness_can_be_read_and_reset_over_http(
    raw_client: RawClient,
) -> None:
    await raw_client.request("/v2.2/ping")
    response = await raw_client.request("/_sandbox/witness", key=None)
    assert response.json["requests"] == 1
    assert response.json["byOperation"] == {"ping_get": 1}
    assert response.json["log"][0]["operation"] == "ping_get"
    await raw_client.request("/_sandbox/witness/reset", method="POST", key=None)
    after = (await raw_client.request("/_sandbox/witness", key=None)).json
    assert (after["requests"], after["log"]) == (0, [])


async def test_a_request_from_before_a_reset_is_not_counted(
    raw_client: RawClient,
) -> None:
    witness = raw_client.sandbox.witness
    entry = witness.begin(method="GET", path="/v2.2/ping", page=None, key=None)
    witness.reset()
    assert witness.peak_in_flight == 1
    witness.finish(entry)
    assert (witness.requests, witness.in_flight) == (0, 0)


async def test_a_killed_sandbox_aborts_connections_and_stops_listening(
    raw_client: RawClient,
) -> None:
    hold = Hold()
    raw_client.sandbox.faults.add(Fault(hold))
    waiting = asyncio.ensure_future(raw_client.request("/v2.2/ping"))
    await hold.entered.wait()
    raw_client.sandbox.kill()
    with pytest.raises(aiohttp.ClientConnectionError):
        await waiting
    with pytest.raises(aiohttp.ClientConnectorError):
        await raw_client.request("/v2.2/ping")


async def test_closing_ends_running_requests() -> None:
    hold = Hold()
    async with aiohttp.ClientSession() as session:
        async with Sandbox(companies=1, faults=[Fault(hold)]) as sandbox:
            waiting = asyncio.ensure_future(
                RawClient(sandbox, session).request("/v2.2/ping")
            )
            await hold.entered.wait()
        with pytest.raises(aiohttp.ClientConnectionError):
            await waiting
