"""Uses of aiohttp as they are often written; each has one flaw."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import anyio.to_thread

__all__ = [
    "BoundToFirstLoop",
    "ClosesInDel",
    "LockedConnection",
    "PlainSession",
    "ProxySession",
    "SessionPerRequest",
    "UnreleasedResponses",
    "open_session_with_certificates",
    "touch_in_a_shared_thread",
]

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


class SessionPerRequest:
    """Opens a session for each request, so that no connection is reused."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    async def get(self) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self._origin}/thing") as response,
        ):
            return await response.json()


class PlainSession:
    """Opens a session as in the manual, and offers no options for it."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session = aiohttp.ClientSession()

    async def get(self) -> Any:
        async with self._session.get(f"{self._origin}/thing") as response:
            return await response.json()

    async def close(self) -> None:
        await self._session.close()


class ProxySession(PlainSession):
    """Takes the proxy from the environment, and the passwords of `.netrc` with it."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session = aiohttp.ClientSession(trust_env=True)


async def touch_in_a_shared_thread(path: Path) -> None:
    """Touch a file in one of the threads that the whole application shares."""
    await anyio.to_thread.run_sync(path.touch)


class BoundToFirstLoop:
    """Opens its session at the first call, in the event loop of that call."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session: aiohttp.ClientSession | None = None

    async def get(self) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_NO_TIMEOUT)
        async with self._session.get(f"{self._origin}/thing") as response:
            return await response.json()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class LockedConnection:
    """Guards one connection by an asyncio lock, which serves one event loop only."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work
        self._lock = asyncio.Lock()

    async def get(self) -> object:
        async with self._lock:
            return await self._work()


class UnreleasedResponses:
    """Reads bodies outside `async with` and never releases an abandoned answer."""

    def __init__(self, origin: str, connections: int) -> None:
        self._origin = origin
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections)
        )
        self._responses: list[aiohttp.ClientResponse] = []

    async def get(self) -> bytes:
        response = await self._session.get(f"{self._origin}/thing")
        self._responses.append(response)
        return b"".join([chunk async for chunk in response.content.iter_any()])

    async def close(self) -> None:
        for response in self._responses:
            response.close()
        await self._session.close()


class ClosesInDel(BoundToFirstLoop):
    """Closes a forgotten session in `__del__`."""

    def __del__(self) -> None:
        if self._session is not None and not self._session.closed:
            loop = asyncio.get_running_loop()
            self._closing = loop.create_task(self._session.close())


def open_session_with_certificates() -> aiohttp.ClientSession:
    """Open a session with an SSL context, which reads certificates on the loop."""
    context = ssl.create_default_context()
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
