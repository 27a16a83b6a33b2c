"""The transport that sends requests over the network with aiohttp.

It sends each request once: it does not retry, follow redirects, wait, or check the
status. aiohttp's own automatic behaviour (redirects that carry the key along, a resend
when a keep-alive connection drops, decompression without a limit) is turned off per
request, so that this also holds for a session of the user's, which is neither changed
nor closed.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import traceback
from collections.abc import AsyncIterable, Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from nectar_async._http.compression import build_too_large_error
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._types import Secret
from nectar_async.errors import ClientClosedError, ConfigurationError, TransportError
from nectar_async.transports._aiohttp_errors import TRANSLATED, translate_error

__all__ = ["AiohttpTransport"]

# The pipeline limits the time of an attempt for every transport, so aiohttp must not.
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(
    total=None, connect=None, sock_connect=None, sock_read=None
)
_CHUNK: Final = 256 * 1024
# A host with its port. Without a port, digits could be a password.
_ADDRESS: Final = re.compile(
    r"([\w.-]*[a-z][\w.-]*|[\d.]+)(:\d+)?", re.ASCII | re.IGNORECASE
)


def _is_proxy(url: str) -> bool:
    """Whether a text is the URL of a proxy."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")  # fails as a look-up would
        return parts.scheme in {"http", "https"} and bool(host) and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        return False


def _build_proxy_setting_error(setting: str, url: str) -> ConfigurationError:
    """Build the error of an argument or a variable that is no URL of a proxy.

    Only the host and the port are quoted, because the rest may hold a password.
    """
    address = str(url).rpartition("@")[2].rpartition("//")[2].rstrip("/")
    is_clean = _ADDRESS.fullmatch(address) is not None
    return ConfigurationError(
        f"{setting} must be a URL such as 'http://proxy.example:3128', with the scheme"
        " http or https, a valid host and a port below 65536"
        f"{f'; it names the proxy {address}' if is_clean else ''}"
    )


def _name_proxy(url: str | None) -> str:
    """Return the host and the port of the URL of a proxy; empty without one."""
    if url is None:
        return ""
    parts = URL(url)
    return f"{parts.raw_host}:{parts.port}"


_HIDDEN_FOLDERS: Final = tuple(
    f"{Path(file).parent}{os.sep}"
    for file in (aiohttp.__file__, asyncio.__file__, Path(__file__).parent)
)


def _remove_frames(error: BaseException, url: str) -> BaseException:
    """Remove the frames of an error, and aiohttp's errors in its chain.

    Both hold the key. A note names the frames that are neither aiohttp's nor this
    package's: those of the hooks, middlewares or resolver of a user's session.
    """
    lines = [
        f"  File {frame.filename!r}, line {frame.lineno}, in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_HIDDEN_FOLDERS)
    ]
    if isinstance(error, TRANSLATED):
        error = translate_error(error, url)
    elif isinstance(error, BaseExceptionGroup):
        error = error.derive([_remove_frames(one, url) for one in error.exceptions])
    if lines:
        error.add_note("\n".join(["raised while aiohttp sent the request:", *lines]))
    error.__traceback__ = None
    for name in ("__cause__", "__context__"):
        inner = getattr(error, name)
        if inner is not None:
            is_hidden = isinstance(inner, aiohttp.ClientError)
            setattr(error, name, None if is_hidden else _remove_frames(inner, url))
    return error


