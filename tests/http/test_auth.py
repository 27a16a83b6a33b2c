"""The key: it is fetched once, renewed after a 401, and shown nowhere."""

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
    VirtualClock,
)
from nectar_async.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    PermissionDeniedError,
)

pytestmark = pytest.mark.anyio


KEY = "canary-8f14e45f"


GET = Request.get("thing_get", "/thing", dict)


class KeySourceDouble:
    """A source of keys with a plain and an async function, which counts its calls."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0

    async def ask(self) -> str:
        self.asked += 1
        key = self.keys[min(self.asked, len(self.keys)) - 1]
        await settle_down(5)
        return key

    def get_plain(self) -> str:
        self.asked += 1
        return self.keys[min(self.asked, len(self.keys)) - 1]


@pytest.fixture(params=["plain", "async"])
def select_function(
    request: pytest.FixtureRequest,
) -> Callable[[KeySourceDouble], Callable[[], str | Awaitable[str]]]:
    return lambda source: source.get_plain if request.param == "plain" else source.ask


SelectFunction = Callable[[KeySourceDouble], Callable[[], str | Awaitable[str]]]


async def test_a_key_function_is_called_once_for_all_waiting_requests(
    make_client: MakeClient, select_function: SelectFunction
) -> None:
    source, transport = KeySourceDouble(KEY), MemoryTransport({"thing_get": {}})
    nectar = make_client(transport, api_key=select_function(source))
    async with anyio.create_task_group() as group:
        for _ in range(25):
            group.start_soon(nectar.send, GET)
    assert source.asked == 1
    assert {r.headers["X-API-Key"] for r in transport.requests} == {KEY}


async def test_a_key_function_is_called_before_a_permit_is_taken(
    make_client: MakeClient,
) -> None:
    held: list[int] = []

    async def source() -> str:
        held.append(nectar.statistics().in_flight)
        return KEY

    nectar = make_client({"thing_get": {}}, api_key=source)
    await nectar.send(GET)
    assert held == [0]


def accept_only(key: str) -> Callable[[Request[Any]], object]:
    """A server that accepts one key."""
    return lambda request: (
        {} if request.headers.get("X-API-Key") == key else Response(401)
    )


async def test_a_refused_key_is_renewed_once_and_tried_again(
    make_client: MakeClient, select_function: SelectFunction
) -> None:
    source = KeySourceDouble("old", "new")
    nectar = make_client(
        MemoryTransport(accept_only("new")), api_key=select_function(source)
    )
    assert await nectar.send(GET) == {}
    assert source.asked == 2


async def test_a_refused_key_is_renewed_once_for_all_requests(
    make_client: MakeClient,
) -> None:
    source = KeySourceDouble("old", "new")
    nectar = make_client(MemoryTransport(accept_only("new")), api_key=source.ask)
    async with anyio.create_task_group() as group:
        for _ in range(25):
            group.start_soon(nectar.send, GET)
    assert source.asked == 2


async def test_a_key_that_is_refused_twice_is_an_error(make_client: MakeClient) -> None:
    source, transport = (
        KeySourceDouble("old", "older"),
        MemoryTransport(accept_only("new")),
    )
    nectar = make_client(transport, api_key=source.ask)
    with pytest.raises(AuthenticationError):
        await nectar.send(GET)
    assert (source.asked, len(transport.requests)) == (2, 2)


async def test_a_key_that_is_text_is_not_sent_twice(make_client: MakeClient) -> None:
    transport = MemoryTransport(accept_only("new"))
    with pytest.raises(AuthenticationError):
        await make_client(transport, api_key="old").send(GET)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("key", [f"{KEY}\nX-Evil: 1", f"{KEY}é", "", "  ", f"{KEY}\0"])
async def test_a_key_that_a_header_cannot_hold_is_refused_and_not_shown(
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


async def test_a_key_function_that_does_not_return_text_is_a_configuration_error(
    make_client: MakeClient,
) -> None:
    source: Any = lambda: None  # noqa: E731 - the least source there is
    with pytest.raises(ConfigurationError, match="NoneType"):
        await make_client({"thing_get": {}}, api_key=source).send(GET)


async def test_spaces_around_a_key_are_stripped(make_client: MakeClient) -> None:
    transport = MemoryTransport({"thing_get": {}})
    await make_client(transport, api_key=f" {KEY}\n").send(GET)
    assert transport.requests[0].headers["X-API-Key"] == KEY


def render(error: BaseException) -> str:
    """All texts of an error, with its traceback and its pickle."""
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
    assert KEY not in render(caught.value)
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
    assert KEY not in render(caught.value)


async def test_a_key_of_one_letter_is_not_masked(
    make_client: MakeClient,
) -> None:
    answer = Response(403, {}, b'{"detail": "we will not"}')
    nectar = make_client(MemoryTransport(lambda _: answer), api_key="w")
    with pytest.raises(PermissionDeniedError, match="we will not"):
        await nectar.send(GET)
