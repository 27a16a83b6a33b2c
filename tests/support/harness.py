"""A sandbox with clients of the SDK, and a check that they leave no resources open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sized
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from attrs import evolve, field, frozen
from doubles import assert_idle

from nectar_async import (
    AiohttpTransport,
    NectarClient,
    RetryPolicy,
    VirtualClock,
)
from nectar_async.sandbox import Effect, Fault, Sandbox

__all__ = [
    "READS",
    "Harness",
    "Read",
    "describe_parameter",
    "get_company",
    "list_companies",
    "open_harness",
    "prefetch_usage",
    "read_repository",
    "walk_usage",
]

Read = Callable[[NectarClient, str], Awaitable[list[Any]]]
"""Reads data of a company with a client."""

_WAIT_SECONDS = 0.001
_WAITS = 5_000


@frozen
class Harness:
    """A sandbox of one company, and a session whose connections can be counted."""

    sandbox: Sandbox
    session: aiohttp.ClientSession
    clients: list[NectarClient] = field(factory=list)

    def client(
        self,
        key: Any = None,
        *,
        clock: Any = None,
        retry: RetryPolicy | None = None,
        **settings: Any,
    ) -> NectarClient:
        """Build a client, by default with a clock on which waits take no time."""
        if retry is not None:
            settings["retry"] = retry
        client = NectarClient(
            key or self.sandbox.api_key,
            transport=AiohttpTransport(session=self.session),
            settings=evolve(self.sandbox.settings, **settings),
            clock=clock or VirtualClock(),
        )
        self.clients.append(client)
        return client

    def fault(self, *effects: Effect, **when: Any) -> None:
        """Add faults to the sandbox; the first effect is the outermost one."""
        self.sandbox.faults.add(*(Fault(effect, **when) for effect in effects))

    @property
    def company_id(self) -> str:
        """The id of the only company."""
        return self.sandbox.portfolio.company(0).id

    @property
    def usage_ids(self) -> list[str]:
        """The ids of the usage records in the sandbox."""
        return [record.id for record in self.sandbox.portfolio.company_data(0).records]

    @property
    def checked_out(self) -> int:
        """How many connections of the session are in use."""
        assert self.session.connector is not None
        return len(self.session.connector._acquired)

    async def assert_nothing_is_left(self) -> None:
        """Check that no permit or connection is in use, and that no request runs."""
        for client in self.clients:
            assert_idle(client)
        assert self.checked_out == 0
        # The server notices a disconnected client only a little later.
        assert await _becomes_empty(lambda: range(self.sandbox.witness.in_flight))


@asynccontextmanager
async def open_harness(
    certificate: ssl.SSLContext | None = None,
    *,
    trust: ssl.SSLContext | bool = True,
    **options: Any,
) -> AsyncIterator[Harness]:
    """Start a sandbox and a session, and check at the end that nothing stays open."""
    before = asyncio.all_tasks()
    async with (
        Sandbox(**{"companies": 1, **options}, ssl_context=certificate) as sandbox,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=trust),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
    ):
        harness = Harness(sandbox, session)
        yield harness
        await harness.assert_nothing_is_left()
        for client in harness.clients:
            await client.aclose()
    # Set-up and tear-down of a fixture run in different tasks.
    expected = {*before, asyncio.current_task()}
    assert await _becomes_empty(lambda: asyncio.all_tasks() - expected)


async def _becomes_empty(list_open: Callable[[], Sized]) -> bool:
    for _ in range(_WAITS):
        if not list_open():
            return True
        await asyncio.sleep(_WAIT_SECONDS)
    return False


def describe_parameter(value: object) -> str:
    """Describe a test's parameter in a stable way, for its id."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else repr(value)[:60]


async def get_company(nectar: NectarClient, company_id: str) -> list[Any]:
    """Read a single record."""
    return [await nectar.companies.get(company_id)]


async def list_companies(nectar: NectarClient, _company_id: str) -> list[Any]:
    """Read a list without pages."""
    return list(await nectar.companies.all())


async def walk_usage(nectar: NectarClient, company_id: str) -> list[Any]:
    """Read a list page by page."""
    return [record async for record in nectar.usage.by_company(company_id)]


async def prefetch_usage(nectar: NectarClient, company_id: str) -> list[Any]:
    """Read a list with prefetched pages."""
    async with nectar.usage.by_company(company_id).prefetch() as records:
        return [record async for record in records]


async def read_repository(nectar: NectarClient, company_id: str) -> list[Any]:
    """Read the lists of several companies together."""
    async with nectar.repository.usage(companies=[company_id]) as records:
        return [record async for record in records]


READS: list[Read] = [walk_usage, prefetch_usage, read_repository]
