"""Operations that are cancelled at any await release everything and can be resumed.

Each operation is cancelled after every possible number of turns of the event loop. It
meets 401, 429, 503 and time-outs, so that the waits for back-off, for the shared pause
and for a new key are cancelled too.
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
from cancellation import (
    CANCEL_MODES,
    CANCEL_TWICE_MODES,
    Operation,
    SteppedThreads,
    cancel_at_each_turn,
)
from doubles import ListServer, rows, settle_down

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

CancelAtEachTurn = Callable[..., Awaitable[int]]


# Operations with a clean-up are also cancelled a second time during it.
also_twice = pytest.mark.parametrize(
    "mode", [*CANCEL_MODES, *CANCEL_TWICE_MODES], indirect=True
)


@pytest.fixture(params=CANCEL_MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def anyio_backend(mode: str) -> str:
    return "trio" if mode.startswith("trio") else "asyncio"


@pytest.fixture
def cancel(mode: str, monkeypatch: pytest.MonkeyPatch) -> CancelAtEachTurn:
    """Return a function that cancels an operation at each turn and counts the turns."""
    return partial(cancel_at_each_turn, mode=mode, threads=SteppedThreads(monkeypatch))


def build_client(transport: MemoryTransport, **settings: Any) -> NectarClient:
    """Build a client with an async key provider, whose waits take one turn."""
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


class Call(Operation):
    """A call that succeeds after one failure of each retryable kind."""

    answers: tuple[object, ...] = (UNKNOWN_KEY, REFUSED, BUSY, SLOW)

    def __init__(self, **settings: Any) -> None:
        self._answers = list(self.answers)
        self.transport = MemoryTransport(self._answer)
        self.nectar = build_client(self.transport, **settings)
        self.name = ""

    async def _answer(self, _: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        return self._answers.pop(0) if self._answers else {"id": "c", "name": "Cee"}

    async def pull(self) -> None:
        self.name = (await self.nectar.companies.get("c")).name or ""

    async def resume(self, *, is_complete: bool) -> None:
        assert self.name == ("Cee" if is_complete else "")
        self._answers.clear()
        await self.pull()
        assert self.name == "Cee"


async def test_a_call(cancel: CancelAtEachTurn) -> None:
    assert await cancel(Call) > 10


class TimedOutCall(Call):
    """A call whose time limit is over before any answer."""

    answers: tuple[object, ...] = ()

    async def pull(self) -> None:
        with suppress(AttemptTimeoutError, DeadlineExceededError):
            await super().pull()

    async def resume(self, *, is_complete: bool) -> None:
        assert not self.name
        self.nectar = self.nectar.with_settings(attempt_timeout=30, deadline=None)
        await super().resume(is_complete=False)


@pytest.mark.parametrize("limit", ["attempt_timeout", "deadline"])
async def test_a_call_that_times_out(cancel: CancelAtEachTurn, limit: str) -> None:
    assert await cancel(lambda: TimedOutCall(**{limit: 1e-9})) > 0


# Lists.


class RecordWalk(Operation):
    """A list of six pages with failures, read record by record."""

    pages = 6
    filters: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.server = ListServer({"a": rows("a", 2 * self.pages)})
        self.server.script("a", 1, UNKNOWN_KEY)
        self.server.script("a", 2, REFUSED)
        self.server.script("a", 3, BUSY, SLOW)
        self.server.script("a", 5, Response(500))
        self.transport = self.server.transport
        self.nectar = build_client(self.transport)
        self.ids: list[str] = []
        self.records = self.begin()

    @property
    def pager(self) -> Pager[UsageData]:
        return self.nectar.usage.by_company("a", **self.filters)

    def begin(self) -> AsyncIterator[UsageData]:
        return aiter(self.pager)

    async def pull(self) -> None:
        async for record in self.records:
            self.ids.append(record.id)

    async def resume(self, *, is_complete: bool) -> None:
        """Continue with the same iterator."""
        if not is_complete:
            await self.pull()
        assert self.ids == self.server.companies["a"]


class PageWalk(RecordWalk):
    """The same list, read page by page."""

    async def pull(self) -> None:
        async for page in self.pages_:
            self.ids += [record.id for record in page.items]

    def begin(self) -> AsyncIterator[UsageData]:
        self.pages_ = self.pager.pages()
        return aiter(self.pager)


class SplitWalk(RecordWalk):
    """A list whose date range is split, because the server times out."""

    pages = 2
    filters: ClassVar[dict[str, Any]] = {
        "start_date": date(2025, 1, 1),
        "end_date": date(2025, 1, 31),
    }

    def __init__(self) -> None:
        super().__init__()
        self.server.script("a", 1, TOO_MUCH, TOO_MUCH, TOO_MUCH, TOO_MUCH)


@pytest.mark.parametrize("walk", [RecordWalk, PageWalk, SplitWalk])
async def test_a_list(cancel: CancelAtEachTurn, walk: type[RecordWalk]) -> None:
    assert await cancel(walk) > 20


class PrefetchWalk(RecordWalk):
    """A prefetched list whose block ends with the cancellation."""

    async def pull(self) -> None:
        async with self.pager.prefetch() as records:
            async for record in records:
                self.ids.append(record.id)

    async def resume(self, *, is_complete: bool) -> None:
        """The records so far are the first ones; a new walk yields all."""
        expected = self.server.companies["a"]
        assert self.ids == expected[: len(self.ids)]
        assert not is_complete or self.ids == expected
        self.ids.clear()
        await self.pull()
        assert self.ids == expected


class OpenPrefetchWalk(RecordWalk):
    """A prefetched list whose reader is cancelled inside the open block."""

    ends_with_pull = False
    block: Prefetch[UsageData]

    @asynccontextmanager
    async def keep_open(self) -> AsyncIterator[None]:
        async with self.pager.prefetch() as records:
            self.records = aiter(records)
            yield


@also_twice
@pytest.mark.parametrize("walk", [PrefetchWalk, OpenPrefetchWalk])
async def test_a_prefetched_list(
    cancel: CancelAtEachTurn, walk: type[RecordWalk]
) -> None:
    assert await cancel(walk) > 20


# All companies.


class RepositoryRead(Operation):
    """Reading the lists of three companies; one list changes and is read again."""

    def __init__(self) -> None:
        self.server = ListServer.of_pages(a=2, b=1, c=2)
        self.server.change("a", 1, ["a-0", *self.server.companies["a"]])
        self.server.script("b", 1, UNKNOWN_KEY, BUSY)
        self.server.script("c", 2, REFUSED, SLOW)
        self.transport = self.server.transport
        self.nectar = build_client(self.transport)
        self.ids: list[str] = []

    def view(self) -> FanOut[UsageData]:
        return self.nectar.repository.usage()

    async def read(self, records: FanOut[UsageData]) -> None:
        async for record in records:
            self.ids.append(record.id)

    async def pull(self) -> None:
        async with self.view() as records:
            await self.read(records)

    async def resume(self, *, is_complete: bool) -> None:
        """No record was repeated; a new walk yields all."""
        assert len(self.ids) == len(set(self.ids))
        assert not is_complete or sorted(self.ids) == self.server.all_rows()
        self.ids.clear()
        await self.pull()
        assert sorted(self.ids) == self.server.all_rows()


class OpenRepositoryRead(RepositoryRead):
    """The same lists, whose reader is cancelled inside the open block."""

    ends_with_pull = False
    records: FanOut[UsageData]

    @asynccontextmanager
    async def keep_open(self) -> AsyncIterator[None]:
        async with self.view() as self.records:
            yield

    async def pull(self) -> None:
        await self.read(self.records)

    async def resume(self, *, is_complete: bool) -> None:
        """The same walk continues and yields each record once."""
        if not is_complete:
            await self.pull()
        assert sorted(self.ids) == self.server.all_rows()


@also_twice
@pytest.mark.parametrize("walk", [RepositoryRead, OpenRepositoryRead])
async def test_all_companies(
    cancel: CancelAtEachTurn, walk: type[RepositoryRead]
) -> None:
    assert await cancel(walk) > 20


# Uploads.


class Submission(Operation):
    """The upload of a bill, whose first attempt is answered with 429."""

    def __init__(self, file: Any, content: bytes) -> None:
        self._file = file
        self._content = content
        self._refusals = [REFUSED]
        self.transport = MemoryTransport(self._receive)
        self.nectar = build_client(self.transport)
        self.job = ""

    async def _receive(self, request: Request[Any]) -> object:
        body = request.body
        assert body is not None
        assert not isinstance(body, bytes)
        chunks = [chunk async for chunk in (body() if callable(body) else body)]
        if self._refusals and callable(body):
            return self._refusals.pop()
        assert self._content in b"".join(chunks)
        return {"id": "j-1", "status": "RUNNING"}

    async def pull(self) -> None:
        file = self._file() if callable(self._file) else self._file
        self.job = (await self.nectar.jobs.submit_document("c", file)).id

    async def resume(self, *, is_complete: bool) -> None:
        assert self.job == ("j-1" if is_complete else "")
        await self.pull()
        assert self.job == "j-1"


BILL = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1_100  # two chunks


class AsyncStream:
    """An async iterator of chunks, as web frameworks have."""

    def __init__(self) -> None:
        self._left = [BILL[:100], BILL[100:200_000], BILL[200_000:]]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)


@also_twice
async def test_an_upload_of_a_path(cancel: CancelAtEachTurn, tmp_path: Path) -> None:
    path = tmp_path / "bill.png"
    path.write_bytes(BILL)
    assert await cancel(lambda: Submission(path, BILL)) > 10


async def test_an_upload_of_a_stream(cancel: CancelAtEachTurn) -> None:
    assert await cancel(lambda: Submission(AsyncStream, BILL)) > 5


@pytest.mark.parametrize(
    "mode",
    [
        "trio-sparsely",
        "task-sparsely",
        *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("trio", "task")),
    ],
    indirect=True,
)
async def test_an_upload_of_an_open_file(
    cancel: CancelAtEachTurn, tmp_path: Path
) -> None:
    path = tmp_path / "bill.png"
    path.write_bytes(BILL)
    with path.open("rb") as file:

        def begin() -> Submission:
            file.seek(0)
            return Submission(file, BILL)

        class RewoundSubmission(Submission):
            async def resume(self, *, is_complete: bool) -> None:
                file.seek(0)
                await super().resume(is_complete=is_complete)

        assert await cancel(lambda: RewoundSubmission(begin()._file, BILL)) > 10


# Downloads.

CHUNK = 96 * 1024


class Download(Operation):
    """The download of a few chunks, with an expired link and other failures."""

    def __init__(self, folder: Path, turn: int) -> None:
        self.path = folder / f"{turn}.pdf"
        self.part = folder / f"{turn}.pdf.part"
        self.note = folder / f"{turn}.pdf.part.json"
        self._failures: list[object] = [Response(403), BUSY, None, REFUSED, SLOW]
        self.transport = MemoryTransport(
            {"documents_get": self._document, "documents_download": self._chunk}
        )
        self.nectar = build_client(self.transport)

    async def _document(self, _: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        return {"id": "d", "url": "https://files.example/d?sig=0", "fileName": "d.pdf"}

    async def _chunk(self, request: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        if self._failures and (failure := self._failures.pop(0)) is not None:
            return failure
        bounds = request.headers["Range"].removeprefix("bytes=").partition("-")
        start, stop = int(bounds[0]), min(int(bounds[2]) + 1, len(BILL))
        span = f"bytes {start}-{stop - 1}/{len(BILL)}"
        return Response(206, {"Content-Range": span, "ETag": '"v1"'}, BILL[start:stop])

    async def pull(self) -> None:
        await self.nectar.documents.download("d", self.path)

    async def resume(self, *, is_complete: bool) -> None:
        """The partial file is the beginning, and only the rest is requested."""
        is_whole = self.path.exists()
        assert is_whole or not is_complete
        partial_data = self.part.read_bytes() if self.note.exists() else b""
        assert BILL.startswith(partial_data)
        done = await self.nectar.documents.download("d", self.path)
        assert done.resumed_from == (0 if is_whole else len(partial_data))
        assert self.path.read_bytes() == BILL
        assert not self.part.exists()
        assert not self.note.exists()


@also_twice
async def test_a_download_to_a_path(
    cancel: CancelAtEachTurn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)
    numbers = iter(range(10_000))
    assert await cancel(lambda: Download(tmp_path, next(numbers))) > 20


class StreamDownload(Download):
    """The same into a writable object, which cannot be resumed."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__(Path(), 0)
        self._make = make
        self.sink = make()

    async def pull(self) -> None:
        await self.nectar.documents.download("d", self.sink)

    async def resume(self, *, is_complete: bool) -> None:
        assert BILL.startswith(self.sink.getvalue())
        assert not is_complete or self.sink.getvalue() == BILL
        self.sink = self._make()
        await self.pull()
        assert self.sink.getvalue() == BILL


