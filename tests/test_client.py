"""The client: its key, its copies, its loop, its requests, and its closing."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from types import NoneType
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from doubles import USAGE, ListServer, MakeClient, envelope, settle_down

from nectar_async import (
    Company,
    Listing,
    MemoryTransport,
    NectarClient,
    Operation,
    Page,
    Request,
    Response,
    RetryPolicy,
    Settings,
    Site,
    Statistics,
    UsageData,
    VirtualClock,
)
from nectar_async.errors import (
    BodyCorruptError,
    BodyTooLargeError,
    ClientClosedError,
    ConfigurationError,
    DeadlineExceededError,
    DecodeError,
    NotFoundError,
    WrongLoopError,
)

pytestmark = pytest.mark.anyio

GET = Request.get("thing_get", "/thing", dict)


class Wire:
    """A transport of a user that needs a key and waits when it is closed."""

    def __init__(
        self, answer: Callable[[Request[Any]], Response] | None = None
    ) -> None:
        self.answer = answer or (lambda _: Response(200, {}, b"{}"))
        self.requests: list[Request[Any]] = []
        self.closed = 0

    async def send(self, request: Request[Any], /) -> Response:
        self.requests.append(request)
        await anyio.lowlevel.checkpoint()
        return self.answer(request)

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closed += 1


# The key.


async def test_a_client_without_a_key_says_where_it_looks() -> None:
    with pytest.raises(ConfigurationError, match="NECTAR_API_KEY"):
        NectarClient()
    with pytest.raises(ConfigurationError, match="NECTAR_API_KEY"):
        NectarClient(transport=Wire())


async def test_a_key_of_spaces_in_the_environment_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "  ")
    with pytest.raises(ConfigurationError):
        NectarClient(transport=Wire())


async def test_the_key_of_the_environment_is_used_unless_another_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "from-env")
    wire = Wire()
    async with NectarClient(transport=wire) as nectar:
        await nectar.send(GET)
    explicit = Wire()
    async with NectarClient("given", transport=explicit) as nectar:
        await nectar.send(GET)
    keys = [double.requests[0].headers["X-API-Key"] for double in (wire, explicit)]
    assert keys == ["from-env", "given"]


async def test_a_memory_transport_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "from-env")
    transport = MemoryTransport({"ping_get": "pong"})
    async with NectarClient(transport=transport) as nectar:
        await nectar.ping()
    assert "X-API-Key" not in transport.requests[0].headers


async def test_the_environment_sets_address_and_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_BASE_URL", "https://proxy.example/nectar/")
    monkeypatch.setenv("NECTAR_API_VERSION", "v2.0")
    transport = MemoryTransport({"ping_get": "pong"})
    async with NectarClient(transport=transport) as nectar:
        await nectar.ping()
    assert transport.requests[0].url == "https://proxy.example/nectar/v2/ping"


# Copies.


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "https://other.example"},
        {"api_version": "v2.0"},
        {"max_concurrency": 5},
        {"speed": "high"},
        {"deadline": -1},
    ],
)
async def test_a_copy_refuses_shared_and_unknown_settings(
    make_client: MakeClient, changes: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError):
        make_client({}).with_settings(**changes)


async def test_a_copy_shares_the_limiter_and_the_counters(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=20)
    server.turns = 3
    nectar = make_client(server.transport, max_concurrency=2)
    copy = nectar.with_settings(attempt_timeout=5)

    async def walk(client: NectarClient) -> None:
        assert len([record async for record in client.usage.by_company("a")]) == 40

    async with anyio.create_task_group() as group:
        group.start_soon(walk, nectar)
        group.start_soon(walk, copy)
    assert server.peak == 2
    assert nectar.statistics() == copy.statistics()
    assert nectar.statistics().requests == 40


async def test_a_copy_has_its_own_settings(make_client: MakeClient) -> None:
    nectar = make_client(MemoryTransport(lambda _: Response(404)))
    copy = nectar.with_settings(attempt_timeout=5, strict=True)
    assert (nectar.settings.attempt_timeout, nectar.settings.strict) == (30, False)
    assert (copy.settings.attempt_timeout, copy.settings.strict) == (5, True)


async def test_a_copy_with_another_budget_has_that_budget(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport(lambda _: Response(503))
    nectar = make_client(transport, clock=VirtualClock())
    with pytest.raises(Exception, match="503"):
        await nectar.with_settings(retry=RetryPolicy(budget=0)).send(GET)
    assert len(transport.requests) == 1


async def test_only_the_original_closes() -> None:
    wire = Wire()
    nectar = NectarClient("k", transport=wire)
    copy = nectar.with_settings(strict=True)
    async with copy:
        await copy.send(GET)
    await copy.aclose()
    assert wire.closed == 0
    await nectar.send(GET)
    await nectar.aclose()
    assert wire.closed == 1
    with pytest.raises(ClientClosedError):
        await copy.send(GET)


# The end.


async def test_closing_twice_does_nothing() -> None:
    wire = Wire()
    async with NectarClient("k", transport=wire) as nectar:
        await nectar.send(GET)
        await nectar.aclose()
    await nectar.aclose()
    assert wire.closed == 1


async def test_a_closed_client_says_so() -> None:
    nectar = NectarClient("k", transport=Wire())
    await nectar.aclose()
    with pytest.raises(ClientClosedError):
        await nectar.send(GET)
    with pytest.raises(ClientClosedError):
        await nectar.__aenter__()
    with pytest.raises(ClientClosedError):
        await anext(aiter(nectar.usage.by_company("a")))


async def test_a_client_that_was_never_used_can_be_closed() -> None:
    await NectarClient("k").aclose()


async def test_a_client_that_is_closed_while_it_opens_sends_nothing() -> None:
    raised: list[type[Exception]] = []
    settings = Settings(base_url="http://127.0.0.1:9", retry=RetryPolicy(attempts=1))
    nectar = NectarClient("k", settings=settings)

    async def use() -> None:
        try:
            await nectar.send(GET)
        except Exception as error:  # noqa: BLE001 - looked at below
            raised.append(type(error))

    async with anyio.create_task_group() as group:
        group.start_soon(use)
        await anyio.lowlevel.checkpoint()
        await nectar.aclose()
    if (transport := nectar._session._transport) is not None:
        await transport.aclose()  # so that this test alone fails
    assert raised == [ClientClosedError]


async def test_a_client_that_is_left_by_cancellation_is_closed() -> None:
    wire = Wire()
    with anyio.CancelScope() as scope:
        async with NectarClient("k", transport=wire) as nectar:
            scope.cancel()
            await nectar.send(GET)
    assert wire.closed == 1


# The loop.


def test_the_default_transport_says_that_it_needs_asyncio() -> None:
    nectar = NectarClient("key")
    with pytest.raises(ConfigurationError, match="needs asyncio"):
        anyio.run(nectar.ping, backend="trio")


def test_settings_of_another_type_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="not dict"):
        NectarClient("key", settings={})  # type: ignore[arg-type]


def test_a_client_belongs_to_the_loop_of_its_first_use() -> None:
    transport = MemoryTransport({"ping_get": "pong"})
    nectar = NectarClient(transport=transport)
    assert asyncio.run(nectar.ping()) == "pong"
    with pytest.raises(WrongLoopError, match=r"asyncio\.run"):
        asyncio.run(nectar.ping())
    with pytest.raises(WrongLoopError):
        anyio.run(nectar.ping, backend="trio")
    fresh = NectarClient(transport=transport)
    assert asyncio.run(fresh.ping()) == "pong"


async def test_a_client_is_opened_and_closed_by_different_tasks() -> None:
    server = ListServer.of_pages(a=3)
    nectar = NectarClient(transport=server.transport)

    async def opening() -> None:
        await nectar.__aenter__()

    async def closing() -> None:
        await nectar.__aexit__(None, None, None)

    async with anyio.create_task_group() as group:
        group.start_soon(opening)
    assert len([record async for record in nectar.usage.by_company("a")]) == 6
    async with anyio.create_task_group() as group:
        group.start_soon(closing)
    assert server.transport.is_closed


# `NectarClient.send`.


async def test_any_request_can_be_sent(make_client: MakeClient) -> None:
    transport = MemoryTransport({"labels_get": {"name": "x"}})
    request = Request.get(
        "labels_get",
        "/label/{label_id}",
        dict,
        label_id="a/b",
        query={"is_archived": False},
    )
    assert await make_client(transport).send(request) == {"name": "x"}
    url = "https://external.nectarclimate.com/v2.2/label/a%2Fb?isArchived=false"
    assert transport.requests[0].url == url


async def test_a_list_can_be_sent_with_its_listing(make_client: MakeClient) -> None:
    answer = envelope(["x", "y"], page=1, per_page=2, total=5)
    nectar = make_client({"things": answer})
    listing = Listing(items="usage_data")
    page = await nectar.send(
        Request.get("things", "/things", Page[UsageData], listing=listing)
    )
    assert [item.id for item in page.items] == ["x", "y"]
    assert (page.total, page.total_pages, page.has_next) == (5, 3, True)


async def test_a_list_without_a_listing_says_what_is_missing(
    make_client: MakeClient,
) -> None:
    nectar = make_client({"things": []})
    with pytest.raises(ConfigurationError, match="listing=Listing"):
        await nectar.send(Request.get("things", "/things", Page[UsageData]))


async def test_a_list_without_a_listing_is_refused_before_it_is_sent(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport({"things": []})
    with pytest.raises(ConfigurationError):
        await make_client(transport).send(
            Request.get("things", "/things", Page[UsageData])
        )
    assert transport.requests == []


async def test_plain_lists_models_and_nothing_are_decoded(
    make_client: MakeClient,
) -> None:
    company = {"id": "c", "name": "C"}
    nectar = make_client(
        {"one": company, "many": [company], "none": Response(204), "text": "hello"}
    )
    expected = Company(id="c", name="C")
    assert await nectar.send(Request.get("one", "/x", Company)) == expected
    assert await nectar.send(Request.get("many", "/x", list[Company])) == [expected]
    assert await nectar.send(Request.get("text", "/x", str)) == "hello"
    await nectar.send(Request.delete("none", "/x", NoneType))


@pytest.mark.parametrize(
    "answer",
    [
        *("pong v2.2", {"message": "Pong"}, {"ping": "pong", "version": 2}),
        *({"ping": {"message": "pong"}}, ["pong v2.2"]),
        Response(200, {"Content-Type": "text/plain"}, b"pong v2.2"),
    ],
    ids=range(6),
)
async def test_a_ping_is_answered(make_client: MakeClient, answer: object) -> None:
    words = await make_client({"ping_get": answer}).ping()
    assert "pong" in words.lower()


@pytest.mark.parametrize(
    "answer", [{"status": "ok"}, "hello", [], 5, Response(200, {}, b"<html></html>")]
)
async def test_a_ping_without_a_pong_is_an_error(
    make_client: MakeClient, answer: object
) -> None:
    with pytest.raises(DecodeError) as caught:
        await make_client({"ping_get": answer}).ping()
    assert caught.value.operation == "ping_get"
    assert caught.value.request_id is not None


async def test_every_group_of_the_client_sends_its_requests(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport(
        {
            "companies_list": [{"id": "c", "name": "C"}],
            "companies_get": {"id": "c", "name": "C"},
            "sites_list_by_company": [{"id": "s", "name": "S"}],
            "usage_list_by_site": envelope(["u"], page=1, per_page=1, total=1),
        }
    )
    nectar = make_client(transport)
    assert [company.id for company in await nectar.companies.all()] == ["c"]
    assert (await nectar.companies.get("c")).name == "C"
    sites = [site async for site in nectar.sites.by_company("c")]
    assert [type(site) for site in sites] == [Site]
    assert [record.id async for record in nectar.usage.by_site("s")] == ["u"]
    paths = [request.url.partition("/v2.2")[2] for request in transport.requests]
    assert paths[:3] == ["/company", "/company/c", "/site/company/c"]
    assert paths[3].partition("?")[0] == "/usage/site/s"


# Statistics.


async def test_statistics_are_a_snapshot(make_client: MakeClient) -> None:
    not_found = Response(404, {}, b"gone")
    replies = iter([Response(429), Response(500), {"a": 1}, not_found])
    clock = VirtualClock()
    nectar = make_client(
        MemoryTransport(lambda _: next(replies)), clock=clock, max_concurrency=3
    )
    before = nectar.statistics()
    await nectar.send(GET)
    with pytest.raises(NotFoundError):
        await nectar.send(GET)
    assert before.requests == 0
    assert nectar.statistics() == Statistics(
        requests=2,
        attempts=4,
        retries=2,
        rate_limited=1,
        bytes_received=11,
        queue_seconds=0.0,
        network_seconds=0.0,
        backoff_seconds=1.5,
        in_flight=0,
        peak_in_flight=1,
        waiting=0,
        limit=2,  # halved by the 429, and one more for a success
        max_limit=3,
    )


async def test_statistics_have_the_exact_times(
    make_client: MakeClient,
) -> None:
    clock = VirtualClock()

    async def key() -> str:
        clock.advance(0.25)
        return "k" * 12

    async def slow(_: Request[Any]) -> dict[str, int]:
        await anyio.lowlevel.checkpoint()
        clock.advance(3)
        return {}

    nectar = make_client(
        MemoryTransport(slow), api_key=key, clock=clock, max_concurrency=1
    )
    async with anyio.create_task_group() as group:
        group.start_soon(nectar.send, GET)
        group.start_soon(nectar.send, GET)
    statistics = nectar.statistics()
    assert statistics.network_seconds == 6
    # Both requests wait for the key, and the second one for the first one's permit.
    assert statistics.queue_seconds == 0.25 + 0.25 + 3
    assert statistics.backoff_seconds == 0


async def test_a_503_halves_the_permits(make_client: MakeClient) -> None:
    replies = iter([Response(503), {}])
    nectar = make_client(MemoryTransport(lambda _: next(replies)), clock=VirtualClock())
    await nectar.send(GET)
    assert nectar.statistics().limit == 5


async def test_statistics_count_attempts_in_flight_and_waiting(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=1)
    release = server.hold("a", 1)
    nectar = make_client(server.transport, max_concurrency=2)

    async def walk() -> None:
        assert len([record async for record in nectar.usage.by_company("a")]) == 2

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(walk)
        await settle_down()
        now = nectar.statistics()
        assert (now.in_flight, now.waiting, now.limit) == (2, 3, 2)
        release.set()


# Corrections.


async def test_a_correction_changes_verb_and_path_on_the_wire(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport({"sites_list_by_company": []})
    corrected = Operation("POST", "/company/{company_id}/sites")
    nectar = make_client(transport, operations={"sites_list_by_company": corrected})
    assert [site async for site in nectar.sites.by_company("c")] == []
    (request,) = transport.requests
    assert (request.method, request.url.partition("/v2.2")[2]) == (
        "POST",
        "/company/c/sites",
    )


async def test_a_correction_changes_keys_of_the_query(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=1)
    nectar = make_client(
        server.transport, operations={USAGE: Operation(keys={"identifier": "meterNo"})}
    )
    async for _ in nectar.usage.by_company("a", identifier="7"):
        pass
    assert "meterNo=7" in server.transport.requests[0].url


async def test_a_correction_changes_keys_of_the_envelope(
    make_client: MakeClient,
) -> None:
    keys = {
        "usageData": "results",
        "totalUsageData": "count",
        "totalPages": "pages",
        "hasNext": "more",
        "currentPage": "page",
        "perPage": "size",
    }

    def answer(request: Request[Any]) -> dict[str, object]:
        page = 2 if "page=2" in request.url else 1
        right = envelope([f"r{page}"], page=page, per_page=1, total=2)
        return {keys.get(key, key): value for key, value in right.items()}

    nectar = make_client(
        MemoryTransport(answer), operations={USAGE: Operation(keys=keys)}
    )
    pager = nectar.usage.by_company("a")
    assert [record.id async for record in pager] == ["r1", "r2"]
    assert pager.receipt.verdict == "complete"


async def test_a_correction_changes_keys_of_the_body(make_client: MakeClient) -> None:
    transport = MemoryTransport({"thing_confirm": {}})
    nectar = make_client(
        transport,
        operations={"thing_confirm": Operation(keys={"confirm": "isConfirmed"})},
    )
    request = Request.patch("thing_confirm", "/thing", dict, json={"confirm": True})
    await nectar.send(request)
    assert transport.requests[0].body == b'{"isConfirmed":true}'


async def test_a_correction_that_names_a_missing_part_is_refused(
    make_client: MakeClient,
) -> None:
    nectar = make_client(
        {"thing_get": {}}, operations={"thing_get": Operation(path="/{thing_id}")}
    )
    with pytest.raises(ConfigurationError, match="thing_id"):
        await nectar.send(GET)


# Compressed answers.

DAMAGED = Response(200, {"Content-Encoding": "gzip"}, gzip.compress(b"{}")[:-6])
PACKED = Response(200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}'))


async def test_a_compressed_answer_is_decompressed(make_client: MakeClient) -> None:
    assert await make_client({"thing_get": PACKED}).send(GET) == {"a": 1}


async def test_a_request_with_a_corrupt_answer_is_sent_again(
    make_client: MakeClient,
) -> None:
    replies = iter([DAMAGED, DAMAGED, DAMAGED, PACKED])
    nectar = make_client(MemoryTransport(lambda _: next(replies)), clock=VirtualClock())
    assert await nectar.send(GET) == {"a": 1}
    statistics = nectar.statistics()
    assert (statistics.requests, statistics.attempts, statistics.retries) == (1, 4, 3)
    assert statistics.backoff_seconds == 0.5 + 1 + 2


async def test_an_answer_that_stays_corrupt_is_an_error(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport({"thing_get": DAMAGED})
    with pytest.raises(BodyCorruptError) as caught:
        await make_client(transport, clock=VirtualClock()).send(GET)
    assert len(transport.requests) == 4
    assert caught.value.operation == "thing_get"
    assert (caught.value.attempts, caught.value.elapsed) == (4, 3.5)
    assert len({request.timing.request_id for request in transport.requests}) == 1


async def test_corrupt_answers_use_the_retry_budget(make_client: MakeClient) -> None:
    transport = MemoryTransport({"thing_get": DAMAGED})
    nectar = make_client(transport, retry=RetryPolicy(budget=0))
    with pytest.raises(BodyCorruptError):
        await nectar.send(GET)
    assert len(transport.requests) == 1


async def test_a_deadline_ends_the_repeats_of_a_corrupt_answer(
    make_client: MakeClient,
) -> None:
    clock = VirtualClock()
    nectar = make_client({"thing_get": DAMAGED}, deadline=1.2, clock=clock)
    with pytest.raises(DeadlineExceededError, match=r"0\.5 s of back-off") as caught:
        await nectar.send(GET)
    assert "BodyCorruptError" in caught.value.__notes__[0]
    assert clock.sleeps == [0.5]


async def test_a_write_with_a_corrupt_answer_is_not_sent_again(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport({"o": DAMAGED})
    with pytest.raises(BodyCorruptError):
        await make_client(transport).send(Request.post("o", "/", dict, json={}))
    assert len(transport.requests) == 1


async def test_an_answer_that_decompresses_to_too_much_is_an_error(
    make_client: MakeClient,
) -> None:
    bomb = Response(200, {"content-encoding": "gzip"}, gzip.compress(b" " * 10**6))
    transport = MemoryTransport({"thing_get": bomb})
    with pytest.raises(BodyTooLargeError):
        await make_client(transport, max_body_bytes=10_000).send(GET)
    assert len(transport.requests) == 1
