"""The errors of connections: exceptions of aiohttp, and what they mean for the caller.

An exception of aiohttp must not reach the caller: its `repr` holds the key, and it
cannot be pickled. Of its text only what is known to be harmless is shown.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from attrs import frozen

from nectar_async.errors import ConnectionFailedError, TransportError

__all__ = ["AIOHTTP_ERRORS", "TRANSLATED", "translate_error"]

TRANSLATED: Final = (aiohttp.ClientError, OSError)  # TimeoutError is an OSError
"""The exceptions that are translated."""

_PROXY_ERRORS: Final = (
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
)


@frozen
class Peer:
    """The other end of the connection that failed, as an error names it."""

    name: str
    is_tls: bool = False
    """Whether the URL of the request begins with https."""
    is_first: bool = False
    """Whether no request of the transport was answered yet, and there is no proxy."""
    is_proxy: bool = False
    """Whether it is a proxy, so that the server got nothing."""

    def __str__(self) -> str:
        return self.name


ErrorFactory = Callable[[BaseException, Peer], TransportError]
"""Builds the error for an exception of aiohttp."""


def translate_error(
    error: BaseException,
    url: str = "",
    *,
    proxy: str = "",
    is_connecting: bool = False,
    is_first: bool = False,
) -> TransportError:
    """Convert an exception of aiohttp to a `TransportError`.

    Args:
        error: one of `TRANSLATED`.
        url: the URL of the request.
        proxy: host and port of the proxy that the request goes through.
        is_connecting: whether the request certainly was not sent yet.
        is_first: whether no request of the transport was answered yet.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # a link may hold a password
    origin = f"{parts.scheme}://{host}" if host else "the server"
    if _is_about_proxy(error, proxy, is_connecting=is_connecting):
        name = f"the proxy {proxy or _read_address(error)}".rstrip()
        peer = Peer(name, is_proxy=True)
    else:
        name = f"{origin} (through the proxy {proxy})" if proxy else origin
        peer = Peer(name, parts.scheme == "https", is_first and not proxy)
    build = next(build for kind, build in AIOHTTP_ERRORS if isinstance(error, kind))
    failure = build(error, peer)
    if peer.is_proxy:
        failure.is_sent = False
        failure.message += f"; nothing was sent to {origin}"
        failure.args = (failure.message,)
    return failure


def _is_about_proxy(error: BaseException, proxy: str, *, is_connecting: bool) -> bool:
    """Whether the connection to a proxy failed, and not the one to the server."""
    if isinstance(error, _PROXY_ERRORS) or not proxy:
        return isinstance(error, _PROXY_ERRORS)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _read_address(error) == proxy  # else TLS failed behind the proxy
    return is_connecting


def _read_address(error: BaseException) -> str:
    """Read the host and the port of an error of aiohttp; empty if it has none."""
    source = getattr(getattr(error, "request_info", None), "real_url", error)
    host, port = getattr(source, "host", None), getattr(source, "port", None)
    return f"{host}:{port}" if host else ""


def _build_unsent_factory(words: str, *, is_permanent: bool = False) -> ErrorFactory:
    """Build a factory of errors before a request was sent; `{}` is the peer."""
    return lambda error, peer: ConnectionFailedError(
        f"{words.format(peer)}{_read_reason(error)}",
        is_sent=False,
        is_permanent=is_permanent,
    )


def _build_sent_factory(words: str) -> ErrorFactory:
    """Build a factory of errors after a request may have reached the server."""
    return lambda error, peer: ConnectionFailedError(
        f"{words.format(peer)}{_read_reason(error)}"
    )


def _find_cause(error: BaseException) -> BaseException:
    """Find the system's error behind an error of aiohttp."""
    for name in ("certificate_error", "os_error"):
        if isinstance(cause := getattr(error, name, None), BaseException):
            return cause
    # An alert that ends a connection is not an `os_error`.
    return error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error


def _read_reason(error: BaseException) -> str:
    """Get the system's message only; the text of an aiohttp error may hold secrets."""
    cause = _find_cause(error)
    if isinstance(cause, ssl.SSLError):
        words = getattr(cause, "verify_message", None) or _read_tls_code(error).lower()
        return f": {words.rstrip('.').replace('_', ' ')}" if words else ""
    number = getattr(cause, "errno", None)
    if not isinstance(number, int) or number <= 0:
        return ""
    return f": {os.strerror(number)}"


