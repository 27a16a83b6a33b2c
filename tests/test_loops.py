"""A client works in one loop, thread and process; elsewhere it raises a clear error."""

from __future__ import annotations

import asyncio
import gc
import io
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from doubles import ListServer

from nectar_async import MemoryTransport, NectarClient
from nectar_async.errors import ClientClosedError, WrongLoopError
from nectar_async.sandbox import Sandbox

pytestmark = pytest.mark.without_coverage


def fresh() -> NectarClient:
    return NectarClient(transport=MemoryTransport({"ping_get": "pong"}))


def in_thread(function: Callable[[], object]) -> object:
    """Run a function in a thread; return its result or its exception."""
    results: list[object] = []

    def work() -> None:
        try:
            results.append(function())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return results[0]


def script(text: str, *arguments: str) -> str:
    """Run a script in a process, with warnings as errors; return its output."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error", "-X", "dev", "-c", text, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


# Loops and threads.


def test_the_loop_of_another_thread_is_the_wrong_one() -> None:
    nectar = fresh()
    assert asyncio.run(nectar.ping()) == "pong"

    async def elsewhere() -> object:
        return in_thread(lambda: asyncio.run(nectar.ping()))

    error = asyncio.run(elsewhere())
    assert isinstance(error, WrongLoopError)
    assert "thread" in str(error)


def test_without_a_loop_the_error_says_what_to_do() -> None:
    error = in_thread(lambda: fresh().ping().send(None))
    assert isinstance(error, WrongLoopError)
    assert "run_coroutine_threadsafe" in str(error)


@pytest.mark.asyncio
async def test_a_thread_hands_its_calls_to_the_clients_loop() -> None:
    nectar, loop = fresh(), asyncio.get_running_loop()
    assert await nectar.ping() == "pong"

    def elsewhere() -> list[str]:
        call = asyncio.run_coroutine_threadsafe(nectar.ping(), loop)
        return [call.result(10), anyio.from_thread.run(nectar.ping)]

    assert await anyio.to_thread.run_sync(elsewhere) == ["pong", "pong"]


def test_a_client_is_closed_in_its_own_loop_while_that_runs() -> None:
    async def live() -> tuple[object, str]:
        nectar = fresh()
        await nectar.ping()
        refused = in_thread(lambda: asyncio.run(nectar.aclose()))
        answer = await nectar.ping()  # it was not closed
        await nectar.aclose()
        return refused, answer

    refused, answer = asyncio.run(live())
    assert isinstance(refused, WrongLoopError)
    assert "close it there" in str(refused)
    assert answer == "pong"


def test_a_client_whose_loop_has_ended_can_be_closed_in_another() -> None:
    nectar = fresh()
    asyncio.run(nectar.ping())
    asyncio.run(nectar.aclose())


def test_two_clients_work_in_two_loops_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    async def use() -> str:
        async with fresh() as nectar:
            await nectar.ping()
            await asyncio.to_thread(both.wait)  # neither is closed before both are used
            return await nectar.ping()

    threads = [lambda: asyncio.run(use())] * 2
    results: list[object] = []
    first = threading.Thread(target=lambda: results.append(threads[0]()))
    first.start()
    results.append(in_thread(threads[1]))
    first.join()
    assert results == ["pong", "pong"]


async def prefetched(nectar: NectarClient) -> object:
    async with nectar.usage.by_company("c").prefetch() as records:
        return await anext(aiter(records))


USES: dict[str, Callable[[NectarClient], Awaitable[object]]] = {
    "call": NectarClient.ping,
    "walk": lambda nectar: anext(nectar.usage.by_company("c").pages()),
    "prefetch": prefetched,
    "view": lambda nectar: nectar.repository.usage().__aenter__(),
    "open": NectarClient.__aenter__,
    "copy": lambda nectar: nectar.with_settings(strict=True).ping(),
    "upload": lambda nectar: nectar.jobs.submit_document("c", b"%PDF-1.7"),
    "download": lambda nectar: nectar.documents.download("d", io.BytesIO()),
    "wait": lambda nectar: nectar.jobs.wait("j"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("use", USES)
async def test_every_call_of_a_closed_client_says_that_it_is_closed(use: str) -> None:
    nectar = fresh()
    await nectar.ping()
    await nectar.aclose()
    with pytest.raises(ClientClosedError, match="closed"):
        await USES[use](nectar)


@pytest.mark.slow
def test_asyncio_run_works_as_often_as_it_is_called() -> None:
    async def main() -> str:
        async with (
            Sandbox(companies=1) as sandbox,
            NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar,
        ):
            return await nectar.ping()

    assert asyncio.run(main()) == asyncio.run(main())
    gc.collect()


# Processes.

FORKED = """
import asyncio, multiprocessing, os, sys
from nectar_async import NectarClient, WrongLoopError
from nectar_async.sandbox import Sandbox


async def refused(nectar):
    try:
        await nectar.ping()
    except WrongLoopError as error:
        assert "forked" in str(error), error
    else:
        raise AssertionError("it was used")
    await nectar.aclose()


async def used(nectar):
    async with nectar:
        assert await nectar.ping()


def in_child(way, work, nectar):
    if way == "fork":
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                asyncio.run(work(nectar))
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    context = multiprocessing.get_context("fork")
    process = context.Process(target=lambda: asyncio.run(work(nectar)))
    process.start()
    process.join()
    return process.exitcode


async def main(way):
    async with (
        Sandbox(companies=1) as sandbox,
        NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar,
    ):
        await nectar.ping()
        assert in_child(way, refused, nectar) == 0
        for _ in range(3):  # over the connection that the child has a copy of
            await asyncio.wait_for(nectar.ping(), 10)


