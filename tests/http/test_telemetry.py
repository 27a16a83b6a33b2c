"""What is written to the log: what may be, and nothing else."""

from __future__ import annotations

import logging
from datetime import date

import pytest
from doubles import USAGE, ListServer, MakeClient

from nectar_async import MemoryTransport, NotFoundError, Request, Response, VirtualClock
from nectar_async.errors import ServerTimeoutError

pytestmark = pytest.mark.anyio

GET = Request.get("thing_get", "/thing/{thing_id}", dict, thing_id="t-1")


async def test_nothing_is_written_unless_somebody_listens(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    await make_client({"thing_get": {}}).send(GET)
    assert not caplog.records


async def test_an_attempt_is_a_line_with_facts(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "nectar_async")
    clock = VirtualClock()
    left = iter([Response(503, {}, b"secret words"), Response(200, {}, b"{}")])
    nectar = make_client(MemoryTransport(lambda _: next(left)), clock=clock)
    await nectar.send(GET)
    failed, again, done = caplog.records
    assert [record.levelname for record in caplog.records] == ["DEBUG", "INFO", "DEBUG"]
    assert failed.getMessage().startswith("thing_get thing t-1: attempt 1, request_id ")
    assert "outcome 503 MaintenanceError" in failed.getMessage()
    assert again.getMessage().endswith("outcome 503 MaintenanceError, again_in 0.5")
    facts = done.__dict__["nectar"]
    assert facts["operation"] == "thing_get"
    assert facts["thing_id"] == "t-1"
    assert (facts["attempt"], facts["outcome"], facts["bytes"]) == (2, 200, 2)
    assert "secret" not in caplog.text


async def test_words_of_the_server_are_not_written(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "nectar_async")
    answer = Response(404, {}, b'{"detail": "no such thing"}')
    with pytest.raises(NotFoundError, match="no such thing"):
        await make_client(MemoryTransport(lambda _: answer)).send(GET)
    assert "no such thing" not in caplog.text
    assert "404 NotFoundError" in caplog.text


async def test_a_window_that_is_halved_and_a_list_that_moved_are_told(
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
