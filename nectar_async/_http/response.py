"""What came back, as a value: status, headers and body, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email import utils as dates
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from nectar_async._http.compression import beginning, bounded, inflating
from nectar_async._http.error_text import words_of
from nectar_async._http.request import changed
from nectar_async._http.trace import Timing
from nectar_async._json.cooperative import Steps, at_once
from nectar_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MaintenanceError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectedError,
    ServerError,
    ServerTimeoutError,
    StatusError,
    UnprocessableError,
)

__all__ = ["Response"]

# An error keeps no more of the answer's text than this.
_KEPT_CHARACTERS = 2_000
_KEPT_BYTES = 64 * 1024


_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)

_ERRORS: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: RateLimitedError,
    502: ServerTimeoutError,
    503: MaintenanceError,
    504: ServerTimeoutError,
}
_FAMILIES: dict[int, type[StatusError]] = {3: RedirectedError, 5: ServerError}

_ADVICE = {
    401: "the key was refused; check NECTAR_API_KEY",
    403: "no access with this key, or it does not exist",
    429: "too many requests; is something else using this key?",
    502: "the server ran out of its 10 seconds; ask for less at once, as with a"
    " shorter start_date to end_date",
    503: "the API is being maintained; try again later",
    504: "the server ran out of time; ask for less at once",
}

_SECONDS = r"[-+]?([0-9]+(\.[0-9]*)?|inf(inity)?)"

_Pairs = Mapping[str, str] | Iterable[tuple[str, str]]


def _fold(headers: _Pairs) -> dict[str, str]:
    """Names in lower case; a name that comes twice is one, joined by commas."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    folded: dict[str, str] = {}
    for name, value in pairs:
        key = str(name).lower()
        folded[key] = f"{folded[key]}, {value}" if key in folded else str(value)
    return folded


@frozen
class Response:
    """An answer with its whole body, as a transport gives it."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = field(factory=dict, converter=_fold, repr=False)
    """Any mapping or pairs are taken; the names are kept in lower case."""
    body: bytes = field(default=b"", repr=False)
    """As received: packed exactly when `content-encoding` is among the headers."""
    timing: Timing | None = field(default=None, eq=False, repr=False)
    """What happened to the request; stamped by the client, a transport leaves it."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in _SUCCESS

    def unpacking(self, limit: int | None = None) -> Steps[Self]:
        """The same answer with its body as it is meant, in pieces.

        Raises:
            BodyTooLargeError: it is larger than `limit` bytes, packed or unpacked.
            BodyCorruptError: it broke off, or is no valid gzip or deflate.
        """
        body = yield from self._inflating(limit)
        if "content-encoding" not in self.headers:
            return self
        lost = ("content-encoding", "content-length")
        kept = {name: text for name, text in self.headers.items() if name not in lost}
        return changed(self, headers=kept, body=body)

    def unpacked(self, limit: int | None = None) -> Self:
        """The same answer with its body as it is meant.

        Raises:
            BodyTooLargeError: it is larger than `limit` bytes, packed or unpacked.
            BodyCorruptError: it broke off, or is no valid gzip or deflate.
        """
        return at_once(self.unpacking(limit))

    def inflated(self, limit: int | None = None) -> bytes:
        """The body, unpacked.

        Raises:
            BodyTooLargeError: it is larger than `limit` bytes, packed or unpacked.
            BodyCorruptError: it broke off, or is no valid gzip or deflate.
        """
        return at_once(self._inflating(limit))

    def _inflating(self, limit: int | None) -> Steps[bytes]:
        body = bounded(self.body, limit)
        encodings = self.headers.get("content-encoding", "")
        for name in reversed(encodings.lower().replace(" ", "").split(",")):
            body = yield from inflating(name, body, limit)
        return body

    def rewritten(self, change: Callable[[str], str]) -> Self:
        """The same with its headers' values and the beginning of its text changed.

        For answers that are no success: of a text that is changed the rest is dropped.
        """
        headers = {name: change(value) for name, value in self.headers.items()}
        text = self._head()
        if (changed := change(text)) == text:
            return evolve(self, headers=headers)
        headers.pop("content-encoding", None)
        return evolve(self, headers=headers, body=changed.encode())

    def check(self, now: datetime) -> None:
        """Raise the error of a status that is not 2xx; `now` dates a Retry-After."""
        if self.is_success:
            return
        family = _FAMILIES.get(self.status // 100, StatusError)
        kind = _ERRORS.get(self.status, family)
        text = self._head()
        words = words_of(text, self.headers.get("content-type", "")) or ""
        detail = words[:_KEPT_CHARACTERS] or None
        said = detail or _ADVICE.get(self.status) or self._whereto()
        advice = _ADVICE.get(self.status)
        if detail and advice:
            said = f"{detail.rstrip('.')} ({advice})"
        raise kind(
            f"{self.status} {_phrase(self.status)}{f': {said}' if said else ''}",
            status=self.status,
            detail=detail,
            body=text[:_KEPT_CHARACTERS],
            retry_after=self.retry_after(now),
        )

    def retry_after(self, now: datetime) -> float | None:
        """Seconds that the server asks to wait: given as seconds, or as a date."""
        text = self.headers.get("retry-after", "").strip()
        if not text:
            return None
        if re.fullmatch(_SECONDS, text, re.IGNORECASE) is not None:
            seconds = float(text)
        else:
            until = _date(text)
            if until is None:
                return None
            # The server's own clock, when it tells, is the one that it dates by.
            since = _date(self.headers.get("date", "")) or now
            seconds = (until - since).total_seconds()
        return max(0.0, seconds)

    def _head(self) -> str:
        """The beginning of the text; a long error is a page for people."""
        body = self.body
        encodings = self.headers.get("content-encoding", "")
        for name in reversed(encodings.lower().replace(" ", "").split(",")):
            body = beginning(name, body, _KEPT_BYTES)
        return body[:_KEPT_BYTES].decode("utf-8", "replace")

    def _whereto(self) -> str | None:
        if self.status not in _REDIRECTS or "location" not in self.headers:
            return None
        try:
            parts = urlsplit(self.headers.get("location", ""))
        except ValueError:
            parts = urlsplit("")
        whereto = f" to {parts.scheme}://{parts.hostname}" if parts.hostname else ""
        return (
            f"the server redirects{whereto}; redirects are not followed, because the"
            " key would travel along: check the base URL"
        )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _date(text: str) -> datetime | None:
    try:
        when = dates.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
