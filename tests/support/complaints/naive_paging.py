"""Walks over a list as they are often written: each has one flaw.

All take `fetch`, which gives the envelope of a page as a dictionary.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import date, timedelta
from typing import Any

import anyio
from complaints.scene import Send

from nectar_async import Request, Response

__all__ = [
    "Fetch",
    "TotalOfTheDay",
    "all_companies",
    "by_halves",
    "by_next_page",
    "fetcher",
    "one_by_one",
    "retried_at_first",
    "until_a_page_fails",
    "while_rows",
]

OK = 200

Envelope = dict[str, Any]
Fetch = Callable[[int], Awaitable[Envelope]]


def fetcher(send: Send, request: Callable[[int], Request[Any]]) -> Fetch:
    """Pages of a list by their numbers; anything but 200 is an `OSError`."""

    async def fetch(page: int) -> Envelope:
        return decoded(await send(request(page)))

    return fetch


def decoded(response: Response) -> Envelope:
    if response.status != OK:
        raise OSError(response.status)
    envelope: Envelope = json.loads(response.body)
    return envelope


async def by_next_page(fetch: Fetch) -> list[str]:
    """A generated paginator: `next_page` moves on, and so does who calls it."""
    page, ids = 1, list[str]()
    while True:
        envelope = await fetch(page)
        ids += ids_of(envelope)
        if not envelope["hasNext"]:
            return ids
        page = next_page(page)
        page += 1


def next_page(page: int) -> int:
    return page + 1


async def while_rows(fetch: Fetch) -> list[str]:
    """Until a page is empty."""
    page, ids = 1, list[str]()
    while True:
        found = ids_of(await fetch(page))
        if not found:
            return ids
        ids += found
        page += 1


async def one_by_one(fetch: Fetch) -> list[str]:
    """By the envelope, one page after the other."""
    page, ids = 1, list[str]()
    while True:
        envelope = await fetch(page)
        ids += ids_of(envelope)
        if not envelope["hasNext"]:
            return ids
        page += 1


async def until_a_page_fails(fetch: Fetch) -> AsyncIterator[str]:
    """A generator: once it has raised, it is over, and where it was is forgotten."""
    page = 1
    while True:
        envelope = await fetch(page)
        for one in ids_of(envelope):
            yield one
        if not envelope["hasNext"]:
            return
        page += 1


async def retried_at_first(
    fetch: Fetch, *, retries: int, timeout: float
) -> AsyncIterator[str]:
    """Retries and a timeout, which the first page is fetched with."""
    envelope = await _first(fetch, retries=retries, timeout=timeout)
    for one in ids_of(envelope):
        yield one
    page = 1
    while envelope["hasNext"]:
        page += 1
        envelope = await fetch(page)
        for one in ids_of(envelope):
            yield one


async def _first(fetch: Fetch, *, retries: int, timeout: float) -> Envelope:
    for _ in range(retries):
        try:
            with anyio.fail_after(timeout):
                return await fetch(1)
        except OSError:
            continue
    return await fetch(1)


class TotalOfTheDay:
    """A list whose `total` is that of the page that was fetched last."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.total = 0

    async def first(self) -> list[str]:
        return await self.page(1)

    async def page(self, number: int) -> list[str]:
        envelope = await self._fetch(number)
        self.total = envelope["totalUsageData"]
        return ids_of(envelope)


async def all_companies(fetches: Iterable[Fetch]) -> list[str]:
    """All lists at once; the first that fails calls off the others, and all is lost."""
    ids: list[str] = []

    async def one(fetch: Fetch) -> None:
        ids.extend(await one_by_one(fetch))

    async with anyio.create_task_group() as group:
        for fetch in fetches:
            group.start_soon(one, fetch)
    return ids


async def by_halves(
    fetch: Callable[[date, date], Awaitable[list[str]]],
    start: date,
    end: date,
    gap: timedelta,
) -> list[str]:
    """A window in halves where it is too much, with one rule for all kinds of dates.

    Whether the second half begins with the last day of the first or a day later: where
    both bounds are days the one repeats that day, where they are midnights the other
    loses it.
    """
    try:
        return await fetch(start, end)
    except OSError:
        middle = start + (end - start) // 2
        left = await by_halves(fetch, start, middle, gap)
        return left + await by_halves(fetch, middle + gap, end, gap)


def ids_of(envelope: Envelope) -> list[str]:
    return [row["id"] for row in envelope["usageData"]]
