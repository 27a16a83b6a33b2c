"""The transport over the network, on aiohttp.

It sends once: no repeat, no redirect, no waiting, no judging of a status. What aiohttp
would do on its own (follow redirects with our key, send a request again when a
keep-alive connection drops, unpack without a bound) is turned off per request, so it
holds for a session that the user brought as well, which is neither changed nor closed.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import (
    BodyTooLargeError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    TransportError,
)

__all__ = ["AIOHTTP_ERRORS", "AiohttpTransport"]

# The pipeline bounds attempts, whatever transport it has; aiohttp's own bounds are off.
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(
    total=None, connect=None, sock_connect=None, sock_read=None
)
_CHUNK: Final = 256 * 1024

Verdict = Callable[[BaseException, str], TransportError]


def _not_sent(words: str, *, is_permanent: bool = False) -> Verdict:
    """A verdict for what keeps a request from being sent; the words take an origin."""
    return lambda error, origin: ConnectionFailedError(
        f"{words.format(origin)}{_reason(error)}",
        is_sent=False,
        is_permanent=is_permanent,
    )


def _broke(words: str) -> Verdict:
    """A verdict for what may have reached the server."""
    return lambda error, origin: ConnectionFailedError(
        f"{words.format(origin)}{_reason(error)}"
    )


def _reason(error: BaseException) -> str:
    """The system's words. Nothing else: an aiohttp error's text may hold more."""
    cause = getattr(error, "certificate_error", None) or getattr(
        error, "os_error", error
    )
    if words := getattr(cause, "verify_message", None):
        return f": {words}"
    number = getattr(cause, "errno", None)
    if isinstance(cause, ssl.SSLError) or not isinstance(number, int) or number <= 0:
        return ""
    return f": {os.strerror(number)}"


_CERTIFICATE = "the certificate of {} is not trusted"

# The first row that fits counts, so special kinds come before their bases.
AIOHTTP_ERRORS: Final[Sequence[tuple[type[BaseException], Verdict]]] = (
    (
        aiohttp.ClientConnectorCertificateError,
        _not_sent(_CERTIFICATE, is_permanent=True),
    ),
    (aiohttp.ServerFingerprintMismatch, _not_sent(_CERTIFICATE, is_permanent=True)),
    (aiohttp.ClientConnectorSSLError, _not_sent("no TLS with {}")),
    (aiohttp.ClientSSLError, _not_sent("no TLS with {}")),
    (aiohttp.ClientConnectorDNSError, _not_sent("the host of {} cannot be found")),
    (aiohttp.ClientProxyConnectionError, _not_sent("the proxy cannot be reached")),
    (aiohttp.ClientHttpProxyError, _not_sent("the proxy refused")),
    (aiohttp.ClientConnectorError, _not_sent("cannot connect to {}")),
    (aiohttp.ConnectionTimeoutError, _not_sent("no connection to {} in time")),
    (aiohttp.InvalidURL, _not_sent("the address is no URL", is_permanent=True)),
    (aiohttp.NonHttpUrlClientError, _not_sent("no HTTP address", is_permanent=True)),
    (aiohttp.ServerDisconnectedError, _broke("{} closed the connection")),
    (aiohttp.ServerTimeoutError, _broke("{} went silent")),
    (aiohttp.ClientPayloadError, _broke("the answer of {} broke off")),
    (aiohttp.ClientResponseError, _broke("the answer of {} is no HTTP")),
    (aiohttp.ClientOSError, _broke("the connection to {} broke")),
    (aiohttp.ClientConnectionError, _broke("the connection to {} broke")),
    (aiohttp.ClientError, _broke("the HTTP client failed")),
    (ConnectionError, _broke("the connection to {} broke")),
    (TimeoutError, _broke("{} went silent")),
    (OSError, _broke("the connection to {} broke")),
)


def translate(error: BaseException, url: str = "") -> TransportError:
    """Our error for one of aiohttp's.

    Theirs must not get out: its `repr` holds the key, and it does not pickle.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # a link may hold a password
    origin = f"{parts.scheme}://{host}" if host else "the server"
    make = next(make for kind, make in AIOHTTP_ERRORS if isinstance(error, kind))
    return make(error, origin)


_TRANSLATED: Final = (aiohttp.ClientError, OSError)  # TimeoutError is an OSError


