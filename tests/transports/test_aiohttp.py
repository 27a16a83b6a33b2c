"""The aiohttp transport, with misbehaving servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import pickle
import ssl
import subprocess
import sys
import textwrap
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult
from aioresponses_shim import aioresponses

from nectar_async import (
    AiohttpTransport,
    NectarClient,
    Request,
    RetryPolicy,
    Settings,
    VirtualClock,
)
from nectar_async.errors import (
    BodyTooLargeError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    NotFoundError,
    RedirectedError,
    ServerError,
    TransportError,
    WrongLoopError,
)
from nectar_async.transports._aiohttp_errors import AIOHTTP_ERRORS, translate_error

KEY = "canary-8f14e45f"
GET = Request.get("thing_get", "/thing", dict)
ONCE = RetryPolicy(attempts=1)
T = TypeVar("T")

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """Build the bytes of a response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Server:
    """A server that sends prepared bytes, and keeps the requests."""

    def __init__(self, talk: Talk | bytes) -> None:
        self._talk = talk
        self.heads: list[str] = []
        """Request line and headers of each request."""
        self.origin = ""
        self._writers: list[asyncio.StreamWriter] = []

    async def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.append(writer)
        # Some tests disconnect in the middle.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if isinstance(self._talk, bytes):
                while True:
                    await self.hear(reader)
                    writer.write(self._talk)
                    await writer.drain()
            await self._talk(reader, writer)
        writer.close()

    async def hear(self, reader: asyncio.StreamReader) -> str:
        """Read the next request with its body."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        for line in head.lower().splitlines():
            if line.startswith("content-length:"):
                await reader.readexactly(int(line.partition(":")[2]))
        return head

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def run_server(
    talk: Talk | bytes, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Run a server on loopback."""
    server = Server(talk)
    listener = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    port = listener.sockets[0].getsockname()[1]
    server.origin = f"{scheme}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listener.close()
        server.hang_up()
        await asyncio.sleep(0)


def build_client(
    origin: str,
    transport: AiohttpTransport | None = None,
    *,
    retry: RetryPolicy = ONCE,
    **settings: Any,
) -> NectarClient:
    """Build a client of an origin, without retries."""
    return NectarClient(
        KEY,
        transport=transport or AiohttpTransport(),
        settings=Settings(base_url=origin, retry=retry, **settings),
        clock=VirtualClock(),
    )


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """Collect garbage, so that unclosed resources warn; warnings are errors."""
    gc.freeze()  # skips the objects that exist already
    yield
    gc.collect()
    gc.unfreeze()


def assert_clean(error: BaseException) -> None:
    """Check that an error pickles and has neither the key nor aiohttp's error."""
    assert (error.__cause__, error.__context__) == (None, None)
    assert KEY not in f"{error!r} {error} {error.args!r} {vars(error)!r}"
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))


# The bytes of requests.


@pytest.mark.asyncio
async def test_a_request_has_the_key_and_names_the_accepted_encodings() -> None:
    async with (
        run_server(answer(b'{"a": 1.10}')) as server,
        build_client(server.origin) as nectar,
    ):
        assert str((await nectar.send(GET))["a"]) == "1.10"
    (head,) = server.heads
    assert head.startswith("GET /v2.2/thing HTTP/1.1\r\n")
    assert f"X-API-Key: {KEY}\r\n" in head
    assert "Accept-Encoding: gzip, deflate\r\n" in head
    assert "Accept: application/json\r\n" in head