class AiohttpTransport:
    """Sends requests with aiohttp, over its own session or one that you pass in.

    Args:
        session: a session to use; it is neither changed nor closed. The other
            arguments, except `proxy`, apply to the transport's own session only. If it
            trusts the environment, passwords of `.netrc` are still not sent.
        proxy: the URL of an HTTP proxy, such as `http://proxy.example:3128`.
        ssl_context: certificates to trust and to present; by default the system's.
            Create it before the event loop runs, because that reads files.
        trust_env: whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` set the proxy;
            nothing else of the environment is read, no `.netrc` either.
        keepalive_timeout: seconds that an idle connection is kept open.

    Raises:
        ConfigurationError: `session` was passed with arguments that a session decides,
            or `proxy` is no URL of a proxy.
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
        self._proxy = None if proxy is None else Secret(proxy)
        del proxy  # it may hold a password, which the frames of an error must not show
        if session is not None and (ssl_context is not None or trust_env):
            raise ConfigurationError(
                "ssl_context and trust_env belong to the session; set them where you"
                " create it"
            )
        if self._proxy is not None and not _is_proxy(self._proxy.reveal()):
            raise _build_proxy_setting_error("proxy", self._proxy.reveal())
        self._session = session
        self._is_own = session is None
        self._is_closed = False
        self._has_answers = False
        self._ssl_context = ssl_context
        self._trust_env = trust_env
        self._keepalive_timeout = keepalive_timeout

    async def send(self, request: Request[Any], /) -> Response:
        """Send a request once and read the whole response.

        An exception of the session's own parts, such as a trace hook, a middleware or a
        resolver, is raised with a note that says where it comes from.

        Raises:
            TransportError: no response arrived; its cause is not set, because aiohttp's
                exception holds the key.
        """
        failure: BaseException
        request.timing.is_connecting = True
        try:
            return await self._exchange(request)
        except TRANSLATED as error:
            failure = self._translate(error, request)
        except asyncio.CancelledError as error:
            raise error.with_traceback(None) from None
        except BaseException as error:  # noqa: BLE001 - its frames hold the key
            failure = _remove_frames(error, request.url)
        # Raised outside the `except` block, so that aiohttp's error is not its context,
        # and without the inner frames: they hold aiohttp's response, whose `repr` shows
        # the URL.
        raise failure

    def _translate(self, error: BaseException, request: Request[Any]) -> TransportError:
        return translate_error(
            error,
            request.url,
            proxy=_name_proxy(self._find_proxy(request.url)),
            is_connecting=request.timing.is_connecting,
            is_first=not self._has_answers,
        )

    async def aclose(self) -> None:
        """Close the transport's own session; leave one that was passed in."""
        self._is_closed = True
        if self._is_own and self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, request: Request[Any]) -> Response:
        session = self._get_session()
        # `async with` drops the connection when a cancellation or an error interrupts
        # the body; otherwise it would never return to the pool.
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            headers={hdrs.ACCEPT_ENCODING: "gzip, deflate", **request.headers},
            data=_get_payload(request),
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,
            timeout=_NO_TIMEOUT,
            proxy=self._find_proxy(request.url),
            # A request with a body sets it; aiohttp would add one to an empty POST.
            skip_auto_headers=(hdrs.CONTENT_TYPE,),
            middlewares=_build_middlewares(session, request),
        ) as response:
            self._has_answers = True
            body = await _read_body(response, request.max_body_bytes)
            return Response(response.status, response.headers.items(), body)

    def _find_proxy(self, url: str) -> str | None:
        """Find the proxy of a request: the one that was passed, or the environment's.

        aiohttp's own `trust_env` is not used: it also reads `.netrc`, and would send
        the passwords that it finds there to the API and to the hosts of files.
        """
        if self._proxy is not None:
            return self._proxy.reveal()
        if not self._trust_env:
            return None
        parts = urlsplit(url)
        if proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        proxy = getproxies_environment().get(parts.scheme)
        if proxy is not None and not _is_proxy(proxy):
            raise _build_proxy_setting_error(f"{parts.scheme.upper()}_PROXY", proxy)
        return proxy

    def _get_session(self) -> aiohttp.ClientSession:
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
            # The client's limiter bounds the requests; with a second limit in the pool
            # each could wait for the other. `ssl=True` selects the context that aiohttp
            # creates at its import.
            self._session = aiohttp.ClientSession(
                connector=CleanConnector(
                    limit=0,
                    ssl=True if self._ssl_context is None else self._ssl_context,
                    keepalive_timeout=self._keepalive_timeout,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=_NO_TIMEOUT,
                read_bufsize=_CHUNK,
            )
        return self._session


def _get_payload(request: Request[Any]) -> bytes | AsyncIterable[bytes] | None:
    body = request.body
    if body is None or isinstance(body, bytes):
        return body
    return body() if callable(body) else body


async def _read_body(response: aiohttp.ClientResponse, limit: int | None) -> bytes:
    if limit is None:
        return await response.read()
    if (response.content_length or 0) > limit:
        raise build_too_large_error(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise build_too_large_error(limit)
        chunks.append(chunk)
    return b"".join(chunks)


_Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]


def _build_middlewares(
    session: aiohttp.ClientSession, sent: Request[Any]
) -> tuple[Any, ...]:
    """Add to a session's middlewares one that refuses to send a second time.

    aiohttp resends GET, PUT and DELETE by itself when a keep-alive connection drops, so
    that the server sees three requests for two calls. Only the retry stage may decide
    to repeat a request.

    It also notes when there is a connection to send on: a request that still waits for
    one, in a full pool or in the handshake of TLS, was not sent. And it removes the
    passwords that a session with `trust_env` finds in `.netrc`: they would be sent to
    the API and to the hosts of files.
    """
    errors: list[BaseException] = []
    has_netrc = session.trust_env and not (
        session.auth is not None
        or hdrs.AUTHORIZATION in session.headers
        or any(name.lower() == "authorization" for name in sent.headers)
    )

    async def once(
        request: aiohttp.ClientRequest, handler: _Handler
    ) -> aiohttp.ClientResponse:
        if errors:
            raise errors[0]
        if has_netrc:
            request.headers.popall(hdrs.AUTHORIZATION, None)
        send = request.send

        async def send_connected(connection: Connection) -> aiohttp.ClientResponse:
            sent.timing.is_connecting = False
            return await send(connection)

        request.send = send_connected  # type: ignore[assignment, method-assign]
        try:
            return await handler(request)
        except TRANSLATED as error:
            errors.append(error)
            raise
        finally:
            del request.send  # the method again, so that no cycle is left

    # The middlewares of a request replace the session's, so both are passed.
    return (*getattr(session, "_middlewares", ()), once)


class CleanConnector(aiohttp.TCPConnector):
    """Keeps connections alive, but reuses none that received unrequested data.

    aiohttp would take data that a broken server sent between two requests for the
    response to the second one: the records of one company for those of another.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> Connection:
        """Get a connection without unread data from the pool, or a new one."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            # A server may answer before it is asked, for example with 503; those first
            # bytes of a new connection are the answer to the first request.
            is_new = protocol is None or not getattr(protocol, "is_reused", False)
            if protocol is None or is_new or not protocol.should_close:
                if protocol is not None:
                    # A mark of our own; aiohttp has none for this.
                    protocol.is_reused = True  # type: ignore[attr-defined]
                return connection
            connection.close()
