"""The stages: their order, the key's secrecy, and the two clocks."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from doubles import MakeClient, settle_down

from nectar_async import (
    MemoryTransport,
    NectarClient,
    NectarError,
    Request,
    Response,
    RetryPolicy,
    VirtualClock,
)
from nectar_async._http.pipeline import compose
from nectar_async._http.transport import Send, Stage
from nectar_async.errors import (
    AttemptTimeoutError,
    AuthenticationError,
    BodyCorruptError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    PermissionDeniedError,
    ServerError,
)

pytestmark = pytest.mark.anyio

KEY = "canary-8f14e45f"
GET = Request.get("thing_get", "/thing", dict)
ONCE = RetryPolicy(attempts=1)


class Hanging:
    """A transport that never answers."""

    needs_key = False

    def __init__(self) -> None:
        self.begun = anyio.Event()

    async def send(self, request: Request[Any], /) -> Response:
        self.begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None: ...


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

    left = iter([Response(500), Response(200, {}, b"{}")])
    nectar = make_client(
        MemoryTransport(lambda _: next(left)), recorder=recorder, clock=VirtualClock()
    )
    await nectar.send(GET)
    assert statuses == [500, 200]


async def test_every_attempt_has_the_same_request_id(make_client: MakeClient) -> None:
    left = iter([Response(500), Response(500), {}])
    transport = MemoryTransport(lambda _: next(left))
    nectar = make_client(transport, clock=VirtualClock())
    await nectar.send(GET)
    assert len({r.headers["X-Request-Id"] for r in transport.requests}) == 1
    left = iter([{}])
    await nectar.send(GET)
    assert len({r.headers["X-Request-Id"] for r in transport.requests}) == 2


# The key.


class Vault:
    """A source of keys that takes its time and counts who asks."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0

    async def ask(self) -> str:
        self.asked += 1
        key = self.keys[min(self.asked, len(self.keys)) - 1]
        await settle_down(5)
        return key

    def ask_at_once(self) -> str:
        self.asked += 1
        return self.keys[min(self.asked, len(self.keys)) - 1]


@pytest.fixture(params=["plain", "async"])
def source_of(
    request: pytest.FixtureRequest,
) -> Callable[[Vault], Callable[[], str | Awaitable[str]]]:
    return lambda vault: vault.ask_at_once if request.param == "plain" else vault.ask


SourceOf = Callable[[Vault], Callable[[], str | Awaitable[str]]]


async def test_a_source_is_asked_once_for_all_who_wait(
    make_client: MakeClient, source_of: SourceOf
) -> None:
    vault, transport = Vault(KEY), MemoryTransport({"thing_get": {}})
    nectar = make_client(transport, api_key=source_of(vault))
    async with anyio.create_task_group() as group:
        for _ in range(25):
            group.start_soon(nectar.send, GET)
    assert vault.asked == 1
    assert {r.headers["X-API-Key"] for r in transport.requests} == {KEY}


async def test_a_source_is_asked_before_a_permit_is_taken(
    make_client: MakeClient,
) -> None:
    held: list[int] = []

    async def source() -> str:
        held.append(nectar.statistics().in_flight)
        return KEY

    nectar = make_client({"thing_get": {}}, api_key=source)
    await nectar.send(GET)
    assert held == [0]


def only(key: str) -> Callable[[Request[Any]], object]:
    """A server that knows one key."""
    return lambda request: (
        {} if request.headers.get("X-API-Key") == key else Response(401)
    )


async def test_a_refused_key_is_renewed_once_and_tried_again(
    make_client: MakeClient, source_of: SourceOf
) -> None:
    vault = Vault("old", "new")
    nectar = make_client(MemoryTransport(only("new")), api_key=source_of(vault))
    assert await nectar.send(GET) == {}
    assert vault.asked == 2


async def test_a_refused_key_is_renewed_once_for_all_whom_it_met(
    make_client: MakeClient,
) -> None:
    vault = Vault("old", "new")
    nectar = make_client(MemoryTransport(only("new")), api_key=vault.ask)
    async with anyio.create_task_group() as group:
        for _ in range(25):
            group.start_soon(nectar.send, GET)
    assert vault.asked == 2


async def test_a_key_that_is_refused_twice_is_an_error(make_client: MakeClient) -> None:
    vault, transport = Vault("old", "older"), MemoryTransport(only("new"))
    nectar = make_client(transport, api_key=vault.ask)
    with pytest.raises(AuthenticationError):
        await nectar.send(GET)
    assert (vault.asked, len(transport.requests)) == (2, 2)


