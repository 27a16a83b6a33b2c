"""The competitors: the package in three ways, other libraries, and code by hand.

Each is opened with the address of the server and returns a function that pulls all
records and returns how many there were.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib import import_module
from typing import Any, TypeAlias

import aiohttp

from benchmarks.support.scenario import PERMITS
from nectar_async import NectarClient, Settings

__all__ = ["PULLS", "Open"]

KEY = "k" * 16

Pull: TypeAlias = Callable[[], Awaitable[int]]
Open: TypeAlias = Callable[[str], AbstractAsyncContextManager[Pull]]


def _client(url: str) -> NectarClient:
    return NectarClient(KEY, settings=Settings(base_url=url))


@asynccontextmanager
async def usage(url: str) -> AsyncIterator[Pull]:
    """Pull all companies at once, with `repository.usage()`."""
    async with _client(url) as nectar:

        async def pull() -> int:
            count = 0
            async with nectar.repository.usage() as records:
                async for _ in records:
                    count += 1
            return count

        yield pull


@asynccontextmanager
async def prefetch(url: str) -> AsyncIterator[Pull]:
    """Pull one company after the other, with `.prefetch()`."""
    async with _client(url) as nectar:

        async def pull() -> int:
            count = 0
            for company in await nectar.companies.all():
                pager = nectar.usage.by_company(company.id)
                async with pager.prefetch() as records:
                    async for _ in records:
                        count += 1
            return count

        yield pull


@asynccontextmanager
async def plain(url: str) -> AsyncIterator[Pull]:
    """Pull one company after the other, with a plain `async for`."""
    async with _client(url) as nectar:

        async def pull() -> int:
            count = 0
            for company in await nectar.companies.all():
                async for _ in nectar.usage.by_company(company.id):
                    count += 1
            return count

        yield pull


@asynccontextmanager
async def sequential(url: str) -> AsyncIterator[Pull]:
    """Pull page after page as openai's and stripe's clients do (httpx, pydantic).

    The next page is requested when all records of the last one were read.
    """
    import httpx  # noqa: PLC0415 - each process has one competitor
    import pydantic  # noqa: PLC0415

    from benchmarks.support import equal_models as equals  # noqa: PLC0415

    page_of: Any = equals.pydantic_page()
    companies = pydantic.TypeAdapter(equals.companies_of(equals.pydantic_model))

    async with httpx.AsyncClient(base_url=f"{url}/v2.2", timeout=60) as client:

        async def records(company: str) -> AsyncIterator[Any]:
            number = 1
            while True:
                answer = await client.get(
                    f"/usage/company/{company}", params={"page": number}
                )
                answer.raise_for_status()
                page = page_of.model_validate_json(answer.content)
                for record in page.usage_data:
                    yield record
                if not page.has_next:
                    return
                number += 1

        async def pull() -> int:
            count = 0
            answer = await client.get("/company")
            for company in companies.validate_json(answer.content):
                async for _ in records(company.id):
                    count += 1
            return count

        yield pull


@asynccontextmanager
async def by_hand(url: str) -> AsyncIterator[Pull]:
    """Pull with `asyncio.gather` and a semaphore on aiohttp and orjson, to dicts."""
    import orjson  # noqa: PLC0415

    _inflate_with_isal()
    semaphore = asyncio.Semaphore(PERMITS)
    async with aiohttp.ClientSession() as session:

        async def get(path: str, **query: int) -> Any:
            async with (
                semaphore,
                session.get(f"{url}/v2.2{path}", params=query) as answer,
            ):
                answer.raise_for_status()
                return orjson.loads(await answer.read())

        async def company(key: str) -> list[Any]:
            path = f"/usage/company/{key}"
            first = await get(path)
            others = range(2, first["totalPages"] + 1)
            rest = await asyncio.gather(*(get(path, page=number) for number in others))
            return [record for page in (first, *rest) for record in page["usageData"]]

        async def pull() -> int:
            companies = await get("/company")
            lists = await asyncio.gather(
                *(company(record["id"]) for record in companies)
            )
            return sum(map(len, lists))

        yield pull


@asynccontextmanager
async def floor(url: str) -> AsyncIterator[Pull]:
    """Pull with a minimal scheduler on aiohttp and msgspec, without any checks."""
    open_pull: Open = import_module("benchmarks.support.minimal_pull").floor
    async with open_pull(url) as pull:
        yield pull


def _inflate_with_isal() -> None:
    """Inflate with isal where it is installed, as users of aiohttp can."""
    with suppress(ImportError):
        aiohttp.set_zlib_backend(import_module("isal.isal_zlib"))


PULLS: dict[str, Open] = {
    "usage": usage,
    "prefetch": prefetch,
    "plain": plain,
    "sequential": sequential,
    "by_hand": by_hand,
    "floor": floor,
}
