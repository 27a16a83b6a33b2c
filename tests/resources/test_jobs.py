"""Uploads over real HTTP, and polls of their jobs."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import pytest_asyncio
from aiohttp import BodyPartReader, web
from aiohttp.test_utils import TestServer
from doubles import MakeClient

from nectar_async import (
    InvalidArgumentError,
    Job,
    NectarClient,
    NectarError,
    Operation,
    Request,
    Response,
    RetryPolicy,
    Secret,
    Settings,
    VirtualClock,
)
from nectar_async.errors import (
    BadRequestError,
    ConnectionFailedError,
    DeadlineExceededError,
    ServerError,
    WaitTimeoutError,
)
from nectar_async.models import JobStatus
from nectar_async.sandbox import Answer, Fault, Sandbox

KEY = "canary-8f14e45f"
BILL = b"%PDF-1.7\r\n--" + bytes(range(256)) * 4_000
LINK = "https://bucket.example/bill.pdf?X-Sig=sIgNaTuRe"
AT_ONCE = RetryPolicy(wait_initial=0)


# The requests of uploads.


class Server:
    """A server that accepts uploads and records the requests."""

    def __init__(self) -> None:
        self.parts: list[tuple[str | None, str | None, str | None, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        """The statuses of the next answers; 201 when the list is empty."""
        self.requests_received = 0

    async def take(self, request: web.Request) -> web.Response:
        self.requests_received += 1
        self.headers.append({**request.headers})
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            media = part.headers.get("Content-Type")
            self.parts.append(
                (part.name, part.filename, media, bytes(await part.read()))
            )
        status = self.statuses.pop(0) if self.statuses else 201
        return web.json_response({"id": "j-1", "status": "PENDING"}, status=status)

    async def refuse(self, request: web.Request) -> web.Response:
        """Answer before reading the body."""
        self.requests_received += 1
        return web.json_response({"detail": "not active"}, status=400)

    async def hang_up(self, request: web.Request) -> web.Response:
        """Read a part of the body, then close the connection."""
        self.requests_received += 1
        await request.content.readany()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@asynccontextmanager
async def serve(
    handler: Callable[[web.Request], Any], **options: Any
) -> AsyncIterator[NectarClient]:
    app = web.Application()
    app.router.add_post("/v2.2/job/company/{company_id}", handler)
    async with TestServer(app) as server:
        settings = Settings(base_url=str(server.make_url("")), **options)
        async with NectarClient(KEY, settings=settings) as nectar:
            yield nectar


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    path = tmp_path / "März.pdf"
    path.write_bytes(BILL)
    return path


async def stream(*chunks: Any) -> AsyncIterator[bytes]:
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


@pytest.mark.asyncio
async def test_a_server_is_sent_a_form_with_its_exact_length(
    server: Server, bill: Path
) -> None:
    progress: list[tuple[int, int]] = []
    async with serve(server.take) as nectar:
        job = await nectar.jobs.submit_document(
            "c-1", bill, site_id="s-1", on_progress=lambda *news: progress.append(news)
        )
    assert (job.id, job.status) == ("j-1", JobStatus.PENDING)
    assert server.parts == [
        ("siteId", None, None, b"s-1"),
        ("document", "März.pdf", "application/pdf", BILL),
    ]
    (headers,) = server.headers
    assert "Transfer-Encoding" not in headers
    assert len(BILL) < int(headers["Content-Length"]) < len(BILL) + 500
    assert headers["X-API-Key"] == KEY
    assert progress[-1] == (len(BILL), len(BILL))
    assert [size for size, _ in progress] == sorted({size for size, _ in progress})


@pytest.mark.asyncio
async def test_a_stream_is_sent_without_a_length(server: Server) -> None:
    async with serve(server.take) as nectar:
        await nectar.jobs.submit_document("c-1", stream(BILL, b"", b"x"))
    assert server.parts == [
        ("document", "document.pdf", "application/pdf", BILL + b"x")
    ]
    assert server.headers[0]["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize("status", [429, 401], ids=["too-many", "stale-key"])
@pytest.mark.asyncio
async def test_a_refused_upload_is_sent_again_from_its_beginning(
    server: Server, bill: Path, status: int
) -> None:
    server.statuses = [status]
    async with serve(server.take, retry=AT_ONCE) as nectar:
        renewing = NectarClient(lambda: KEY, settings=nectar.settings)
        async with renewing:
            await renewing.jobs.submit_document("c-1", bill)
    assert [part[3] for part in server.parts] == [BILL, BILL]


@pytest.mark.asyncio
async def test_an_upload_that_failed_at_the_server_is_not_sent_again(
    server: Server, bill: Path
) -> None:
    server.statuses = [500]
    async with serve(server.take, retry=AT_ONCE) as nectar:
        with pytest.raises(ServerError):
            await nectar.jobs.submit_document("c-1", bill)
    assert server.requests_received == 1


@pytest.mark.asyncio
async def test_an_upload_on_a_broken_connection_is_not_repeated(
    server: Server,
) -> None:
    async with serve(server.hang_up, retry=AT_ONCE) as nectar:
        with pytest.raises(ConnectionFailedError) as caught:
            await nectar.jobs.submit_document("c-1", BILL * 10, file_name="a.pdf")
        assert nectar.statistics().in_flight == 0
    assert server.requests_received == 1
    assert caught.value.target == "company c-1"


@pytest.mark.asyncio
async def test_a_refusal_before_the_body_was_read_is_raised(server: Server) -> None:
    async with serve(server.refuse) as nectar:
        with pytest.raises(BadRequestError, match="not active"):
            await nectar.jobs.submit_document("c-1", BILL, file_name="a.pdf")


@pytest.mark.asyncio
async def test_a_file_that_shrinks_during_an_upload_is_an_invalid_argument(
    server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "bill.pdf"
    path.write_bytes(BILL)

    async def shrink(taken: int, _: int | None) -> None:
        if taken < len(BILL):
            await anyio.to_thread.run_sync(os.truncate, path, taken)

    async with serve(server.take) as nectar:
        with pytest.raises(InvalidArgumentError, match="file changed while") as caught:
            await nectar.jobs.submit_document("c-1", path, on_progress=shrink)
    assert caught.value.operation == "jobs_submit_document"
    assert caught.value.__context__ is None
    pickle.dumps(caught.value)
    assert server.parts == []


@pytest.mark.asyncio
async def test_an_error_of_a_stream_is_raised_as_it_is(server: Server) -> None:
    boom = ZeroDivisionError("boom")
    async with serve(server.take) as nectar:
        with pytest.raises(ZeroDivisionError) as caught:
            await nectar.jobs.submit_document("c-1", stream(BILL, boom))
        assert nectar.statistics().in_flight == 0
    assert caught.value is boom


@pytest.mark.asyncio
async def test_an_error_of_a_progress_function_is_raised_as_it_is(
    server: Server, bill: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyError("enough")

    async with serve(server.take) as nectar:
        with pytest.raises(KeyError, match="enough"):
            await nectar.jobs.submit_document("c-1", bill, on_progress=stop)


@pytest.mark.asyncio
async def test_a_slow_stream_is_not_bound_by_the_attempt_timeout(
    server: Server,
) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7"
        for _ in range(6):
            await anyio.sleep(0.08)
            yield b"x"

    async with serve(server.take, attempt_timeout=0.4) as nectar:
        await nectar.jobs.submit_document("c-1", slow())
    assert server.parts[0][3] == b"%PDF-1.7" + b"x" * 6


@pytest.mark.asyncio
async def test_a_cancelled_upload_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "bill.pdf"
    path.write_bytes(BILL)
    scope = anyio.CancelScope()

    async def stall(request: web.Request) -> web.Response:
        await request.content.readany()
        scope.cancel()
        await anyio.sleep(5)
        return web.Response()

    async with serve(stall) as nectar:
        with scope:
            await nectar.jobs.submit_document("c-1", path)
        assert scope.cancelled_caught
        assert nectar.statistics().in_flight == 0
    assert str(path) not in await anyio.to_thread.run_sync(list_open_files)


def list_open_files() -> set[str]:
    """Return the open files of this process."""
    paths = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            paths.add(str(link.readlink()))
        except OSError:
            continue
    return paths


# Without a server.


@pytest.mark.anyio
async def test_a_refused_file_is_not_sent(make_client: MakeClient) -> None:
    client = make_client({})
    with pytest.raises(InvalidArgumentError, match="file does not exist"):
        await client.jobs.submit_document("c-1", "nowhere.pdf")
    with pytest.raises(InvalidArgumentError, match="site_id is empty"):
        await client.jobs.submit_document("c-1", BILL, site_id="")
    with pytest.raises(InvalidArgumentError, match="company_id is empty"):
        await client.jobs.submit_document("", BILL)
    assert client.statistics().requests == 0


@pytest.mark.anyio
async def test_any_transport_gets_chunks_and_a_length(
    make_client: MakeClient,
) -> None:
    async def take(request: Request[Any]) -> object:
        body: Any = request.body
        chunks = [chunk async for chunk in body()]
        assert int(request.headers["Content-Length"]) == sum(map(len, chunks))
        assert len(chunks) > 4
        assert max(map(len, chunks)) <= 256 * 1024
        return {"id": "j-1", "status": "PENDING"}

    client = make_client({"jobs_submit_document": take})
    assert (await client.jobs.submit_document("c-1", BILL)).id == "j-1"


@pytest.mark.anyio
async def test_the_parts_of_an_upload_can_be_renamed(make_client: MakeClient) -> None:
    bodies: list[bytes] = []

    async def take(request: Request[Any]) -> object:
        body: Any = request.body
        bodies.append(b"".join([chunk async for chunk in body()]))
        return {"id": "j-1", "status": "PENDING"}

    keys = {"document": "file", "siteId": "site"}
    client = make_client(
        {"jobs_submit_document": take},
        operations={"jobs_submit_document": Operation(keys=keys)},
    )
    await client.jobs.submit_document("c-1", BILL, site_id="s-1")
    assert b'name="file"; filename=' in bodies[0]
    assert b'name="site"\r\n\r\ns-1\r\n' in bodies[0]


@pytest.mark.anyio
async def test_links_are_sent_plain_or_secret(make_client: MakeClient) -> None:
    bodies: list[object] = []

    def take(request: Request[Any]) -> object:
        bodies.append(request.body)
        return {"id": "j-1", "status": "PENDING"}

    client = make_client({"jobs_submit_bulk": take})
    links: list[str | Secret[str]] = [LINK, Secret(LINK)]
    await client.jobs.submit_bulk("c-1", iter(links))
    await client.jobs.submit_bulk("c-1", [LINK], site_id="s-1")
    assert bodies == [
        f'{{"documents":["{LINK}","{LINK}"]}}'.encode(),
        f'{{"documents":["{LINK}"],"siteId":"s-1"}}'.encode(),
    ]


def list_shown_texts(error: BaseException) -> str:
    """Return every text that an error could show."""
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    # The frame of the test has the arguments that it passed.
    texts = [str(frame) for frame in frames.stack if "test_jobs" not in frame.filename]
    texts += [
        str(frame.locals) for frame in frames.stack if "test_jobs" not in frame.filename
    ]
    parts = [repr(error), str(error), repr(vars(error)), repr(pickle.dumps(error))]
    parts += getattr(error, "__notes__", [])
    parts += [list_shown_texts(error.__cause__)] if error.__cause__ else []
    return "\n".join(texts + parts)


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([], "documents is empty"),
        ([LINK, LINK.replace("https", "http")], r"documents\[1\] is no https link"),
        ([LINK, "https:///sIgNaTuRe"], r"documents\[1\] is no https link"),
        ([LINK, ""], r"documents\[1\] is empty"),
        ([LINK, 7], r"documents\[1\] must be text or a Secret, not int"),
        (LINK, r"documents must be a list"),
    ],
    ids=["none", "insecure", "no-host", "empty", "number", "text"],
)
@pytest.mark.anyio
async def test_an_invalid_link_is_named_by_its_index_and_not_shown(
    make_client: MakeClient, documents: Any, words: str
) -> None:
    client = make_client({})
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        await client.jobs.submit_bulk("c-1", documents)
    assert "sIgNaTuRe" not in list_shown_texts(caught.value)


ESCAPED = LINK.replace("/", "\\/")


@pytest.mark.anyio
async def test_the_error_of_another_argument_shows_no_link(
    make_client: MakeClient,
) -> None:
    client = make_client({})
    for changes in ({"company_id": ""}, {"site_id": ""}):
        arguments: dict[str, Any] = {"company_id": "c-1", **changes}
        with pytest.raises(InvalidArgumentError, match="is empty") as caught:
            await client.jobs.submit_bulk(documents=[Secret(LINK)], **arguments)
        assert "sIgNaTuRe" not in list_shown_texts(caught.value)


QUOTES = {
    "detail": f'{{"detail": "cannot fetch {LINK}"}}',
    "escaped": f'{{"documents": ["{ESCAPED} is not valid"]}}',
    "cut-off": f'{{"detail": "{"x" * 1_960}{LINK}"}}',
    "no-json": f"<p>cannot fetch '{LINK}'</p>",
}


@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.anyio
async def test_links_that_a_server_quotes_are_not_in_the_error(
    make_client: MakeClient, quote: str
) -> None:
    refusal = Response(400, {}, QUOTES[quote].encode())
    client = make_client({"jobs_submit_bulk": refusal})
    with pytest.raises(BadRequestError) as caught:
        await client.jobs.submit_bulk("c-1", [Secret(LINK)])
    assert "sIg" not in list_shown_texts(caught.value)
    assert "***" in caught.value.body


@pytest.mark.anyio
async def test_links_that_a_server_quotes_are_not_in_the_cause_of_the_error(
    make_client: MakeClient,
) -> None:
    refusal = Response(
        429, {"Retry-After": "60"}, f'{{"detail": "slower: {LINK}"}}'.encode()
    )
    client = make_client(
        {"jobs_submit_bulk": refusal}, deadline=5, clock=VirtualClock()
    )
    with pytest.raises(DeadlineExceededError) as caught:
        await client.jobs.submit_bulk("c-1", [Secret(LINK)])
    assert caught.value.__notes__
    assert "sIg" not in list_shown_texts(caught.value)


@pytest.mark.anyio
async def test_an_id_is_at_most_255_characters_long(make_client: MakeClient) -> None:
    client = make_client({"jobs_get": {"id": "x"}})
    await client.jobs.get("x" * 255)
    for call in (client.jobs.get, client.jobs.wait):
        with pytest.raises(InvalidArgumentError, match="job_id has 256 characters"):
            await call("x" * 256)


# Polls of jobs.


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "TERMINATED"])
@pytest.mark.anyio
async def test_every_terminal_status_is_a_result(
    make_client: MakeClient, end: str
) -> None:
    states = ["PENDING", "NEVER_HEARD_OF", None, end]

    def answer(_: Request[Any]) -> object:
        return {"id": "j-1", "status": states.pop(0), "terminationReason": "why"}

    clock = VirtualClock()
    client = make_client({"jobs_get": answer}, clock=clock)
    reported: list[Job] = []
    job = await client.jobs.wait("j-1", on_progress=reported.append)
    assert (job.status, job.termination_reason) == (end, "why")
    assert [state.status for state in reported] == [
        "PENDING",
        "NEVER_HEARD_OF",
        None,
        end,
    ]
    assert clock.sleeps == [1.0, 1.5, 2.25]


@pytest.mark.anyio
async def test_the_error_for_a_job_that_does_not_end_has_the_job(
    make_client: MakeClient,
) -> None:
    answers = {"jobs_get": {"id": "j-1", "status": "PENDING"}}
    client = make_client(answers, clock=VirtualClock())
    with pytest.raises(WaitTimeoutError, match="for job j-1 to end; it was PENDING"):
        await client.jobs.wait("j-1", timeout=30)


# Against the sandbox.


class MovingClock(VirtualClock):
    """A clock whose waits take no real time, but advance the sandbox's clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    async def sleep(self, seconds: float) -> None:
        self._sandbox.clock.advance(seconds)
        await super().sleep(seconds)


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(companies=2) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def nectar(sandbox: Sandbox) -> AsyncIterator[NectarClient]:
    async with NectarClient(
        sandbox.api_key, settings=sandbox.settings, clock=MovingClock(sandbox)
    ) as nectar:
        yield nectar


