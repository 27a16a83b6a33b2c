"""What can be had at all: a bare scheduler of pages on aiohttp and msgspec Structs.

Ten workers and one heap. First pages go before others, so that the sizes of companies
are known before the workers run dry; a worker hands bytes over and asks for its next
page at once, and whoever consumes inflates and decodes. It has no retries, no bounds,
no checks, and neither open enums nor `.extra`.
"""

from __future__ import annotations

import asyncio
import heapq
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import aiohttp
import msgspec

from benchmarks import _equals as equals
from benchmarks._pulls import PERMITS

__all__ = ["floor"]


class _Envelope(msgspec.Struct, rename="camel"):
    """What a worker has to know of a first page."""

    total_pages: int


class Scheduler:
    """One pull."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._heap: list[tuple[int, int, str]] = []
        self._ready: asyncio.Queue[bytes] = asyncio.Queue()
        self._work = asyncio.Semaphore(0)
        self._missing = 0
        self._zlib = _zlib()
        self._envelope = msgspec.json.Decoder(_Envelope)
        self._page: Any = msgspec.json.Decoder(equals.struct_page())

    async def pull(self) -> int:
        """All records of all companies."""
        body = self._inflate(await self._get("/company"))
        kind = equals.companies_of(equals.struct)
        for at, company in enumerate(msgspec.json.decode(body, type=kind)):
            self._add(1, at, company.id)
        workers = [asyncio.create_task(self._fetch()) for _ in range(PERMITS)]
        count = 0
        while self._missing:
            body = await self._ready.get()
            self._missing -= 1
            await asyncio.sleep(0)  # sockets that are ready go first
            count += len(self._page.decode(self._inflate(body)).usage_data)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        return count

    def _inflate(self, body: bytes) -> bytes:
        inflated: bytes = self._zlib.decompress(body, 31)
        return inflated

    def _add(self, page: int, at: int, company: str) -> None:
        heapq.heappush(self._heap, (page > 1, page + (at << 20), company))
        self._missing += 1
        self._work.release()

    async def _fetch(self) -> None:
        while True:
            await self._work.acquire()
            _, rank, company = heapq.heappop(self._heap)
            at, page = divmod(rank, 1 << 20)
            body = await self._get(f"/usage/company/{company}?page={page}")
            if page == 1:
                pages = self._envelope.decode(self._inflate(body)).total_pages
                for number in range(2, pages + 1):
                    self._add(number, at, company)
            self._ready.put_nowait(body)

    async def _get(self, path: str) -> bytes:
        async with self._session.get(f"{self._url}/v2.2{path}") as answer:
            return await answer.read()


@asynccontextmanager
async def floor(url: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Opened like any other pull."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=PERMITS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "gzip"},
        read_bufsize=1 << 20,
    ) as session:
        yield lambda: Scheduler(session, url).pull()


def _zlib() -> Any:
    """The fastest there is of its kind."""
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return zlib
