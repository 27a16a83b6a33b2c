"""An error of TLS says what it is and the way out, and what cannot help is not done."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
from attrs import define
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from raw_server import OK, create_company, serve

from nectar_async import (
    BadRequestError,
    ConnectionFailedError,
    NectarClient,
    RetryPolicy,
    Settings,
)
from nectar_async.transports import AiohttpTransport

TWICE = RetryPolicy(attempts=2, wait_initial=0.001)
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
CONTEXT = "AiohttpTransport(ssl_context=...)"

Prepare = Callable[[ssl.SSLContext], None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def build_server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def build_client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@define
class AlertingServer:
    """A TLS server with OpenSSL's alerts, which those of asyncio do not send."""

    context: ssl.SSLContext
    port: int = 0
    connections: int = 0

    def run(self, listener: socket.socket) -> None:
        """Answer connections until the listener is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(5)
            with connection, suppress(OSError):
                self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        try:
            tls = self.context.wrap_socket(connection, server_side=True)
        except ssl.SSLError:
            # Closed with unread data it would be reset, and the alert lost.
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(10_000):
                pass
            raise
        with tls:
            tls.recv(10_000)
            tls.sendall(OK + b"content-length: 2\r\n\r\n[]")


@contextmanager
def serve_alerts(context: ssl.SSLContext) -> Iterator[AlertingServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = AlertingServer(context, listener.getsockname()[1])
    thread = threading.Thread(target=server.run, args=(listener,))
    thread.start()
    try:
        yield server
    finally:
        # Closing a socket does not wake its `accept`.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@asynccontextmanager
async def serve_without_alerts(context: ssl.SSLContext) -> AsyncIterator[int]:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    # asyncio logs each handshake that fails.
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    async with await asyncio.start_server(close, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


def write_self_signed_certificate(path: Path) -> Path:
    """Write a certificate that no authority issued, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(
            encoding,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(encoding)
    )
    return path


async def get_failure(url: str, context: ssl.SSLContext | None) -> Any:
    transport = AiohttpTransport(ssl_context=context)
    error = await create_company(url, transport, retry=TWICE)
    assert isinstance(error, ConnectionFailedError)
    return error


def set_version(name: str, version: ssl.TLSVersion, context: ssl.SSLContext) -> None:
    setattr(context, name, version)


at_most_1_2 = partial(set_version, "maximum_version", ssl.TLSVersion.TLSv1_2)
at_least_1_3 = partial(set_version, "minimum_version", ssl.TLSVersion.TLSv1_3)


def allow_cipher(name: str, context: ssl.SSLContext) -> None:
    at_most_1_2(context)
    context.set_ciphers(f"ECDHE-ECDSA-{name}:ECDHE-RSA-{name}")


def demand_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED


def demand_certificate_with_1_2(context: ssl.SSLContext) -> None:
    demand_certificate(context)
    at_most_1_2(context)


def present_unknown_certificate(context: ssl.SSLContext) -> None:
    trustme.CA().issue_cert("me@example.com").configure_cert(context)


def change_nothing(_: ssl.SSLContext) -> None: ...


NO_VERSION = "no TLS with {}: it has no version of TLS that is allowed here; set"
REFUSED = "{} refused the handshake of TLS, because it demands a client certificate or"
UNKNOWN = "{} refused the client certificate; load one into the context of"
FAULTS = [
    (at_most_1_2, at_least_1_3, NO_VERSION),
    (at_least_1_3, at_most_1_2, NO_VERSION),
    (
        partial(allow_cipher, "AES128-GCM-SHA256"),
        partial(allow_cipher, "AES256-GCM-SHA384"),
        REFUSED,
    ),
    (demand_certificate_with_1_2, change_nothing, REFUSED),
    (demand_certificate, change_nothing, "{} demands a client certificate; load one"),
    (demand_certificate_with_1_2, present_unknown_certificate, UNKNOWN),
    (demand_certificate, present_unknown_certificate, UNKNOWN),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(("server_side", "client_side", "words"), FAULTS)
async def test_an_alert_is_explained_and_the_request_is_not_repeated(
    authority: trustme.CA, server_side: Prepare, client_side: Prepare, words: str
) -> None:
    server_context = build_server_context(authority.issue_cert("127.0.0.1"))
    client_context = build_client_context(authority)
    server_side(server_context)
    client_side(client_context)
    with serve_alerts(server_context) as server:
        url = f"https://127.0.0.1:{server.port}"
        error = await get_failure(url, client_context)
    assert error.message.startswith(words.format(url))
    assert CONTEXT in error.message
    assert (error.is_sent, error.is_permanent) == (False, True)
    assert server.connections == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("server_side", "client_side", "words"), FAULTS)
