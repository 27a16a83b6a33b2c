"""The faults of a sandbox: which requests they hit, and those that need a server."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import web
from attrs import frozen
from raw_client import RawClient

from nectar_async import Request, Response
from nectar_async.errors import ConfigurationError
from nectar_async.faults import Proceed
from nectar_async.sandbox import (
    Answer,
    Change,
    ClampSilently,
    Disconnect,
    DropBody,
    Fault,
    Html,
    RepeatPage,
    Sandbox,
    Stall,
)
from nectar_async.sandbox.server.delivery import SocketResponse
from nectar_async.sandbox.server.messages import Reply

pytestmark = pytest.mark.asyncio

BROKEN = Answer(status=500)


async def statuses(raw_client: RawClient, *paths: str) -> list[int]:
    return [(await raw_client.request(path)).status for path in paths]


async def test_a_response_has_the_given_status_headers_and_body(
    raw_client: RawClient,
) -> None:
    html = b"<h1>502</h1>"
    raw_client.sandbox.faults.add(
        Fault(Answer(status=429, headers={"Retry-After": "1"}), times=1),
        Fault(Answer(status=502, headers={"Content-Type": "text/html"}, body=html)),
    )
    first, second = [await raw_client.request("/v2.2/ping") for _ in range(2)]
    assert first.status == 429
    assert first.headers["Retry-After"] == "1"
    assert first.json == {"detail": "Scripted answer 429."}
    assert (second.status, second.headers["Content-Type"]) == (502, "text/html")
    assert second.body == html


HTML = "html status=502"


@pytest.mark.parametrize(
    "value", [Fault(Html(status=502)), Html(status=502), HTML], ids=repr
)
async def test_a_fault_is_given_as_a_fault_an_effect_or_a_text(value: Any) -> None:
    async with (
        Sandbox(companies=1, faults=[value]) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client = RawClient(sandbox, session)
        assert await statuses(raw_client, "/v2.2/ping") == [502]
        sandbox.faults.clear()
        assert await statuses(raw_client, "/v2.2/ping") == [200]
        sandbox.faults.add(value, "answer status=500")
        assert await statuses(raw_client, "/v2.2/ping") == [502]


async def test_a_text_has_the_conditions_of_a_fault(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(f"{HTML} operation=companies_list times=1")
    paths = ("/v2.2/ping", "/v2.2/company", "/v2.2/company")
    assert await statuses(raw_client, *paths) == [200, 502, 200]


async def test_a_value_that_is_not_a_fault_is_refused(raw_client: RawClient) -> None:
    value: Any = Html
    with pytest.raises(ConfigurationError, match="'html status=502', not <class"):
        Sandbox(faults=[value])
    with pytest.raises(ConfigurationError, match=r"write faults=\["):
        Sandbox(faults="html status=502")
    with pytest.raises(ConfigurationError, match="there is no effect 'htlm'"):
        raw_client.sandbox.faults.add(Html(status=502), "htlm")
    # The valid one was not added either.
    assert await statuses(raw_client, "/v2.2/ping") == [200]


@frozen
class AbortConnection:
    """Abort the connection before the response is written."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        return SocketResponse.build(await proceed(request), self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionResetError


