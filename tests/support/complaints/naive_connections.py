"""HTTP with aiohttp as it is often written: each has one flaw."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

__all__ = [
    "CleansUpInDel",
    "FirstLoop",
    "PlainSession",
    "PoolOfOne",
    "ReadsLater",
    "SessionPerRequest",
    "trusting",
]

_NO_BOUND = aiohttp.ClientTimeout(total=None)


class SessionPerRequest:
    """A session for each request: no connection is ever used again."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    async def get(self) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self._origin}/thing") as response,
        ):
            return await response.json()


class PlainSession:
    """A session as the manual makes it; nobody can reach its switches."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session = aiohttp.ClientSession()

    async def get(self) -> Any:
        async with self._session.get(f"{self._origin}/thing") as response:
            return await response.json()

    async def close(self) -> None:
        await self._session.close()


class FirstLoop:
    """A session that is made at the first call, for whatever loop comes then."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session: aiohttp.ClientSession | None = None

    async def get(self) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_NO_BOUND)
        async with self._session.get(f"{self._origin}/thing") as response:
            return await response.json()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class PoolOfOne:
    """One connection, and a lock that whoever wants it waits for, on any loop."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work
        self._lock = asyncio.Lock()

    async def get(self) -> object:
        async with self._lock:
            return await self._work()


class ReadsLater:
    """The body is read as it comes, outside `async with`; whoever is done goes."""

    def __init__(self, origin: str, connections: int) -> None:
        self._origin = origin
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections)
        )
        self._answers: list[aiohttp.ClientResponse] = []

    async def get(self) -> bytes:
        response = await self._session.get(f"{self._origin}/thing")
        self._answers.append(response)
        return b"".join([chunk async for chunk in response.content.iter_any()])

    async def close(self) -> None:
        for one in self._answers:
            one.close()
        await self._session.close()


class CleansUpInDel(FirstLoop):
    """Whoever forgets to close it is helped."""

    def __del__(self) -> None:
        if self._session is not None and not self._session.closed:
            loop = asyncio.get_running_loop()
            self._closing = loop.create_task(self._session.close())


def trusting() -> aiohttp.ClientSession:
    """A session with its own certificates, which are read from files here and now."""
    context = ssl.create_default_context()
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