class AiohttpTransport:
    """Sends requests with aiohttp, over a session of its own or one that you bring.

    Args:
        session: a session to use; it is left as it is, and left open. The other
            arguments, `proxy` aside, belong to a session of our own.
        proxy: the address of an HTTP proxy, as `http://proxy.example:3128`.
        ssl_context: certificates to trust and to show; by default those of the system.
            Make it before the event loop runs: that reads files.
        trust_env: whether proxies come from `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`.
        keepalive_timeout: seconds that an idle connection is kept open.

    Raises:
        ConfigurationError: `session` together with arguments that it decides.
    """

    needs_key = True

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = False,
        keepalive_timeout: float = 15.0,
    ) -> None:
        if session is not None and (ssl_context is not None or trust_env):
            raise ConfigurationError(
                "ssl_context and trust_env belong to the session; set them where you"
                " make it"
            )
        self._session = session
        self._is_own = session is None
        self._is_closed = False
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._trust_env = trust_env
        self._keepalive_timeout = keepalive_timeout

    async def send(self, request: Request[Any], /) -> Response:
        """Send it once and read the whole answer.

        Raises:
            TransportError: no answer arrived; what aiohttp raised is not its cause.
        """
        failure: TransportError
        try:
            return await self._exchange(request)
        except _TRANSLATED as error:
            failure = translate(error, request.url)
        except BodyTooLargeError as error:
            failure = error.with_traceback(None)
        except asyncio.CancelledError as error:
            raise error.with_traceback(None) from None
        # Raised out here, so that aiohttp's error is not even its context, and without
        # the frames below: in them is aiohttp's response, whose `repr` has the address.
        raise failure

    async def aclose(self) -> None:
        """Close the session, if it is our own."""
        self._is_closed = True
        if self._is_own and self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, request: Request[Any]) -> Response:
        session = self._open()
        # Left by cancellation or error in mid-body, `async with` drops the connection;
        # otherwise it would stay checked out for ever.
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            headers={hdrs.ACCEPT_ENCODING: "gzip, deflate", **request.headers},
            data=_payload(request),
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,
            timeout=_NO_TIMEOUT,
            proxy=self._proxy,
            # A body brings its own; aiohttp would invent one for a POST without any.
            skip_auto_headers=(hdrs.CONTENT_TYPE,),
            middlewares=_once_after(session),
        ) as response:
            body = await _read(response, request.max_body_bytes)
            return Response(response.status, response.headers.items(), body)

    def _open(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise ClientClosedError("the transport is closed")
        if self._session is not None and self._session.closed:
            raise ClientClosedError("the session of the transport is closed")
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "AiohttpTransport needs asyncio; on trio give the client another"
                " transport: NectarClient(transport=...)"
            ) from None
        if self._session is None:
            # The gate bounds requests; the pool bounds nothing, or two bounds would
            # wait for each other. `ssl=True` is aiohttp's context, made at its import.
            self._session = aiohttp.ClientSession(
                connector=CleanConnector(
                    limit=0,
                    ssl=True if self._ssl_context is None else self._ssl_context,
                    keepalive_timeout=self._keepalive_timeout,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._trust_env,
                timeout=_NO_TIMEOUT,
                read_bufsize=_CHUNK,
            )
        return self._session


def _payload(request: Request[Any]) -> bytes | AsyncIterable[bytes] | None:
    body = request.body
    if body is None or isinstance(body, bytes):
        return body
    return body() if callable(body) else body


async def _read(response: aiohttp.ClientResponse, limit: int | None) -> bytes:
    if limit is None:
        return await response.read()
    too_large = BodyTooLargeError(
        f"the answer has more than {limit:,} bytes; raise max_body_bytes if it may",
        is_permanent=True,
    )
    if (response.content_length or 0) > limit:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


_Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]


def _once_after(session: aiohttp.ClientSession) -> tuple[Any, ...]:
    """The session's middlewares, and one that refuses a second entry.

    aiohttp sends GET, PUT and DELETE again by itself when a kept-alive connection
    drops, so that two calls are three hits at the server. How often a request is sent
    is decided in one place, and it is not this one.
    """
    broken: list[BaseException] = []

    async def once(
        request: aiohttp.ClientRequest, handler: _Handler
    ) -> aiohttp.ClientResponse:
        if broken:
            raise broken[0]
        try:
            return await handler(request)
        except _TRANSLATED as error:
            broken.append(error)
            raise

    # Middlewares of a request replace those of its session, so both are given.
    return (*getattr(session, "_middlewares", ()), once)


class CleanConnector(aiohttp.TCPConnector):
    """Keeps connections alive, but uses none on which something came unasked.

    aiohttp would take what a broken server sent between two requests for the answer to
    the second one: the records of one company for those of another.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> Connection:
        """A connection from the pool on which nothing is waiting, or a new one."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not protocol.should_close:
                return connection
            connection.close()
