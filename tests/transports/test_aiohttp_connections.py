"""Odd connections get an error that says what is wrong, and one connection each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from inspect import signature
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp.http_parser import HttpParser
from raw_server import OK, ONCE, create_company, serve

from nectar_async import (
    AttemptTimeoutError,
    ConnectionFailedError,
    MaintenanceError,
    NectarClient,
    RetryPolicy,
    Settings,
)
from nectar_async.transports import AiohttpTransport

_HEADERS = 300
_MAX_HEADERS = signature(HttpParser.__init__).parameters["max_headers"].default
"""Older versions of aiohttp have 32,768 here, and do not count headers at all."""
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


async def take_connection(session: aiohttp.ClientSession, url: str) -> None:
    await session.get(url)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("data", "words", "is_permanent"),
    [
        (OK + b"x-a: " + b"a" * 20_000 + b"\r\n\r\n", "header is longer", True),
        (
            OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
            "Duplicate Content-Length",
            True,
        ),
        (
            OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding can't be present with Content-Length$",
            True,
        ),
        (
            OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
            "can't be present with ",
            True,
        ),
        pytest.param(
            OK + b"x-a: 1\r\n" * _HEADERS + b"\r\n",
            r"Too many headers received \(.*larger max_headers\)$",
            True,
            marks=pytest.mark.skipif(
                _MAX_HEADERS > _HEADERS,
                reason="this aiohttp does not limit the number of headers",
            ),
        ),
        (OK + b"SECRET\r\n\r\n", "Invalid (HTTP header|header token)$", True),
        (
            b"hello SECRET\r\n\r\n",
            "no valid HTTP: (Bad status line|Expected HTTP/, RTSP/ or ICE/)$",
            False,
        ),
    ],
)
async def test_an_answer_that_is_no_http_is_named(
    data: bytes, words: str, is_permanent: bool
) -> None:
    async with serve(data) as server:
        error = await create_company(f"http://127.0.0.1:{server.port}")
    assert isinstance(error, ConnectionFailedError)
    with pytest.raises(ConnectionFailedError, match=words):
        raise error
    assert (error.is_sent, error.is_permanent) == (True, is_permanent)
    assert "SECRET" not in str(error)


@pytest.mark.asyncio
@pytest.mark.parametrize(("scheme", "is_sent"), [("https", False), ("http", True)])
async def test_a_timeout_during_the_tls_handshake_is_before_the_request(
    scheme: str, *, is_sent: bool
) -> None:
    async with serve(None) as server:
        error = await create_company(f"{scheme}://127.0.0.1:{server.port}", timeout=0.1)
    assert isinstance(error, AttemptTimeoutError)
    assert error.is_sent is is_sent
    assert ("no connection" in str(error)) is not is_sent


def run_plain(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def run_uvloop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    pytest.importorskip("uvloop").run(main())


@pytest.mark.parametrize("run", [run_plain, run_uvloop])
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_server_that_speaks_first_gets_one_connection_an_attempt(
    run: Callable[..., None], attempts: int
) -> None:
    async def main() -> None:
        async with serve(BUSY, speaks_first=True) as server:
            settings = Settings(
                base_url=f"http://127.0.0.1:{server.port}",
                retry=RetryPolicy(attempts=attempts, wait_initial=0.001),
            )
            async with NectarClient("k", settings=settings) as nectar:
                with pytest.raises((MaintenanceError, ConnectionFailedError)):
                    await nectar.companies.all()
            assert server.connections == attempts

    run(main)


@pytest.fixture
def _netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "netrc"
    path.write_text("default login me password from-netrc\n")
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.asyncio
@pytest.mark.usefixtures("_netrc")
@pytest.mark.parametrize("bypass", ["", "127.0.0.1"])
async def test_trust_env_means_the_proxy_and_no_password_of_netrc(
    monkeypatch: pytest.MonkeyPatch, bypass: str
) -> None:
    answer = OK + b"content-length: 2\r\nconnection: close\r\n\r\n[]"
    async with serve(answer) as proxy, serve(answer) as api:
        monkeypatch.setenv("HTTP_PROXY", f"http://u:pw@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", bypass)
        settings = Settings(base_url=f"http://127.0.0.1:{api.port}", retry=ONCE)
        transport = AiohttpTransport(trust_env=True)
        async with NectarClient("k", settings=settings, transport=transport) as nectar:
            assert await nectar.companies.all() == []
    asked = api if bypass else proxy
    assert (api.connections, proxy.connections) == (bool(bypass), not bypass)
    assert b"\r\nAuthorization" not in asked.received
    assert (b"\r\nProxy-Authorization" in asked.received) is not bool(bypass)


@pytest.mark.asyncio
async def test_a_request_that_waits_for_the_pool_of_a_users_session_was_not_sent() -> (
    None
):
    async with (
        serve(None) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        anyio.create_task_group() as group,
    ):
        url = f"http://127.0.0.1:{server.port}"
        group.start_soon(take_connection, session, url)
        await server.is_connected.wait()
        error = await create_company(
            url, AiohttpTransport(session=session), timeout=0.1
        )
        group.cancel_scope.cancel()
    assert server.connections == 1
    assert isinstance(error, AttemptTimeoutError)
    assert error.is_sent is False
    assert "no connection to the server within 0.1 s" in str(error)


@pytest.mark.asyncio
async def test_a_tls_handshake_in_a_users_session_is_before_the_request() -> None:
    async with serve(None) as server, aiohttp.ClientSession() as session:
        transport = AiohttpTransport(session=session)
        error = await create_company(
            f"https://127.0.0.1:{server.port}", transport, timeout=0.1
        )
    assert isinstance(error, AttemptTimeoutError)
    assert error.is_sent is False
