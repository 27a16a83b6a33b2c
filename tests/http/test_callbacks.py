"""Functions of the caller's may be plain or async, and what they raise is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import anyio
import pytest
from doubles import ListServer, MakeClient

from nectar_async import (
    ConfigurationError,
    DeadlineExceededError,
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    Settings,
)

BILL = b"%PDF-1.7 " + bytes(1000)
BROKEN = Response(400, {}, b"{}")


async def answer(request: Request[Any]) -> object:
    """Answer like the API, its file host, and a list of which one company fails."""
    if request.operation == "documents_get":
        return {"id": "d", "url": "https://files.example.com/d", "fileName": "d.pdf"}
    if request.operation == "jobs_submit_document":
        body: Any = request.body
        return {"id": b"".join([chunk async for chunk in body()]) and "j"}
    if request.operation == "jobs_get":
        return {"id": "j", "status": "COMPLETED"}
    if request.operation == "usage_list_by_company":
        return BROKEN
    if request.operation == "companies_get":
        return {"id": "c", "name": "C"}
    size = len(BILL)
    headers = {"content-range": f"bytes 0-{size - 1}/{size}", "etag": '"1"'}
    return Response(206, headers, BILL)


async def read_everywhere(nectar: NectarClient, callback: Any) -> None:
    async with nectar.repository.usage(companies=["c"], on_error=callback) as records:
        async for _ in records:
            pass


CALLERS: dict[str, Callable[[NectarClient, Any], Awaitable[object]]] = {
    "on_error": read_everywhere,
    "download": lambda nectar, callback: nectar.documents.download(
        "d", BytesIO(), on_progress=callback
    ),
    "upload": lambda nectar, callback: nectar.jobs.submit_document(
        "c", BILL, on_progress=callback
    ),
    "poll": lambda nectar, callback: nectar.jobs.wait("j", on_progress=callback),
}


@pytest.mark.anyio
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_callback_is_called_and_awaited(
    make_client: MakeClient, caller: str, kind: str
) -> None:
    calls: list[object] = []

    async def note(*arguments: object) -> None:
        await anyio.lowlevel.checkpoint()
        calls.append(arguments)

    callback = note if kind == "async" else lambda *given: calls.append(given)
    await CALLERS[caller](make_client(answer), callback)
    assert calls


@pytest.mark.anyio
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize(
    "error", [KeyError("x"), OSError("full"), StopAsyncIteration()]
)
async def test_an_exception_of_a_callback_reaches_the_caller(
    make_client: MakeClient, caller: str, kind: str, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    async def fail_later(*_: object) -> None:
        raise error

    nectar = make_client(answer)
    callback = fail if kind == "plain" else fail_later
    with pytest.raises((type(error), RuntimeError)) as caught:
        await CALLERS[caller](nectar, callback)
    assert error in {caught.value, caught.value.__cause__}
    assert not isinstance(caught.value, StopAsyncIteration)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio cancels by scopes only
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_cancellation_that_nobody_asked_for_reaches_the_caller_as_an_error(
    make_client: MakeClient, caller: str
) -> None:
    async def wait_for_nothing(*_: object) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    def fail(*_: object) -> None:
        raise asyncio.CancelledError

    for callback in (wait_for_nothing, fail):
        with pytest.raises(RuntimeError, match="ended with CancelledError") as caught:
            await CALLERS[caller](make_client(answer), callback)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)


@pytest.mark.anyio
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_callback_can_be_cancelled_with_its_caller(
    make_client: MakeClient, caller: str
) -> None:
    scope = anyio.CancelScope()

    async def wait(*_: object) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    with scope:
        await CALLERS[caller](make_client(answer), wait)
    assert scope.cancelled_caught


class Sink:
    """A sink that fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def write(self, _: bytes) -> None:
        raise self.error


class AsyncSink(Sink):
    """A sink that fails when it is awaited."""

    async def write(self, _: bytes) -> None:  # type: ignore[override]
        raise self.error


class FileSink(BytesIO):
    """An open file that fails."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, _: Any) -> int:
        raise self.error


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", [Sink, AsyncSink, FileSink])
@pytest.mark.parametrize(
    "error",
    [KeyError("x"), StopIteration(), StopAsyncIteration(), asyncio.CancelledError()],
    ids=repr,
)
async def test_an_exception_of_a_sink_reaches_the_caller_as_an_error(
    make_client: MakeClient, kind: Callable[[BaseException], Any], error: BaseException
) -> None:
    nectar = make_client(answer)
    with pytest.raises((KeyError, RuntimeError)):
        await nectar.documents.download("d", kind(error))


@pytest.mark.anyio
@pytest.mark.parametrize("depth", [1, 2])
async def test_a_key_function_that_calls_its_own_client_is_an_error_at_once(
    depth: int,
) -> None:
    clients: list[NectarClient] = []

    async def fetch_key() -> str:
        await clients[-1].companies.get("c")
        raise AssertionError

    transport = MemoryTransport(answer)
    clients += [NectarClient(fetch_key, transport=transport) for _ in range(depth)]
    with (
        anyio.fail_after(5),
        pytest.raises(ConfigurationError, match="its own client"),
    ):
        await clients[0].companies.get("c")
    for client in clients:
        await client.aclose()


@pytest.mark.anyio
async def test_a_key_function_may_use_another_client(make_client: MakeClient) -> None:
    vault = make_client(answer)

    async def fetch_key() -> str:
        return f"key-of-{(await vault.companies.get('c')).id}"

    nectar = make_client(ListServer({"a": ["1"]}).transport, api_key=fetch_key)
    assert len(await nectar.companies.all()) == 1


@pytest.mark.anyio
async def test_a_key_function_that_hangs_is_under_the_deadline() -> None:
    async def fetch_key() -> str:
        await anyio.sleep_forever()
        raise AssertionError

    transport = MemoryTransport(answer)
    settings = Settings(deadline=0.02)
    async with NectarClient(
        fetch_key, transport=transport, settings=settings
    ) as nectar:
        with anyio.fail_after(5), pytest.raises(DeadlineExceededError):
            await nectar.companies.get("c")
