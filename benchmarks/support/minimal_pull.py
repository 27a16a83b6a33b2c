"""A minimal pull on aiohttp and msgspec Structs, as a lower bound of the time.

Ten workers share one heap of pages. First pages go before others, so that the sizes of
all companies are known early. A worker hands the bytes over and requests its next page
at once; the consumer inflates and decodes. There are no retries, limits or checks, and
neither open enums nor `.extra`.
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

from benchmarks.support import equal_models as equals
from benchmarks.support.scenario import PERMITS

__all__ = ["floor"]


class _Envelope(msgspec.Struct, rename="camel"):
    """The part of a first page that a worker needs."""

    total_pages: int


class Scheduler:
    """Schedules the pages of one pull."""

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
        """Pull all records of all companies; returns how many there were."""
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
    """Open the minimal pull as the others are opened."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=PERMITS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "gzip"},
        read_bufsize=1 << 20,
    ) as session:
        yield lambda: Scheduler(session, url).pull()


def _zlib() -> Any:
    """Choose isal's zlib where it is installed."""
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return zlib
