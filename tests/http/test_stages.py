"""Users' stages: where they are called, how often, and what they can see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from doubles import MakeClient
from scripted_file_host import FileHost

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    RetryPolicy,
    Send,
    Stage,
    VirtualClock,
)
from nectar_async.errors import (
    AttemptTimeoutError,
    ConfigurationError,
    ConnectionFailedError,
    PermissionDeniedError,
)

pytestmark = pytest.mark.anyio

KEY = "canary-8f14e45f"
GET = Request.get("thing_get", "/thing", dict)


class Watcher:
    """A stage that keeps the requests and the responses that pass it."""

    def __init__(self, name: str = "", log: list[str] | None = None) -> None:
        self.name = name
        self.log: list[str] = [] if log is None else log
        self.requests: list[Request[Any]] = []
        self.responses: list[Response] = []

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        self.log.append(f"{self.name} in")
        self.requests.append(request)
        response = await send(request)
        self.responses.append(response)
        self.log.append(f"{self.name} out")
        return response


def answers(*values: object) -> MemoryTransport:
    """A transport that gives each of these answers once."""
    replies = iter(values)
    return MemoryTransport(lambda _: next(replies))


async def test_the_first_stage_is_outermost_and_the_recorder_is_inside(
    make_client: MakeClient,
) -> None:
    log: list[str] = []
    stages = [Watcher("a", log), Watcher("b", log)]
    recorder = Watcher("recorder", log)
    nectar = make_client({"thing_get": {}}, stages=stages, recorder=recorder)
    await nectar.send(GET)
    order = ["a", "b", "recorder"]
    assert log == [f"{name} in" for name in order] + [
        f"{name} out" for name in reversed(order)
    ]


async def test_a_stage_is_called_once_for_each_attempt(make_client: MakeClient) -> None:
    stage = Watcher()
    transport = answers(Response(500), Response(429), {})
    nectar = make_client(transport, stages=[stage], clock=VirtualClock())
    await nectar.send(GET)
    assert [response.status for response in stage.responses] == [500, 429, 200]
    assert len(transport.requests) == 3


async def test_a_stage_is_called_again_after_a_key_is_renewed(
    make_client: MakeClient,
) -> None:
    stage = Watcher()
    nectar = make_client(
        answers(Response(401), {}), api_key=lambda: KEY, stages=[stage]
    )
    await nectar.send(GET)
    assert [response.status for response in stage.responses] == [401, 200]


async def test_a_stage_holds_a_permit(make_client: MakeClient) -> None:
    held: list[int] = []

    async def stage(request: Request[Any], send: Send) -> Response:
        held.append(nectar.statistics().in_flight)
        return await send(request)

    nectar = make_client({"thing_get": {}}, stages=[stage])
    await nectar.send(GET)
    assert held == [1]


async def test_a_stage_is_under_the_attempt_timeout(make_client: MakeClient) -> None:
    async def stage(request: Request[Any], send: Send) -> Response:
        await clock.stall()
        return await send(request)

    clock = VirtualClock()
    nectar = make_client(
        {"thing_get": {}},
        stages=[stage],
        attempt_timeout=3,
        retry=RetryPolicy(attempts=2),
        clock=clock,
    )
    with pytest.raises(AttemptTimeoutError) as caught:
        await nectar.send(GET)
    assert caught.value.attempts == 2


async def test_a_stage_may_change_the_request_and_the_response(
    make_client: MakeClient,
) -> None:
    async def stage(request: Request[Any], send: Send) -> Response:
        headers = {**request.headers, "X-Team": "energy", "Accept": "text/plain"}
        response = await send(attrs.evolve(request, headers=headers))
        return attrs.evolve(response, body=b'{"from": "stage"}')

    transport = MemoryTransport({"thing_get": {}})
    nectar = make_client(transport, stages=[stage])
    assert await nectar.send(GET) == {"from": "stage"}
    (sent,) = transport.requests
    assert (sent.headers["X-Team"], sent.headers["Accept"]) == ("energy", "text/plain")


async def test_a_header_that_a_stage_spoils_is_refused_and_not_shown(
    make_client: MakeClient,
) -> None:
    async def stage(request: Request[Any], send: Send) -> Response:
        return await send(attrs.evolve(request, headers={"X-Team": "a\r\nX-Evil: 1"}))

    transport = MemoryTransport({"thing_get": {}})
    nectar = make_client(transport, stages=[stage])
    with pytest.raises(ValueError, match="X-Team has control characters") as caught:
        await nectar.send(GET)
    assert "Evil" not in str(caught.value)
    assert transport.requests == []


async def test_a_stage_sees_failures_before_the_status_check(
    make_client: MakeClient,
) -> None:
    async def stage(request: Request[Any], send: Send) -> Response:
        response = await send(request)
        if response.status == 404:
            return Response(200, {}, b'{"was": 404}')
        return response

    nectar = make_client({"thing_get": Response(404)}, stages=[stage])
    assert await nectar.send(GET) == {"was": 404}


async def test_a_stage_cannot_see_the_key(make_client: MakeClient) -> None:
    def echo(request: Request[Any]) -> Response:
        key = request.headers["X-API-Key"]
        return Response(403, {"X-Echo": key}, f'{{"detail": "{key}"}}'.encode())

    stage = Watcher()
    nectar = make_client(MemoryTransport(echo), api_key=KEY, stages=[stage])
    with pytest.raises(PermissionDeniedError):
        await nectar.send(GET)
    (request,), (response,) = stage.requests, stage.responses
    assert KEY not in f"{request.headers} {request.url} {request.body!r}"
    assert KEY not in f"{response.headers} {response.body!r}"


async def test_a_stage_that_raises_an_error_of_the_package_is_retried(
    make_client: MakeClient,
) -> None:
    calls: list[int] = []

    async def stage(request: Request[Any], send: Send) -> Response:
        calls.append(request.timing.attempts)
        if len(calls) == 1:
            raise ConnectionFailedError("a fault of the stage")
        return await send(request)

    nectar = make_client({"thing_get": {}}, stages=[stage], clock=VirtualClock())
    assert await nectar.send(GET) == {}
    assert calls == [1, 2]


async def test_any_other_exception_of_a_stage_reaches_the_caller_as_it_is(
    make_client: MakeClient,
) -> None:
    calls: list[str] = []

    async def stage(request: Request[Any], send: Send) -> Response:
        calls.append(request.operation)
        raise KeyError(request.operation)

    transport = MemoryTransport({"thing_get": {}})
    nectar = make_client(transport, stages=[stage])
    with pytest.raises(KeyError, match="thing_get"):
        await nectar.send(GET)
    assert (calls, transport.requests) == (["thing_get"], [])


async def test_copies_of_a_client_share_its_stages(make_client: MakeClient) -> None:
    stage = Watcher()
    nectar = make_client({"thing_get": {}}, stages=[stage])
    await nectar.with_settings(attempt_timeout=5).send(GET)
    assert len(stage.requests) == 1


async def test_a_list_of_stages_that_changes_later_does_not_change_the_client(
    make_client: MakeClient,
) -> None:
    stage = Watcher()
    stages: list[Stage] = []
    nectar = make_client({"thing_get": {}}, stages=stages)
    stages.append(stage)
    await nectar.with_settings(deadline=5).send(GET)
    assert stage.requests == []


async def test_files_are_downloaded_without_the_stages(
    make_client: MakeClient, tmp_path: Path
) -> None:
    stage, recorder = Watcher(), Watcher()
    host = FileHost(b"%PDF-1.7 a bill")
    nectar = make_client(host.transport, stages=[stage], recorder=recorder)
    await nectar.documents.download("d-1", tmp_path)
    operations = [request.operation for request in stage.requests]
    assert operations == ["documents_get"]
    assert len(recorder.requests) == len(host.chunk_requests) + 1


@pytest.mark.parametrize(
    "stages", [[None], ["stamp"], [Watcher(), 5]], ids=["None", "text", "second"]
)
async def test_a_stage_that_is_not_a_function_is_refused(stages: Sequence[Any]) -> None:
    with pytest.raises(ConfigurationError, match="stage"):
        NectarClient(transport=MemoryTransport({}), stages=stages)
