"""No frame or chain of an error from a user's own session shows a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver
from canaries.canaries import KEY
from canaries.loopback import Loopback, run_server, success
from canaries.search import find_leaks, list_shown_texts

from nectar_async import (
    AiohttpTransport,
    ConfigurationError,
    ConnectionFailedError,
    NectarClient,
    RetryPolicy,
    Settings,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.without_coverage]

Build = Callable[[Exception], dict[str, Any]]


def fail_in(hook: str) -> Build:
    """Build a trace whose hook raises."""

    def build(error: Exception) -> dict[str, Any]:
        async def fail(*_: object) -> None:
            raise error

        trace = aiohttp.TraceConfig()
        getattr(trace, hook).append(fail)
        return {"trace_configs": [trace]}

    return build


def fail_in_middleware(error: Exception) -> dict[str, Any]:
    async def fail(request: Any, handler: Any) -> Any:
        response = await handler(request)
        response.close()
        raise error

    return {"middlewares": [fail]}


def fail_after_an_error_of_aiohttp(error: Exception) -> dict[str, Any]:
    async def fail(request: Any, handler: Any) -> Any:
        response = await handler(request)
        response.close()
        try:
            response.status = 500
            response.raise_for_status()
        except aiohttp.ClientResponseError as refused:
            raise error from refused

    return {"middlewares": [fail]}


def fail_in_resolver(error: Exception) -> dict[str, Any]:
    class Resolver(AbstractResolver):
        async def resolve(self, *_: Any, **__: Any) -> Any:
            raise error

        async def close(self) -> None:
            pass

    return {"connector": aiohttp.TCPConnector(resolver=Resolver())}


def fail_in_connector(error: Exception) -> dict[str, Any]:
    class Connector(aiohttp.TCPConnector):
        async def connect(self, *_: Any, **__: Any) -> Any:
            raise error

    return {"connector": Connector()}


PARTS: dict[str, Build] = {
    "start hook": fail_in("on_request_start"),
    "connection hook": fail_in("on_connection_create_start"),
    "headers hook": fail_in("on_request_headers_sent"),
    "end hook": fail_in("on_request_end"),
    "middleware": fail_in_middleware,
    "middleware after an error": fail_after_an_error_of_aiohttp,
    "resolver": fail_in_resolver,
    "connector": fail_in_connector,
}


class OwnError(Exception):
    """An error of the user's, which cannot be built from its text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)


ERRORS: list[Exception] = [
    ValueError("the hook is wrong"),
    OwnError(7, "the hook is wrong"),
    ExceptionGroup("both are wrong", [KeyError("a"), aiohttp.ClientError("b")]),
]


async def find_error(part: Build, error: Exception) -> BaseException:
    """Raise an error in a part of a session, and catch what a call raises."""
    server = Loopback(success, "", lambda: None)
    async with run_server(server):
        # A name, so that the resolver is asked.
        origin = server.origin.replace("127.0.0.1", "localhost")
        settings = Settings(base_url=origin, retry=RetryPolicy(attempts=1))
        async with aiohttp.ClientSession(**part(error)) as session:
            transport = AiohttpTransport(session=session)
            async with NectarClient(
                KEY, settings=settings, transport=transport
            ) as nectar:
                with pytest.raises(Exception, match=r"\w") as caught:
                    await nectar.companies.all()
    return caught.value


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_of_a_part_keeps_its_type_and_text_and_shows_no_key(
    part: Build, error: Exception
) -> None:
    caught = await find_error(part, error)
    assert find_leaks(list_shown_texts(caught)) == []
    assert type(caught) is type(error)
    if not isinstance(error, ExceptionGroup):
        assert caught is error
    notes = "\n".join(getattr(caught, "__notes__", ()))
    assert f"File {__file__!r}, line " in notes
    assert "aiohttp/" not in notes
    error.__notes__ = []


async def test_errors_of_aiohttp_in_a_group_are_translated() -> None:
    caught = await find_error(PARTS["middleware"], ERRORS[-1])
    assert isinstance(caught, ExceptionGroup)
    kinds = [type(inner) for inner in caught.exceptions]
    assert kinds == [KeyError, ConnectionFailedError]


@pytest.mark.parametrize(
    "arguments",
    [
        {"proxy": f"socks5://user:{KEY}@proxy:1"},
        {"proxy": f"http://user:{KEY}@proxy:1", "session": "a session", "trust_env": 1},
        {"proxy": [f"http://user:{KEY}@proxy:1"]},
    ],
    ids=["no URL", "session", "list"],
)
async def test_a_refused_proxy_shows_its_password_in_no_frame(
    arguments: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AiohttpTransport(**arguments)
    assert find_leaks(list_shown_texts(caught.value)) == []


async def test_a_wrong_proxy_of_the_environment_shows_its_password_in_no_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"socks5://user:{KEY}@proxy:1")
    transport = AiohttpTransport(trust_env=True)
    async with NectarClient("another-key", transport=transport) as nectar:
        with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
            await nectar.companies.all()
    assert find_leaks(list_shown_texts(caught.value)) == []


async def test_a_session_that_trusts_the_environment_sends_no_password_of_netrc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "netrc"
    path.write_text(f"default login me password {KEY}\n")
    monkeypatch.setenv("NETRC", str(path))
    server = Loopback(success, "", lambda: None)
    async with run_server(server), aiohttp.ClientSession(trust_env=True) as session:
        settings = Settings(base_url=server.origin)
        transport = AiohttpTransport(session=session)
        async with NectarClient("k", settings=settings, transport=transport) as nectar:
            await nectar.companies.all()
    (heard,) = server.heard
    assert "\r\nauthorization:" not in heard.lower()


async def test_a_password_among_the_headers_of_a_session_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "missing"))
    server = Loopback(success, "", lambda: None)
    headers = {"Authorization": "Basic own"}
    async with (
        run_server(server),
        aiohttp.ClientSession(headers=headers, trust_env=True) as session,
    ):
        settings = Settings(base_url=server.origin)
        transport = AiohttpTransport(session=session)
        async with NectarClient("k", settings=settings, transport=transport) as nectar:
            await nectar.companies.all()
    (heard,) = server.heard
    assert "\r\nAuthorization: Basic own\r\n" in heard
