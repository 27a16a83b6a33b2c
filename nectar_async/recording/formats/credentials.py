"""Keys and cookies in the traffic of others: left out, and kept in mind.

What opened the API must be nowhere in a recording. It is known from the headers that it
came in, so it is found wherever else it stands.
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

_KEYS: Final = frozenset({"x-api-key", "api-key", "x-auth-token", "x-csrf-token"})
_SCHEMES: Final = frozenset({"authorization", "proxy-authorization"})
_COOKIES: Final = frozenset({"cookie", "set-cookie"})

# No parameter of the contract is called one of these.
_IN_QUERY: Final = re.compile(
    r"(x[-_]?)?api[-_]?key|key|(access[-_]?|auth[-_]?)?token|authorization|secret",
    re.IGNORECASE,
)

# What other tools put in place of a secret.
_MASK: Final = re.compile(
    r"\W*(redacted|removed|masked|hidden|filtered|dummy|placeholder|x+)?\W*",
    re.IGNORECASE,
)

# Cookies hold ids, languages and dates as well, which stand in answers rightfully.
_SHORTEST: Final = 16
_RANDOM: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9]).+", re.DOTALL)
_ORDINARY: Final = re.compile(
    r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*"
    r"|https?://.*|.*@.*",
    re.IGNORECASE | re.DOTALL,
)


def find_header_secrets(headers: Pairs) -> Iterator[str]:
    """What the headers of a request or an answer hold that must not be anywhere."""
    for name, text in headers:
        kind = name.lower()
        if kind in _KEYS:
            found: Iterable[str] = (text.strip(),)
        elif kind in _SCHEMES:
            found = _authorization(text.strip())
        elif kind in _COOKIES:
            found = _cookies(kind, text)
        else:
            continue
        yield from (one for one in found if _MASK.fullmatch(one) is None)


def find_url_secrets(url: str) -> Iterator[str]:
    """A key in the query of an address, and a password before its host."""
    parts = urlsplit(url)
    for name, text in parse_qsl(parts.query):
        if _IN_QUERY.fullmatch(name) and _MASK.fullmatch(text) is None:
            yield text
    if parts.password and _MASK.fullmatch(parts.password) is None:
        yield unquote(parts.password)


def drop_query_keys(query: Pairs) -> Pairs:
    """A query without what is a key: the API has it in a header."""
    return tuple(pair for pair in query if _IN_QUERY.fullmatch(pair[0]) is None)


def _authorization(text: str) -> Iterator[str]:
    """All of it, without its scheme, and a password in it."""
    scheme, _, given = text.partition(" ")
    yield text
    yield given.strip()
    if scheme.lower() == "basic":
        try:
            plain = base64.b64decode(given).decode()
        except (binascii.Error, ValueError):
            return
        yield plain.partition(":")[2]


def _cookies(kind: str, text: str) -> Iterator[str]:
    """The values that look as if they let somebody in."""
    # One cookie is set with its attributes behind; browsers join several by lines.
    lines = text.splitlines() if kind == "set-cookie" else text.split(";")
    for line in lines:
        value = unquote(line.partition(";")[0].partition("=")[2].strip().strip('"'))
        is_random = len(value) >= _SHORTEST and _RANDOM.fullmatch(value) is not None
        if is_random and _ORDINARY.fullmatch(value) is None:
            yield value
