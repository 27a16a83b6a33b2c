"""Work in threads does not wait for the application's threads, and is never left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from doubles import MakeClient

from nectar_async import DeadlineExceededError, Request, Response
from nectar_async._http.cancellation import (
    run_in_abandoned_thread,
    run_in_thread,
    run_to_end,
)
from nectar_async.transports import RecordedTransport, Recorder

BILL = b"%PDF-1.7 " + bytes(1000)


async def answer(request: Request[Any]) -> object:
    """Answer like the API and its file host."""
    if request.operation == "documents_get":
        return {"id": "d", "url": "https://files.example.com/d", "fileName": "d.pdf"}
    if request.operation == "jobs_submit_document":
        body: Any = request.body
        chunks = [chunk async for chunk in (body() if callable(body) else body)]
        assert BILL in b"".join(chunks)
        return {"id": "j"}
    size = len(BILL)
    headers = {"content-range": f"bytes 0-{size - 1}/{size}", "etag": '"1"'}
    return Response(206, headers, BILL)


@pytest.fixture
async def _busy_threads(anyio_backend: str) -> AsyncIterator[None]:
    """Keep all threads of anyio's default limiter busy."""
    del anyio_backend
    is_over = threading.Event()
    count = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(anyio.to_thread.run_sync, partial(is_over.wait, 20))
        yield
        is_over.set()


@pytest.mark.anyio
@pytest.mark.usefixtures("_busy_threads")
@pytest.mark.parametrize("source", ["path", "bytes", "file"])
async def test_files_need_no_thread_of_the_application(
    make_client: MakeClient, tmp_path: Path, source: str
) -> None:
    nectar = make_client(answer, deadline=20)
    with anyio.fail_after(20):
        saved = await nectar.documents.download("d", tmp_path)
        assert saved.size == len(BILL)
        file: Any = {"path": saved.path, "bytes": BILL}.get(source)
        if file is None:
            file = (tmp_path / "d.pdf").open("rb")
        job = await nectar.jobs.submit_document("c", file)
        assert job.id == "j"
        if source == "file":
            file.close()


@pytest.mark.anyio
@pytest.mark.usefixtures("_busy_threads")
async def test_recordings_need_no_thread_of_the_application(
    make_client: MakeClient, tmp_path: Path
) -> None:
    with anyio.fail_after(20):
        recorder = Recorder(tmp_path / "r", mode="record")
        nectar = make_client(
            {"companies_list": [{"id": "a", "name": "A"}]}, recorder=recorder
        )
        assert await nectar.companies.all()
        await nectar.aclose()
        replayed = make_client(RecordedTransport(tmp_path / "r"))
        assert await replayed.companies.all()


@pytest.mark.anyio
async def test_calls_of_sync_threads_are_answered(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """Sync endpoints of a web framework wait in the threads of anyio's limiter."""
    nectar = make_client(answer)
    sizes: list[int] = []

    def download(number: int) -> None:
        call = partial(nectar.documents.download, "d", tmp_path / f"{number}.pdf")
        sizes.append(anyio.from_thread.run(call).size)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for number in range(45):
                group.start_soon(anyio.to_thread.run_sync, download, number)
    assert sizes == [len(BILL)] * 45


@pytest.mark.anyio
async def test_a_deadline_limits_the_wait_for_a_thread(
    make_client: MakeClient, tmp_path: Path
) -> None:
    is_over = threading.Event()
    nectar = make_client(answer, deadline=0.05)
    async with anyio.create_task_group() as group:
        for _ in range(40):
            group.start_soon(run_in_thread, partial(is_over.wait, 20))
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(DeadlineExceededError, match="keep every thread busy"):
            await nectar.documents.download("d", tmp_path)
        with pytest.raises(DeadlineExceededError, match="keep every thread busy"):
            await nectar.jobs.submit_document("c", tmp_path / "bill.pdf")
        is_over.set()


@pytest.mark.anyio
async def test_a_thread_with_effects_is_awaited_and_one_without_is_left() -> None:
    is_over, ended = threading.Event(), []

    def wait() -> None:
        is_over.wait()
        ended.append(1)

    with anyio.move_on_after(0.01):
        await run_in_abandoned_thread(wait)
    assert not ended
    threading.Timer(0.02, is_over.set).start()
    with anyio.move_on_after(0.01):
        await run_in_thread(wait)
    assert 1 in ended


@pytest.mark.asyncio
async def test_work_that_cancels_itself_is_an_error() -> None:
    async def cancel() -> None:
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="nobody asked for"):
        await run_to_end(cancel)
