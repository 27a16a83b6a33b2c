"""Complaints about connections, event loops and lifetime."""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import subprocess
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import anyio.to_thread
import pytest
from complaints.counting_server import COMPANY, CountingServer, run_server
from complaints.flawed_connections import (
    BoundToFirstLoop,
    LockedConnection,
    PlainSession,
    ProxySession,
    SessionPerRequest,
    UnreleasedResponses,
    touch_in_a_shared_thread,
)
from complaints.scenario import GET, OK
from doubles import settle_down

from nectar_async import (
    AiohttpTransport,
    ConnectionFailedError,
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    RetryPolicy,
    Settings,
    VirtualClock,
    WrongLoopError,
)

pytestmark = pytest.mark.without_coverage

SUPPORT = Path(__file__).parents[1] / "support"
ONCE = RetryPolicy(attempts=1)


def build_client(
    server: CountingServer,
    transport: AiohttpTransport | None = None,
    *,
    retry: RetryPolicy = ONCE,
    **settings: Any,
) -> NectarClient:
    return NectarClient(
        "key",
        transport=transport or AiohttpTransport(),
        settings=Settings(base_url=server.origin, retry=retry, **settings),
        clock=VirtualClock(),
    )


class SleepSelector(selectors.DefaultSelector):
    """A selector that reports when its loop waits without a timeout."""

    def __init__(self, is_asleep: threading.Event) -> None:
        super().__init__()
        self._is_asleep = is_asleep

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self._is_asleep.set()
        return super().select(timeout)


def test_a_second_loop_raises_an_error_and_does_not_hang() -> None:
    """A client that two threads share hangs in the lock of its pool.

    A client belongs to the loop of its first use. Any other loop gets a
    `WrongLoopError` that explains what to do.

    https://github.com/openai/openai-python/issues/769
    """
    is_held, is_asleep = threading.Event(), threading.Event()

    async def work(*_: object) -> Response:
        """Wait until the other thread sleeps or has ended."""
        is_held.set()
        await asyncio.to_thread(is_asleep.wait)
        return OK

    def run_in_two_threads(
        get: Callable[[], Awaitable[object]],
    ) -> BaseException | None:
        """Send in this thread and in another; return the error of the other one.

        It is a `TimeoutError` if the other thread still sleeps at the end.
        """
        is_held.clear()
        is_asleep.clear()
        errors: list[BaseException] = []
        loop = asyncio.SelectorEventLoop(SleepSelector(is_asleep))

        async def send() -> None:
            await get()

        def run_other() -> None:
            is_held.wait()
            try:
                loop.run_until_complete(send())
            except WrongLoopError as error:
                errors.append(error)
            is_asleep.set()

        thread = threading.Thread(target=run_other)
        thread.start()
        asyncio.run(send())
        thread.join(0.2)
        if thread.is_alive():
            errors.append(TimeoutError())
            loop.call_soon_threadsafe(lambda: None)  # nothing else wakes it
        thread.join()
        loop.close()
        return errors[0] if errors else None

    assert isinstance(run_in_two_threads(LockedConnection(work).get), TimeoutError)

    nectar = NectarClient(transport=MemoryTransport(work))
    error = run_in_two_threads(lambda: nectar.send(GET))
    assert isinstance(error, WrongLoopError)
    assert "one client for each loop" in str(error)


def test_each_loop_can_have_its_own_client() -> None:
    """A client at module level breaks when each test has a new loop.

    A client is cheap, and different tasks may open and close it, so it can be a
    fixture.

    https://github.com/stripe/stripe-python/issues/327
    https://github.com/stripe/stripe-python/issues/1248
    """

    async def use_as_fixture(server: CountingServer) -> None:
        """Open the client in one task, use it in another and close it in a third."""
        nectar = build_client(server)
        await asyncio.create_task(nectar.__aenter__())
        assert await asyncio.create_task(nectar.send(GET)) == COMPANY
        await asyncio.create_task(nectar.aclose())

    with run_server() as server:
        flawed = BoundToFirstLoop(server.origin)
        asyncio.run(flawed.get())
        with pytest.raises(RuntimeError) as caught:
            asyncio.run(flawed.get())
        assert str(caught.value) == "Event loop is closed"
        with warnings.catch_warnings():  # its socket belongs to the closed loop
            warnings.simplefilter("ignore", ResourceWarning)
            del flawed, caught
            gc.collect()

        for _ in range(2):
            asyncio.run(use_as_fixture(server))


