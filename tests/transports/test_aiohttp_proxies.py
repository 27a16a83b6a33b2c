"""Errors of proxies name the proxy without its password, and that nothing was sent."""

from __future__ import annotations

import aiohttp
import pytest
from raw_server import OK, ONCE, create_company, serve

from nectar_async import (
    ConfigurationError,
    ConnectionFailedError,
    NectarError,
    RetryPolicy,
    StatusError,
)
from nectar_async.transports import AiohttpTransport

API = "https://api.example.com"
TWICE = RetryPolicy(attempts=2, wait_initial=0.001)
LOGIN = (
    "{} refused the connection with status 407; check the user and the password of the"
    " proxy"
)
UNSENT = f"; nothing was sent to {API}"


def refuse(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()


def assert_unsent(error: NectarError, words: str) -> None:
    """Check that an error ends with some words and tells that nothing was sent."""
    assert isinstance(error, ConnectionFailedError)
    assert not error.is_sent
    assert error.message == f"{words}{UNSENT}"
    assert "pass-word" not in repr(vars(error))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "words", "attempts"),
    [
        (refuse("403 No"), "{} refused the connection with status 403", 1),
        (
            refuse("407 Login"),
            LOGIN,
            1,
        ),
        (refuse("429 Slowly"), "{} refused the connection with status 429", 2),
        (refuse("502 Bad"), "{} refused the connection with status 502", 2),
        (b"", "{} closed the connection", 2),
        (b"HTTP/1.1 20", "{} closed the connection", 2),
        (
            OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
            "the answer of {} is no valid HTTP: Duplicate Content-Length",
            1,
        ),
    ],
)
async def test_a_write_is_repeated_if_the_proxy_may_let_it_pass_next_time(
    answer: bytes, words: str, attempts: int
) -> None:
    async with serve(answer) as server:
        name = f"127.0.0.1:{server.port}"
        transport = AiohttpTransport(proxy=f"http://user:pass-word@{name}")
        error = await create_company(API, transport, retry=TWICE)
    assert_unsent(error, words.format(f"the proxy {name}"))
    assert server.connections == attempts
    assert server.received.startswith(b"CONNECT api.example.com:443 ")


@pytest.mark.asyncio
async def test_a_proxy_that_cannot_be_found_is_named() -> None:
    transport = AiohttpTransport(proxy="http://user:pass-word@nectar.invalid:3128")
    error = await create_company(API, transport)
    assert_unsent(error, "the host of the proxy nectar.invalid:3128 cannot be found")


@pytest.mark.asyncio
async def test_a_proxy_of_a_users_session_is_named() -> None:
    async with (
        serve(refuse("403 No")) as server,
        aiohttp.ClientSession(proxy=f"http://127.0.0.1:{server.port}") as session,
    ):
        error = await create_company(API, AiohttpTransport(session=session))
    name = f"the proxy 127.0.0.1:{server.port}"
    assert_unsent(error, f"{name} refused the connection with status 403")


@pytest.mark.asyncio
async def test_a_server_behind_a_proxy_is_named_with_the_proxy() -> None:
    async with serve(OK + b"\r\n") as server:
        name = f"127.0.0.1:{server.port}"
        error = await create_company(API, AiohttpTransport(proxy=f"http://{name}"))
    assert isinstance(error, ConnectionFailedError)
    assert not error.is_sent
    assert f"{API} (through the proxy {name}) closed the connection" in str(error)


@pytest.mark.asyncio
async def test_a_request_without_tls_may_have_passed_a_proxy_that_closes() -> None:
    async with serve(b"") as server:
        name = f"127.0.0.1:{server.port}"
        transport = AiohttpTransport(proxy=f"http://{name}")
        error = await create_company("http://api.example.com", transport, retry=TWICE)
    assert isinstance(error, ConnectionFailedError)
    assert error.is_sent
    assert error.message == (
        f"http://api.example.com (through the proxy {name}) closed the connection"
    )
    assert server.connections == 1


@pytest.mark.asyncio
async def test_a_request_without_tls_that_lacks_a_password_has_advice() -> None:
    async with serve(refuse("407 Login")) as server:
        transport = AiohttpTransport(proxy=f"http://127.0.0.1:{server.port}")
        error = await create_company("http://api.example.com", transport)
    assert isinstance(error, StatusError)
    assert "the proxy asks for a user and a password" in str(error)


@pytest.mark.parametrize(
    ("proxy", "name"),
    [
        ("127.0.0.1:3128", "127.0.0.1:3128"),
        ("ftp://x", "x"),
        ("http://", ""),
        ("http://user:pass-word", ""),
        ("socks5://user:pass-word@x:1", "x:1"),
        ("http://user:pass-word@x:99999", "x:99999"),
        ("http://user:pass-word@x..y:80", "x..y:80"),
        (f"http://user:pass-word@{'x' * 70}", "x" * 70),
        ("http://user:pass-word@[x", ""),
    ],
)
def test_a_proxy_that_is_no_url_is_refused_by_host_and_port(
    proxy: str, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="proxy must be a URL") as caught:
        AiohttpTransport(proxy=proxy)
    assert "pass-word" not in str(caught.value)
    named = str(caught.value).partition("; it names the proxy ")[2]
    assert named == name


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["x:99999", "x..y:80"])
async def test_a_proxy_of_the_environment_that_is_no_url_is_named(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass-word@{host}")
    error = await create_company(API, AiohttpTransport(trust_env=True), retry=ONCE)
    assert isinstance(error, ConfigurationError)
    assert "HTTPS_PROXY must be a URL" in str(error)
    assert str(error).endswith(f"; it names the proxy {host}")
    assert "pass-word" not in str(error)