@pytest.mark.asyncio
async def test_a_post_without_a_body_has_no_content_type() -> None:
    reply = answer(b'{"a": 1}')
    async with run_server(reply) as server, build_client(server.origin) as nectar:
        await nectar.send(Request.post("thing_post", "/thing", dict))
    (head,) = server.heads
    assert head.startswith("POST /v2.2/thing HTTP/1.1\r\n")
    assert "content-type" not in head.lower()
    assert "Content-Length: 0\r\n" in head


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("company_id", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("100%25", "100%2525"),
        ("é ü", "%C3%A9%20%C3%BC"),
        ("a%2e%2e", "a%252e%252e"),
        ("x;y=1&z+", "x%3By%3D1%26z%2B"),
        ("...", "..."),
    ],
)
async def test_an_id_with_odd_characters_arrives_as_one_segment(
    company_id: str, segment: str
) -> None:
    body = b'{"id": "c", "name": "C"}'
    async with (
        run_server(answer(body)) as server,
        build_client(server.origin) as nectar,
    ):
        await nectar.companies.get(company_id)
    assert server.heads[0].startswith(f"GET /v2.2/company/{segment} HTTP/1.1\r\n")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("identity", b'{"a": 1}'),
    ],
    ids=["gzip", "deflate", "identity"],
)
async def test_compressed_responses_are_decompressed(
    encoding: str, packed: bytes
) -> None:
    reply = answer(packed, "200 OK", f"Content-Encoding: {encoding}")
    async with run_server(reply) as server, build_client(server.origin) as nectar:
        assert await nectar.send(GET) == {"a": 1}


