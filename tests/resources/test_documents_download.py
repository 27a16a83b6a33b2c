"""Downloads over real HTTP: from the sandbox, and from broken hosts."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import os
import pickle
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import pytest_asyncio

from nectar_async import (
    DownloadError,
    NectarClient,
    RetryPolicy,
    Settings,
    VirtualClock,
)
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyTooLargeError,
    ConnectionFailedError,
    NectarError,
)
from nectar_async.sandbox import (
    ChangeFile,
    Disconnect,
    DropBody,
    ExpireLink,
    Fault,
    IgnoreRange,
    Redirect,
    Sandbox,
    SetHeader,
)
from nectar_async.transports._aiohttp_errors import translate_error

pytestmark = pytest.mark.asyncio

KEY = "canary-8f14e45f"
SIGNATURE = "sIgNaTuRe-5d41402a"
ONCE = RetryPolicy(attempts=1)
SIZE = 9_000_000  # three chunks
FILES = "documents_download"
HOUR = 3_600


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(companies=2, api_key=KEY, file_bytes=SIZE) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def nectar(sandbox: Sandbox) -> AsyncIterator[NectarClient]:
    async with NectarClient(
        KEY, settings=sandbox.settings, clock=VirtualClock()
    ) as nectar:
        yield nectar
        assert nectar.statistics().in_flight == 0


@pytest_asyncio.fixture
async def bill(sandbox: Sandbox, nectar: NectarClient) -> str:
    """Return the ID of a document."""
    company = sandbox.portfolio.company(0)
    async for record in nectar.usage.by_company(company.id):
        if record.document is not None:
            sandbox.witness.reset()
            return record.document.id
    raise AssertionError


async def read_file_of_sandbox(
    sandbox: Sandbox, bill: str, nectar: NectarClient
) -> bytes:
    """Return the file of the sandbox."""
    buffer = io.BytesIO()
    sandbox.faults.clear()
    await nectar.documents.download(bill, buffer)
    return buffer.getvalue()


async def test_a_bill_is_downloaded_in_ranges_without_the_key(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    done = await nectar.documents.download(bill, tmp_path)
    assert done.path is not None
    assert (done.size, done.links) == (SIZE, 1)
    assert sandbox.witness.by_operation == {"documents_get": 1, FILES: 3}
    assert [entry.key for entry in sandbox.witness.log if entry.operation == FILES] == [
        None
    ] * 3
    saved = await anyio.Path(done.path).read_bytes()
    assert saved == await read_file_of_sandbox(sandbox, bill, nectar)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(DropBody(), operation=FILES, skip=1, times=2),
        Fault(Disconnect(), operation=FILES, times=3),
        Fault(IgnoreRange(), operation=FILES),
        Fault(IgnoreRange(), operation=FILES, skip=2),
        Fault(Redirect(hops=3), operation=FILES),
        Fault(ExpireLink(), operation=FILES, skip=1, times=2),
    ],
    ids=[
        "dropped-in-mid-chunk",
        "no-answer",
        "no-ranges",
        "no-ranges-on-the-way",
        "redirects",
        "expired-twice",
    ],
)
async def test_faults_during_a_download_do_not_damage_the_file(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path, fault: Fault
) -> None:
    sandbox.faults.add(fault)
    await nectar.documents.download(bill, tmp_path / "x.pdf")
    saved = await anyio.Path(tmp_path / "x.pdf").read_bytes()
    assert saved == await read_file_of_sandbox(sandbox, bill, nectar)


async def test_a_download_continues_after_its_link_expired(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    def wait_a_day(done: int, _: int | None) -> None:
        if done < SIZE:
            sandbox.clock.advance(25 * HOUR)

    done = await nectar.documents.download(bill, tmp_path, on_progress=wait_a_day)
    assert (done.size, done.links) == (SIZE, 3)
    assert sandbox.witness.by_operation[FILES] == 5


async def test_a_file_that_changes_during_a_download_is_the_new_one(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    before = await read_file_of_sandbox(sandbox, bill, nectar)
    sandbox.faults.add(Fault(ChangeFile(), operation=FILES, skip=1))
    await nectar.documents.download(bill, tmp_path / "x.pdf")
    saved = await anyio.Path(tmp_path / "x.pdf").read_bytes()
    assert len(saved) == len(before)
    assert saved != before


def set_header(name: str, value: str = "", **conditions: Any) -> Fault:
    return Fault(SetHeader(name=name, value=value), operation=FILES, **conditions)


CHANGE = Fault(ChangeFile(), operation=FILES, skip=1)
LATER = "Mon, 05 Jan 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    "faults",
    [
        [
            CHANGE,
            set_header("ETag", 'W/"1"', times=1),
            set_header("ETag", 'W/"2"', skip=1),
        ],
        [CHANGE, set_header("ETag"), set_header("Last-Modified", LATER, skip=1)],
        [CHANGE, set_header("ETag"), set_header("Last-Modified")],
    ],
    ids=["weak", "date", "nothing"],
)
async def test_a_change_of_one_validator_does_not_mix_two_files(
    sandbox: Sandbox,
    nectar: NectarClient,
    bill: str,
    tmp_path: Path,
    faults: list[Fault],
) -> None:
    old = await read_file_of_sandbox(sandbox, bill, nectar)
    sandbox.faults.add(Fault(ChangeFile(), operation=FILES))
    buffer = io.BytesIO()
    await nectar.documents.download(bill, buffer)
    new = buffer.getvalue()
    sandbox.faults.clear()
    sandbox.faults.add(*faults)
    await nectar.documents.download(bill, tmp_path / "x.pdf")
    saved = await anyio.Path(tmp_path / "x.pdf").read_bytes()
    assert len(new) == len(old)
    assert saved == new


async def test_ranges_without_a_content_range_are_refused(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    sandbox.faults.add(set_header("Content-Range", skip=1))
    await nectar.documents.download(bill, tmp_path / "x.pdf")
    saved = await anyio.Path(tmp_path / "x.pdf").read_bytes()
    assert saved == await read_file_of_sandbox(sandbox, bill, nectar)


async def test_four_redirects_are_an_error(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    sandbox.faults.add(Fault(Redirect(hops=4), operation=FILES))
    with pytest.raises(DownloadError, match="redirects more than 3 times"):
        await nectar.documents.download(bill, tmp_path)


async def test_another_process_resumes_an_interrupted_download(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    sandbox.faults.add(Fault(DropBody(), operation=FILES, skip=1))
    impatient = nectar.with_settings(retry=ONCE)
    with pytest.raises(ConnectionFailedError):
        await impatient.documents.download(bill, tmp_path / "x.pdf")
    part = anyio.Path(tmp_path / "x.pdf.part")
    # The state that a process leaves when it is killed while it writes.
    part_size = (await part.stat()).st_size - 1_000
    await anyio.to_thread.run_sync(os.truncate, part, part_size)
    sandbox.faults.clear()
    async with NectarClient(KEY, settings=sandbox.settings) as second_client:
        done = await second_client.documents.download(bill, tmp_path / "x.pdf")
    assert done.resumed_from == part_size
    saved = await anyio.Path(tmp_path / "x.pdf").read_bytes()
    assert saved == await read_file_of_sandbox(sandbox, bill, nectar)


async def test_downloads_beyond_the_bound_wait(
    sandbox: Sandbox, nectar: NectarClient, bill: str, tmp_path: Path
) -> None:
    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(nectar.documents.download, bill, tmp_path / f"{number}")
    assert len(list(tmp_path.iterdir())) == 6  # noqa: ASYNC240
    assert sandbox.witness.peak_in_flight <= 10


# A scripted host, for tests that no error shows a secret.


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve_host(answer: Talk, **options: Any) -> AsyncIterator[NectarClient]:
    """A client of a server that is API and file host; links are `/file?SIGNATURE`."""

    async def serve_connection(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        tasks.append(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                if "/file?" in head:
                    assert KEY not in head
                    await answer(reader, writer)
                    break
                body = f'{{"id": "d-1", "url": "{origin}/file?{SIGNATURE}"}}'.encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    tasks: list[Any] = []
    listener = await asyncio.start_server(serve_connection, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    settings = Settings(base_url=origin, **options)
    async with NectarClient(KEY, settings=settings) as nectar:
        yield nectar
    listener.close()
    await asyncio.gather(*tasks)


def list_shown_texts(error: BaseException) -> str:
    """Return every text that an error could show, without the frames of the test."""
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    parts = [repr(error), str(error), repr(vars(error)), repr(pickle.dumps(error))]
    while frames is not None:
        for frame in frames.stack:
            if "test_documents_download" not in frame.filename:
                parts += [str(frame), str(frame.locals)]
        frames = frames.__cause__ or frames.__context__  # type: ignore[assignment]
    return "\n".join(parts)


async def send_too_much(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999)


async def send_half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 9\r\n"
    writer.write(head + b"Content-Range: bytes 0-8/9\r\n\r\nfour")


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...


async def send_nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"{SIGNATURE}\r\n\r\n".encode())


async def send_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (send_too_much, BodyTooLargeError),
        (send_half, ConnectionFailedError),
        (hang_up, ConnectionFailedError),
        (send_nonsense, ConnectionFailedError),
        (send_nothing, AttemptTimeoutError),
    ],
    ids=["too-large", "cut", "hang-up", "nonsense", "silence"],
)
async def test_the_errors_of_a_broken_host_show_neither_link_nor_key(
    answer: Talk,
    kind: type[NectarError],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    seconds = 0.5 if answer is send_nothing else 30
    async with serve_host(
        answer, retry=ONCE, max_body_bytes=9_999, attempt_timeout=seconds
    ) as nectar:
        with pytest.raises(kind) as caught:
            await nectar.documents.download("d-1", tmp_path)
    shown_texts = list_shown_texts(caught.value) + caplog.text
    assert SIGNATURE not in shown_texts
    assert KEY not in shown_texts
    assert "documents_download, document d-1" in str(caught.value)


async def test_the_frames_of_a_cancelled_download_show_neither_link_nor_key(
    tmp_path: Path,
) -> None:
    has_begun = asyncio.Event()

    async def send_a_part(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
        has_begun.set()
        await reader.read(1)

    async with serve_host(send_a_part) as nectar:
        task = asyncio.create_task(nectar.documents.download("d-1", tmp_path))
        await has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert SIGNATURE not in list_shown_texts(caught.value)
    gc.collect()  # a connection that was left open would warn


async def test_a_password_in_a_link_is_in_no_error() -> None:
    error = translate_error(ConnectionResetError(), "https://me:secret@host:81/x")
    assert "https://host:81" in str(error)
    assert "secret" not in str(error)
