"""A walk with background requests may be read and left by any task."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
import pytest
from doubles import ListServer, settle_down

from nectar_async import ClientClosedError, NectarClient, Request, Response, Send
from nectar_async._paging.page_queue import PageQueue

Open: TypeAlias = Callable[[NectarClient], Any]
Main: TypeAlias = Callable[[NectarClient], Awaitable[None]]
Run: TypeAlias = Callable[..., None]

TENANT = ContextVar("tenant", default="nobody")

WALKS: list[Any] = [
    pytest.param(lambda nectar: nectar.repository.usage(), id="repository"),
    pytest.param(lambda nectar: nectar.usage.by_company("a").prefetch(), id="prefetch"),
]
LOOPS: list[Any] = [
    pytest.param(("asyncio", {}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", {}), id="trio"),
]


@pytest.fixture(params=WALKS)
def open_walk(request: pytest.FixtureRequest) -> Open:
    walk: Open = request.param
    return walk


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run a function with a client in a loop; afterwards no request is in flight."""
    backend, options = request.param
    if options:
        pytest.importorskip("uvloop")

    def run(main: Main, **client_options: Any) -> None:
        async def run_main() -> None:
            server = ListServer.of_pages(a=40)
            server.turns = 3
            transport = server.transport
            async with NectarClient(
                "k", transport=transport, **client_options
            ) as nectar:
                await main(nectar)
                await settle_down(20)
                assert server.in_flight == 0, "requests go on"
                assert not nectar._session._background

        anyio.run(run_main, backend=backend, backend_options=options)

    return run


async def generate(nectar: NectarClient, open_walk: Open) -> AsyncGenerator[Any, None]:
    """Yield the records of a walk out of its block."""
    async with open_walk(nectar) as records:
        async for record in records:
            yield record  # noqa: ASYNC119 - users write this


def test_a_generator_is_left_by_return_after_its_first_record(
    run: Run, open_walk: Open
) -> None:
    async def read_first(nectar: NectarClient) -> str:
        async for record in generate(nectar, open_walk):
            return str(record.id)
        raise AssertionError

    async def main(nectar: NectarClient) -> None:
        assert await read_first(nectar)
        await anyio.lowlevel.checkpoint()
        await settle_down(50)
        assert await read_first(nectar)

    with warnings.catch_warnings():
        # trio warns of every generator that is dropped before its end.
        warnings.filterwarnings("ignore", "Async generator", ResourceWarning)
        run(main)


def test_each_record_may_be_read_by_a_task_of_its_own(
    run: Run, open_walk: Open
) -> None:
    async def main(nectar: NectarClient) -> None:
        ids: list[str] = []
        records = generate(nectar, open_walk)

        async def read_one() -> None:
            ids.append((await anext(records)).id)

        async def close() -> None:
            await records.aclose()

        for _ in range(10):
            async with anyio.create_task_group() as group:
                group.start_soon(read_one)
        async with anyio.create_task_group() as group:
            group.start_soon(close)
        assert len({*ids}) == 10

    run(main)


def test_two_walks_may_be_left_in_any_order(run: Run, open_walk: Open) -> None:
    async def main(nectar: NectarClient) -> None:
        first, second = generate(nectar, open_walk), generate(nectar, open_walk)
        assert await anext(first)
        assert await anext(second)
        await first.aclose()
        assert await anext(second)
        await second.aclose()
        await anyio.lowlevel.checkpoint()

    run(main)


def test_a_walk_may_be_entered_and_left_in_two_tasks(run: Run, open_walk: Open) -> None:
    async def main(nectar: NectarClient) -> None:
        walk = open_walk(nectar)
        async with anyio.create_task_group() as group:
            group.start_soon(walk.__aenter__)
        assert (await anext(aiter(walk))).id
        async with anyio.create_task_group() as group:
            group.start_soon(walk.__aexit__, None, None, None)
        with pytest.raises(RuntimeError, match="iterate inside of it"):
            await anext(aiter(walk))

    run(main)


def test_a_reader_that_is_cancelled_alone_does_not_end_the_walk(
    run: Run, open_walk: Open
) -> None:
    async def main(nectar: NectarClient) -> None:
        async with open_walk(nectar) as records:
            iterator = aiter(records)
            ids = []
            for _ in range(2):
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    ids.append((await anext(iterator)).id)
            ids += [record.id async for record in iterator]
            assert len({*ids}) == len(ids) == 80
            assert records.receipt.verdict == "complete"

    run(main)