def before(way):
    from nectar_async import MemoryTransport

    transport = MemoryTransport({"ping_get": "pong"})
    nectar = NectarClient(transport=transport)
    assert in_child(way, used, nectar) == 0
    asyncio.run(used(nectar))


asyncio.run(main(sys.argv[1]))
before(sys.argv[1])
print("done")
"""


@pytest.mark.parametrize(
    "way", ["fork", pytest.param("multiprocessing", marks=pytest.mark.slow)]
)
def test_a_fork_cannot_use_an_open_client_and_does_not_disturb_it(way: str) -> None:
    # Newer Pythons warn of any fork while threads run; the sandbox's may.
    text = f"import warnings\nwarnings.filterwarnings('ignore', '.*fork')\n{FORKED}"
    assert script(text, way) == "done\n"


# Clients in threads and event loops.

SHOP = """
import asyncio
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request

from nectar_async import NectarClient
from nectar_async.sandbox import Sandbox


@asynccontextmanager
async def lifespan(app):
    async with Sandbox(companies=3) as sandbox:
        async with NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar:
            app.state.nectar, app.state.witness = nectar, sandbox.witness
            yield
        app.state.is_closed = nectar._session._transport._session is None


app = FastAPI(lifespan=lifespan)


@app.get("/records")
async def records(request: Request) -> int:
    async with request.app.state.nectar.repository.usage() as records:
        return len([record async for record in records])


@app.get("/companies")
async def companies(request: Request) -> list[str]:
    return [company.id for company in await request.app.state.nectar.companies.all()]


async def opened(ready, over):
    # Servers run the lifespan in a task of its own.
    async with app.router.lifespan_context(app):
        ready.set()
        await over.wait()


async def main():
    ready, over = asyncio.Event(), asyncio.Event()
    life = asyncio.create_task(opened(ready, over))
    await ready.wait()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://shop"
    ) as web:
        answers = await asyncio.gather(
            *(web.get("/records") for _ in range(4)),
            *(web.get("/companies") for _ in range(20)),
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 2
        try:
            await asyncio.wait_for(web.get("/records"), 0.01)  # whoever asked left
        except TimeoutError:
            pass
        now = app.state.nectar.statistics()
        assert (now.in_flight, now.waiting) == (0, 0)
        assert now.peak_in_flight <= 10
        assert app.state.witness.peak_in_flight <= 10
        assert (await web.get("/companies")).status_code == 200
    over.set()
    await life
    assert app.state.is_closed


asyncio.run(main())
print("done")
"""


@pytest.mark.slow
def test_a_web_app_shares_one_client_for_its_life() -> None:
    assert script(SHOP) == "done\n"


FIXTURES = """
import anyio
import pytest
import pytest_asyncio

from nectar_async import NectarClient, WrongLoopError
from nectar_async.sandbox import Sandbox


def making():
    async def client():
        async with Sandbox(companies=1) as sandbox:
            async with NectarClient(
                sandbox.api_key, settings=sandbox.settings
            ) as nectar:
                await nectar.ping()
                yield nectar

    return client


def scoped(scope):
    name = f"per_{scope}"
    return pytest_asyncio.fixture(making(), scope=scope, loop_scope=scope, name=name)


one, two, three = map(scoped, ("function", "module", "session"))


@pytest.mark.asyncio
@pytest.mark.parametrize("turn", [1, 2])
async def test_function(per_function, turn):
    assert await per_function.ping()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("turn", [1, 2])
async def test_module(per_module, turn):
    assert await per_module.ping()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("turn", [1, 2])
async def test_session(per_session, turn):
    async with per_session.repository.usage() as records:
        assert [record async for record in records]


@pytest.mark.asyncio
async def test_another_scope(per_session):
    with pytest.raises(WrongLoopError, match="one client for each loop"):
        await per_session.ping()


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


anyio_client = pytest.fixture(making(), scope="module", name="of_anyio")


@pytest.mark.anyio
@pytest.mark.parametrize("turn", [1, 2])
async def test_anyio(of_anyio, turn):
    assert await of_anyio.ping()
"""


@pytest.mark.slow
def test_clients_work_in_fixtures_of_every_scope(tmp_path: Path) -> None:
    (tmp_path / "test_fixtures.py").write_text(FIXTURES)
    arguments = [
        *("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"),
        *("-o", "asyncio_mode=strict", "--rootdir", str(tmp_path), str(tmp_path)),
        *("-o", "asyncio_default_fixture_loop_scope=function"),
    ]
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout
    assert "warning" not in done.stdout


@pytest.mark.parametrize("kind", ["repository", "prefetch"])
def test_a_walk_is_read_and_left_in_the_loop_that_it_was_entered_in(kind: str) -> None:
    async def main() -> None:
        server = ListServer.of_pages(a=40)
        async with NectarClient("k", transport=server.transport) as nectar:
            walk: Any = nectar.repository.usage()
            if kind == "prefetch":
                walk = nectar.usage.by_company("a").prefetch()
            async with walk as records:
                await anext(aiter(records))
                page = anext(records.pages())
                error = await asyncio.to_thread(
                    in_thread, lambda: asyncio.run(run(page))
                )
                assert isinstance(error, WrongLoopError)
            async with nectar.usage.by_company("a").prefetch() as left:
                await anext(aiter(left))
                leave = left.__aexit__(None, None, None)
                error = await asyncio.to_thread(
                    in_thread, lambda: asyncio.run(run(leave))
                )
                assert isinstance(error, WrongLoopError)

    async def run(work: Awaitable[object]) -> object:
        return await work

    asyncio.run(main())
