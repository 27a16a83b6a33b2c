"""Paginators as they are often written; each has one flaw.

All take `fetch`, which returns the envelope of a page as a dictionary.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import date, timedelta
from typing import Any

import anyio
from complaints.scenario import Send

from nectar_async import Request, Response

__all__ = [
    "Fetch",
    "LatestTotal",
    "build_fetch",
    "iterate",
    "iterate_in_a_group",
    "read_all_companies",
    "read_by_next_page",
    "read_sequentially",
    "read_until_empty",
    "read_with_first_page_retried",
    "split_window",
]

OK = 200

Envelope = dict[str, Any]
Fetch = Callable[[int], Awaitable[Envelope]]


def build_fetch(send: Send, request: Callable[[int], Request[Any]]) -> Fetch:
    """Build a function that fetches a page by number and raises unless it is 200."""

    async def fetch(page: int) -> Envelope:
        return decode(await send(request(page)))

    return fetch


def decode(response: Response) -> Envelope:
    if response.status != OK:
        raise OSError(response.status)
    envelope: Envelope = json.loads(response.body)
    return envelope


async def iterate_in_a_group(fetch: Fetch) -> AsyncIterator[str]:
    """Fetch pages in the background, with a task group over the `yield`."""
    send, receive = anyio.create_memory_object_stream[str](10)

    async def read() -> None:
        async with send:
            for some_id in read_ids(await fetch(1)):
                await send.send(some_id)

    async with receive, anyio.create_task_group() as group:
        group.start_soon(read)
        async for some_id in receive:
            yield some_id  # noqa: ASYNC119
        group.cancel_scope.cancel()


async def read_by_next_page(fetch: Fetch) -> list[str]:
    """Advance the page twice: in `next_page` and in its caller."""
    page, ids = 1, list[str]()
    while True:
        envelope = await fetch(page)
        ids += read_ids(envelope)
        if not envelope["hasNext"]:
            return ids
        page = next_page(page)
        page += 1


def next_page(page: int) -> int:
    return page + 1


async def read_until_empty(fetch: Fetch) -> list[str]:
    """Read pages until one is empty."""
    page, ids = 1, list[str]()
    while True:
        page_ids = read_ids(await fetch(page))
        if not page_ids:
            return ids
        ids += page_ids
        page += 1


async def read_sequentially(fetch: Fetch) -> list[str]:
    """Read one page after the other while the envelope says that there are more."""
    page, ids = 1, list[str]()
    while True:
        envelope = await fetch(page)
        ids += read_ids(envelope)
        if not envelope["hasNext"]:
            return ids
        page += 1


async def iterate(fetch: Fetch) -> AsyncIterator[str]:
    """Iterate over ids; after an error the generator is over and its page is lost."""
    page = 1
    while True:
        envelope = await fetch(page)
        for record_id in read_ids(envelope):
            yield record_id
        if not envelope["hasNext"]:
            return
        page += 1


async def read_with_first_page_retried(
    fetch: Fetch, *, retries: int, timeout: float
) -> AsyncIterator[str]:
    """Iterate over ids; only the first page has retries and a timeout."""
    envelope = await _fetch_first(fetch, retries=retries, timeout=timeout)
    for record_id in read_ids(envelope):
        yield record_id
    page = 1
    while envelope["hasNext"]:
        page += 1
        envelope = await fetch(page)
        for record_id in read_ids(envelope):
            yield record_id


async def _fetch_first(fetch: Fetch, *, retries: int, timeout: float) -> Envelope:
    for _ in range(retries):
        try:
            with anyio.fail_after(timeout):
                return await fetch(1)
        except OSError:
            continue
    return await fetch(1)


class LatestTotal:
    """A list whose `total` comes from the page that was fetched last."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.total = 0

    async def read_first(self) -> list[str]:
        return await self.read_page(1)

    async def read_page(self, number: int) -> list[str]:
        envelope = await self._fetch(number)
        self.total = envelope["totalUsageData"]
        return read_ids(envelope)


async def read_all_companies(fetches: Iterable[Fetch]) -> list[str]:
    """Read all lists at once; the first failure cancels all and loses every record."""
    ids: list[str] = []

    async def read(fetch: Fetch) -> None:
        ids.extend(await read_sequentially(fetch))

    async with anyio.create_task_group() as group:
        for fetch in fetches:
            group.start_soon(read, fetch)
    return ids


async def split_window(
    fetch: Callable[[date, date], Awaitable[list[str]]],
    start: date,
    end: date,
    gap: timedelta,
) -> list[str]:
    """Split a window that is too large in halves, by one rule for all date types.

    `gap` is the distance between the end of the first half and the start of the second.
    With 0 the shared day is repeated if both bounds are inclusive days. With one day it
    is lost if the end is a midnight.
    """
    try:
        return await fetch(start, end)
    except OSError:
        middle = start + (end - start) // 2
        left = await split_window(fetch, start, middle, gap)
        return left + await split_window(fetch, middle + gap, end, gap)


def read_ids(envelope: Envelope) -> list[str]:
    return [row["id"] for row in envelope["usageData"]]