def _read_tls_code(error: BaseException) -> str:
    """Read OpenSSL's name of a failure, as `WRONG_VERSION_NUMBER`; else empty."""
    return getattr(_find_cause(error), "reason", None) or ""


# TLS

_CONTEXT: Final = "AiohttpTransport(ssl_context=...)"
_LOAD: Final = f"load one into the context of {_CONTEXT} with load_cert_chain"

# OpenSSL's names of failures, and what they mean. None of them passes by itself.
_TLS_FAULTS: Final[Sequence[tuple[re.Pattern[str], str]]] = (
    (
        re.compile("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST"),
        "no TLS with {}: the port speaks no TLS; use http:// or another port",
    ),
    (
        re.compile("PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS"),
        (
            "no TLS with {}: it has no version of TLS that is allowed here; set"
            f" minimum_version and maximum_version of the context of {_CONTEXT}"
        ),
    ),
    (
        re.compile("CERTIFICATE_REQUIRED"),
        f"{{}} demands a client certificate; {_LOAD}",
    ),
    (
        re.compile("ALERT_(UNKNOWN_CA|ACCESS_DENIED|([A-Z]+_)?CERTIFICATE)"),
        f"{{}} refused the client certificate; {_LOAD} that it accepts",
    ),
    (
        re.compile("HANDSHAKE_FAILURE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY"),
        (
            "{} refused the handshake of TLS, because it demands a client certificate"
            f" or no cipher is allowed on both sides; change the context of {_CONTEXT}"
        ),
    ),
    (
        re.compile("UNRECOGNIZED_NAME"),
        "no TLS with {}: the server does not know this host; check the host",
    ),
)
_TRUST: Final = (
    f"; if you trust it, name its authority in SSL_CERT_FILE or in {_CONTEXT}"
)
_CLOCK: Final = "; it must be renewed on the server, or the clock here is wrong"
_HOST: Final = "; check the host in the URL"
# By the codes of OpenSSL, X509_V_ERR_...
_CERTIFICATE_ADVICE: Final[Mapping[int, str]] = {
    **dict.fromkeys((2, 18, 19, 20, 21), _TRUST),
    **dict.fromkeys((9, 10), _CLOCK),
    **dict.fromkeys((62, 64), _HOST),
}


def _build_certificate_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of a server whose certificate is not accepted."""
    code = getattr(_find_cause(error), "verify_code", 0)
    return ConnectionFailedError(
        f"the certificate of {peer} is not trusted{_read_reason(error)}"
        f"{_CERTIFICATE_ADVICE.get(code, '')}",
        is_sent=False,
        is_permanent=True,
    )


def _build_tls_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of a connection on which TLS could not begin."""
    if (fault := _find_tls_fault(error, peer)) is not None:
        return fault
    if "EOF" in _read_tls_code(error):
        return _build_closed_handshake_error(peer)
    return ConnectionFailedError(
        f"no TLS with {peer}{_read_reason(error)}", is_sent=False
    )


def _find_tls_fault(error: BaseException, peer: Peer) -> TransportError | None:
    """Build the error of a failure in the table; None for any other failure."""
    code = _read_tls_code(error)
    for pattern, words in _TLS_FAULTS:
        if pattern.search(code):
            text = words.format(peer)
            return ConnectionFailedError(text, is_sent=False, is_permanent=True)
    return None


def _build_closed_handshake_error(peer: Peer) -> TransportError:
    return ConnectionFailedError(
        f"{peer} closed the connection in the handshake of TLS; if it does so every"
        " time, it may demand another version of TLS or a client certificate: change"
        f" the context of {_CONTEXT}",
        is_sent=False,
    )


def _build_connect_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of a connection that could not be opened."""
    if peer.is_tls and isinstance(_find_cause(error), ConnectionResetError):
        return _build_closed_handshake_error(peer)
    return ConnectionFailedError(
        f"cannot connect to {peer}{_read_reason(error)}", is_sent=False
    )


# Connections that end, and answers that cannot be read


def _build_broken_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of a connection that ended before the answer was complete."""
    # With TLS 1.3 the server checks a client certificate after the handshake.
    fault = _find_tls_fault(error, peer)
    if fault is not None and "ALERT" in _read_tls_code(error):
        return fault
    is_closed = isinstance(error, aiohttp.ServerDisconnectedError)
    words = f"{peer} closed the connection"
    if not is_closed:
        words = f"the connection to {peer} broke{_read_reason(error)}"
    return ConnectionFailedError(words + _find_first_advice(peer))


