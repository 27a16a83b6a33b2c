"""Cancelled at any await: permits and connections are back, nothing runs, work goes on.

Each pull is cancelled after every number of turns of the loop that it takes (`turns`),
with refusals, failures and time-outs on its way, so that the waits of back-off,
cooling down and a new key are among them.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import pytest
from doubles import ListServer, rows, settle_down
from turns import TWICE, WAYS, Case, Threads, cancelled_everywhere

from nectar_async import (
    FanOut,
    MemoryTransport,
    NectarClient,
    Pager,
    Request,
    Response,
    Settings,
    UsageData,
    VirtualClock,
)
from nectar_async._paging.prefetch import Prefetch
from nectar_async.errors import AttemptTimeoutError, DeadlineExceededError
from nectar_async.models import JobStatus
from nectar_async.sandbox import Answer, Fault, Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

REFUSED = Response(429, {"Retry-After": "2"})
BUSY = Response(503)
SLOW = AttemptTimeoutError("no answer within 30 s")
TOO_MUCH = Response(502)
UNKNOWN_KEY = Response(401)

Everywhere = Callable[..., Awaitable[int]]


# Where there is something to clean up, it is cancelled once more while that is done.
twice_too = pytest.mark.parametrize("way", [*WAYS, *TWICE], indirect=True)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    return "trio" if way.startswith("trio") else "asyncio"


@pytest.fixture
def everywhere(way: str, monkeypatch: pytest.MonkeyPatch) -> Everywhere:
    """Cancels a pull everywhere, and says after how many turns it was quicker."""
    return partial(cancelled_everywhere, way=way, threads=Threads(monkeypatch))


def client_on(transport: MemoryTransport, **settings: Any) -> NectarClient:
    """A client whose key has to be asked for, and whose waits take one turn."""
    keys = iter(f"key-number-{number}" for number in range(100))

    async def key() -> str:
        await anyio.lowlevel.checkpoint()
        return next(keys)

    return NectarClient(
        key,
        transport=transport,
        settings=Settings(**{"max_concurrency": 2, **settings}),
        clock=VirtualClock(),
    )


# One call.


class Call(Case):
    """A call that is refused for each reason that passes, before it is answered."""

    answers: tuple[object, ...] = (UNKNOWN_KEY, REFUSED, BUSY, SLOW)

    def __init__(self, **settings: Any) -> None:
        self._left = list(self.answers)
        self.transport = MemoryTransport(self._answer)
        self.nectar = client_on(self.transport, **settings)
        self.name = ""

    async def _answer(self, _: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        return self._left.pop(0) if self._left else {"id": "c", "name": "Cee"}

    async def pull(self) -> None:
        self.name = (await self.nectar.companies.get("c")).name or ""

    async def take_up(self, *, is_over: bool) -> None:
        assert self.name == ("Cee" if is_over else "")
        self._left.clear()
        await self.pull()
        assert self.name == "Cee"


async def test_a_call(everywhere: Everywhere) -> None:
    assert await everywhere(Call) > 10


class Hurried(Call):
    """A call whose bound is over before an answer can be there."""

    answers: tuple[object, ...] = ()

    async def pull(self) -> None:
        with suppress(AttemptTimeoutError, DeadlineExceededError):
            await super().pull()

    async def take_up(self, *, is_over: bool) -> None:
        assert not self.name
        self.nectar = self.nectar.with_settings(attempt_timeout=30, deadline=None)
        await super().take_up(is_over=False)


@pytest.mark.parametrize("bound", ["attempt_timeout", "deadline"])
async def test_a_call_whose_time_is_over(everywhere: Everywhere, bound: str) -> None:
    assert await everywhere(lambda: Hurried(**{bound: 1e-9})) > 0


# Lists.


class Walk(Case):
    """A list of six pages with trouble on its way, record by record."""

    pages = 6
    filters: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.server = ListServer({"a": rows("a", 2 * self.pages)})
        self.server.script("a", 1, UNKNOWN_KEY)
        self.server.script("a", 2, REFUSED)
        self.server.script("a", 3, BUSY, SLOW)
        self.server.script("a", 5, Response(500))
        self.transport = self.server.transport
        self.nectar = client_on(self.transport)
        self.given: list[str] = []
        self.records = self.begin()

    @property
    def pager(self) -> Pager[UsageData]:
        return self.nectar.usage.by_company("a", **self.filters)

    def begin(self) -> AsyncIterator[UsageData]:
        return aiter(self.pager)

    async def pull(self) -> None:
        async for record in self.records:
            self.given.append(record.id)

    async def take_up(self, *, is_over: bool) -> None:
        """The same iterator goes on where it was."""
        if not is_over:
            await self.pull()
        assert self.given == self.server.companies["a"]


class PageWalk(Walk):
    """The same, page by page."""

    async def pull(self) -> None:
        async for page in self.pages_:
            self.given += [record.id for record in page.items]

    def begin(self) -> AsyncIterator[UsageData]:
        self.pages_ = self.pager.pages()
        return aiter(self.pager)


class Halved(Walk):
    """The server runs out of time, and the walk goes on in halves of halves."""

    pages = 2
    filters: ClassVar[dict[str, Any]] = {
        "start_date": date(2025, 1, 1),
        "end_date": date(2025, 1, 31),
    }

    def __init__(self) -> None:
        super().__init__()
        self.server.script("a", 1, TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH)


@pytest.mark.parametrize("walk", [Walk, PageWalk, Halved])
async def test_a_walk(everywhere: Everywhere, walk: type[Walk]) -> None:
    assert await everywhere(walk) > 20


class Left(Walk):
    """A background walk whose block is left by the cancellation."""

    async def pull(self) -> None:
        async with self.pager.prefetch() as records:
            async for record in records:
                self.given.append(record.id)

    async def take_up(self, *, is_over: bool) -> None:
        """What was given is the beginning; another walk gives all."""
        everything = self.server.companies["a"]
        assert self.given == everything[: len(self.given)]
        assert not is_over or self.given == everything
        self.given.clear()
        await self.pull()
        assert self.given == everything


class Held(Walk):
    """A background walk whose reader is cancelled inside its block."""

    is_quiet = False
    block: Prefetch[UsageData]

    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        async with self.pager.prefetch() as records:
            self.records = aiter(records)
            yield


@twice_too
@pytest.mark.parametrize("walk", [Left, Held])
async def test_a_walk_in_the_background(
    everywhere: Everywhere, walk: type[Walk]
) -> None:
    assert await everywhere(walk) > 20


# All companies.


class Everybody(Case):
    """Three companies; one of their lists changes in mid-walk and is walked again."""

    def __init__(self) -> None:
        self.server = ListServer.of_pages(a=2, b=1, c=2)
        self.server.change("a", 1, ["a-0", *self.server.companies["a"]])
        self.server.script("b", 1, UNKNOWN_KEY, BUSY)
        self.server.script("c", 2, REFUSED, SLOW)
        self.transport = self.server.transport
        self.nectar = client_on(self.transport)
        self.given: list[str] = []

    def view(self) -> FanOut[UsageData]:
        return self.nectar.repository.usage()

    async def read(self, records: FanOut[UsageData]) -> None:
        async for record in records:
            self.given.append(record.id)

    async def pull(self) -> None:
        async with self.view() as records:
            await self.read(records)

    async def take_up(self, *, is_over: bool) -> None:
        """Nothing came twice; another walk gives all."""
        assert len(self.given) == len(set(self.given))
        assert not is_over or sorted(self.given) == self.server.all_rows()
        self.given.clear()
        await self.pull()
        assert sorted(self.given) == self.server.all_rows()


class HeldEverybody(Everybody):
    """The reader alone is cancelled."""

    is_quiet = False
    records: FanOut[UsageData]

    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        async with self.view() as self.records:
            yield

    async def pull(self) -> None:
        await self.read(self.records)

    async def take_up(self, *, is_over: bool) -> None:
        """The same walk goes on, and gives each record once."""
        if not is_over:
            await self.pull()
        assert sorted(self.given) == self.server.all_rows()


@twice_too
@pytest.mark.parametrize("walk", [Everybody, HeldEverybody])
async def test_all_companies(everywhere: Everywhere, walk: type[Everybody]) -> None:
    assert await everywhere(walk) > 20


# Uploads.


class Submission(Case):
    """A bill on its way; the first time it is refused after it was taken."""

    def __init__(self, file: Any, content: bytes) -> None:
        self._file = file
        self._content = content
        self._refusals = [REFUSED]
        self.transport = MemoryTransport(self._take)
        self.nectar = client_on(self.transport)
        self.job = ""

    async def _take(self, request: Request[Any]) -> object:
        body = request.body
        assert body is not None
        assert not isinstance(body, bytes)
        taken = [chunk async for chunk in (body() if callable(body) else body)]
        if self._refusals and callable(body):
            return self._refusals.pop()
        assert self._content in b"".join(taken)
        return {"id": "j-1", "status": "RUNNING"}

    async def pull(self) -> None:
        file = self._file() if callable(self._file) else self._file
        self.job = (await self.nectar.jobs.submit_document("c", file)).id

    async def take_up(self, *, is_over: bool) -> None:
        assert self.job == ("j-1" if is_over else "")
        await self.pull()
        assert self.job == "j-1"


BILL = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1_100  # two chunks


class Stream:
    """What web frameworks give."""

    def __init__(self) -> None:
        self._left = [BILL[:100], BILL[100:200_000], BILL[200_000:]]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)


@twice_too
async def test_an_upload_of_a_path(everywhere: Everywhere, tmp_path: Path) -> None:
    path = tmp_path / "bill.png"
    path.write_bytes(BILL)
    assert await everywhere(lambda: Submission(path, BILL)) > 10


async def test_an_upload_of_a_stream(everywhere: Everywhere) -> None:
    assert await everywhere(lambda: Submission(Stream, BILL)) > 5


@pytest.mark.parametrize(
    "way",
    ["trio-sparsely", "task", pytest.param("trio", marks=pytest.mark.slow)],
    indirect=True,
)
async def test_an_upload_of_an_open_file(
    everywhere: Everywhere, tmp_path: Path
) -> None:
    path = tmp_path / "bill.png"
    path.write_bytes(BILL)
    with path.open("rb") as file:

        def begin() -> Submission:
            file.seek(0)
            return Submission(file, BILL)

        class Again(Submission):
            async def take_up(self, *, is_over: bool) -> None:
                file.seek(0)
                await super().take_up(is_over=is_over)

        assert await everywhere(lambda: Again(begin()._file, BILL)) > 10


# Downloads.

CHUNK = 96 * 1024


class Fetch(Case):
    """A file of a few chunks, whose first link has expired, with trouble on its way."""

    def __init__(self, folder: Path, turn: int) -> None:
        self.path = folder / f"{turn}.pdf"
        self.part = folder / f"{turn}.pdf.part"
        self.note = folder / f"{turn}.pdf.part.json"
        self._trouble: list[object] = [Response(403), BUSY, None, REFUSED, SLOW]
        self.transport = MemoryTransport(
            {"documents_get": self._document, "documents_download": self._chunk}
        )
        self.nectar = client_on(self.transport)

    async def _document(self, _: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        return {"id": "d", "url": "https://files.example/d?sig=0", "fileName": "d.pdf"}

    async def _chunk(self, request: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        if self._trouble and (trouble := self._trouble.pop(0)) is not None:
            return trouble
        asked = request.headers["Range"].removeprefix("bytes=").partition("-")
        start, stop = int(asked[0]), min(int(asked[2]) + 1, len(BILL))
        span = f"bytes {start}-{stop - 1}/{len(BILL)}"
        return Response(206, {"Content-Range": span, "ETag": '"v1"'}, BILL[start:stop])

    async def pull(self) -> None:
        await self.nectar.documents.download("d", self.path)

    async def take_up(self, *, is_over: bool) -> None:
        """What is there is the beginning, and the rest alone is asked for."""
        is_whole = self.path.exists()
        assert is_whole or not is_over
        left = self.part.read_bytes() if self.note.exists() else b""
        assert BILL.startswith(left)
        done = await self.nectar.documents.download("d", self.path)
        assert done.resumed_from == (0 if is_whole else len(left))
        assert self.path.read_bytes() == BILL
        assert not self.part.exists()
        assert not self.note.exists()


@twice_too
async def test_a_download_to_a_path(
    everywhere: Everywhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)
    numbers = iter(range(10_000))
    assert await everywhere(lambda: Fetch(tmp_path, next(numbers))) > 20


class Sink(Fetch):
    """The same into an open file or something like it, which cannot be resumed."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__(Path(), 0)
        self._make = make
        self.sink = make()

    async def pull(self) -> None:
        await self.nectar.documents.download("d", self.sink)

    async def take_up(self, *, is_over: bool) -> None:
        assert BILL.startswith(self.sink.getvalue())
        assert not is_over or self.sink.getvalue() == BILL
        self.sink = self._make()
        await self.pull()
        assert self.sink.getvalue() == BILL


