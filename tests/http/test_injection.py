"""No argument can change the address or the headers of a request.

Ids, filters, the key and the names of files may come from strangers. Each value arrives
unchanged at a server that reads raw bytes, or an error names its argument before
anything is sent.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import pytest_asyncio
from endpoints import ENDPOINTS, Argument, Endpoint
from sent_requests import call
from values import PNG

from nectar_async import (
    ConfigurationError,
    InvalidArgumentError,
    NectarClient,
    NectarError,
    NotFoundError,
    Request,
    Settings,
)

KEY = "key-of-the-tests"

ODD = (
    *("..", ".", "a/../b", "../../team", "/", "//evil.example/x", "a/b", "a\\b"),
    *("?page=2", "a?b#c", "#", "a&page=2", "a=b;c", "a+b", "%", "%2e%2e", "%2F", "%00"),
    *("a b", " ", "\u00a0", "\u2028", "\u202e", "é", "e\u0301", "漢字", "😀", "\u0085"),
    *("a\r\nX-Evil: 1", "a\nb", "a\rb", "a\tb", "a\x00b", "\x7f", "\x1b[2J"),
    *("http://evil.example/", "@evil.example", "user:pass@evil.example"),
    *("a" * 250, "a" * 20_000),
    *("\ud800", "a\udcffb", "{company_id}", "'\"<>`|^", "...", "....", "~"),
)
REFUSED = ("..", ".", "a\r\nX-Evil: 1", "a\x00b", "\ud800")
ARRIVE = ("a/../b", "?page=2", "%2e%2e", "%2F", "é", "😀", "a b", "a" * 250, "...")
# RFC 3986: the characters that a segment may have unescaped, and escapes.
SEGMENT = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+")
WITH_PARTS = [endpoint for endpoint in ENDPOINTS if "{" in endpoint.path]
WITH_TEXTS = [
    (endpoint, argument)
    for endpoint in ENDPOINTS
    for argument in endpoint.arguments
    if argument.place == "query" and isinstance(argument.fit.python, str)
]


class RawServer:
    """Keeps each request, byte for byte, and answers 404."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        """The head and the body of each request."""
        self.url = ""

    @property
    def target(self) -> bytes:
        """The target of the last request line."""
        line = self.heard[-1].partition(b"\r\n")[0]
        _, target, _ = line.split(b" ")
        return target

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                self.heard.append(head + body)
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
        except asyncio.IncompleteReadError:
            writer.close()


@asynccontextmanager
async def raw_server() -> AsyncIterator[RawServer]:
    server = RawServer()
    listener = await asyncio.start_server(
        server.talk, "127.0.0.1", 0, limit=1024 * 1024
    )
    port = listener.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    yield server
    listener.close()
    await asyncio.sleep(0)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[RawServer]:
    async with raw_server() as server:
        yield server


@pytest_asyncio.fixture
async def nectar(server: RawServer) -> AsyncIterator[NectarClient]:
    settings = Settings(base_url=server.url)
    async with NectarClient(KEY, settings=settings) as nectar:
        yield nectar


async def catch_error(
    endpoint: Endpoint, nectar: NectarClient, **arguments: Any
) -> Exception:
    """Call an endpoint; return the error of the client, or of the 404 of the server."""
    with pytest.raises(NectarError) as caught:
        await call(endpoint.on(nectar), {**endpoint.least, **arguments})
    return caught.value


def names(endpoint: Endpoint) -> str:
    return endpoint.operation


@pytest.mark.asyncio
@pytest.mark.parametrize("endpoint", WITH_PARTS, ids=names)
async def test_an_id_arrives_as_one_segment_or_is_refused_by_name(
    endpoint: Endpoint, server: RawServer, nectar: NectarClient
) -> None:
    before, _, after = endpoint.path.partition("{")
    name, _, after = after.partition("}")
    assert "{" not in after, "an operation with two ids needs more of this test"
    for value in ODD:
        heard = len(server.heard)
        error = await catch_error(endpoint, nectar, **{name: value})
        if len(server.heard) == heard:
            assert isinstance(error, InvalidArgumentError), value
            assert name in str(error)
            assert value not in ARRIVE
            continue
        assert value not in REFUSED
        assert len(server.heard) == heard + 1
        path = server.target.partition(b"?")[0]
        start, end = f"/v2.2{before}".encode(), after.encode()
        assert path.startswith(start), value
        assert path.endswith(end), value
        segment = path[len(start) : len(path) - len(end)]
        assert SEGMENT.fullmatch(segment), value
        assert segment not in {b".", b".."}
        assert unquote_to_bytes(segment) == value.encode()
        assert server.heard[-1].count(b"X-API-Key: " + KEY.encode()) == 1
        assert b"X-Evil" not in server.heard[-1]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("endpoint", "argument"),
    WITH_TEXTS,
    ids=lambda part: part.operation if isinstance(part, Endpoint) else part.name,
)
async def test_a_filter_arrives_as_one_value_or_is_refused_by_name(
    endpoint: Endpoint, argument: Argument, server: RawServer, nectar: NectarClient
) -> None:
    arrived = 0
    for value in ODD:
        heard = len(server.heard)
        error = await catch_error(endpoint, nectar, **{argument.name: value})
        if len(server.heard) == heard:
            assert isinstance(error, InvalidArgumentError), value
            assert argument.name in str(error)
            continue
        arrived += 1
        query = server.target.partition(b"?")[2]
        pairs = [pair.partition(b"=") for pair in query.split(b"&")]
        mine = [text for key, _, text in pairs if key == argument.wire.encode()]
        assert len(mine) == 1, value
        assert SEGMENT.fullmatch(mine[0].replace(b"/", b"%2F")), value
        assert unquote_to_bytes(mine[0]) == value.encode()
        assert {key for key, _, _ in pairs} <= {argument.wire.encode(), b"page"}
    # These two filters are free text; the client checks the values of all others.
    assert arrived > (20 if argument.wire in {"identifier", "search"} else -1)


BROKEN_KEYS = (
    *("a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\x7fb", "a\tb", "kéy", "k\u2028y"),
    *("\ud800", "", " ", "\r\n"),
)


@pytest.mark.asyncio
@pytest.mark.parametrize("key", BROKEN_KEYS, ids=ascii)
async def test_a_key_that_a_header_cannot_hold_is_refused_and_not_shown(
    server: RawServer, key: str
) -> None:
    settings = Settings(base_url=server.url)
    with pytest.raises(ConfigurationError) as plain:
        NectarClient(key, settings=settings)
    async with NectarClient(lambda: key, settings=settings) as nectar:
        with pytest.raises(ConfigurationError) as asked_for:
            await nectar.ping()
    for caught in (plain, asked_for):
        assert "key" in str(caught.value)
        assert "Evil" not in f"{caught.value!r} {vars(caught.value)}"
    assert server.heard == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Own": "a\r\nX-Evil: 1"},
        {"X-Own\r\nX-Evil": "1"},
        {"X-Own": "a\x00b"},
        {"X Own": "a"},
        {"": "a"},
        {"X-Own": 1},
    ],
    ids=repr,
)
async def test_a_header_that_would_become_two_is_refused_by_name(
    server: RawServer, nectar: NectarClient, headers: dict[str, str]
) -> None:
    request: Request[Any] = Request(
        operation="o", method="GET", path="/x", returns=dict, headers=headers
    )
    with pytest.raises(InvalidArgumentError, match="header") as caught:
        await nectar.send(request)
    assert "X-Evil: 1" not in str(caught.value)
    assert server.heard == []
    assert KEY not in repr(caught.value)
    assert nectar.statistics().in_flight == 0


@pytest.mark.asyncio
async def test_a_header_of_the_caller_is_sent(
    server: RawServer, nectar: NectarClient
) -> None:
    request: Request[Any] = Request(
        operation="o",
        method="GET",
        path="/x",
        returns=dict,
        headers={"X-Own": "a\tb c"},
    )
    with pytest.raises(NotFoundError):
        await nectar.send(request)
    assert b"X-Own: a\tb c" in server.heard[0]


FILE_NAMES = (
    *("bill.png", "bïll.png", "漢字.png", 'a".png', "a\\b.png", "../../a.png"),
    *("a\r\nX-Evil: 1\r\n\r\n.png", "a\nb.png", "a\x00b.png", "a;b=c.png", "%22.png"),
    *("a" * 5_000 + ".png", "😀.png", "\ud800.png", "--nectar.png", "C:\\x\\a.png"),
)
DISPOSITION = re.compile(
    rb'Content-Disposition: form-data; name="document"; filename="[^"\\\x00-\x1f]*"'
)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", FILE_NAMES, ids=lambda name: ascii(name)[:40])
async def test_the_name_of_a_file_stays_on_its_line(
    server: RawServer, nectar: NectarClient, name: str
) -> None:
    with pytest.raises((NotFoundError, InvalidArgumentError)) as caught:
        await nectar.jobs.submit_document("c", PNG, file_name=name)
    if isinstance(caught.value, InvalidArgumentError):
        assert "file_name" in str(caught.value)
        assert server.heard == []
        return
    (heard,) = server.heard
    head, _, body = heard.partition(b"\r\n\r\n")
    boundary = re.search(rb"boundary=([\w-]+)", head)
    assert boundary is not None
    parts = body.split(b"--" + boundary[1])
    assert [parts[0], parts[-1]] == [b"", b"--\r\n"]
    (part,) = parts[1:-1]
    lines, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
    assert content == PNG.strip(b"\r\n")
    disposition, kind = lines.split(b"\r\n")
    assert kind == b"Content-Type: image/png"
    assert DISPOSITION.fullmatch(disposition)


def test_a_number_that_takes_a_gigabyte_to_write_is_refused_by_name() -> None:
    """The number may come from a hostile answer."""
    for text in ("1e999999999", "-1e999999999", "1e-999999999"):
        with pytest.raises(InvalidArgumentError, match="usage"):
            Request.patch("o", "/x", dict, json={"usage": Decimal(text)})
        with pytest.raises(InvalidArgumentError, match="usage"):
            Request.get("o", "/x", dict, query={"usage": Decimal(text)})
    request = Request.patch("o", "/x", dict, json={"usage": Decimal("1e300")})
    assert request.json == {"usage": "1" + "0" * 300}
