"""`MemoryTransport` sends prepared answers, and keeps the requests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from nectar_async import (
    ConfigurationError,
    ConnectionFailedError,
    MemoryTransport,
    NectarClient,
    NotFoundError,
    Request,
    Response,
    Transport,
)

pytestmark = pytest.mark.anyio

PING: Request[str] = Request.get("ping_get", "/ping", str)
SITE: Request[dict[str, Any]] = Request.get(
    "sites_get", "/site/{site_id}", dict, site_id="s-1"
)


def test_a_memory_transport_needs_no_key() -> None:
    transport: Transport = MemoryTransport({})
    assert isinstance(transport, MemoryTransport)
    assert not transport.needs_key


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ("pong v2.2", b'"pong v2.2"'),
        ([], b"[]"),
        ({}, b"{}"),
        (None, b"null"),
        (0, b"0"),
        (False, b"false"),
        ({"a": Decimal("1.50")}, b'{"a":1.50}'),
    ],
)
async def test_json_is_sent_with_status_200(answer: object, body: bytes) -> None:
    response = await MemoryTransport({"ping_get": answer}).send(PING)
    assert (response.status, response.body) == (200, body)
    assert response.headers["content-type"] == "application/json"


async def test_a_response_is_returned_unchanged() -> None:
    response = Response(404, {"X-A": "b"}, b"x")
    assert await MemoryTransport({"ping_get": response}).send(PING) is response


async def test_an_exception_is_raised() -> None:
    error = ConnectionFailedError("down", is_sent=False)
    with pytest.raises(ConnectionFailedError) as caught:
        await MemoryTransport({"ping_get": error}).send(PING)
    assert type(caught.value) is type(error)
    assert caught.value.is_sent is False
    assert caught.value is not error  # the client writes on what it raises


async def test_a_class_of_exceptions_is_raised_too() -> None:
    with pytest.raises(ConnectionFailedError):
        await MemoryTransport({"ping_get": ConnectionFailedError}).send(PING)


async def later(request: Request[Any]) -> object:
    return {"asked": request.operation}


@pytest.mark.parametrize("answer", [later, lambda one: {"asked": one.operation}])
async def test_a_function_is_called_for_the_answer(answer: Any) -> None:
    by_name = await MemoryTransport({"ping_get": answer}).send(PING)
    for_all = await MemoryTransport(answer).send(SITE)
    assert msgspec.json.decode(by_name.body) == {"asked": "ping_get"}
    assert msgspec.json.decode(for_all.body) == {"asked": "sites_get"}


@pytest.mark.parametrize(
    "outcome", [Response(503, {}, b"x"), NotFoundError("gone"), {"a": 1}]
)
async def test_a_function_may_return_any_kind_of_answer(outcome: object) -> None:
    transport = MemoryTransport(lambda _: outcome)
    if isinstance(outcome, NotFoundError):
        with pytest.raises(NotFoundError, match="gone"):
            await transport.send(PING)
        return
    response = await transport.send(PING)
    assert response is outcome or response.body == b'{"a":1}'


async def test_the_error_for_an_operation_without_an_answer_names_those_with_one() -> (
    None
):
    transport = MemoryTransport({"ping_get": 1, "companies_list": []})
    with pytest.raises(
        ConfigurationError, match="'sites_get'; it has companies_list, ping_get"
    ):
        await transport.send(SITE)
    with pytest.raises(ConfigurationError, match="it has none at all"):
        await MemoryTransport({}).send(PING)


async def test_requests_are_kept_in_order_even_those_that_fail() -> None:
    transport = MemoryTransport({"ping_get": ConnectionFailedError("down")})
    for request in (PING, SITE, PING):
        with pytest.raises((ConnectionFailedError, ConfigurationError)):
            await transport.send(request)
    assert transport.requests == [PING, SITE, PING]


async def test_answers_may_change_between_two_requests() -> None:
    answers: dict[str, object] = {"ping_get": "pong 1"}
    transport = MemoryTransport(answers)
    async with NectarClient(transport=transport) as nectar:
        assert await nectar.ping() == "pong 1"
        answers["ping_get"] = "pong 2"
        assert await nectar.ping() == "pong 2"


async def test_a_memory_transport_gets_the_stamped_request_and_is_closed() -> None:
    transport = MemoryTransport({"ping_get": "pong"})
    async with NectarClient(transport=transport) as nectar:
        await nectar.ping()
        assert not transport.is_closed
    assert transport.is_closed
    (request,) = transport.requests
    assert request.url == "https://external.nectarclimate.com/v2.2/ping"
    assert request.method == "GET"
    assert request.operation == "ping_get"


async def test_an_operation_without_an_answer_is_not_retried() -> None:
    transport = MemoryTransport({})
    async with NectarClient(transport=transport) as nectar:
        with pytest.raises(ConfigurationError, match="no answer for 'ping_get'"):
            await nectar.ping()
    assert len(transport.requests) == 1
