"""Closing a client ends every open call at once, and happens once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import anyio.to_thread
import pytest
from doubles import ListServer, MakeClient, settle_down

from nectar_async import (
    ClientClosedError,
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    Send,
    Settings,
)
from nectar_async.recording import Recording
from nectar_async.transports import AiohttpTransport, Recorder

Call = Callable[[NectarClient], Awaitable[object]]
BUSY = Response(503, {"retry-after": "60"})
RUNNING = {"id": "j", "status": "RUNNING"}


async def read_all(nectar: NectarClient) -> object:
    return [record async for record in nectar.usage.by_company("c")]


async def read_everywhere(nectar: NectarClient) -> object:
    async with nectar.repository.usage(companies=["c", "d"]) as records:
        return [record async for record in records]


async def prefetch(nectar: NectarClient) -> object:
    async with nectar.usage.by_company("c").prefetch() as records:
        return [record async for record in records]


CALLS: dict[str, tuple[Call, Any]] = {
    "a call": (lambda nectar: nectar.companies.get("c"), anyio.sleep_forever),
    "back-off": (lambda nectar: nectar.companies.get("c"), BUSY),
    "a list": (read_all, anyio.sleep_forever),
    "a prefetched list": (prefetch, anyio.sleep_forever),
    "the repository": (read_everywhere, anyio.sleep_forever),
    "a poll": (lambda nectar: nectar.jobs.wait("j", timeout=60), RUNNING),
    "a download": (
        lambda nectar: nectar.documents.download("d", BytesIO()),
        anyio.sleep_forever,
    ),
    "ping": (lambda nectar: nectar.ping(), anyio.sleep_forever),
}


@pytest.mark.anyio
@pytest.mark.parametrize("permits", [1, 10])
@pytest.mark.parametrize("name", CALLS)
async def test_every_open_call_ends_at_once(
    make_client: MakeClient, name: str, permits: int
) -> None:
    call, answer = CALLS[name]

    async def respond(_: Request[Any]) -> object:
        return await answer() if callable(answer) else answer

    nectar = make_client(respond, attempt_timeout=None, max_concurrency=permits)
    ended: list[int] = []

    async def run() -> None:
        with pytest.raises(ClientClosedError, match="closed"):
            await call(nectar)
        ended.append(1)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(run)
            await settle_down(60)
            assert not ended
            await nectar.aclose()
            await settle_down(20)
            assert len(ended) == 3


@pytest.mark.anyio
async def test_a_second_close_returns_when_the_first_is_done(
    make_client: MakeClient, tmp_path: Path
) -> None:
    class SlowTransport(MemoryTransport):
        closed = 0

        async def aclose(self) -> None:
            await settle_down(20)
            SlowTransport.closed += 1

    path = tmp_path / "recording"
    server = ListServer.of_pages(c=2)
    transport = SlowTransport(server.transport.send)
    nectar = make_client(transport, recorder=Recorder(path, mode="record"))
    assert (await anext(aiter(nectar.usage.by_company("c")))).id
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(close_and_check, nectar, SlowTransport)
    assert SlowTransport.closed == 1
    assert server.pages_of("c") == [1, 2]
    recording = await anyio.to_thread.run_sync(Recording.load, path)
    assert len(recording.exchanges) == 2


async def close_and_check(nectar: NectarClient, transport: Any) -> None:
    await nectar.aclose()
    assert transport.closed == 1


@asynccontextmanager
async def serve(behave: Callable[..., Awaitable[None]]) -> Any:
    """Serve raw connections; yields the base URL, and counts the connections."""
    arrived = asyncio.Semaphore(0)

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        arrived.release()
        try:
            await behave(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        url = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
        yield url, arrived


async def begin_a_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n[")
    await reader.read()


async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.asyncio
@pytest.mark.parametrize("behave", [begin_a_body, say_nothing])
@pytest.mark.parametrize("timeout", [None, 30.0])
async def test_a_request_on_the_network_ends_at_once(
    behave: Callable[..., Awaitable[None]], timeout: float | None
) -> None:
    async with serve(behave) as (url, arrived):
        settings = Settings(base_url=url, attempt_timeout=timeout)
        nectar = NectarClient("k", settings=settings)
        tasks = [asyncio.create_task(nectar.companies.all()) for _ in range(3)]
        for _ in tasks:
            await arrived.acquire()
        await settle_down(50)
        async with asyncio.timeout(5):
            await asyncio.gather(nectar.aclose(), nectar.aclose())
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ClientClosedError] * 3


class SlowResolver(aiohttp.abc.AbstractResolver):
    """Never finds an address."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def resolve(self, *_: object, **__: object) -> Any:
        self.asked.set()
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass


@pytest.mark.asyncio
async def test_a_look_up_of_an_address_ends_at_once() -> None:
    resolver = SlowResolver()
    connector = aiohttp.TCPConnector(resolver=resolver)
    async with aiohttp.ClientSession(connector=connector) as session:
        nectar = NectarClient("k", transport=AiohttpTransport(session=session))
        tasks = [asyncio.create_task(nectar.companies.all()) for _ in range(3)]
        await resolver.asked.wait()
        async with asyncio.timeout(5):
            await nectar.aclose()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ClientClosedError] * 3


@pytest.mark.anyio
@pytest.mark.parametrize("read", [read_all, read_everywhere, prefetch])
async def test_a_stage_may_close_the_client(
    make_client: MakeClient, read: Call
) -> None:
    clients: list[NectarClient] = []

    async def close_first(request: Request[Any], send: Send) -> Response:
        await clients[0].aclose()
        return await send(request)

    nectar = make_client(ListServer.of_pages(c=3, d=3).transport, stages=[close_first])
    clients.append(nectar)
    with anyio.fail_after(5), pytest.raises(ClientClosedError):
        await read(nectar)


@pytest.mark.anyio
async def test_a_transport_may_close_its_client(make_client: MakeClient) -> None:
    clients: list[NectarClient] = []

    class ClosingTransport(MemoryTransport):
        async def aclose(self) -> None:
            await clients[0].aclose()

    clients.append(make_client(ClosingTransport({"ping_get": "pong v2.2"})))
    await clients[0].ping()
    with anyio.fail_after(5):
        await clients[0].aclose()


@pytest.mark.anyio
async def test_a_callback_of_a_walk_ends_at_once(make_client: MakeClient) -> None:
    started = anyio.Event()

    async def wait(_: object) -> None:
        started.set()
        await anyio.sleep_forever()

    async def read(nectar: NectarClient) -> None:
        with pytest.raises(ClientClosedError):
            await nectar.repository.usage(companies=["c"], on_error=wait)

    nectar = make_client(Response(404))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(read, nectar)
            await started.wait()
            await nectar.aclose()


@pytest.mark.anyio
async def test_a_callback_of_a_download_ends_at_once(make_client: MakeClient) -> None:
    started = anyio.Event()

    async def wait(*_: object) -> None:
        started.set()
        await anyio.sleep_forever()

    async def respond(request: Request[Any]) -> object:
        if request.operation == "documents_get":
            return {"id": "d", "url": "https://files.example/d.pdf"}
        return Response(200, {}, b"%PDF-1.7 ...")

    async def download(nectar: NectarClient) -> None:
        with pytest.raises(ClientClosedError):
            await nectar.documents.download("d", BytesIO(), on_progress=wait)

    nectar = make_client(respond)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(download, nectar)
            await started.wait()
            await nectar.aclose()
