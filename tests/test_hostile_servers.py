"""Servers that redirect, rotate keys, close connections or send unrequested answers."""

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
MANY_RETRIES = RetryPolicy(attempts=10, wait_initial=0.01, wait_max=0.02)


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


# Redirects.


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308], ids=str)
async def test_no_request_and_no_key_follows_a_redirect(
    harness: Harness, status: int, read: Read
) -> None:
    async with Sandbox(companies=1) as other:
        harness.fault(SendAway(origin=other.url, status=status))
        with pytest.raises(RedirectedError, match="not followed") as caught:
            await read(harness.client(), harness.company_id)
        assert other.witness.requests == 0
    assert caught.value.status == status
    assert harness.sandbox.witness.requests == 1


async def test_a_redirect_to_itself_is_requested_once(harness: Harness) -> None:
    harness.fault(SendAway())
    with pytest.raises(RedirectedError):
        await harness.client().ping()
    assert harness.sandbox.witness.requests == 1


# Rotated keys.


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
async def test_a_key_that_changes_during_a_pull_is_read_once_more(
    harness: Harness, read: Read
) -> None:
    harness.fault(RotateKey(key="new-key"), operation=USAGE, page=2, times=1)
    calls = 0

    async def key() -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        return harness.sandbox.api_key

    records = await read(harness.client(key), harness.company_id)
    assert [record.id for record in records] == harness.usage_ids
    assert calls == 2


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
async def test_a_key_that_is_revoked_during_a_pull_is_an_error(
    harness: Harness, read: Read
) -> None:
    nectar = harness.client()
    harness.fault(RotateKey(key="new-key"), operation=USAGE, page=2, times=1)
    with pytest.raises(AuthenticationError, match="NECTAR_API_KEY") as caught:
        await read(nectar, harness.company_id)
    assert caught.value.attempts == 1
    assert "new-key" not in repr(vars(caught.value))


async def test_a_sandbox_with_a_rotated_key_refuses_the_old_one(
    harness: Harness,
) -> None:
    before = harness.client()
    harness.sandbox.rotate_key("new-key")
    with pytest.raises(AuthenticationError):
        await before.ping()
    assert await harness.client().ping() == "pong v2.2"


# Connections.


@pytest.mark.parametrize("read", READS, ids=describe_parameter)
async def test_a_server_that_refuses_connections_for_a_while_is_retried(
    harness: Harness, read: Read
) -> None:
    harness.fault(Refuse(0.03), operation=USAGE, page=3, times=1)
    nectar = harness.client(clock=SystemClock(), retry=MANY_RETRIES)
    records = await read(nectar, harness.company_id)
    assert [record.id for record in records] == harness.usage_ids
    assert nectar.statistics().retries >= 1


async def test_a_write_is_retried_if_it_was_certainly_not_sent(
    harness: Harness,
) -> None:
    nectar = harness.client(clock=SystemClock(), retry=MANY_RETRIES)
    harness.sandbox.refuse(0.03)
    company = await nectar.companies.create(name="Created once")
    names = [company.name for company in await nectar.companies.all()]
    assert company.name == "Created once"
    assert names.count("Created once") == 1
    assert harness.sandbox.witness.by_operation["companies_create"] == 1


async def test_a_server_that_always_refuses_connections_is_an_error(
    harness: Harness,
) -> None:
    nectar = harness.client()
    harness.sandbox.refuse(60)
    with pytest.raises(ConnectionFailedError, match="cannot connect") as caught:
        await nectar.ping()
    assert (caught.value.is_sent, caught.value.attempts) == (False, 4)


@pytest.mark.parametrize("effect", [Disconnect(), Reset(), Reset(share=0.5)], ids=repr)
async def test_a_write_that_may_have_been_executed_is_not_retried(
    harness: Harness, effect: Disconnect | Reset
) -> None:
    harness.fault(effect, operation="companies_create")
    nectar = harness.client()
    with pytest.raises(ConnectionFailedError) as caught:
        await nectar.companies.create(name="Created once")
    assert (caught.value.is_sent, caught.value.attempts) == (True, 1)
    names = [company.name for company in await nectar.companies.all()]
    assert names.count("Created once") == 1


