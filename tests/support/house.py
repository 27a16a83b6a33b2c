"""A sandbox with one client at its door, and a look at what they leave behind."""

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
    "WALKS",
    "Ask",
    "House",
    "a_prefetch",
    "a_walk",
    "everything",
    "name_of",
    "one_company",
    "one_list",
    "open_house",
]

Ask = Callable[[NectarClient, str], Awaitable[list[Any]]]
"""A way to ask for something of a company."""

_TURN = 0.001
_TURNS = 5_000


@frozen
class House:
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
        """A client whose waits take no time, unless it is given a clock."""
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
        """Put trouble in force; the first effect is outermost."""
        self.sandbox.faults.add(*(Fault(effect, **when) for effect in effects))

    @property
    def company_id(self) -> str:
        """The one company."""
        return self.sandbox.portfolio.company(0).id

    @property
    def usage_ids(self) -> list[str]:
        """Its usage records, as the sandbox holds them."""
        return [record.id for record in self.sandbox.portfolio.company_data(0).records]

    @property
    def checked_out(self) -> int:
        """Connections that nobody gave back."""
        assert self.session.connector is not None
        return len(self.session.connector._acquired)

    async def assert_nothing_is_left(self) -> None:
        """No permit, no connection, no request at the server."""
        for client in self.clients:
            assert_idle(client)
        assert self.checked_out == 0
        # The server learns of a client that left by its connection.
        assert await _becomes_empty(lambda: range(self.sandbox.witness.in_flight))


@asynccontextmanager
async def open_house(
    certificate: ssl.SSLContext | None = None,
    *,
    trust: ssl.SSLContext | bool = True,
    **options: Any,
) -> AsyncIterator[House]:
    """A house; what is left behind when it closes is an error."""
    before = asyncio.all_tasks()
    async with (
        Sandbox(**{"companies": 1, **options}, ssl_context=certificate) as sandbox,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=trust),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
    ):
        house = House(sandbox, session)
        yield house
        await house.assert_nothing_is_left()
        for client in house.clients:
            await client.aclose()
    # A fixture is set up and taken down by different tasks.
    own = {*before, asyncio.current_task()}
    assert await _becomes_empty(lambda: asyncio.all_tasks() - own)


async def _becomes_empty(left: Callable[[], Sized]) -> bool:
    for _ in range(_TURNS):
        if not left():
            return True
        await asyncio.sleep(_TURN)
    return False


def name_of(value: object) -> str:
    """A stable id of a test's parameter."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else repr(value)[:60]


async def one_company(nectar: NectarClient, company_id: str) -> list[Any]:
    """A single answer."""
    return [await nectar.companies.get(company_id)]


async def one_list(nectar: NectarClient, _company_id: str) -> list[Any]:
    """A bare array."""
    return list(await nectar.companies.all())


async def a_walk(nectar: NectarClient, company_id: str) -> list[Any]:
    """Pages as they are read."""
    return [one async for one in nectar.usage.by_company(company_id)]


async def a_prefetch(nectar: NectarClient, company_id: str) -> list[Any]:
    """Pages ahead of the reader."""
    async with nectar.usage.by_company(company_id).prefetch() as records:
        return [one async for one in records]


async def everything(nectar: NectarClient, company_id: str) -> list[Any]:
    """The view over all companies."""
    async with nectar.repository.usage(companies=[company_id]) as records:
        return [one async for one in records]


WALKS: list[Ask] = [a_walk, a_prefetch, everything]
