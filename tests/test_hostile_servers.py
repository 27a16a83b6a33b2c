"""Servers that go away, move, change their keys, or answer what nobody asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
import trustme
from aiohttp import web
from attrs import field, frozen
from doubles import settle_down
from harness import (
    READS,
    Harness,
    Read,
    describe_parameter,
    open_harness,
    read_repository,
    walk_usage,
)

from nectar_async import (
    AuthenticationError,
    ConnectionFailedError,
    NectarClient,
    NectarError,
    RateLimitedError,
    RedirectedError,
    Request,
    Response,
    RetryPolicy,
)
from nectar_async._http.clock import SystemClock
from nectar_async.faults import Proceed
from nectar_async.sandbox import (
    CloseIdle,
    Crowd,
    Disconnect,
    Refuse,
    Reset,
    RotateKey,
    Sandbox,
    SendAway,
    WrongLength,
)
from nectar_async.sandbox.server.delivery import SocketResponse
from nectar_async.sandbox.server.messages import Reply

pytestmark = pytest.mark.asyncio

USAGE = "usage_list_by_company"
PATIENT = RetryPolicy(attempts=10, wait_initial=0.01, wait_max=0.02)


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


# Somewhere else.


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308], ids=str)
async def test_no_request_and_no_key_follows_a_redirect(
    harness: Harness, status: int, ask: Read
) -> None:
    async with Sandbox(companies=1) as other:
        harness.fault(SendAway(origin=other.url, status=status))
        with pytest.raises(RedirectedError, match="not followed") as caught:
            await ask(harness.client(), harness.company_id)
        assert other.witness.requests == 0
    assert caught.value.status == status
    assert harness.sandbox.witness.requests == 1


async def test_a_redirect_that_leads_to_itself_is_asked_once(harness: Harness) -> None:
    harness.fault(SendAway())
    with pytest.raises(RedirectedError):
        await harness.client().ping()
    assert harness.sandbox.witness.requests == 1


# Other keys.


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
async def test_a_key_that_changes_in_mid_pull_is_asked_for_once(
    harness: Harness, ask: Read
) -> None:
    harness.fault(RotateKey(key="key-of-today"), operation=USAGE, page=2, times=1)
    asked = 0

    async def key() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return harness.sandbox.api_key

    records = await ask(harness.client(key), harness.company_id)
    assert [one.id for one in records] == harness.usage_ids
    assert asked == 2


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
async def test_a_key_that_is_withdrawn_in_mid_pull_is_an_error(
    harness: Harness, ask: Read
) -> None:
    nectar = harness.client()
    harness.fault(RotateKey(key="key-of-today"), operation=USAGE, page=2, times=1)
    with pytest.raises(AuthenticationError, match="NECTAR_API_KEY") as caught:
        await ask(nectar, harness.company_id)
    assert caught.value.attempts == 1
    assert "key-of-today" not in repr(vars(caught.value))


async def test_a_sandbox_that_rotates_its_key_knows_no_other(harness: Harness) -> None:
    before = harness.client()
    harness.sandbox.rotate_key("key-of-today")
    with pytest.raises(AuthenticationError):
        await before.ping()
    assert await harness.client().ping() == "pong v2.2"


# Connections.


@pytest.mark.parametrize("ask", READS, ids=describe_parameter)
async def test_a_server_that_is_away_for_a_while_is_waited_for(
    harness: Harness, ask: Read
) -> None:
    harness.fault(Refuse(0.03), operation=USAGE, page=3, times=1)
    nectar = harness.client(clock=SystemClock(), retry=PATIENT)
    records = await ask(nectar, harness.company_id)
    assert [one.id for one in records] == harness.usage_ids
    assert nectar.statistics().retries >= 1


async def test_a_write_is_repeated_while_nobody_can_have_heard_it(
    harness: Harness,
) -> None:
    nectar = harness.client(clock=SystemClock(), retry=PATIENT)
    harness.sandbox.refuse(0.03)
    made = await nectar.companies.create(name="Heard once")
    names = [one.name for one in await nectar.companies.all()]
    assert made.name == "Heard once"
    assert names.count("Heard once") == 1
    assert harness.sandbox.witness.by_operation["companies_create"] == 1


async def test_a_server_that_stays_away_is_an_error(harness: Harness) -> None:
    nectar = harness.client()
    harness.sandbox.refuse(60)
    with pytest.raises(ConnectionFailedError, match="cannot connect") as caught:
        await nectar.ping()
    assert (caught.value.is_sent, caught.value.attempts) == (False, 4)


@pytest.mark.parametrize("effect", [Disconnect(), Reset(), Reset(share=0.5)], ids=repr)
async def test_a_write_that_may_have_been_heard_is_not_repeated(
    harness: Harness, effect: Disconnect | Reset
) -> None:
    harness.fault(effect, operation="companies_create")
    nectar = harness.client()
    with pytest.raises(ConnectionFailedError) as caught:
        await nectar.companies.create(name="Heard once")
    assert (caught.value.is_sent, caught.value.attempts) == (True, 1)
    names = [one.name for one in await nectar.companies.all()]
    assert names.count("Heard once") == 1


async def test_connections_that_close_when_idle_cost_nothing(harness: Harness) -> None:
    harness.fault(CloseIdle())
    nectar = harness.client()
    for _ in range(3):
        records = await read_repository(nectar, harness.company_id)
        assert [one.id for one in records] == harness.usage_ids
    await nectar.companies.create(name="After an idle while")
    names = [one.name for one in await nectar.companies.all()]
    assert names.count("After an idle while") == 1


# What is left over of an answer must not become the answer to something else.


@pytest.mark.parametrize("by", [-1, -100, -2_000], ids=str)
async def test_the_rest_of_an_answer_is_no_answer(harness: Harness, by: int) -> None:
    nectar = harness.client(retry=RetryPolicy(attempts=1))
    company = await nectar.companies.get(harness.company_id)
    harness.fault(WrongLength(by=by), operation="companies_list")
    for _ in range(3):
        with pytest.raises(NectarError, match="companies_list"):
            await nectar.companies.all()
        assert await nectar.ping() == "pong v2.2"
        assert await nectar.companies.get(harness.company_id) == company


@frozen
class Poison:
    """An effect of this test's own: a second answer behind the one asked for."""

    sent: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(0))
    """Released when the second answer is out."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """The right answer, and soon another one that nobody asked for."""
        return SocketResponse.build(await proceed(request), self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = web.Response(body=reply.body, headers=reply.headers)
        await response.prepare(request)
        await response.write_eof()
        body = b'{"id": "poison", "name": "poison"}'
        late = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert request.transport is not None
        write = request.transport.write

        def poison() -> None:
            write(late)
            self.sent.release()

        asyncio.get_running_loop().call_later(0.005, poison)
        return response


async def test_an_answer_that_nobody_asked_for_is_given_to_nobody(
    harness: Harness,
) -> None:
    poison = Poison()
    harness.fault(poison, operation="ping_get")
    async with NectarClient(
        harness.sandbox.api_key, settings=harness.sandbox.settings
    ) as nectar:
        for _ in range(2):
            await nectar.ping()
            await poison.sent.acquire()
            await settle_down()
            company = await nectar.companies.get(harness.company_id)
            assert company.id == harness.company_id


# Too many at once.


async def test_the_gate_finds_how_many_a_server_takes() -> None:
    async with open_harness(companies=10, latency=0.02) as harness:
        nectar = harness.client(clock=SystemClock(), retry=PATIENT)
        harness.fault(Crowd(limit=4, retry_after="0"))
        async with nectar.repository.usage() as records:
            given = {one.id async for one in records}
        whole = {
            record.id
            for company in harness.sandbox.portfolio
            for record in harness.sandbox.portfolio.company_data(company.index).records
        }
        assert given == whole
        assert records.receipt.verdict == "complete"
        now = nectar.statistics()
        # Ten at once would go on to have six of ten refused.
        assert now.limit < now.max_limit
        assert 0 < now.rate_limited < now.attempts / 3


async def test_a_server_that_takes_nobody_is_an_error(harness: Harness) -> None:
    harness.fault(Crowd(limit=0))
    with pytest.raises(RateLimitedError):
        await read_repository(harness.client(), harness.company_id)


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_certificate_of_an_unknown_authority_sends_nothing(
    certificate: ssl.SSLContext,
) -> None:
    async with open_harness(certificate) as harness:
        assert harness.sandbox.url.startswith("https://127.0.0.1:")
        with pytest.raises(ConnectionFailedError, match="not trusted") as caught:
            await walk_usage(harness.client(), harness.company_id)
        assert (caught.value.is_permanent, caught.value.attempts) == (True, 1)
        assert harness.sandbox.witness.requests == 0


async def test_the_same_certificate_works_when_its_authority_is_trusted(
    authority: trustme.CA, certificate: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with open_harness(certificate, trust=trusting) as harness:
        harness.fault(Reset(share=0.5), operation=USAGE, page=2, times=1)
        records = await walk_usage(harness.client(), harness.company_id)
        assert [one.id for one in records] == harness.usage_ids
        assert isinstance(records[0].usage, Decimal)
        links = [one.document.url for one in records if one.document is not None]
        assert all(
            link.reveal().startswith(harness.sandbox.url) for link in links if link
        )
        assert any(links)