@pytest.mark.asyncio
async def test_an_uploaded_bill_becomes_a_document_that_can_be_downloaded(
    sandbox: Sandbox, nectar: NectarClient, bill: Path, tmp_path: Path
) -> None:
    company = sandbox.portfolio.company(0)
    job = await nectar.jobs.submit_document(
        company.id, bill, site_id=company.sites[0].id
    )
    reported: list[Job] = []
    job = await nectar.jobs.wait(job.id, on_progress=reported.append)
    assert job.status is JobStatus.COMPLETED
    assert [state.status for state in reported[:-1]] == ["PENDING"] * (
        len(reported) - 1
    )
    (document_id,) = job.parsed_document_ids
    done = await nectar.documents.download(document_id, tmp_path / "again.pdf")
    assert (done.size, done.file_name) == (len(BILL), bill.name)
    assert (tmp_path / "again.pdf").read_bytes() == BILL


@pytest.mark.asyncio
async def test_the_same_bill_twice_is_a_duplicate(
    sandbox: Sandbox, nectar: NectarClient
) -> None:
    company = sandbox.portfolio.company(0)
    jobs = []
    for _ in range(2):
        job = await nectar.jobs.submit_document(company.id, stream(BILL))
        jobs.append(await nectar.jobs.wait(job.id))
    assert jobs[1].duplicates == 1
    assert jobs[1].duplicate_document_ids == jobs[0].parsed_document_ids


@pytest.mark.asyncio
async def test_links_are_one_job(sandbox: Sandbox, nectar: NectarClient) -> None:
    company = sandbox.portfolio.company(0)
    links: list[str | Secret[str]] = [LINK, Secret("https://bucket.example/b.pdf")]
    job = await nectar.jobs.submit_bulk(company.id, links)
    job = await nectar.jobs.wait(job.id)
    assert len(job.parsed_document_ids) == 2


@pytest.mark.asyncio
async def test_a_wait_survives_temporary_failures(
    sandbox: Sandbox, nectar: NectarClient
) -> None:
    company = sandbox.portfolio.company(0)
    job = await nectar.jobs.submit_document(company.id, BILL)
    sandbox.faults.add(Fault(Answer(status=503), operation="jobs_get", times=2))
    assert (await nectar.jobs.wait(job.id)).status is JobStatus.COMPLETED


@pytest.mark.asyncio
async def test_an_unknown_job_is_an_error(nectar: NectarClient) -> None:
    with pytest.raises(NectarError, match="jobs_get, job nobody"):
        await nectar.jobs.wait("nobody")
