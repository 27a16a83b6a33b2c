"""The order of the stages, and what holds between them."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from doubles import MakeClient

from nectar_async import (
    MemoryTransport,
    NectarError,
    Request,
    Response,
    VirtualClock,
)
from nectar_async._http.pipeline import compose
from nectar_async._http.transport import Send, Stage
from nectar_async.errors import (
    ServerError,
)

pytestmark = pytest.mark.anyio


KEY = "canary-8f14e45f"


GET = Request.get("thing_get", "/thing", dict)


async def test_the_first_stage_is_outermost() -> None:
    log: list[str] = []

    def stage(name: str) -> Stage:
        async def around(request: Request[Any], send: Send) -> Response:
            log.append(f"{name} in")
            response = await send(request)
            log.append(f"{name} out")
            return response

        return around

    async def send(_: Request[Any]) -> Response:
        log.append("sent")
        return Response(200)

    await compose([stage("a"), stage("b")], send)(GET)
    assert log == ["a in", "b in", "sent", "b out", "a out"]


async def test_the_recorder_never_sees_the_key_and_the_transport_does(
    make_client: MakeClient,
) -> None:
    seen: list[Request[Any]] = []

    async def recorder(request: Request[Any], send: Send) -> Response:
        seen.append(request)
        return await send(request)

    transport = MemoryTransport({"thing_get": {}})
    nectar = make_client(transport, api_key=KEY, recorder=recorder)
    await nectar.send(GET)
    assert [dict(request.headers) for request in seen] == [{}]
    headers = transport.requests[0].headers
    assert headers["X-API-Key"] == KEY
    assert headers["X-Request-Id"] == seen[0].timing.request_id
    assert KEY not in repr(transport.requests[0])


async def test_the_recorder_sees_each_attempt_once(make_client: MakeClient) -> None:
    statuses: list[int] = []

    async def recorder(request: Request[Any], send: Send) -> Response:
        response = await send(request)
        statuses.append(response.status)
        return response

    replies = iter([Response(500), Response(200, {}, b"{}")])
    nectar = make_client(
        MemoryTransport(lambda _: next(replies)),
        recorder=recorder,
        clock=VirtualClock(),
    )
    await nectar.send(GET)
    assert statuses == [500, 200]


async def test_every_attempt_has_the_same_request_id(make_client: MakeClient) -> None:
    replies = iter([Response(500), Response(500), {}])
    transport = MemoryTransport(lambda _: next(replies))
    nectar = make_client(transport, clock=VirtualClock())
    await nectar.send(GET)
    assert len({r.headers["X-Request-Id"] for r in transport.requests}) == 1
    replies = iter([{}])
    await nectar.send(GET)
    assert len({r.headers["X-Request-Id"] for r in transport.requests}) == 2


async def test_no_permit_is_held_during_back_off(make_client: MakeClient) -> None:
    class Clock(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            held.append(nectar.statistics().in_flight)
            # On the only permit there is: it would wait for ever.
            assert await nectar.send(Request.get("other_get", "/other", dict)) == {}
            await super().sleep(seconds)

    held: list[int] = []
    replies = iter([Response(500), {}])
    transport = MemoryTransport({"thing_get": lambda _: next(replies), "other_get": {}})
    nectar = make_client(transport, max_concurrency=1, clock=Clock())
    with anyio.fail_after(5):
        await nectar.send(GET)
    assert held == [0]
    asked = [request.operation for request in transport.requests]
    assert asked == ["thing_get", "other_get", "thing_get"]


async def test_any_exception_of_a_transport_releases_the_permit(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport(lambda _: KeyError("bug"))
    nectar = make_client(transport)
    with pytest.raises(KeyError):
        await nectar.send(GET)
    assert len(transport.requests) == 1


async def test_a_failed_attempt_is_not_the_context_of_the_next_error(
    make_client: MakeClient,
) -> None:
    replies = iter([Response(500), Response(400)])
    nectar = make_client(MemoryTransport(lambda _: next(replies)), clock=VirtualClock())
    with pytest.raises(NectarError) as caught:
        await nectar.send(GET)
    assert not isinstance(caught.value, ServerError)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