async def test_a_server_without_alerts_may_demand_something(
    authority: trustme.CA, server_side: Prepare, client_side: Prepare, words: str
) -> None:
    server_context = build_server_context(authority.issue_cert("127.0.0.1"))
    client_context = build_client_context(authority)
    server_side(server_context)
    client_side(client_context)
    async with serve_without_alerts(server_context) as port:
        error = await get_failure(f"https://127.0.0.1:{port}", client_context)
    is_later = server_side is demand_certificate  # after the handshake of TLS 1.3
    assert re.search("closed the connection|connection .* broke", error.message)
    assert "client certificate" in error.message
    assert CONTEXT in error.message
    assert (error.is_sent, error.is_permanent) == (is_later, False)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "times", "words"),
    [
        (
            "127.0.0.1",
            (NOW - 2 * DAY, NOW - DAY),
            "certificate has expired; it must be renewed on the server, or the clock",
        ),
        (
            "127.0.0.1",
            (NOW + DAY, NOW + 2 * DAY),
            "certificate is not yet valid; it must be renewed on the server, or the",
        ),
        (
            "api.example.com",
            (None, None),
            "IP address mismatch, certificate is not valid for '127.0.0.1'; check",
        ),
    ],
)
async def test_a_certificate_of_another_time_or_host_has_advice(
    authority: trustme.CA,
    name: str,
    times: tuple[datetime | None, datetime | None],
    words: str,
) -> None:
    issued = authority.issue_cert(name, not_before=times[0], not_after=times[1])
    async with serve_without_alerts(build_server_context(issued)) as port:
        url = f"https://127.0.0.1:{port}"
        error = await get_failure(url, build_client_context(authority))
    assert error.message.startswith(f"the certificate of {url} is not trusted: {words}")
    assert (error.is_sent, error.is_permanent) == (False, True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("is_self_signed", "words"),
    [(True, "self-signed certificate"), (False, "unable to get local issuer")],
)
async def test_a_certificate_of_an_unknown_authority_has_advice(
    words: str, tmp_path: Path, *, is_self_signed: bool
) -> None:
    context = build_server_context(trustme.CA().issue_cert("127.0.0.1"))
    if is_self_signed:
        context.load_cert_chain(write_self_signed_certificate(tmp_path / "cert.pem"))
    async with serve_without_alerts(context) as port:
        error = await get_failure(f"https://127.0.0.1:{port}", None)
    assert f"is not trusted: {words}" in error.message
    assert error.message.endswith(
        f"; if you trust it, name its authority in SSL_CERT_FILE or in {CONTEXT}"
    )
    assert (error.is_sent, error.is_permanent) == (False, True)


@pytest.mark.asyncio
async def test_https_to_a_port_without_tls_is_named_and_not_repeated() -> None:
    async with serve(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        error = await get_failure(f"https://127.0.0.1:{server.port}", None)
    assert (error.is_sent, error.is_permanent) == (False, True)
    assert "the port speaks no TLS; use http:// or another port" in str(error)


@pytest.mark.asyncio
async def test_http_to_a_port_with_tls_has_advice(authority: trustme.CA) -> None:
    context = build_server_context(authority.issue_cert("127.0.0.1"))
    async with serve_without_alerts(context) as port:
        error = await get_failure(f"http://127.0.0.1:{port}", None)
    assert error.message.endswith("; if the port speaks TLS, use https://")
    with serve_alerts(context) as server:
        error = await get_failure(f"http://127.0.0.1:{server.port}", None)
    assert "use https://" in error.message


@pytest.mark.asyncio
async def test_an_alert_in_answer_to_plain_http_is_named() -> None:
    async with serve(b"\x15\x03\x01\x00\x02\x02\x46") as server:
        error = await get_failure(f"http://127.0.0.1:{server.port}", None)
    assert "use https://" in error.message


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "text",
    [
        "<title>400 The plain HTTP request was sent to HTTPS port</title>",
        "Client sent an HTTP request to an HTTPS server.\n",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
async def test_a_web_server_that_explains_it_is_understood(text: str) -> None:
    head = f"HTTP/1.1 400 Bad Request\r\ncontent-length: {len(text)}\r\n\r\n"
    async with serve((head + text).encode()) as server:
        error = await create_company(f"http://127.0.0.1:{server.port}")
    assert isinstance(error, BadRequestError)
    assert "the port speaks TLS; use https:// in the base URL" in str(error)


@pytest.mark.asyncio
async def test_a_server_that_has_answered_gets_no_advice_about_tls() -> None:
    async def answer_once(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"content-length: 2\r\n\r\n[]")
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = Settings(
            base_url=f"http://127.0.0.1:{port}", retry=RetryPolicy(attempts=1)
        )
        async with NectarClient("k", settings=settings) as nectar:
            assert await nectar.companies.all() == []
            with pytest.raises(ConnectionFailedError) as caught:
                await nectar.companies.all()
    assert caught.value.message.endswith(" closed the connection")