@pytest.mark.asyncio
async def test_a_body_in_chunks_is_sent_whole() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        heard.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(answer())

    async def chunks() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b"def"

    request: Request[Any] = Request(
        operation="o", method="PUT", path="/x", returns=dict, body=chunks
    )
    async with run_server(talk) as server, build_client(server.origin) as nectar:
        await nectar.send(request)
    assert heard == [b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"]


@pytest.mark.asyncio
@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
async def test_a_redirect_is_not_followed_so_the_key_is_not_sent_there(
    status: str,
) -> None:
    async with run_server(answer()) as other:
        redirect = answer(b"", f"{status} Moved", f"Location: {other.origin}/secret")
        async with (
            run_server(redirect) as server,
            build_client(server.origin) as nectar,
        ):
            with pytest.raises(RedirectedError) as caught:
                await nectar.send(GET)
    assert other.heads == []
    assert len(server.heads) == 1
    assert caught.value.status == int(status)
    assert "redirects to http://127.0.0.1" in str(caught.value)
    assert_clean(caught.value)


# aiohttp does not resend.


async def answer_once(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the first request of a connection, and close it at the second one."""
    await server.hear(reader)
    writer.write(answer())
    await server.hear(reader)


@asynccontextmanager
async def run_dropping_server() -> AsyncIterator[Server]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_once(server, reader, writer)

    async with run_server(talk) as server:
        yield server


class Counting:
    """A middleware of a user's session."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(
        self,
        request: aiohttp.ClientRequest,
        handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        self.calls += 1
        request.headers["X-Signed"] = "yes"
        return await handler(request)


@pytest.mark.asyncio
@pytest.mark.parametrize("is_own", [True, False])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_the_server_sees_one_request_for_each_attempt(
    method: str, is_own: bool
) -> None:
    counting = Counting()
    request: Request[Any] = Request(
        operation="o",
        method=method,
        path="/x",
        returns=dict,
        body=b"{}" if method in {"PUT", "POST"} else None,
    )
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(run_dropping_server())
        session = None
        if not is_own:
            session = await stack.enter_async_context(
                aiohttp.ClientSession(middlewares=[counting])
            )
        nectar = await stack.enter_async_context(
            build_client(server.origin, AiohttpTransport(session=session))
        )
        await nectar.send(request)
        with pytest.raises(ConnectionFailedError) as caught:
            await nectar.send(request)
        assert caught.value.is_sent
        assert nectar.statistics().attempts == len(server.heads) == 2
        assert_clean(caught.value)
    if not is_own:
        assert counting.calls >= 2
        assert all("X-Signed: yes" in head for head in server.heads)


@pytest.mark.asyncio
async def test_only_the_retry_stage_repeats_requests() -> None:
    async with run_dropping_server() as server:
        nectar = build_client(server.origin, retry=RetryPolicy(attempts=2))
        async with nectar:
            await nectar.send(GET)
            await nectar.send(GET)
        assert nectar.statistics().attempts == len(server.heads) == 3


# Sessions of the user's.


@pytest.mark.asyncio
async def test_a_session_of_the_users_is_neither_changed_nor_closed() -> None:
    counting = Counting()
    packed = answer(gzip.compress(b"{}"), "200 OK", "Content-Encoding: gzip")
    async with run_server(packed) as server:
        session = aiohttp.ClientSession(
            raise_for_status=True, auto_decompress=True, middlewares=[counting]
        )
        before = dict(vars(session))
        headers, cookies = dict(session.headers), list(session.cookie_jar)
        async with build_client(
            server.origin, AiohttpTransport(session=session)
        ) as nectar:
            assert await nectar.send(GET) == {}
        assert not session.closed
        assert vars(session) == before
        assert (dict(session.headers), list(session.cookie_jar)) == (headers, cookies)
        assert counting.calls == 1
        await session.close()


@pytest.mark.asyncio
async def test_raise_for_status_of_a_session_has_no_effect() -> None:
    async with (
        run_server(answer(b'{"detail": "gone"}', "404 Not Found")) as server,
        aiohttp.ClientSession(raise_for_status=True) as session,
    ):
        nectar = build_client(server.origin, AiohttpTransport(session=session))
        with pytest.raises(NotFoundError) as caught:
            await nectar.send(GET)
    assert caught.value.detail == "gone"


@pytest.mark.asyncio
async def test_a_short_timeout_of_a_session_has_no_effect() -> None:
    release = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.hear(reader)
        await release.wait()
        writer.write(answer())

    timeout = aiohttp.ClientTimeout(total=0.01)
    async with (
        run_server(talk) as server,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        nectar = build_client(server.origin, AiohttpTransport(session=session))
        asyncio.get_running_loop().call_later(0.05, release.set)
        assert await nectar.send(GET) == {}


@pytest.mark.asyncio
async def test_a_session_gets_no_cookies_of_the_api() -> None:
    reply = answer(b"{}", "200 OK", "Set-Cookie: session=1")
    async with run_server(reply) as server, build_client(server.origin) as nectar:
        await nectar.send(GET)
        await nectar.send(GET)
    assert not any("Cookie:" in head for head in server.heads)


@pytest.mark.asyncio
async def test_a_closed_session_is_an_error() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    nectar = build_client("http://127.0.0.1:9", AiohttpTransport(session=session))
    with pytest.raises(ClientClosedError):
        await nectar.send(GET)


def test_a_session_excludes_the_arguments_that_it_decides() -> None:
    session: Any = object()
    with pytest.raises(ConfigurationError):
        AiohttpTransport(session=session, trust_env=True)


# Bodies.


@asynccontextmanager
async def run_stalling_server() -> AsyncIterator[tuple[Server, asyncio.Event]]:
    """A server that stops in the middle of a response."""
    is_half = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.hear(reader)
        writer.write(answer(b"x" * 1000)[:-500])
        await writer.drain()
        is_half.set()
        await reader.read()

    async with run_server(talk) as server:
        yield server, is_half


def count_acquired(session: aiohttp.ClientSession) -> int:
    """Count the connections of a session that were not released."""
    assert session.connector is not None
    return len(session.connector._acquired)


@pytest.mark.asyncio
async def test_cancelling_within_a_body_releases_the_connection() -> None:
    async with (
        run_stalling_server() as (server, is_half),
        aiohttp.ClientSession() as session,
    ):
        nectar = build_client(server.origin, AiohttpTransport(session=session))
        task = asyncio.create_task(nectar.send(GET))
        await is_half.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        assert count_acquired(session) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert count_acquired(session) == 0
        assert nectar.statistics().in_flight == 0


@pytest.mark.asyncio
async def test_a_timeout_within_a_body_releases_the_connection() -> None:
    async with run_stalling_server() as (server, _), aiohttp.ClientSession() as session:
        transport = AiohttpTransport(session=session)
        nectar = build_client(server.origin, transport, attempt_timeout=0.05)
        with pytest.raises(TransportError, match=r"0\.05"):
            await nectar.send(GET)
        assert count_acquired(session) == 0


@pytest.mark.asyncio
async def test_a_connection_that_breaks_within_a_body_is_an_error() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.hear(reader)
        writer.write(answer(b"x" * 1000)[:-500])

    async with run_server(talk) as server, build_client(server.origin) as nectar:
        with pytest.raises(ConnectionFailedError, match="broke off") as caught:
            await nectar.send(GET)
    assert (caught.value.is_sent, caught.value.is_permanent) == (True, False)
    assert_clean(caught.value)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 3
)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(b"x" * 3000), id="by content-length"),
        pytest.param(CHUNKED + b"0\r\n\r\n", id="chunked"),
        pytest.param(CHUNKED, id="chunked without end"),
    ],
)
async def test_a_body_over_the_limit_is_not_read(reply: bytes) -> None:
    async with run_server(reply) as server, aiohttp.ClientSession() as session:
        transport = AiohttpTransport(session=session)
        nectar = build_client(
            server.origin, transport, max_body_bytes=2000, retry=RetryPolicy()
        )
        with pytest.raises(BodyTooLargeError, match="2,000 bytes") as caught:
            await nectar.send(GET)
        assert count_acquired(session) == 0
    assert len(server.heads) == 1
    assert_clean(caught.value)


