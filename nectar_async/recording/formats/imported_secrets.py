"""Find keys and cookies in the traffic of other tools.

They are left out of the recording. Their values are registered as secrets, so that they
are found wherever else they occur.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from nectar_async.recording.exchange import Pairs

__all__ = ["drop_query_keys", "find_header_secrets", "find_url_secrets"]

_KEY_HEADERS: Final = frozenset(
    {"x-api-key", "api-key", "x-auth-token", "x-csrf-token"}
)
_AUTHORIZATION_HEADERS: Final = frozenset({"authorization", "proxy-authorization"})
_COOKIE_HEADERS: Final = frozenset({"cookie", "set-cookie"})

# Query parameters that hold a key. No parameter of the contract has such a name.
_KEY_PARAMETER: Final = re.compile(
    r"(x[-_]?)?api[-_]?key|key|(access[-_]?|auth[-_]?)?token|authorization|secret",
    re.IGNORECASE,
)

# Texts that other tools put in place of a secret.
_REDACTED: Final = re.compile(
    r"\W*+(redacted|removed|masked|hidden|filtered|dummy|placeholder|x+)?\W*",
    re.IGNORECASE,
)

# Cookies also contain ids, languages and dates, which answers may contain as well.
_MIN_COOKIE_LENGTH: Final = 16
_RANDOM: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9]).+", re.DOTALL)
_ORDINARY: Final = re.compile(
    r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*"
    r"|https?://.*|.*@.*",
    re.IGNORECASE | re.DOTALL,
)


def find_header_secrets(headers: Pairs) -> Iterator[str]:
    """Find the secrets in the headers of a request or a response."""
    for name, text in headers:
        header = name.lower()
        if header in _KEY_HEADERS:
            secrets: Iterable[str] = (text.strip(),)
        elif header in _AUTHORIZATION_HEADERS:
            secrets = _split_authorization(text.strip())
        elif header in _COOKIE_HEADERS:
            secrets = _find_session_cookies(header, text)
        else:
            continue
        yield from (secret for secret in secrets if _REDACTED.fullmatch(secret) is None)


def find_url_secrets(url: str) -> Iterator[str]:
    """Find keys in the query of a URL, and the password before its host."""
    parts = urlsplit(url)
    for name, text in parse_qsl(parts.query):
        if _KEY_PARAMETER.fullmatch(name) and _REDACTED.fullmatch(text) is None:
            yield text
    if parts.password and _REDACTED.fullmatch(parts.password) is None:
        yield unquote(parts.password)


def drop_query_keys(query: Pairs) -> Pairs:
    """Remove keys from a query: this package sends its key in a header."""
    return tuple(pair for pair in query if _KEY_PARAMETER.fullmatch(pair[0]) is None)


def _split_authorization(text: str) -> Iterator[str]:
    """List the header value, its credentials without scheme, and a basic password."""
    scheme, _, credentials = text.partition(" ")
    yield text
    yield credentials.strip()
    if scheme.lower() == "basic":
        try:
            plain = base64.b64decode(credentials).decode()
        except (binascii.Error, ValueError):
            return
        yield plain.partition(":")[2]


def _find_session_cookies(header: str, text: str) -> Iterator[str]:
    """Find cookie values that look random and so may grant access."""
    # Set-Cookie has one cookie with attributes; browsers join several by line breaks.
    cookies = text.splitlines() if header == "set-cookie" else text.split(";")
    for cookie in cookies:
        value = unquote(cookie.partition(";")[0].partition("=")[2].strip().strip('"'))
        is_long = len(value) >= _MIN_COOKIE_LENGTH
        if is_long and _RANDOM.fullmatch(value) and not _ORDINARY.fullmatch(value):
            yield value