async def test_a_key_that_is_text_is_not_tried_twice(make_client: MakeClient) -> None:
    transport = MemoryTransport(only("new"))
    with pytest.raises(AuthenticationError):
        await make_client(transport, api_key="old").send(GET)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("key", [f"{KEY}\nX-Evil: 1", f"{KEY}é", "", "  ", f"{KEY}\0"])
async def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(
    make_client: MakeClient, key: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        NectarClient(key, transport=MemoryTransport({}))
    assert KEY not in f"{caught.value!r} {caught.value} {caught.value.args}"
    nectar = make_client({"thing_get": {}}, api_key=lambda: key)
    with pytest.raises(ConfigurationError) as caught:
        await nectar.send(GET)
    assert KEY not in f"{caught.value!r} {caught.value} {caught.value.args}"


@pytest.mark.parametrize("key", [KEY.encode(), 5, object()])
async def test_a_key_that_is_neither_text_nor_function_is_refused_when_it_is_given(
    key: Any,
) -> None:
    with pytest.raises(ConfigurationError):
        NectarClient(key, transport=MemoryTransport({}))


async def test_a_source_that_gives_no_text_is_a_configuration_error(
    make_client: MakeClient,
) -> None:
    source: Any = lambda: None  # noqa: E731 - the least source there is
    with pytest.raises(ConfigurationError, match="NoneType"):
        await make_client({"thing_get": {}}, api_key=source).send(GET)


async def test_spaces_around_a_key_do_not_count(make_client: MakeClient) -> None:
    transport = MemoryTransport({"thing_get": {}})
    await make_client(transport, api_key=f" {KEY}\n").send(GET)
    assert transport.requests[0].headers["X-API-Key"] == KEY


def traces(error: BaseException) -> str:
    """All that an error shows, the frames it went through with it."""
    shown = [
        repr(error),
        str(error),
        repr(error.args),
        repr(vars(error)),
        "".join(traceback.format_exception(error)),
        repr(pickle.dumps(error)),
    ]
    return "\n".join(shown)


FAULTS: dict[str, Callable[[Request[Any]], object]] = {
    "400": lambda _: Response(400, {}, b'{"detail": "no"}'),
    "401": lambda _: Response(401),
    "500": lambda _: Response(500, {}, b"<html>"),
    "307": lambda _: Response(307, {"location": "https://evil.example/x"}),
    "broken": lambda _: ConnectionFailedError("reset"),
    "no JSON": lambda _: Response(200, {}, b"<html>"),
    "damaged": lambda _: Response(200, {"content-encoding": "gzip"}, b"xxxx"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_error_and_no_log_record_shows_the_key(
    make_client: MakeClient, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    nectar = make_client(
        MemoryTransport(FAULTS[fault]), api_key=KEY, clock=VirtualClock()
    )
    with pytest.raises(NectarError) as caught:
        await nectar.send(GET)
    assert KEY not in traces(caught.value)
    assert KEY not in caplog.text
    assert KEY not in repr(vars(nectar))


async def test_no_error_shows_the_key_when_the_server_echoes_it(
    make_client: MakeClient,
) -> None:
    def echo(request: Request[Any]) -> Response:
        key = request.headers["X-API-Key"]
        return Response(403, {}, f'{{"detail": "key {key} may not"}}'.encode())

    nectar = make_client(MemoryTransport(echo), api_key=KEY)
    with pytest.raises(PermissionDeniedError) as caught:
        await nectar.send(GET)
    assert KEY not in traces(caught.value)


async def test_a_key_that_is_a_single_letter_is_not_told_by_its_absence(
    make_client: MakeClient,
) -> None:
    answer = Response(403, {}, b'{"detail": "we will not"}')
    nectar = make_client(MemoryTransport(lambda _: answer), api_key="w")
    with pytest.raises(PermissionDeniedError, match="we will not"):
        await nectar.send(GET)


# The two clocks.


async def test_an_attempt_that_takes_too_long_is_an_error(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Hanging(), attempt_timeout=0.01, retry=ONCE)
    with pytest.raises(AttemptTimeoutError, match=r"0\.01 s") as caught:
        await nectar.send(GET)
    assert caught.value.attempts == 1
    assert caught.value.operation == "thing_get"


async def test_each_attempt_has_its_own_time(make_client: MakeClient) -> None:
    clock = VirtualClock()
    nectar = make_client(Hanging(), attempt_timeout=0.01, clock=clock)
    with pytest.raises(AttemptTimeoutError) as caught:
        await nectar.send(GET)
    assert (caught.value.attempts, clock.sleeps) == (4, [0.5, 1.0, 2.0])


async def test_a_deadline_bounds_a_transport_that_hangs(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Hanging(), attempt_timeout=None, deadline=0.01)
    with pytest.raises(DeadlineExceededError) as caught:
        await nectar.send(GET)
    assert caught.value.network_seconds > 0
    assert (caught.value.backoff_seconds, caught.value.attempts) == (0, 1)
    assert "in 1 attempt" in str(caught.value)


async def test_a_deadline_bounds_the_queue(make_client: MakeClient) -> None:
    transport = Hanging()
    nectar = make_client(transport, attempt_timeout=None, max_concurrency=1)
    async with anyio.create_task_group() as group:
        group.start_soon(nectar.send, GET)
        await transport.begun.wait()
        with pytest.raises(DeadlineExceededError) as caught:
            await nectar.with_settings(deadline=0.01).send(GET)
        assert caught.value.queue_seconds > 0
        assert (caught.value.network_seconds, caught.value.attempts) == (0, 0)
        group.cancel_scope.cancel()


async def test_a_deadline_bounds_back_off(make_client: MakeClient) -> None:
    transport = MemoryTransport(lambda _: Response(503))
    clock = VirtualClock()
    nectar = make_client(transport, deadline=1.2, clock=clock)
    with pytest.raises(DeadlineExceededError) as caught:
        await nectar.send(GET)
    # The second wait of 1 s would end behind the deadline, so it is not begun.
    assert clock.sleeps == [0.5]
    assert caught.value.backoff_seconds == 0.5
    assert caught.value.attempts == 2
    assert "MaintenanceError" in caught.value.__notes__[0]


async def test_a_deadline_counts_the_wait_for_the_key_as_queueing(
    make_client: MakeClient,
) -> None:
    async def source() -> str:
        clock.advance(3)
        await anyio.sleep_forever()
        raise AssertionError

    clock = VirtualClock()
    nectar = make_client({"thing_get": {}}, api_key=source, deadline=0.01, clock=clock)
    with pytest.raises(DeadlineExceededError) as caught:
        await nectar.send(GET)
    assert caught.value.queue_seconds == 3


async def test_a_deadline_bounds_a_request_that_is_asked_again_for_its_packing(
    make_client: MakeClient,
) -> None:
    deadlines: list[float] = []

    def damaged(_: Request[Any]) -> Response:
        deadlines.append(anyio.current_effective_deadline())
        return Response(200, {"content-encoding": "gzip"}, b"xxxx")

    nectar = make_client(
        MemoryTransport(damaged),
        attempt_timeout=None,
        deadline=1000.0,
        retry=RetryPolicy(wait_initial=0.01),
    )
    with pytest.raises(BodyCorruptError):
        await nectar.send(GET)
    assert len(deadlines) > 1
    assert deadlines == pytest.approx([deadlines[0]] * len(deadlines), abs=0.5)


async def test_a_deadline_holds_on_the_clock_of_the_client(
    make_client: MakeClient,
) -> None:
    nectar = make_client(
        MemoryTransport(lambda _: Response(503)), deadline=1.0, clock=VirtualClock()
    )
    with pytest.raises(DeadlineExceededError):
        await nectar.send(GET)  # its waits are 0.5, 1 and 2 seconds


async def test_the_callers_own_timeout_stays_the_callers(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Hanging(), attempt_timeout=None, deadline=None)
    with pytest.raises(TimeoutError), anyio.fail_after(0.01):
        await nectar.send(GET)


async def test_no_permit_is_held_during_back_off(make_client: MakeClient) -> None:
    class Clock(VirtualClock):
        async def sleep(self, seconds: float) -> None:
            held.append(nectar.statistics().in_flight)
            # On the only permit there is: it would wait for ever.
            assert await nectar.send(Request.get("other_get", "/other", dict)) == {}
            await super().sleep(seconds)

    held: list[int] = []
    left = iter([Response(500), {}])
    transport = MemoryTransport({"thing_get": lambda _: next(left), "other_get": {}})
    nectar = make_client(transport, max_concurrency=1, clock=Clock())
    with anyio.fail_after(5):
        await nectar.send(GET)
    assert held == [0]
    asked = [request.operation for request in transport.requests]
    assert asked == ["thing_get", "other_get", "thing_get"]


async def test_a_transport_may_raise_what_it_likes_and_no_permit_is_lost(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport(lambda _: KeyError("bug"))
    nectar = make_client(transport)
    with pytest.raises(KeyError):
        await nectar.send(GET)
    assert len(transport.requests) == 1


async def test_a_failed_attempt_is_no_context_of_the_next_error(
    make_client: MakeClient,
) -> None:
    left = iter([Response(500), Response(400)])
    nectar = make_client(MemoryTransport(lambda _: next(left)), clock=VirtualClock())
    with pytest.raises(NectarError) as caught:
        await nectar.send(GET)
    assert not isinstance(caught.value, ServerError)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