@pytest.mark.asyncio
async def test_a_body_of_exactly_the_limit_is_read() -> None:
    body = b'{"a": "' + b"x" * 1991 + b'"}'
    async with (
        run_server(answer(body)) as server,
        build_client(server.origin, max_body_bytes=2000) as nectar,
    ):
        assert len((await nectar.send(GET))["a"]) == 1991


# Connections that fail.


async def find_closed_port() -> int:
    """Find a port without a listener."""
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(listener.sockets[0].getsockname()[1])
    listener.close()
    await listener.wait_closed()
    return port


@pytest.mark.asyncio
async def test_a_refused_connection_was_not_sent() -> None:
    async with build_client(f"http://127.0.0.1:{await find_closed_port()}") as nectar:
        with pytest.raises(ConnectionFailedError, match="refused") as caught:
            await nectar.send(Request.post("o", "/x", dict, json={}))
    assert (caught.value.is_sent, caught.value.is_permanent) == (False, False)
    assert_clean(caught.value)


@pytest.mark.asyncio
async def test_a_connection_that_closes_before_an_answer_may_have_been_sent() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.hear(reader)

    async with run_server(talk) as server, build_client(server.origin) as nectar:
        with pytest.raises(ConnectionFailedError) as caught:
            await nectar.send(Request.post("o", "/x", dict, json={}))
    assert (caught.value.is_sent, caught.value.is_permanent) == (True, False)
    assert_clean(caught.value)


@pytest.mark.asyncio
async def test_a_response_that_is_no_http_is_a_failed_connection() -> None:
    async with (
        run_server(b"220 smtp ready\r\n\r\n") as server,
        build_client(server.origin) as nectar,
    ):
        with pytest.raises(ConnectionFailedError, match="no valid HTTP") as caught:
            await nectar.send(GET)
    assert_clean(caught.value)


class Nowhere(AbstractResolver):
    """A resolver that finds no host."""

    async def resolve(
        self, host: str, port: int = 0, family: Any = 0
    ) -> list[ResolveResult]:
        raise OSError(None, "no such host")

    async def close(self) -> None: ...


@pytest.mark.asyncio
async def test_a_host_that_cannot_be_found_was_not_sent() -> None:
    connector = aiohttp.TCPConnector(resolver=Nowhere())
    async with aiohttp.ClientSession(connector=connector) as session:
        transport = AiohttpTransport(session=session)
        nectar = build_client("http://nectar.invalid", transport)
        with pytest.raises(ConnectionFailedError, match="cannot be found") as caught:
            await nectar.send(GET)
    assert "nectar.invalid" in str(caught.value)
    assert (caught.value.is_sent, caught.value.is_permanent) == (False, False)
    assert_clean(caught.value)


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", "xn--.invalid"])
async def test_an_invalid_host_is_a_transport_error(host: str) -> None:
    with pytest.raises((TransportError, ConfigurationError)):
        async with build_client(f"http://{host}") as nectar:
            await nectar.send(GET)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.asyncio
async def test_an_untrusted_certificate_is_a_permanent_error(
    server_tls: ssl.SSLContext,
) -> None:
    async with (
        run_server(answer(), server_tls) as server,
        build_client(server.origin, retry=RetryPolicy()) as nectar,
    ):
        with pytest.raises(ConnectionFailedError, match="not trusted") as caught:
            await nectar.send(GET)
        assert nectar.statistics().attempts == 1
    assert (caught.value.is_sent, caught.value.is_permanent) == (False, True)
    assert server.heads == []
    assert_clean(caught.value)