class AsyncWriter:
    """An object with an async `write` method."""

    def __init__(self) -> None:
        self._data = b""

    async def write(self, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        self._data += data

    def getvalue(self) -> bytes:
        return self._data


@pytest.mark.parametrize("make", [io.BytesIO, AsyncWriter], ids=["plain", "async"])
async def test_a_download_to_a_writable_object(
    cancel: CancelAtEachTurn, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]
) -> None:
    monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)
    assert await cancel(lambda: StreamDownload(make)) > 20


# Waiting.


class JobWait(Operation):
    """A job that is polled until its end, with failures."""

    def __init__(self) -> None:
        self._answers: list[object] = [UNKNOWN_KEY, "PENDING", REFUSED, BUSY, "RUNNING"]
        self.transport = MemoryTransport(self._poll)
        self.nectar = build_client(self.transport)
        self.status: JobStatus | None = None

    async def _poll(self, _: Request[Any]) -> object:
        await anyio.lowlevel.checkpoint()
        answer = self._answers.pop(0) if self._answers else "COMPLETED"
        return {"id": "j", "status": answer} if isinstance(answer, str) else answer

    async def pull(self) -> None:
        self.status = (await self.nectar.jobs.wait("j")).status

    async def resume(self, *, is_complete: bool) -> None:
        assert self.status == (JobStatus.COMPLETED if is_complete else None)
        await self.pull()
        assert self.status is JobStatus.COMPLETED


