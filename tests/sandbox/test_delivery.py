"""Effects on connections and on the server, as a plain client sees them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import zlib

import aiohttp
import pytest
from raw_client import RawClient, RawResponse

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import (
    CloseIdle,
    Crowd,
    CutGzip,
    Drip,
    Effect,
    Endless,
    Fault,
    Refuse,
    Reset,
    RotateKey,
    StallBody,
    WrongLength,
)

pytestmark = pytest.mark.asyncio

MEBIBYTE = 1024 * 1024
PLAIN = {"Accept-Encoding": "identity"}


async def read_raw(raw_client: RawClient, path: str = "/v2.2/company") -> bytes:
    """Read a response until the connection closes, or stalls for 0.1 seconds."""
    parts = raw_client.sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(parts[0], int(parts[1]))
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {raw_client.sandbox.api_key}"
    writer.write(f"{head}\r\n\r\n".encode())
    data = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65_536), timeout=0.1):
            data += chunk
    except TimeoutError:
        pass
    finally:
        writer.close()
    return data


def add_fault(raw_client: RawClient, effect: Effect, times: int | None = None) -> None:
    raw_client.sandbox.faults.add(Fault(effect, times=times))


async def test_gzip_is_cut_in_the_middle(raw_client: RawClient) -> None:
    plain = (await raw_client.request("/v2.2/company", headers=PLAIN)).body
    add_fault(raw_client, CutGzip())
    head, _, body = (await read_raw(raw_client)).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert f"Content-Length: {len(body)}".encode() in head
    unpacker = zlib.decompressobj(31)
    assert plain.startswith(unpacker.decompress(body))
    assert not unpacker.eof


@pytest.mark.parametrize("by", [-10, 10])
async def test_the_content_length_is_wrong(raw_client: RawClient, by: int) -> None:
    plain = (await raw_client.request("/v2.2/company", headers=PLAIN)).body
    add_fault(raw_client, WrongLength(by=by))
    head, _, body = (await read_raw(raw_client)).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(plain) + by}".encode() in head
    assert body == plain


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_a_connection_is_reset(raw_client: RawClient, share: float) -> None:
    add_fault(raw_client, Reset(share=share))
    with pytest.raises(ConnectionResetError):
        await read_raw(raw_client)


async def test_a_body_stalls_in_the_middle(raw_client: RawClient) -> None:
    plain = (await raw_client.request("/v2.2/company", headers=PLAIN)).body
    add_fault(raw_client, StallBody(3_600))
    body = (await read_raw(raw_client)).partition(b"\r\n\r\n")[2]
    assert body == plain[: len(plain) // 2]


@pytest.mark.parametrize("effect", [StallBody(0.01), Drip(size=2, seconds=0.001)])
async def test_a_slow_body_is_complete(raw_client: RawClient, effect: Effect) -> None:
    add_fault(raw_client, effect)
    response = await raw_client.request("/v2.2/ping")
    assert response.json == "pong v2.2"
    (entry,) = raw_client.sandbox.witness.log
    assert entry.finished - entry.started >= 0.005


async def test_a_body_never_ends(raw_client: RawClient) -> None:
    add_fault(raw_client, Endless())
    url = f"{raw_client.sandbox.url}/v2.2/ping"
    headers = {"X-API-Key": raw_client.sandbox.api_key}
    async with raw_client.session.get(url, headers=headers) as response:
        some = await response.content.readexactly(MEBIBYTE)
    assert some.strip() == b""


async def test_an_idle_connection_closes(raw_client: RawClient) -> None:
    add_fault(raw_client, CloseIdle())
    parts = raw_client.sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(parts[0], int(parts[1]))
    writer.write(
        f"GET /v2.2/ping HTTP/1.1\r\nHost: x\r\nX-API-Key: {raw_client.sandbox.api_key}"
        "\r\n\r\n".encode()
    )
    async with asyncio.timeout(5):
        data = await reader.read()
    assert data.endswith(b'"pong v2.2"')
    assert b"Connection: close" not in data
    writer.close()


async def test_a_refusing_server_returns_at_the_same_port(
    raw_client: RawClient,
) -> None:
    add_fault(raw_client, Refuse(0.05), times=1)
    url = raw_client.sandbox.url
    with pytest.raises(aiohttp.ClientConnectionError):
        await raw_client.request("/v2.2/ping")
    with socket.socket() as probe:
        host, port = url.removeprefix("http://").split(":")
        assert probe.connect_ex((host, int(port))) != 0
    assert (await request_until_accepted(raw_client)).status == 200
    assert raw_client.sandbox.url == url


async def request_until_accepted(raw_client: RawClient) -> RawResponse:
    """Repeat a request until the server accepts connections."""
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                return await raw_client.request("/v2.2/ping")
            await asyncio.sleep(0.005)


async def test_a_refusing_server_finishes_its_requests(
    raw_client: RawClient,
) -> None:
    add_fault(raw_client, StallBody(0.05), times=1)
    slow = asyncio.ensure_future(raw_client.request("/v2.2/ping"))
    while not raw_client.sandbox.witness.in_flight:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)
    raw_client.sandbox.refuse(0.01)
    raw_client.sandbox.refuse(0.02)
    assert (await slow).json == "pong v2.2"


async def test_a_refusing_sandbox_can_be_closed(raw_client: RawClient) -> None:
    raw_client.sandbox.refuse(3_600)
    await raw_client.sandbox.aclose()
    with pytest.raises(aiohttp.ClientConnectorError):
        await raw_client.request("/v2.2/ping")


async def test_requests_above_the_limit_are_refused(raw_client: RawClient) -> None:
    add_fault(raw_client, Crowd(limit=3, retry_after="2"))
    add_fault(raw_client, StallBody(0.05))
    responses = await asyncio.gather(
        *(raw_client.request("/v2.2/ping") for _ in range(8))
    )
    assert sorted(response.status for response in responses) == [200] * 3 + [429] * 5
    refused = [response for response in responses if response.status == 429]
    assert {response.headers.get("Retry-After") for response in refused} == {"2"}


async def test_a_request_rotates_the_key(raw_client: RawClient) -> None:
    old = raw_client.sandbox.api_key
    add_fault(raw_client, RotateKey(key="new"), times=1)
    statuses = [
        (await raw_client.request("/v2.2/ping", key=key)).status
        for key in (old, "new", old)
    ]
    assert statuses == [401, 200, 401]
    assert raw_client.sandbox.api_key == "new"
    with pytest.raises(ConfigurationError):
        raw_client.sandbox.rotate_key("")