@pytest.mark.asyncio
async def test_a_certificate_authority_can_be_trusted(
    authority: trustme.CA, server_tls: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    transport = AiohttpTransport(ssl_context=trusting)
    async with (
        run_server(answer(), server_tls) as server,
        build_client(server.origin, transport) as nectar,
    ):
        assert await nectar.send(GET) == {}


@pytest.mark.asyncio
async def test_tls_with_a_server_that_has_none_was_not_sent() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 no tls\r\n")

    async with (
        run_server(talk) as server,
        build_client(server.origin.replace("http:", "https:")) as nectar,
    ):
        with pytest.raises(ConnectionFailedError) as caught:
            await nectar.send(GET)
    assert not caught.value.is_sent
    assert_clean(caught.value)


@pytest.mark.asyncio
async def test_a_proxy_is_used_and_an_unreachable_one_means_not_sent() -> None:
    async with run_server(answer()) as proxy:
        transport = AiohttpTransport(proxy=proxy.origin)
        async with build_client("http://nectar.invalid", transport) as nectar:
            await nectar.send(GET)
    assert proxy.heads[0].startswith("GET http://nectar.invalid/v2.2/thing HTTP/1.1")
    transport = AiohttpTransport(proxy=f"http://127.0.0.1:{await find_closed_port()}")
    async with build_client("http://nectar.invalid", transport) as nectar:
        with pytest.raises(ConnectionFailedError, match="proxy") as caught:
            await nectar.send(GET)
    assert not caught.value.is_sent
    assert_clean(caught.value)


# The table of errors.


def list_subclasses(root: type[T]) -> Iterator[type[T]]:
    """List a class and its subclasses in aiohttp."""
    yield root
    for kind in root.__subclasses__():
        if kind.__module__.startswith("aiohttp"):
            yield from list_subclasses(kind)


KINDS = sorted(
    {
        *list_subclasses(aiohttp.ClientError),
        OSError,
        TimeoutError,
        ConnectionResetError,
    },
    key=lambda kind: kind.__name__,
)


def test_every_error_of_aiohttp_is_in_the_table() -> None:
    assert len(KINDS) > 25


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_of_aiohttp_becomes_a_transport_error(
    kind: type[Exception],
) -> None:
    original = kind.__new__(kind)
    original.args = (KEY,)
    error = translate_error(original, f"https://api.example/v2.2/thing?secret={KEY}")
    assert_clean(error)
    assert isinstance(error, ConnectionFailedError)


def test_no_row_of_the_table_hides_one_below_it() -> None:
    kinds = [kind for kind, _ in AIOHTTP_ERRORS]
    for number, kind in enumerate(kinds):
        assert not any(issubclass(kind, above) for above in kinds[:number]), kind


@pytest.mark.parametrize(
    ("kind", "is_sent"),
    [
        (aiohttp.ClientConnectorError, False),
        (aiohttp.ClientConnectorDNSError, False),
        (aiohttp.ClientConnectorSSLError, False),
        (aiohttp.ClientConnectorCertificateError, False),
        (aiohttp.ClientProxyConnectionError, False),
        (aiohttp.ConnectionTimeoutError, False),
        (aiohttp.InvalidURL, False),
        (aiohttp.SocketTimeoutError, True),
        (aiohttp.ServerDisconnectedError, True),
        (aiohttp.ClientConnectionResetError, True),
        (aiohttp.ClientPayloadError, True),
        (aiohttp.ClientOSError, True),
        (aiohttp.ClientError, True),
        (TimeoutError, True),
        (ConnectionResetError, True),
    ],
)
def test_is_sent_is_false_where_nothing_was_sent(
    kind: type[Exception], is_sent: bool
) -> None:
    assert translate_error(kind.__new__(kind)).is_sent is is_sent


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", KINDS)
async def test_no_error_of_aiohttp_reaches_the_caller(kind: type[Exception]) -> None:
    async def failing(
        request: aiohttp.ClientRequest, _: object
    ) -> aiohttp.ClientResponse:
        error = kind.__new__(kind)
        error.args = (repr(request.headers),)
        raise error

    async with aiohttp.ClientSession(middlewares=[failing]) as session:
        transport = AiohttpTransport(session=session)
        nectar = build_client("http://127.0.0.1:9", transport)
        with pytest.raises(ConnectionFailedError) as caught:
            await nectar.send(GET)
    assert_clean(caught.value)


# Opening and closing.


@pytest.mark.asyncio
async def test_closing_releases_every_connection_and_closing_twice_does_nothing() -> (
    None
):
    async with run_server(answer()) as server:
        transport = AiohttpTransport()
        nectar = build_client(server.origin, transport)
        await asyncio.gather(*(nectar.send(GET) for _ in range(30)))
        session = transport._session
        assert session is not None
        await nectar.aclose()
        await transport.aclose()
        assert session.closed
        with pytest.raises(ClientClosedError):
            await transport.send(GET)


@pytest.mark.asyncio
async def test_connections_are_reused() -> None:
    async with run_server(answer()) as server, build_client(server.origin) as nectar:
        for _ in range(5):
            await nectar.send(GET)
        assert len(server._writers) == 1


@pytest.mark.asyncio
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:max_concurrency is above 10")
async def test_the_pool_does_not_limit_what_the_limiter_allows() -> None:
    all_arrived, count = asyncio.Event(), 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        await server.hear(reader)
        count += 1
        if count == 150:
            all_arrived.set()
        await all_arrived.wait()
        writer.write(answer())

    async with (
        run_server(talk) as server,
        build_client(server.origin, max_concurrency=150) as nectar,
    ):
        await asyncio.gather(*(nectar.send(GET) for _ in range(150)))


def test_a_client_of_an_ended_loop_can_be_closed_or_raises_a_clear_error() -> None:
    clients: list[NectarClient] = []

    async def use() -> None:
        async with run_server(answer()) as server:
            clients.append(build_client(server.origin))
            await clients[0].send(GET)

    asyncio.run(use())
    with contextlib.suppress(WrongLoopError):
        asyncio.run(clients[0].aclose())


def test_creating_the_transport_does_not_block_the_loop() -> None:
    script = """
    import asyncio, ssl, sys, threading
    import nectar_async
    assert "aiohttp" not in sys.modules

    main, calls = threading.get_ident(), []

    def hook(event, args):
        if event == "import" and args[0] == "aiohttp":
            calls.append(("import", threading.get_ident() == main))

    sys.addaudithook(hook)
    load = ssl.SSLContext.load_default_certs

    def counted(*args, **kwargs):
        calls.append(("certificates", threading.get_ident() == main))
        return load(*args, **kwargs)

    ssl.SSLContext.load_default_certs = counted

    async def run():
        async with nectar_async.NectarClient("key"):
            pass

    asyncio.run(run())
    assert "aiohttp" in sys.modules
    assert ("import", False) in calls, calls
    assert not any(on_loop for _, on_loop in calls), calls
    """
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# With aioresponses.

BASE = "https://external.nectarclimate.com/v2.2"


@pytest.mark.asyncio
async def test_users_can_test_with_aioresponses() -> None:
    with aioresponses() as stubs:
        stubs.get(f"{BASE}/ping", payload="pong v2.2")
        stubs.get(f"{BASE}/company", payload=[{"id": "c", "name": "C"}])
        async with NectarClient(KEY) as nectar:
            assert await nectar.ping() == "pong v2.2"
            assert [company.id for company in await nectar.companies.all()] == ["c"]


@pytest.mark.asyncio
async def test_aioresponses_can_fail_too() -> None:
    with aioresponses() as stubs:
        stubs.get(f"{BASE}/ping", status=500)
        stubs.get(f"{BASE}/ping", exception=aiohttp.ServerDisconnectedError())
        stubs.get(f"{BASE}/ping", payload="pong")
        clock = VirtualClock()
        async with NectarClient(KEY, clock=clock) as nectar:
            assert await nectar.ping() == "pong"
            stubs.get(f"{BASE}/ping", status=500, repeat=True)
            with pytest.raises(ServerError):
                await nectar.ping()
    assert clock.sleeps == [0.5, 1.0, 0.5, 1.0, 2.0]