async def test_connections_that_close_when_idle_cause_no_error(
    harness: Harness,
) -> None:
    harness.fault(CloseIdle())
    nectar = harness.client()
    for _ in range(3):
        records = await read_repository(nectar, harness.company_id)
        assert [record.id for record in records] == harness.usage_ids
    await nectar.companies.create(name="After idle time")
    names = [company.name for company in await nectar.companies.all()]
    assert names.count("After idle time") == 1


# The rest of an answer must not become the answer to another request.


@pytest.mark.parametrize("by", [-1, -100, -2_000], ids=str)
async def test_the_rest_of_an_answer_is_discarded(harness: Harness, by: int) -> None:
    nectar = harness.client(retry=RetryPolicy(attempts=1))
    company = await nectar.companies.get(harness.company_id)
    harness.fault(WrongLength(by=by), operation="companies_list")
    for _ in range(3):
        with pytest.raises(NectarError, match="companies_list"):
            await nectar.companies.all()
        assert await nectar.ping() == "pong v2.2"
        assert await nectar.companies.get(harness.company_id) == company


@frozen
class SecondAnswer:
    """An effect that sends a second, unrequested answer after the first."""

    sent: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(0))
    """Released when the second answer was sent."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Answer, and soon send another answer on the same connection."""
        return SocketResponse.build(await proceed(request), self._deliver)

    async def _deliver(
        self, request: web.BaseRequest, reply: Reply
    ) -> web.StreamResponse:
        response = web.Response(body=reply.body, headers=reply.headers)
        await response.prepare(request)
        await response.write_eof()
        body = b'{"id": "second", "name": "second"}'
        second_answer = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert request.transport is not None
        write = request.transport.write

        def send_second() -> None:
            write(second_answer)
            self.sent.release()

        asyncio.get_running_loop().call_later(0.005, send_second)
        return response


async def test_an_unrequested_answer_is_discarded(
    harness: Harness,
) -> None:
    effect = SecondAnswer()
    harness.fault(effect, operation="ping_get")
    async with NectarClient(
        harness.sandbox.api_key, settings=harness.sandbox.settings
    ) as nectar:
        for _ in range(2):
            await nectar.ping()
            await effect.sent.acquire()
            await settle_down()
            company = await nectar.companies.get(harness.company_id)
            assert company.id == harness.company_id


# Limited servers.


async def test_the_limiter_finds_how_many_requests_a_server_accepts() -> None:
    async with open_harness(companies=10, latency=0.02) as harness:
        nectar = harness.client(clock=SystemClock(), retry=MANY_RETRIES)
        harness.fault(Crowd(limit=4, retry_after="0"))
        async with nectar.repository.usage() as records:
            ids = {record.id async for record in records}
        expected = {
            record.id
            for company in harness.sandbox.portfolio
            for record in harness.sandbox.portfolio.company_data(company.index).records
        }
        assert ids == expected
        assert records.receipt.verdict == "complete"
        statistics = nectar.statistics()
        # At ten requests at once, six of ten would get a 429.
        assert statistics.limit < statistics.max_limit
        assert 0 < statistics.rate_limited < statistics.attempts / 3


async def test_a_server_that_accepts_no_request_is_an_error(harness: Harness) -> None:
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


async def test_no_request_is_sent_to_a_server_of_an_unknown_authority(
    certificate: ssl.SSLContext,
) -> None:
    async with open_harness(certificate) as harness:
        assert harness.sandbox.url.startswith("https://127.0.0.1:")
        with pytest.raises(ConnectionFailedError, match="not trusted") as caught:
            await walk_usage(harness.client(), harness.company_id)
        assert (caught.value.is_permanent, caught.value.attempts) == (True, 1)
        assert harness.sandbox.witness.requests == 0


async def test_a_certificate_of_a_trusted_authority_works(
    authority: trustme.CA, certificate: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with open_harness(certificate, trust=trusting) as harness:
        harness.fault(Reset(share=0.5), operation=USAGE, page=2, times=1)
        records = await walk_usage(harness.client(), harness.company_id)
        assert [record.id for record in records] == harness.usage_ids
        assert isinstance(records[0].usage, Decimal)
        links = [
            record.document.url for record in records if record.document is not None
        ]
        assert all(
            link.reveal().startswith(harness.sandbox.url) for link in links if link
        )
        assert any(links)
