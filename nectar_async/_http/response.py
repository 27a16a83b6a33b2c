"""An HTTP response as a value: status, headers and whole body."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from attrs import evolve, field, frozen

from nectar_async._http.request import Timing
from nectar_async.errors import TransportError

__all__ = ["Response", "check_response", "convert_to_utf8"]

_SUCCESS = range(200, 300)


def _fold_headers(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
) -> dict[str, str]:
    """Lower the names; join the values of a name that is repeated with commas."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    folded: dict[str, str] = {}
    for name, value in pairs:
        key = str(name).lower()
        folded[key] = f"{folded[key]}, {value}" if key in folded else str(value)
    return folded


@frozen
class Response:
    """The answer to one request, with its whole body."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = field(
        factory=dict, converter=_fold_headers, repr=False
    )
    """Any mapping, or pairs; names are kept in lower case."""
    body: bytes = field(default=b"", repr=False)
    """The body as received: compressed exactly when the headers have
    `content-encoding`."""
    timing: Timing | None = field(default=None, eq=False, repr=False)
    """When the request was sent, and how often; set by the client, not by a
    transport."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in _SUCCESS


# Of the encodings that a server may name, only those that are tables or UTF: Python's
# name of each, and the one to decode it with.
_CHARSETS: Final = {
    "cp1252": "cp1252",
    "iso8859-1": "cp1252",  # as browsers read it
    "iso8859-15": "iso8859-15",
    "utf-16": "utf-16",
    "utf-16-be": "utf-16-be",
    "utf-16-le": "utf-16-le",
    "utf-32": "utf-32",
    "utf-32-be": "utf-32-be",
    "utf-32-le": "utf-32-le",
}
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,20})""", re.ASCII)


def convert_to_utf8(response: Response) -> Response:
    """Convert the body of JSON from the charset in the headers to UTF-8.

    A body that is UTF-8 already, although the headers say otherwise, is not changed.
    """
    content_type = response.headers.get("content-type", "").lower()
    match = _CHARSET.search(content_type)
    charset = None if match is None else _find_charset(match[1])
    if charset is None or "json" not in content_type:
        return response
    # JSON in UTF-16 or UTF-32 may be valid UTF-8 as well, but is full of NULs.
    if not charset.startswith("utf") or b"\0" not in response.body:
        with suppress(UnicodeDecodeError):
            response.body.decode()
            return response
    body = response.body.decode(charset, "replace").encode()
    return evolve(response, body=body)


def _find_charset(name: str) -> str | None:
    with suppress(LookupError):
        return _CHARSETS.get(codecs.lookup(name).name)
    return None


_BYTES: Final = (bytes, bytearray, memoryview)


def check_response(response: object, sender: object) -> Response:
    """Check that a transport or a stage of the user's returned a `Response`.

    Raises:
        TransportError: it returned anything else; it is named, and no repeat helps.
    """
    body = response.body if isinstance(response, Response) else b""
    if isinstance(response, Response) and isinstance(body, _BYTES):
        return response
    name = getattr(sender, "__qualname__", None) or type(sender).__qualname__
    kind = f"{type(response).__name__}, not a Response"
    if not isinstance(body, _BYTES):
        kind = f"a Response whose body is {type(body).__name__}, not bytes"
    raise TransportError(f"{name} returned {kind}", is_permanent=True)