# These run in processes, because an error in `__del__` cannot be caught, and because
# aiohttp reads certificates once, when it is imported.


def run_script(code: str, *arguments: str) -> list[str]:
    """Run a script, and return its output before and after the line `--`."""
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-u", "-c", code, *arguments],
        cwd=SUPPORT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout.split("--\n")


FORGOTTEN_CLIENTS = """
import asyncio, gc, sys
from complaints.flawed_connections import ClosesInDel
from nectar_async import NectarClient, Settings

client = ClosesInDel(sys.argv[1])
asyncio.run(client.get())
del client
gc.collect()
print("--")
client = NectarClient("key", settings=Settings(base_url=sys.argv[1]))
asyncio.run(client.companies.get("c"))
del client
gc.collect()
"""


def test_a_forgotten_client_only_warns_when_it_is_collected() -> None:
    """Clean-up in `__del__` raises errors that cannot be caught.

    A forgotten client runs no code when it is collected. There is only a warning.

    https://github.com/openai/openai-python/issues/1254
    https://github.com/tomplus/kubernetes_asyncio/issues/91
    https://github.com/tomplus/kubernetes_asyncio/issues/103
    https://github.com/aio-libs/aiohttp/issues/4324
    https://github.com/Azure/azure-sdk-for-python/issues/9060
    """
    with run_server() as server:
        flawed, ours = run_script(FORGOTTEN_CLIENTS, server.origin)
    assert "Exception ignored in" in flawed
    assert "RuntimeError: no running event loop" in flawed
    assert "Unclosed" in ours
    assert "Exception ignored" not in ours
    assert "Traceback" not in ours


CERTIFICATES = """
import asyncio, ssl
from nectar_async import NectarClient

load = ssl.SSLContext.load_default_certs

def report_load(*args, **kwargs):
    try:
        asyncio.get_running_loop()
        print("on the loop")
    except RuntimeError:
        print("in a thread")
    return load(*args, **kwargs)

ssl.SSLContext.load_default_certs = report_load

async def ours():
    async with NectarClient("key"):
        pass

async def flawed():
    async with open_session_with_certificates():
        pass

asyncio.run(ours())
print("--")
from complaints.flawed_connections import open_session_with_certificates
asyncio.run(flawed())
"""


def test_certificates_are_read_in_a_thread() -> None:
    """The creation of an SSL context reads certificates on the event loop.

    aiohttp and its certificates are loaded once, in a thread.

    https://github.com/home-assistant/core/issues/128954
    https://github.com/SecKatie/wyzeapy/issues/326
    https://github.com/aio-libs/aiobotocore/issues/1469
    """
    ours, flawed = run_script(CERTIFICATES)
    assert set(flawed.splitlines()) == {"on the loop"}
    assert set(ours.splitlines()) == {"in a thread"}


@pytest.mark.asyncio
async def test_abandoned_answers_release_their_connections() -> None:
    """Abandoned answers keep their connections, and the next call gets none.

    A body is read inside `async with`, which releases the connection in all cases.

    https://github.com/openai/openai-python/issues/763
    """

    async def abandon_two(
        get: Callable[[], Awaitable[object]], server: CountingServer
    ) -> None:
        """Send twice, and cancel each time when half of the body has arrived."""
        for _ in range(2):
            task = asyncio.ensure_future(get())
            await asyncio.to_thread(server.halves_sent.acquire)
            await settle_down()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with run_server(halves=2) as server:
        flawed = UnreleasedResponses(server.origin, connections=2)
        await abandon_two(flawed.get, server)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flawed.get(), 0.1)
        assert len(server.request_lines) == 2  # the third request got no connection
        await flawed.close()

    pool = aiohttp.TCPConnector(limit=2)
    async with aiohttp.ClientSession(connector=pool) as session:
        with run_server(halves=2) as server:
            nectar = build_client(server, AiohttpTransport(session=session))
            await abandon_two(lambda: nectar.send(GET), server)
            assert await nectar.send(GET) == COMPANY


