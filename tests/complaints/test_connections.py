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
import pytest
from complaints.host import COMPANY, Host, hosting
from complaints.naive_transport import (
    FirstLoop,
    PlainSession,
    PoolOfOne,
    ReadsLater,
    SessionPerRequest,
)
from complaints.scene import GET, OK
from doubles import settle_down

from nectar_async import (
    AiohttpTransport,
    ConnectionFailedError,
    MemoryTransport,
    NectarClient,
    Response,
    RetryPolicy,
    Settings,
    VirtualClock,
    WrongLoopError,
)

SUPPORT = Path(__file__).parents[1] / "support"
ONCE = RetryPolicy(attempts=1)


def client_of(
    host: Host,
    transport: AiohttpTransport | None = None,
    *,
    retry: RetryPolicy = ONCE,
    **settings: Any,
) -> NectarClient:
    return NectarClient(
        "key",
        transport=transport or AiohttpTransport(),
        settings=Settings(base_url=host.origin, retry=retry, **settings),
        clock=VirtualClock(),
    )


class Watched(selectors.DefaultSelector):
    """Tells when its loop lies down to sleep until something comes."""

    def __init__(self, is_asleep: threading.Event) -> None:
        super().__init__()
        self._is_asleep = is_asleep

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self._is_asleep.set()
        return super().select(timeout)


def test_a_client_on_a_second_loop_says_so_and_does_not_hang() -> None:
    """A client that two threads share hangs in the lock of its pool.

    A client belongs to the loop of its first use; any other gets a `WrongLoopError`
    that says what to do.

    https://github.com/openai/openai-python/issues/769
    """
    is_held, is_asleep = threading.Event(), threading.Event()

    async def work(*_: object) -> Response:
        """Holds on until the other thread sleeps, or is done."""
        is_held.set()
        await asyncio.to_thread(is_asleep.wait)
        return OK

    def side_by_side(get: Callable[[], Awaitable[object]]) -> BaseException | None:
        """Ask in this thread and in another; what the other one meets.

        `TimeoutError` stands for a thread that sleeps on when the first is done.
        """
        is_held.clear()
        is_asleep.clear()
        met: list[BaseException] = []
        loop = asyncio.SelectorEventLoop(Watched(is_asleep))

        async def ask() -> None:
            await get()

        def other() -> None:
            is_held.wait()
            try:
                loop.run_until_complete(ask())
            except WrongLoopError as error:
                met.append(error)
            is_asleep.set()

        thread = threading.Thread(target=other)
        thread.start()
        asyncio.run(ask())
        thread.join(0.2)
        if thread.is_alive():
            met.append(TimeoutError())
            loop.call_soon_threadsafe(lambda: None)  # only this wakes it
        thread.join()
        loop.close()
        return met[0] if met else None

    assert isinstance(side_by_side(PoolOfOne(work).get), TimeoutError)

    nectar = NectarClient(transport=MemoryTransport(work))
    met = side_by_side(lambda: nectar.send(GET))
    assert isinstance(met, WrongLoopError)
    assert "one client for each loop" in str(met)


def test_a_client_for_each_loop_lives_as_long_as_its_loop() -> None:
    """A client of a module breaks when each test has a new loop.

    A client is cheap, may be opened and closed by different tasks, and so fits a
    fixture.

    https://github.com/stripe/stripe-python/issues/327
    https://github.com/stripe/stripe-python/issues/1248
    """

    async def as_a_fixture(host: Host) -> None:
        """It may be opened by one task, used by another and closed by a third."""
        nectar = client_of(host)
        await asyncio.create_task(nectar.__aenter__())
        assert await asyncio.create_task(nectar.send(GET)) == COMPANY
        await asyncio.create_task(nectar.aclose())

    with hosting() as host:
        naive = FirstLoop(host.origin)
        asyncio.run(naive.get())
        with pytest.raises(RuntimeError) as caught:
            asyncio.run(naive.get())
        assert str(caught.value) == "Event loop is closed"
        with warnings.catch_warnings():  # its socket belongs to the loop that is over
            warnings.simplefilter("ignore", ResourceWarning)
            del naive, caught
            gc.collect()

        for _ in range(2):
            asyncio.run(as_a_fixture(host))


# Processes of their own: what is raised in a `__del__` is raised into nowhere, and
# aiohttp reads certificates once, when it is imported.


def run(code: str, *arguments: str) -> list[str]:
    """What a script writes, up to the line `--` and behind it."""
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


FORGETFUL = """
import asyncio, gc, sys
from complaints.naive_transport import CleansUpInDel
from nectar_async import NectarClient, Settings

client = CleansUpInDel(sys.argv[1])
asyncio.run(client.get())
del client
gc.collect()
print("--")
client = NectarClient("key", settings=Settings(base_url=sys.argv[1]))
asyncio.run(client.companies.get("c"))
del client
gc.collect()
"""


