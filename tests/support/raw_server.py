"""A server that sends fixed bytes, and a write that meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define, field

from nectar_async import NectarClient, NectarError, RetryPolicy, Settings

OK = b"HTTP/1.1 200 OK\r\n"
ONCE = RetryPolicy(attempts=1)


@define
class RawServer:
    """Sends fixed bytes on each connection; None for nothing at all."""

    data: bytes | None
    speaks_first: bool = False
    port: int = 0
    connections: int = 0
    received: bytes = b""
    is_connected: asyncio.Event = field(factory=asyncio.Event)

    async def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.is_connected.set()
        try:
            if self.data is None:
                await reader.read()
                return
            if not self.speaks_first:
                self.received += await reader.read(10_000)
            writer.write(self.data)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serve(
    data: bytes | None, *, speaks_first: bool = False
) -> AsyncIterator[RawServer]:
    raw = RawServer(data, speaks_first)
    async with await asyncio.start_server(raw.connected, "127.0.0.1", 0) as server:
        raw.port = server.sockets[0].getsockname()[1]
        yield raw


async def create_company(
    url: str, transport: Any = None, timeout: float = 5, retry: RetryPolicy = ONCE
) -> NectarError:
    """Create a company, which is sent again only if it was not sent; get the error."""
    settings = Settings(base_url=url, attempt_timeout=timeout, retry=retry)
    async with NectarClient("k", settings=settings, transport=transport) as nectar:
        with pytest.raises(NectarError) as caught:
            await nectar.companies.create("x")
    return caught.value
