"""Log lines and spans hold the listed facts and nothing else."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import date

import anyio
import pytest
from doubles import USAGE, ListServer, MakeClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tracing import install_span_exporter

from nectar_async import MemoryTransport, NotFoundError, Request, Response, VirtualClock
from nectar_async.errors import ServerTimeoutError

GET = Request.get("thing_get", "/thing/{thing_id}", dict, thing_id="t-1")


@pytest.mark.anyio
async def test_nothing_is_logged_unless_logging_is_enabled(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    await make_client({"thing_get": {}}).send(GET)
    assert not caplog.records


@pytest.mark.anyio
async def test_an_attempt_is_a_log_line_with_facts(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "nectar_async")
    clock = VirtualClock()
    replies = iter([Response(503, {}, b"secret words"), Response(200, {}, b"{}")])
    nectar = make_client(MemoryTransport(lambda _: next(replies)), clock=clock)
    await nectar.send(GET)
    failed, again, done = caplog.records
    assert [record.levelname for record in caplog.records] == ["DEBUG", "INFO", "DEBUG"]
    assert failed.getMessage().startswith("thing_get thing t-1: attempt 1, request_id ")
    assert "outcome 503 MaintenanceError" in failed.getMessage()
    assert again.getMessage().endswith("outcome 503 MaintenanceError, again_in 0.5")
    line = done.__dict__["nectar"]
    assert line["operation"] == "thing_get"
    assert line["thing_id"] == "t-1"
    assert (line["attempt"], line["outcome"], line["bytes"]) == (2, 200, 2)
    assert "secret" not in caplog.text


@pytest.mark.anyio
async def test_no_text_of_the_server_is_logged(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "nectar_async")
    answer = Response(404, {}, b'{"detail": "no such thing"}')
    with pytest.raises(NotFoundError, match="no such thing"):
        await make_client(MemoryTransport(lambda _: answer)).send(GET)
    assert "no such thing" not in caplog.text
    assert "404 NotFoundError" in caplog.text


@pytest.mark.anyio
async def test_halved_date_ranges_and_changed_lists_are_logged(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nectar_async")
    server = ListServer.of_pages(a=2)
    server.change("a", 1, server.companies["a"][2:])
    async with make_client(server.transport).repository.usage() as records:
        assert len([record async for record in records]) == 4
    assert "usage_list_by_company company a" in caplog.text
    assert "read again after a change" in caplog.text

    answers = iter([502, 502, 200, 200])

    def answer(_: Request[object]) -> Response:
        status = next(answers)
        return Response(status, {}, b'{"usageData": [], "totalUsageData": 0}')

    nectar = make_client(MemoryTransport(answer), clock=VirtualClock())
    pager = nectar.usage.by_company(
        "b", start_date=date(2025, 1, 1), end_date=date(2025, 1, 2)
    )
    assert [record async for record in pager] == []
    assert "split in halves" in caplog.text
    assert USAGE in caplog.text
    assert ServerTimeoutError.__name__ in caplog.text


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = install_span_exporter()
    exporter.clear()
    yield exporter
    exporter.clear()


def read_attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


@pytest.mark.anyio
async def test_a_call_is_a_span_and_each_attempt_a_child(
    make_client: MakeClient, spans: InMemorySpanExporter
) -> None:
    replies = iter([Response(503), Response(200, {}, b"{}")])
    nectar = make_client(
        MemoryTransport(lambda _: next(replies)), clock=VirtualClock(jitter=0.5)
    )
    await nectar.send(GET)
    first, second, call = spans.get_finished_spans()
    assert call.name == "thing_get"
    assert [attempt.name for attempt in (first, second)] == ["thing_get attempt"] * 2
    for attempt in (first, second):
        assert attempt.parent is not None
        assert call.context is not None
        assert attempt.parent.span_id == call.context.span_id
    assert read_attributes(first)["http.response.status_code"] == 503
    assert read_attributes(first)["error.type"] == "MaintenanceError"
    assert read_attributes(second)["nectar.backoff_seconds"] == 0.625
    call_facts = read_attributes(call)
    assert (call_facts["nectar.attempts"], call_facts["http.response.status_code"]) == (
        2,
        200,
    )
    assert call_facts["nectar.backoff_seconds"] == 0.625
    assert (
        call_facts["nectar.request_id"] == read_attributes(first)["nectar.request_id"]
    )
    assert call_facts["server.address"] == "external.nectarclimate.com"


@pytest.mark.anyio
async def test_the_retry_of_a_corrupt_answer_is_in_the_span_of_its_call(
    make_client: MakeClient, spans: InMemorySpanExporter
) -> None:
    damaged = Response(200, {"content-encoding": "gzip"}, b"xxxx")
    replies = iter([damaged, Response(200, {}, b"{}")])
    nectar = make_client(MemoryTransport(lambda _: next(replies)), clock=VirtualClock())
    await nectar.send(GET)
    *attempts, call = spans.get_finished_spans()
    assert [attempt.parent for attempt in attempts] == [call.context] * 2
    assert call.parent is None
    assert read_attributes(call)["nectar.attempts"] == 2


@pytest.mark.anyio
async def test_spans_have_the_time_that_a_call_was_in_the_queue(
    make_client: MakeClient, spans: InMemorySpanExporter
) -> None:
    clock = VirtualClock()

    async def slow(_: Request[dict[str, object]]) -> dict[str, object]:
        await anyio.lowlevel.checkpoint()
        clock.advance(3)
        return {}

    nectar = make_client(MemoryTransport(slow), clock=clock, max_concurrency=1)
    async with anyio.create_task_group() as group:
        group.start_soon(nectar.send, GET)
        group.start_soon(nectar.send, GET)
    queued = [
        read_attributes(span)["nectar.queue_seconds"]
        for span in spans.get_finished_spans()
    ]
    assert queued == [0, 0, 3, 3]  # attempt and call, twice


@pytest.mark.anyio
async def test_the_span_of_a_failure_has_its_type_and_no_text(
    make_client: MakeClient, spans: InMemorySpanExporter
) -> None:
    answer = Response(404, {}, b'{"detail": "secret words"}')
    with pytest.raises(NotFoundError):
        await make_client(MemoryTransport(lambda _: answer)).send(GET)
    for span in spans.get_finished_spans():
        assert span.status.description == "NotFoundError"
        assert not span.events
        assert "secret" not in span.to_json()


@pytest.mark.anyio
async def test_pages_of_a_list_are_children_of_the_callers_span(
    make_client: MakeClient, spans: InMemorySpanExporter
) -> None:
    server = ListServer.of_pages(a=3)
    nectar = make_client(server.transport)
    with trace.get_tracer("test").start_as_current_span("mine") as mine:
        async with nectar.repository.usage(companies=["a"]) as records:
            assert len([record async for record in records]) == 6
    calls = [
        span
        for span in spans.get_finished_spans()
        if span.name == "usage_list_by_company"
    ]
    assert sorted(str(read_attributes(span)["nectar.page"]) for span in calls) == [
        "1",
        "2",
        "3",
    ]
    for span in calls:
        assert span.parent is not None
        assert span.parent.span_id == mine.get_span_context().span_id


def test_opentelemetry_is_not_imported_unless_the_application_does() -> None:
    code = """
import anyio, sys
from nectar_async import MemoryTransport, NectarClient
anyio.run(NectarClient(transport=MemoryTransport({"ping_get": "pong"})).ping)
print(any(name.startswith("opentelemetry") for name in sys.modules))
"""
    done = subprocess.run(  # noqa: S603  our own interpreter, our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