async def test_a_client_that_disconnects_causes_no_server_error(
    raw_client: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    raw_client.sandbox.faults.add(Fault(AbortConnection()))
    with pytest.raises(aiohttp.ClientError):
        await raw_client.request("/v2.2/ping")
    # aiohttp may have repeated the request by itself.
    assert {entry.status for entry in raw_client.sandbox.witness.log} == {None}
    raw_client.sandbox.faults.clear()
    assert await statuses(raw_client, "/v2.2/ping") == [200]
    assert not caplog.records


async def test_redirects_can_be_scripted(raw_client: RawClient) -> None:
    away = {"Location": "http://elsewhere.example/"}
    raw_client.sandbox.faults.add(Fault(Answer(status=302, headers=away, body=b"")))
    response = await raw_client.request("/v2.2/ping")
    assert (response.status, response.headers["Location"]) == (302, away["Location"])


async def test_a_fault_skips_requests_and_then_hits_some(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(BROKEN, skip=2, times=2))
    assert await statuses(raw_client, *["/v2.2/ping"] * 6) == [
        200,
        200,
        500,
        500,
        200,
        200,
    ]


async def test_faults_can_be_removed(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(BROKEN))
    assert await statuses(raw_client, "/v2.2/ping") == [500]
    raw_client.sandbox.faults.clear()
    assert await statuses(raw_client, "/v2.2/ping") == [200]


async def test_a_fault_hits_only_its_operation(
    raw_client: RawClient,
) -> None:
    raw_client.sandbox.faults.add(Fault(BROKEN, operation="companies_list"))
    assert await statuses(raw_client, "/v2.2/company", "/v2.2/ping") == [500, 200]


async def test_a_fault_hits_only_its_page(raw_client: RawClient) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    raw_client.sandbox.faults.add(Fault(BROKEN, page=2))
    path = f"/v2.2/usage/company/{company.id}"
    texts = ("2", "1", "x", "9" * 5_000)
    paths = [path, *(f"{path}?page={text}" for text in texts)]
    assert await statuses(raw_client, *paths) == [200, 500, 200, 400, 400]


async def test_a_fault_of_a_company_hits_its_sites(raw_client: RawClient) -> None:
    company, other, *_ = raw_client.sandbox.portfolio
    raw_client.sandbox.faults.add(Fault(BROKEN, company=company.id))
    assert await statuses(
        raw_client,
        f"/v2.2/usage/company/{company.id}",
        f"/v2.2/usage/site/{company.sites[0].id}",
        f"/v2.2/usage/company/{other.id}",
        "/v2.2/company",
    ) == [500, 500, 200, 200]


async def test_the_seed_of_the_sandbox_decides_which_requests_are_hit() -> None:
    async def draw(seed: int) -> list[int]:
        fault = Fault(BROKEN, probability=0.5)
        async with (
            Sandbox(companies=1, seed=seed, faults=[fault]) as sandbox,
            aiohttp.ClientSession() as session,
        ):
            return await statuses(RawClient(sandbox, session), *["/v2.2/ping"] * 20)

    first = await draw(3)
    assert set(first) == {200, 500}
    assert await draw(3) == first
    assert await draw(4) != first


async def test_the_key_is_checked_before_any_fault(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(BROKEN))
    assert (await raw_client.request("/v2.2/ping", key=None)).status == 401


async def test_a_connection_closes_before_the_first_byte(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(Disconnect()))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await raw_client.request("/v2.2/ping")
    # aiohttp may have repeated the request by itself.
    assert {entry.status for entry in raw_client.sandbox.witness.log} == {None}


async def test_a_connection_closes_in_the_middle_of_the_body(
    raw_client: RawClient,
) -> None:
    raw_client.sandbox.faults.add(Fault(DropBody()))
    url = f"{raw_client.sandbox.url}/v2.2/company"
    headers = {"X-API-Key": raw_client.sandbox.api_key}
    async with raw_client.session.get(url, headers=headers) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_stalls_add_up(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(Stall(0.01)), Fault(Stall(0.01)))
    assert await statuses(raw_client, "/v2.2/ping") == [200]
    (entry,) = raw_client.sandbox.witness.log
    assert entry.finished - entry.started >= 0.02


async def test_rows_inserted_in_front_repeat_rows(raw_client: RawClient) -> None:
    """The second page repeats rows of the first, and the total grows."""
    raw_client.sandbox.faults.add(Fault(Change(insert=3), page=2, times=1))
    first = await raw_client.list_usage(0)
    second = await raw_client.list_usage(0, ("page", "2"))
    again = await raw_client.list_usage(0)
    ids = [record["id"] for record in first["usageData"]]
    assert second["totalUsageData"] == first["totalUsageData"] + 3
    assert [record["id"] for record in second["usageData"][:3]] == ids[-3:]
    assert [record["id"] for record in again["usageData"][3:]] == ids[:-3]
    assert len({record["id"] for record in again["usageData"]}) == 100


async def test_rows_deleted_in_front_hide_rows(raw_client: RawClient) -> None:
    """The second page leaves out rows that neither page shows."""
    before = await raw_client.list_usage(0, ("page", "2"))
    raw_client.sandbox.faults.add(Fault(Change(delete=2), page=2, times=1))
    first = await raw_client.list_usage(0)
    second = await raw_client.list_usage(0, ("page", "2"))
    assert second["totalUsageData"] == first["totalUsageData"] - 2
    assert (
        second["usageData"][:-2]
        == before["usageData"][2:][: len(second["usageData"]) - 2]
    )


async def test_rows_change_at_the_given_place(raw_client: RawClient) -> None:
    """The changed row is on page 2, so page 1 stays the same."""
    first, second = [
        await raw_client.list_usage(0, ("page", number)) for number in "12"
    ]
    raw_client.sandbox.faults.add("change insert=1 delete=1 at=150 times=1")
    assert await raw_client.list_usage(0) == first
    now = await raw_client.list_usage(0, ("page", "2"))
    assert now["totalUsageData"] == first["totalUsageData"]
    are_equal = [
        after == before
        for after, before in zip(now["usageData"], second["usageData"], strict=True)
    ]
    assert are_equal.index(False) == 49
    assert are_equal.count(False) == 1


@pytest.mark.parametrize("at", [0, -1, "middle", "", True, 1.5, None], ids=repr)
async def test_an_invalid_place_is_refused(at: Any) -> None:
    with pytest.raises(ConfigurationError, match="front, end, or the number of a row"):
        Change(insert=1, at=at)


async def test_a_change_applies_to_the_list_of_the_requested_site(
    raw_client: RawClient,
) -> None:
    site = raw_client.sandbox.portfolio.company(0).sites[-1]
    path = f"/v2.2/usage/site/{site.id}"
    total, records = await raw_client.list_all_usage(path)
    raw_client.sandbox.faults.add(Fault(Change(insert=1, delete=1), times=1))
    changed, now = await raw_client.list_all_usage(path)
    assert changed == total
    assert now[1:] == records[1:]
    assert now[0]["id"] != records[0]["id"]
    assert now[0]["site"]["id"] == site.id


async def test_changes_are_the_same_for_the_same_seed() -> None:
    bodies = []
    for _ in range(2):
        async with (
            Sandbox(companies=1, faults=[Fault(Change(insert=2, delete=1))]) as sandbox,
            aiohttp.ClientSession() as session,
        ):
            raw_client = RawClient(sandbox, session)
            pages = [await raw_client.list_usage(0) for _ in range(3)]
            for page in pages:
                for record in page["usageData"]:
                    # It contains the sandbox's port, which differs each time.
                    (record["document"] or {}).pop("url", None)
            bodies.append(pages)
    assert bodies[0] == bodies[1]


async def test_a_company_without_usage_does_not_change() -> None:
    async with (
        Sandbox(companies=10, faults=[Fault(Change(insert=2))]) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        empty = next(c for c in sandbox.portfolio if not c.planned_records)
        raw_client = RawClient(sandbox, session)
        assert (await raw_client.list_usage(empty.index))["totalUsageData"] == 0
        assert (await raw_client.request("/v2.2/ping")).status == 200


async def test_a_page_past_the_end_has_the_requested_number(
    raw_client: RawClient,
) -> None:
    raw_client.sandbox.faults.add(
        Fault(ClampSilently(), operation="usage_list_by_company")
    )
    pages = (await raw_client.list_usage(0))["totalPages"]
    last = await raw_client.list_usage(0, ("page", str(pages)))
    beyond = await raw_client.list_usage(0, ("page", str(pages + 5)))
    assert beyond == {**last, "currentPage": pages + 5}


async def test_a_page_repeats_the_one_before(raw_client: RawClient) -> None:
    raw_client.sandbox.faults.add(Fault(RepeatPage(), page=2))
    first = await raw_client.list_usage(0)
    second = await raw_client.list_usage(0, ("page", "2"))
    assert second["usageData"] == first["usageData"]
    assert (second["currentPage"], second["hasNext"]) == (2, True)


async def test_effects_on_lists_leave_other_responses_unchanged(
    raw_client: RawClient,
) -> None:
    plain = (await raw_client.request("/v2.2/company")).body
    raw_client.sandbox.faults.add(Fault(RepeatPage()), Fault(ClampSilently()))
    assert (await raw_client.request("/v2.2/company")).body == plain
    assert (await raw_client.request("/v2.2/ping")).json == "pong v2.2"
    company = raw_client.sandbox.portfolio.company(0)
    response = await raw_client.request(f"/v2.2/company/{company.id}")
    assert response.json["id"] == company.id