@pytest.mark.asyncio
async def test_connections_are_reused() -> None:
    """A session for each request reuses no connection and fails under load.

    A client has one session from its opening to its end.

    https://github.com/googleapis/python-genai/issues/1083
    https://github.com/traveltime-dev/traveltime-python-sdk/issues/172
    """
    with run_server() as server:
        flawed = SessionPerRequest(server.origin)
        await asyncio.gather(*(flawed.get() for _ in range(30)))
        assert server.connections == 30

    with run_server() as server:
        async with build_client(server) as nectar:
            await asyncio.gather(*(nectar.send(GET) for _ in range(30)))
        assert server.connections <= 10


# Not a coroutine, because aiohttp 3.12 reads `.netrc` on the loop, a blocking call.
def test_the_proxy_of_the_environment_can_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy of the environment is ignored, and no option turns it on.

    `AiohttpTransport` takes `trust_env=True`, a proxy, an SSL context or a session.

    https://github.com/aio-libs/aiohttp/issues/12556
    https://github.com/aio-libs/aiohttp/issues/10682
    https://github.com/opensanctions/yente/issues/85
    """

    async def send_flawed(server: CountingServer) -> None:
        flawed = PlainSession(server.origin)
        await flawed.get()
        await flawed.close()

    async def send(server: CountingServer) -> None:
        async with build_client(server, AiohttpTransport(trust_env=True)) as nectar:
            await nectar.send(GET)

    with run_server() as server, run_server() as proxy:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", proxy.origin)
        asyncio.run(send_flawed(server))
        assert (len(server.request_lines), proxy.request_lines) == (1, [])

        asyncio.run(send(server))
        assert len(server.request_lines) == 1
        assert proxy.request_lines == [f"GET {server.origin}/v2.2/thing HTTP/1.1"]


@pytest.mark.asyncio
async def test_every_request_at_the_server_is_a_counted_attempt() -> None:
    """Two calls are three requests at the server, because aiohttp retries by itself.

    Its retries are off, also in a session of the user. Each request is a counted
    attempt.

    https://github.com/aio-libs/aiohttp/issues/10790
    """
    with run_server(each_connection=1) as server:
        flawed = PlainSession(server.origin)
        await flawed.get()
        await flawed.get()
        await flawed.close()
        assert len(server.request_lines) == 3  # for two calls

    with run_server(each_connection=1) as server:
        async with build_client(server) as nectar:
            await nectar.send(GET)
            with pytest.raises(ConnectionFailedError) as caught:
                await nectar.send(GET)
            assert caught.value.attempts == 1
            assert nectar.statistics().attempts == len(server.request_lines) == 2


@pytest.mark.asyncio
async def test_no_password_of_netrc_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A session that takes the proxy from the environment sends passwords of `.netrc`.

    `trust_env` means the proxy only, in a session of the user's too.

    https://github.com/pimutils/vdirsyncer/issues/1138
    """
    path = tmp_path / "netrc"
    path.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(path))
    with run_server() as server:
        flawed = ProxySession(server.origin)
        await flawed.get()
        await flawed.close()
        assert server.passwords == 1

        async with aiohttp.ClientSession(trust_env=True) as session:
            transport = AiohttpTransport(session=session)
            async with build_client(server, transport) as nectar:
                await nectar.companies.get("c")
            assert (len(server.request_lines), server.passwords) == (2, 1)


@pytest.mark.asyncio
async def test_files_are_written_while_all_threads_of_the_application_wait(
    tmp_path: Path,
) -> None:
    """Work in threads never runs if the application has taken all 40 of them.

    The client has threads of its own for files.

    https://github.com/Kludex/starlette/issues/1724
    """
    limiter = anyio.to_thread.current_default_thread_limiter()
    borrowers = [object() for _ in range(int(limiter.total_tokens))]
    for borrower in borrowers:
        limiter.acquire_on_behalf_of_nowait(borrower)
    try:
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            await touch_in_a_shared_thread(tmp_path / "flawed.pdf")

        async def answer(request: Request[Any]) -> object:
            if request.operation == "documents_get":
                return {"id": "d", "url": "https://files.example/d.pdf"}
            return Response(200, {}, b"%PDF-1.7")

        async with NectarClient("key", transport=MemoryTransport(answer)) as nectar:
            done = await nectar.documents.download("d", tmp_path / "bill.pdf")
        assert done.size == 8
    finally:
        for borrower in borrowers:
            limiter.release_on_behalf_of(borrower)