def test_a_client_that_is_forgotten_does_nothing_when_it_is_collected() -> None:
    """Clean-up in `__del__` ends in errors that nobody can catch.

    Nothing of ours happens on collection, least of all on a loop that is over; a
    warning is all there is.

    https://github.com/openai/openai-python/issues/1254
    https://github.com/tomplus/kubernetes_asyncio/issues/91
    https://github.com/tomplus/kubernetes_asyncio/issues/103
    https://github.com/aio-libs/aiohttp/issues/4324
    https://github.com/Azure/azure-sdk-for-python/issues/9060
    """
    with hosting() as host:
        naive, ours = run(FORGETFUL, host.origin)
    assert "Exception ignored in" in naive
    assert "RuntimeError: no running event loop" in naive
    assert "Unclosed" in ours
    assert "Exception ignored" not in ours
    assert "Traceback" not in ours


CERTIFICATES = """
import asyncio, ssl
from nectar_async import NectarClient

load = ssl.SSLContext.load_default_certs

def watched(*args, **kwargs):
    try:
        asyncio.get_running_loop()
        print("on the loop")
    except RuntimeError:
        print("beside it")
    return load(*args, **kwargs)

ssl.SSLContext.load_default_certs = watched

async def ours():
    async with NectarClient("key"):
        pass

async def naive():
    async with trusting():
        pass

asyncio.run(ours())
print("--")
from complaints.naive_transport import trusting
asyncio.run(naive())
"""


def test_certificates_are_read_beside_the_loop() -> None:
    """Making an SSL context reads certificates on the event loop.

    aiohttp and its certificates are loaded in a thread, once.

    https://github.com/home-assistant/core/issues/128954
    https://github.com/SecKatie/wyzeapy/issues/326
    https://github.com/aio-libs/aiobotocore/issues/1469
    """
    ours, naive = run(CERTIFICATES)
    assert set(naive.splitlines()) == {"on the loop"}
    assert set(ours.splitlines()) == {"beside it"}


@pytest.mark.asyncio
async def test_answers_that_are_left_hold_no_connection() -> None:
    """Answers that nobody finished hold their connections; the next call has none.

    A body is read inside the response's own `async with`, whatever ends it.

    https://github.com/openai/openai-python/issues/763
    """

    async def leave_two(get: Callable[[], Awaitable[object]], host: Host) -> None:
        """Ask twice, and leave each time when half of the body is there."""
        for _ in range(2):
            task = asyncio.ensure_future(get())
            await asyncio.to_thread(host.halves_sent.acquire)
            await settle_down()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with hosting(halves=2) as host:
        naive = ReadsLater(host.origin, connections=2)
        await leave_two(naive.get, host)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(naive.get(), 0.1)
        assert len(host.heads) == 2  # the third one got no connection
        await naive.close()

    pool = aiohttp.TCPConnector(limit=2)
    async with aiohttp.ClientSession(connector=pool) as session:
        with hosting(halves=2) as host:
            nectar = client_of(host, AiohttpTransport(session=session))
            await leave_two(lambda: nectar.send(GET), host)
            assert await nectar.send(GET) == COMPANY


@pytest.mark.asyncio
async def test_connections_are_used_again() -> None:
    """A session for each request defeats the pool, and fails under load.

    One session for the life of the client.

    https://github.com/googleapis/python-genai/issues/1083
    https://github.com/traveltime-dev/traveltime-python-sdk/issues/172
    """
    with hosting() as host:
        naive = SessionPerRequest(host.origin)
        await asyncio.gather(*(naive.get() for _ in range(30)))
        assert host.connections == 30

    with hosting() as host:
        async with client_of(host) as nectar:
            await asyncio.gather(*(nectar.send(GET) for _ in range(30)))
        assert host.connections <= 10


# No coroutine: aiohttp 3.12 looks for a `.netrc` on the loop then, a blocking call.
def test_the_proxy_of_the_environment_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy of the environment is ignored, and its switch is out of reach.

    `AiohttpTransport(trust_env=True)`, or a proxy, an SSL context or a session of your
    own.

    https://github.com/aio-libs/aiohttp/issues/12556
    https://github.com/aio-libs/aiohttp/issues/10682
    https://github.com/opensanctions/yente/issues/85
    """

    async def ask_naively(host: Host) -> None:
        naive = PlainSession(host.origin)
        await naive.get()
        await naive.close()

    async def ask(host: Host) -> None:
        async with client_of(host, AiohttpTransport(trust_env=True)) as nectar:
            await nectar.send(GET)

    with hosting() as host, hosting() as proxy:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", proxy.origin)
        asyncio.run(ask_naively(host))
        assert (len(host.heads), proxy.heads) == (1, [])

        asyncio.run(ask(host))
        assert len(host.heads) == 1
        assert proxy.heads == [f"GET {host.origin}/v2.2/thing HTTP/1.1"]


@pytest.mark.asyncio
async def test_every_hit_at_the_server_is_an_attempt_that_is_counted() -> None:
    """Two calls are three hits at the server: aiohttp sends again by itself.

    Its resending is off, also on a session of yours; each hit is an attempt that is
    counted.

    https://github.com/aio-libs/aiohttp/issues/10790
    """
    with hosting(each_connection=1) as host:
        naive = PlainSession(host.origin)
        await naive.get()
        await naive.get()
        await naive.close()
        assert len(host.heads) == 3  # of two calls

    with hosting(each_connection=1) as host:
        async with client_of(host) as nectar:
            await nectar.send(GET)
            with pytest.raises(ConnectionFailedError) as caught:
                await nectar.send(GET)
            assert caught.value.attempts == 1
            assert nectar.statistics().attempts == len(host.heads) == 2
