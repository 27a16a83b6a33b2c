"""The page scheduler: background workers deliver every page, and stop when told."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from doubles import ListServer, MakeClient, Row, settle_down

from nectar_async import Listing, Page, Pager, Request
from nectar_async._http.executor import PageSource
from nectar_async._paging.prefetch import _FIRST_WORKERS, _PAGES_AHEAD, PageScheduler
from nectar_async._paging.traversal import Traversal

LIST: Request[Any] = Request.get(
    "list", "/{owner}", Page[Row], listing=Listing(items="rows"), owner="x"
)


@asynccontextmanager
async def run_scheduler(
    nectar: Any, *companies: str, look_ahead: int | None = None
) -> AsyncIterator[PageScheduler[Any]]:
    """Run a scheduler over the usage of companies."""
    source: PageSource[Any] = nectar._executor.source
    traversals = [
        (name, Traversal[Any](nectar.usage.by_company(name)._request))
        for name in companies
    ]
    scheduler = PageScheduler(traversals, source, look_ahead=look_ahead)
    scheduler.start()
    try:
        yield scheduler
    finally:
        await scheduler.aclose()


@pytest.mark.anyio
async def test_a_scheduler_delivers_every_page_of_every_list(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=5, b=1, c=13)
    nectar = make_client(server.transport)
    delivered: list[tuple[str, int]] = []
    async with run_scheduler(nectar, "a", "b", "c") as scheduler:
        async for result in scheduler:
            assert result.page is not None
            delivered.append((result.name, result.page.number))
    assert sorted(delivered) == sorted(server.asked)
    assert len(delivered) == 5 + 1 + 13


@pytest.mark.anyio
async def test_a_scheduler_without_a_consumer_requests_no_more_than_its_look_ahead(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=50, b=50)
    nectar = make_client(server.transport)
    async with run_scheduler(nectar, "a", "b", look_ahead=7):
        await settle_down(200)
        assert len(server.asked) == 7


@pytest.mark.anyio
@pytest.mark.parametrize("permits", [1, 3])
async def test_the_look_ahead_is_by_default_a_number_of_pages_for_each_permit(
    make_client: MakeClient, permits: int
) -> None:
    server = ListServer.of_pages(a=50, b=50)
    nectar = make_client(server.transport, max_concurrency=permits)
    async with run_scheduler(nectar, "a", "b"):
        await settle_down(200)
        assert len(server.asked) == _PAGES_AHEAD * permits


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:max_concurrency is above 10")
async def test_workers_are_started_by_need(make_client: MakeClient) -> None:
    server = ListServer.of_pages(a=90, b=30)
    nectar = make_client(server.transport, max_concurrency=100_000)
    async with run_scheduler(nectar, "a", "b") as scheduler:
        pages = [result.page async for result in scheduler]
        assert scheduler._workers.started <= _FIRST_WORKERS + len(pages)


def test_the_documented_look_ahead_is_the_default() -> None:
    assert f"default {_PAGES_AHEAD} for each" in (inspect.getdoc(Pager.prefetch) or "")


@pytest.mark.anyio
async def test_a_page_that_was_ready_when_its_reader_was_cancelled_is_not_lost(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=1)
    nectar = make_client(server.transport)
    with anyio.fail_after(10):
        async with run_scheduler(nectar, "a") as scheduler:
            await settle_down()
            with anyio.CancelScope() as scope:
                scope.cancel()
                await anext(scheduler)
            result = await anext(scheduler)
            assert result.page is not None
            assert len(result.page.items) == 2


@pytest.mark.anyio
async def test_tasks_that_read_from_one_scheduler_get_each_page_once(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=9, b=1, c=4)
    nectar = make_client(server.transport)
    delivered: list[tuple[str, int]] = []
    with anyio.fail_after(10):
        async with run_scheduler(nectar, "a", "b", "c") as scheduler:

            async def read() -> None:
                async for result in scheduler:
                    assert result.page is not None
                    delivered.append((result.name, result.page.number))
                    await anyio.lowlevel.checkpoint()

            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(read)
    assert sorted(delivered) == sorted(server.asked)
    assert len(delivered) == 9 + 1 + 4


@pytest.mark.anyio
async def test_a_reader_that_was_cancelled_loses_no_page_to_the_next_one(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=2)
    nectar = make_client(server.transport)
    with anyio.fail_after(10):
        async with run_scheduler(nectar, "a") as scheduler:
            with anyio.move_on_after(0):
                await anext(scheduler)
            pages = [
                result.page.number
                async for result in scheduler
                if result.page is not None
            ]
    assert pages == [1, 2]