async def test_waiting_for_a_job(cancel: CancelAtEachTurn) -> None:
    assert await cancel(JobWait) > 10


# The lifetime of a client.


class SlowTransport(MemoryTransport):
    """A transport that takes a few turns to close."""

    closed = 0

    async def aclose(self) -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        self.closed += 1


class ClientLifetime(Operation):
    """A client from its opening to its end."""

    def __init__(self) -> None:
        self.slow = SlowTransport({"companies_get": {"id": "c", "name": "Cee"}})
        self.transport = self.slow
        self.nectar = build_client(self.transport)
        self.has_begun = False

    async def pull(self) -> None:
        async with self.nectar:
            self.has_begun = True
            await self.nectar.companies.get("c")

    async def resume(self, *, is_complete: bool) -> None:
        del is_complete
        assert self.slow.closed == self.has_begun
        await self.nectar.aclose()
        assert self.slow.closed == 1


@also_twice
async def test_the_lifetime_of_a_client(cancel: CancelAtEachTurn) -> None:
    assert await cancel(ClientLifetime) > 1


# Over real HTTP.

on_asyncio = pytest.mark.parametrize(
    "mode", ["task", pytest.param("asyncio", marks=pytest.mark.slow)], indirect=True
)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(companies=2, seed=7) as sandbox:
        yield sandbox


