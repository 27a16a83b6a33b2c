"""A foreign exception or value of a transport or a stage ends no list quietly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock

import anyio
import pytest
from doubles import ListServer, MakeClient

from nectar_async import NectarClient, Request, Response, Send, TransportError

READERS: dict[str, Callable[[NectarClient], Any]] = {
    "plain": lambda nectar: read(nectar.usage.by_company("a")),
    "prefetch": lambda nectar: read_in_block(nectar.usage.by_company("a").prefetch()),
    "repository": lambda nectar: read_in_block(nectar.repository.usage()),
}


async def read(records: Any) -> list[str]:
    return [record.id async for record in records]


async def read_in_block(walk: Any) -> list[str]:
    async with walk as records:
        return await read(records)


class Interrupted:
    """A stage that raises an exception in place of the tenth response."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.requests = 0

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        self.requests += 1
        if self.requests == 10:
            raise self.error
        return await send(request)


@pytest.mark.anyio
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "error", [StopAsyncIteration(), StopIteration(7), StopAsyncIteration("x")], ids=repr
)
async def test_an_exception_that_ends_iterators_is_an_error_with_that_cause(
    make_client: MakeClient, reader: str, error: Exception
) -> None:
    server = ListServer.of_pages(a=20)
    nectar = make_client(server.transport, stages=[Interrupted(error)])
    with pytest.raises(TransportError, match=type(error).__name__) as caught:
        await READERS[reader](nectar)
    assert caught.value.__cause__ is error
    assert caught.value.operation == "usage_list_by_company"


@pytest.mark.parametrize("reader", READERS)
def test_a_cancellation_that_is_not_of_the_reader_is_an_error(reader: str) -> None:
    async def main() -> None:
        server = ListServer.of_pages(a=20)
        stage = Interrupted(asyncio.CancelledError())
        nectar = NectarClient("k", transport=server.transport, stages=[stage])
        async with nectar:
            with pytest.raises(
                TransportError, match="a cancellation that nobody asked"
            ):
                await READERS[reader](nectar)

    asyncio.run(main())


def test_a_mock_with_an_answer_too_few_is_an_error() -> None:
    async def main() -> None:
        transport = AsyncMock()
        transport.needs_key = False
        transport.send.side_effect = [Response(200, {}, b'[{"id": "a", "name": "A"}]')]
        async with NectarClient("k", transport=transport) as nectar:
            assert len(await nectar.companies.all()) == 1
            with pytest.raises(TransportError, match="StopAsyncIteration"):
                await nectar.companies.all()

    asyncio.run(main())


@pytest.mark.anyio
@pytest.mark.parametrize("value", [None, {"id": "a"}, b"{}", 200])
async def test_a_value_that_is_no_response_is_an_error_that_names_its_giver(
    make_client: MakeClient, value: object
) -> None:
    async def wrong_stage(request: Request[Any], send: Send) -> Any:
        del request, send
        return value

    class WrongTransport:
        needs_key = False

        async def send(self, request: Request[Any]) -> Any:
            del request
            return value

        async def aclose(self) -> None:
            pass

    kind = type(value).__name__
    nectar = make_client(ListServer({}).transport, stages=[wrong_stage])
    with pytest.raises(TransportError, match=f"wrong_stage returned {kind}, not a"):
        await nectar.companies.all()
    nectar = make_client(WrongTransport())
    with pytest.raises(TransportError, match=f"WrongTransport returned {kind}, not a"):
        await nectar.companies.all()


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["records", "pages", "prefetch", "repository"])
async def test_tasks_that_read_from_one_iterator_get_each_record_once(
    make_client: MakeClient, way: str
) -> None:
    server = ListServer.of_pages(a=100)
    server.turns = 2
    nectar = make_client(server.transport)
    pager = nectar.usage.by_company("a")
    ids: list[str] = []

    async def read_on(iterator: Any) -> None:
        async for item in iterator:
            ids.extend(row.id for row in getattr(item, "items", [item]))
            await anyio.lowlevel.checkpoint()

    async def read_in_four_tasks(iterator: Any) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(read_on, iterator)

    if way == "records":
        await read_in_four_tasks(aiter(pager))
    elif way == "pages":
        await read_in_four_tasks(pager.pages())
    else:
        walk = pager.prefetch() if way == "prefetch" else nectar.repository.usage()
        async with walk as records:
            await read_in_four_tasks(aiter(records))
    assert sorted(ids) == server.all_rows()


class Stop(BaseException):
    """An exception that no `except Exception` catches, as of a test framework."""


@pytest.mark.anyio
@pytest.mark.parametrize("reader", READERS)
async def test_a_base_exception_comes_as_it_is_and_in_no_group(
    make_client: MakeClient, reader: str
) -> None:
    stop = Stop("the session is over")
    nectar = make_client(
        ListServer.of_pages(a=20).transport, stages=[Interrupted(stop)]
    )
    with pytest.raises(Stop) as caught:
        await READERS[reader](nectar)
    assert caught.value is stop