def _find_first_advice(peer: Peer) -> str:
    """Find what a server may expect that never answered; TLS gives no reason for it."""
    if not peer.is_first:
        return ""
    if peer.is_tls:
        return f"; if it demands a client certificate, {_LOAD}"
    return "; if the port speaks TLS, use https://"


# The beginning of the record with which a server of TLS refuses plain HTTP, as the
# parser quotes it.
_TLS_ALERT: Final = r"\x15\x03"
# The parser's own words; what it quotes of the answer may hold secrets.
_PARSER_WORDS: Final = re.compile(r"[A-Za-z0-9 ,/'-]{1,70}")
# A server that sends such headers sends them again.
_PERMANENT: Final = re.compile(
    r"Got more|Too many|Duplicate|Transfer-Encoding|.*Content-Length|Invalid.* header"
)
_LIMITS: Final[Mapping[str, str]] = {
    "Got more": " (a header is longer than aiohttp reads; pass a session with a larger"
    " max_line_size and max_field_size)",
    "Too many": " (aiohttp does not read that many; pass a session with a larger"
    " max_headers)",
}


def _build_answer_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of an answer that aiohttp cannot parse."""
    message = str(getattr(error, "message", ""))
    if _TLS_ALERT in message:
        return ConnectionFailedError(
            f"{peer} answered in TLS; use https://", is_permanent=True
        )
    phrase = message.partition(":")[0]
    reason = f": {phrase}" if _PARSER_WORDS.fullmatch(phrase) else ""
    return ConnectionFailedError(
        f"the answer of {peer} is no valid HTTP{reason}{_LIMITS.get(phrase[:8], '')}",
        is_permanent=_PERMANENT.match(phrase) is not None,
    )


# Proxies and addresses

_PROXY_LOGIN: Final = 407
_SERVER_ERROR: Final = 500
_PASSING: Final = frozenset({408, 425, 429})


def _build_proxy_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of a proxy that refused to connect."""
    status = getattr(error, "status", 0)
    advice = "; check the user and the password of the proxy" * (status == _PROXY_LOGIN)
    return ConnectionFailedError(
        f"{peer} refused the connection with status {status}{advice}",
        is_sent=False,
        is_permanent=status < _SERVER_ERROR and status not in _PASSING,
    )


def _build_url_error(error: BaseException, peer: Peer) -> TransportError:
    """Build the error of an address that is no URL."""
    is_server = str(getattr(error, "url", "")).startswith(peer.name)
    words = f"the address {peer}" if is_server else "the address of the proxy"
    return ConnectionFailedError(f"{words} is no URL", is_sent=False, is_permanent=True)


# The first row that matches is used, so subclasses come before their base classes.
AIOHTTP_ERRORS: Final[Sequence[tuple[type[BaseException], ErrorFactory]]] = (
    (aiohttp.ClientConnectorCertificateError, _build_certificate_error),
    (aiohttp.ServerFingerprintMismatch, _build_certificate_error),
    (aiohttp.ClientConnectorSSLError, _build_tls_error),
    (aiohttp.ClientSSLError, _build_tls_error),
    (
        aiohttp.ClientConnectorDNSError,
        _build_unsent_factory("the host of {} cannot be found"),
    ),
    (
        aiohttp.ClientProxyConnectionError,
        _build_unsent_factory("{} cannot be reached"),
    ),
    (aiohttp.ClientHttpProxyError, _build_proxy_error),
    (aiohttp.ClientConnectorError, _build_connect_error),
    (
        aiohttp.ConnectionTimeoutError,
        _build_unsent_factory("no connection to {} in time"),
    ),
    (aiohttp.InvalidURL, _build_url_error),
    (
        aiohttp.NonHttpUrlClientError,
        _build_unsent_factory("no HTTP address", is_permanent=True),
    ),
    (aiohttp.ServerDisconnectedError, _build_broken_error),
    (aiohttp.ServerTimeoutError, _build_sent_factory("{} went silent")),
    (aiohttp.ClientPayloadError, _build_sent_factory("the answer of {} broke off")),
    (aiohttp.ClientResponseError, _build_answer_error),
    (aiohttp.ClientOSError, _build_broken_error),
    (aiohttp.ClientConnectionError, _build_broken_error),
    (aiohttp.ClientError, _build_sent_factory("the HTTP client failed")),
    (ConnectionError, _build_broken_error),
    (TimeoutError, _build_sent_factory("{} went silent")),
    (OSError, _build_broken_error),
)