class HttpPull(Operation):
    """A pull over HTTP with a 503."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.faults.clear()
        sandbox.faults.add(Fault(Answer(status=503), times=2))
        self.nectar = NectarClient(
            sandbox.api_key, settings=sandbox.settings, clock=VirtualClock()
        )
        self.ids: list[str] = []

    async def assert_idle(self) -> None:
        """Assert that no connection is in use and that no request follows."""
        self.assert_no_permits()
        session = getattr(self.nectar._session._transport, "_session", None)
        assert session is None or not session.connector._acquired
        with anyio.fail_after(10):
            while self.sandbox.witness.in_flight:
                await anyio.lowlevel.checkpoint()
        count = self.sandbox.witness.requests
        await anyio.sleep(0.002)
        assert self.sandbox.witness.requests == count

    async def resume(self, *, is_complete: bool) -> None:
        del is_complete
        assert len(self.ids) == len(set(self.ids))
        before = {*self.ids}
        self.ids.clear()
        await self.pull()
        assert before <= {*self.ids}
        assert len(self.ids) == len(set(self.ids)) > 100


class HttpRepositoryPull(HttpPull):
    async def pull(self) -> None:
        async with self.nectar.repository.usage() as records:
            async for record in records:
                self.ids.append(record.id)


class HttpListPull(HttpPull):
    async def pull(self) -> None:
        for company in await self.nectar.companies.all():
            async for record in self.nectar.usage.by_company(company.id):
                self.ids.append(record.id)


@on_asyncio
@pytest.mark.parametrize("pull", [HttpRepositoryPull, HttpListPull])
async def test_a_pull_over_http(
    cancel: CancelAtEachTurn, sandbox: Sandbox, pull: type[HttpPull]
) -> None:
    assert await cancel(lambda: pull(sandbox), sparsely=True) > 50


# Other means of cancellation.


class StuckWalk:
    """A list whose third page is held back until `release` is set."""

    def __init__(self) -> None:
        self.server = ListServer.of_pages(a=5)
        self.release = self.server.hold("a", 3)
        self.nectar = build_client(self.server.transport)
        self.records = aiter(self.nectar.usage.by_company("a"))
        self.ids: list[str] = []

    async def walk(self) -> None:
        async for record in self.records:
            self.ids.append(record.id)

    async def assert_resumes(self) -> None:
        assert self.server.in_flight == 0
        assert self.nectar.statistics().in_flight == 0
        assert self.ids == self.server.companies["a"][: len(self.ids)]
        self.release.set()
        await self.walk()
        assert self.ids == self.server.companies["a"]


@pytest.mark.parametrize("mode", ["asyncio"], indirect=True)
@pytest.mark.parametrize("tool", ["timeout", "wait_for", "gather", "TaskGroup"])
async def test_a_list_is_cancelled_by_means_of_asyncio(tool: str) -> None:
    stuck = StuckWalk()

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

        async def run_both() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(stuck.walk())
                group.create_task(fail())

        with pytest.raises(ExceptionGroup) as caught:
            await run_both()
        assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
    await stuck.assert_resumes()


@pytest.mark.parametrize("mode", ["asyncio", "trio"], indirect=True)
@pytest.mark.parametrize("tool", ["fail_after", "sibling"])
async def test_a_list_is_cancelled_by_means_of_anyio(tool: str) -> None:
    stuck = StuckWalk()

    async def fail() -> None:
        await settle_down()
        raise ZeroDivisionError

    if tool == "fail_after":
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await stuck.walk()
    else:

        async def run_both() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(stuck.walk)
                group.start_soon(fail)

        with pytest.raises(ExceptionGroup) as caught:
            await run_both()
        assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
    await stuck.assert_resumes()