class SlowSink:
    """What takes bytes in its own time."""

    def __init__(self) -> None:
        self._taken = b""

    async def write(self, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        self._taken += data

    def getvalue(self) -> bytes:
        return self._taken


@pytest.mark.parametrize("make", [io.BytesIO, SlowSink], ids=["plain", "async"])
async def test_a_download_into_a_sink(
    everywhere: Everywhere, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]
) -> None:
    monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)
    assert await everywhere(lambda: Sink(make)) > 20


# Waiting.


class Wait(Case):
    """A job that is looked at until it is over, in spite of trouble."""

    def __init__(self) -> None:
        self._left: list[object] = [UNKNOWN_KEY, "PENDING", REFUSED, BUSY, "RUNNING"]
        self.transport = MemoryTransport(self._look)
        self.nectar = client_on(self.transport)
        self.status: JobStatus | None = None

    async def _look(self, _: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        found = self._left.pop(0) if self._left else "COMPLETED"
        return {"id": "j", "status": found} if isinstance(found, str) else found

    async def pull(self) -> None:
        self.status = (await self.nectar.jobs.wait("j")).status

    async def take_up(self, *, is_over: bool) -> None:
        assert self.status == (JobStatus.COMPLETED if is_over else None)
        await self.pull()
        assert self.status is JobStatus.COMPLETED


async def test_waiting_for_a_job(everywhere: Everywhere) -> None:
    assert await everywhere(Wait) > 10


# The client's own end.


class Slow(MemoryTransport):
    """A transport whose closing takes a few turns."""

    closed = 0

    async def aclose(self) -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        self.closed += 1


class Life(Case):
    """From the opening of a client to the end of its closing."""

    def __init__(self) -> None:
        self.slow = Slow({"companies_get": {"id": "c", "name": "Cee"}})
        self.transport = self.slow
        self.nectar = client_on(self.transport)
        self.has_begun = False

    async def pull(self) -> None:
        async with self.nectar:
            self.has_begun = True
            await self.nectar.companies.get("c")

    async def take_up(self, *, is_over: bool) -> None:
        del is_over
        assert self.slow.closed == self.has_begun
        await self.nectar.aclose()
        assert self.slow.closed == 1


@twice_too
async def test_the_whole_life_of_a_client(everywhere: Everywhere) -> None:
    assert await everywhere(Life) > 1


# Over real HTTP.

on_asyncio = pytest.mark.parametrize("way", ["asyncio", "task"], indirect=True)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(companies=2, seed=7) as sandbox:
        yield sandbox


class Live(Case):
    """A pull over sockets, with a refusal on its way."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.faults.clear()
        sandbox.faults.add(Fault(Answer(status=503), times=2))
        self.nectar = NectarClient(
            sandbox.api_key, settings=sandbox.settings, clock=VirtualClock()
        )
        self.given: list[str] = []

    async def idle(self) -> None:
        """No connection is checked out, and the server is asked nothing more."""
        self.no_permit_is_held()
        session = getattr(self.nectar._session._transport, "_session", None)
        assert session is None or not session.connector._acquired
        with anyio.fail_after(10):
            while self.sandbox.witness.in_flight:
                await anyio.lowlevel.checkpoint()
        asked = self.sandbox.witness.requests
        await anyio.sleep(0.002)
        assert self.sandbox.witness.requests == asked

    async def take_up(self, *, is_over: bool) -> None:
        del is_over
        assert len(self.given) == len(set(self.given))
        before = {*self.given}
        self.given.clear()
        await self.pull()
        assert before <= {*self.given}
        assert len(self.given) == len(set(self.given)) > 100


class LiveView(Live):
    async def pull(self) -> None:
        async with self.nectar.repository.usage() as records:
            async for record in records:
                self.given.append(record.id)


class LiveWalks(Live):
    async def pull(self) -> None:
        for company in await self.nectar.companies.all():
            async for record in self.nectar.usage.by_company(company.id):
                self.given.append(record.id)


@on_asyncio
@pytest.mark.parametrize("pull", [LiveView, LiveWalks])
async def test_a_pull_over_http(
    everywhere: Everywhere, sandbox: Sandbox, pull: type[Live]
) -> None:
    assert await everywhere(lambda: pull(sandbox), sparsely=True) > 50


# What people cancel with.


class Stuck:
    """A walk whose third page does not come until it is let."""

    def __init__(self) -> None:
        self.server = ListServer.of_pages(a=5)
        self.release = self.server.hold("a", 3)
        self.nectar = client_on(self.server.transport)
        self.records = aiter(self.nectar.usage.by_company("a"))
        self.given: list[str] = []

    async def walk(self) -> None:
        async for record in self.records:
            self.given.append(record.id)

    async def goes_on(self) -> None:
        assert self.server.in_flight == 0
        assert self.nectar.statistics().in_flight == 0
        assert self.given == self.server.companies["a"][: len(self.given)]
        self.release.set()
        await self.walk()
        assert self.given == self.server.companies["a"]


@pytest.mark.parametrize("way", ["asyncio"], indirect=True)
@pytest.mark.parametrize("tool", ["timeout", "wait_for", "gather", "TaskGroup"])
async def test_a_walk_ends_with_what_asyncio_has(tool: str) -> None:
    stuck = Stuck()

    async def fail() -> None:
        await settle_down()
        raise ZeroDivisionError

    if tool == "timeout":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await stuck.walk()
    elif tool == "wait_for":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stuck.walk(), 0.01)
    elif tool == "gather":
        both = asyncio.gather(stuck.walk(), asyncio.sleep(3600))
        await settle_down()
        both.cancel()
        with pytest.raises(asyncio.CancelledError):
            await both
    else:

        async def both_of_them() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(stuck.walk())
                group.create_task(fail())

        with pytest.raises(ExceptionGroup) as caught:
            await both_of_them()
        assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
    await stuck.goes_on()


@pytest.mark.parametrize("way", ["asyncio", "trio"], indirect=True)
@pytest.mark.parametrize("tool", ["fail_after", "sibling"])
async def test_a_walk_ends_with_what_anyio_has(tool: str) -> None:
    stuck = Stuck()

    async def fail() -> None:
        await settle_down()
        raise ZeroDivisionError

    if tool == "fail_after":
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await stuck.walk()
    else:

        async def both_of_them() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(stuck.walk)
                group.start_soon(fail)

        with pytest.raises(ExceptionGroup) as caught:
            await both_of_them()
        assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
    await stuck.goes_on()