def test_a_time_limit_around_a_walk_ends_it(run: Run, open_walk: Open) -> None:
    async def main(nectar: NectarClient) -> None:
        with anyio.CancelScope() as scope:
            async with open_walk(nectar) as records:
                async for _ in records:
                    scope.cancel()
        assert scope.cancelled_caught

    run(main)


def test_closing_the_client_ends_its_walks_with_an_error(
    run: Run, open_walk: Open
) -> None:
    async def main(nectar: NectarClient) -> None:
        async def read_all() -> None:
            async with open_walk(nectar) as records:
                iterator = aiter(records)
                assert await anext(iterator)
                is_reading.set()
                with pytest.raises(ClientClosedError, match="closed during a walk"):
                    [_ async for _ in iterator]

        is_reading = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(read_all)
            group.start_soon(read_all)
            await is_reading.wait()
            await nectar.aclose()

    run(main)


def test_a_walk_that_is_dropped_is_ended_with_one_warning(
    run: Run, open_walk: Open
) -> None:
    async def main(nectar: NectarClient) -> None:
        walk = open_walk(nectar)
        await walk.__aenter__()
        assert await anext(aiter(walk))
        walks = [walk]
        del walk
        with pytest.warns(ResourceWarning, match="dropped, not left") as warned:
            walks.clear()
        assert len(warned) == 1
        await settle_down(20)

    run(main)


def test_requests_see_the_context_variables_of_the_reader(
    run: Run, open_walk: Open
) -> None:
    seen: set[str] = set()

    async def note(request: Request[Any], send: Send) -> Response:
        seen.add(TENANT.get())
        return await send(request)

    async def main(nectar: NectarClient) -> None:
        TENANT.set("blue")
        async with open_walk(nectar) as records:
            await anext(aiter(records))

    run(main, stages=[note])
    assert seen == {"blue"}


def test_an_error_of_the_workers_reaches_the_reader(
    run: Run, open_walk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(PageQueue, "put", fail)

    async def main(nectar: NectarClient) -> None:
        async with open_walk(nectar) as records:
            with pytest.raises(KeyError, match="a defect"):
                await anext(aiter(records))

    run(main)


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_the_end_of_the_loop_wakes_the_reader_with_an_error(
    open_walk: Open, turns: int
) -> None:
    async def main() -> None:
        server = ListServer.of_pages(a=40)
        server.hold("a", 1)
        async with (
            NectarClient("k", transport=server.transport) as nectar,
            open_walk(nectar) as records,
        ):
            for _ in range(turns):
                await asyncio.sleep(0)
            (task,) = [
                each for each in asyncio.all_tasks() if "pages" in each.get_name()
            ]
            task.cancel()
            with pytest.raises(ClientClosedError, match="event loop ended"):
                await anext(aiter(records))

    asyncio.run(main())


@pytest.mark.slow
def test_a_loop_that_ends_with_walks_open_says_nothing(
    open_walk: Open, caplog: pytest.LogCaptureFixture
) -> None:
    walks = []

    async def main() -> None:
        server = ListServer.of_pages(a=40)
        nectar = NectarClient("k", transport=server.transport)
        for _ in range(2):
            walks.append(await open_walk(nectar).__aenter__())
            await anext(aiter(walks[-1]))

    asyncio.run(main())
    walks.clear()
    gc.collect()
    assert not caplog.records


@pytest.mark.parametrize("times", [1, 2, 3])
def test_leaving_waits_for_the_requests_however_often_it_is_cancelled(
    open_walk: Open, times: int
) -> None:
    async def main() -> None:
        server = ListServer.of_pages(a=40)
        async with NectarClient("k", transport=server.transport) as nectar:
            walk = await open_walk(nectar).__aenter__()
            await anext(aiter(walk))
            leaving = asyncio.create_task(walk.__aexit__(None, None, None))
            for _ in range(times):
                await asyncio.sleep(0)
                leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            assert server.in_flight == 0
            assert not nectar._session._background

    asyncio.run(main())
