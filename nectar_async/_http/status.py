"""Check the status of an answer, and raise the error of any other status than 2xx."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.compression import (
    read_head,
)
from nectar_async._http.redact import (
    HEAD_BYTES,
    MAX_ERROR_TEXT,
    build_redactor,
    redact_response,
)
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.transport import Send
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

__all__ = [
    "CheckStatus",
    "extract_error_text",
    "parse_retry_after",
    "raise_for_status",
]


# From a status to its error

_ERRORS: Final[Mapping[int, type[StatusError]]] = {
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
    524: ServerTimeoutError,
}
_REDIRECTED: Final = range(300, 400)
_FAMILIES: Final[Mapping[int, type[StatusError]]] = {3: RedirectedError, 5: ServerError}

_ADVICE: Final = {
    401: "the key was refused; check NECTAR_API_KEY",
    403: "no access with this key, or it does not exist",
    407: "the proxy asks for a user and a password; check those in its URL",
    429: "too many requests; does anything else use this key?",
    502: "the server ran out of its 10 seconds; request less at once, for example a"
    " shorter start_date to end_date",
    503: "the API is under maintenance; try again later",
    504: "the server ran out of time; request less at once",
    524: "the server ran out of time; request less at once",
    **dict.fromkeys(
        (*range(520, 524), *range(525, 531)),
        "a proxy has no answer of the API; try again later",
    ),
}
# The words of nginx, Go and Apache.
_TLS_PORT: Final = re.compile(
    r"HTTP request (was sent )?to (an )?HTTPS (port|server)|plain HTTP to an SSL",
    re.IGNORECASE,
)
_TLS_ADVICE: Final = "the port speaks TLS; use https:// in the base URL"


@frozen
class CheckStatus:
    """Let 2xx pass, and raise the error of every other status."""

    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request and check the status of its answer."""
        response = await send(request)
        self.counters.bytes_received += len(response.body)
        if response.is_success:
            return response
        # Redacted before an error keeps a part of it, because a secret that is cut in
        # two is no longer recognized.
        redact = build_redactor(request.operation, request.json)
        response = redact_response(response, redact)
        try:
            raise_for_status(response, self.clock.now())
        except RateLimitedError:
            self.counters.rate_limited += 1
            raise
        return response


def raise_for_status(response: Response, now: datetime) -> None:
    """Raise the `StatusError` of a status that is not 2xx.

    Args:
        response: the answer.
        now: the present instant, to which a Retry-After date is compared.
    """
    if response.is_success:
        return
    status = response.status
    kind = _ERRORS.get(status, _FAMILIES.get(status // 100, StatusError))
    text = read_head(response, HEAD_BYTES).decode("utf-8", "replace")
    content_type = response.headers.get("content-type", "")
    detail = (extract_error_text(text, content_type) or "")[:MAX_ERROR_TEXT] or None
    is_tls_port = status == HTTPStatus.BAD_REQUEST and _TLS_PORT.search(text)
    advice = _TLS_ADVICE if is_tls_port else _ADVICE.get(status)
    if detail and advice:
        explanation: str | None = f"{_join_lines(detail).rstrip('.')} ({advice})"
    else:
        explanation = (
            _join_lines(detail or "") or advice or _describe_redirect(response)
        )
    raise kind(
        f"{status} {_find_phrase(status)}{f': {explanation}' if explanation else ''}",
        status=status,
        detail=detail,
        body=text[:MAX_ERROR_TEXT],
        retry_after=parse_retry_after(response, now),
    )


def _find_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _describe_redirect(response: Response) -> str | None:
    if response.status not in _REDIRECTED or "location" not in response.headers:
        return None
    try:
        parts = urlsplit(response.headers.get("location", ""))
    except ValueError:
        parts = urlsplit("")
    target = f" to {parts.scheme}://{parts.hostname}" if parts.hostname else ""
    return (
        f"the server redirects{target}; redirects are not followed, because they would"
        " be sent the key: check the base URL"
    )


# Retry-After

_SECONDS: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|inf(inity)?)", re.IGNORECASE)


def parse_retry_after(response: Response, now: datetime) -> float | None:
    """Parse `Retry-After`, which has seconds or a date, to seconds from now.

    None if the header is missing or not valid. A date is compared to the server's own
    `Date`, or to `now` if there is none.
    """
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text) is not None:
        return max(0.0, float(text))
    until = _parse_date(text)
    if until is None:
        return None
    since = _parse_date(response.headers.get("date", "")) or now
    return max(0.0, (until - since).total_seconds())


def _parse_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


# The message in the body of an error

# The keys that web frameworks use for a message, for the field that it is about, and
# for an object or a list around both.
_MESSAGE_KEYS: Final = ("detail", "message", "msg")
_FIELD_KEYS: Final = ("field", "loc")
_WRAPPER_KEYS: Final = frozenset({"error", "errors", "non_field_errors"})
_MAX_DEPTH: Final = 6

# A longer text is no message, but a page for people or a log.
_MAX_PLAIN_TEXT: Final = 500
# The title of an HTML page, unless it only repeats the status.
_TITLE: Final = re.compile(
    r"<title[^>]{0,99}>\s*+(?!\d{3}\b)([^<]{1,200})", re.IGNORECASE
)
# The first message of a long JSON text, of which only the beginning was read.
_FIRST_MESSAGE: Final = re.compile(
    rf'"(?:{"|".join(_MESSAGE_KEYS)})"\s*+:\s*+"((?:[^"\\]|\\[^u]|\\u[0-9a-f]{{4}})++)',
    re.IGNORECASE | re.ASCII,
)


def extract_error_text(text: str, content_type: str) -> str | None:
    """Find the message of an error in JSON, in plain text, or in the title of a page.

    None if there is no message. Plain text needs a matching `content_type`, and is cut.
    """
    try:
        return _join_messages(msgspec.json.decode(text)) or None
    except (msgspec.DecodeError, RecursionError):
        pass
    if text.lstrip()[:1] in {"{", "["} and (message := _find_first_message(text)):
        return message
    if (title := _TITLE.search(text)) is not None:
        return _join_lines(html.unescape(title[1])) or None
    is_plain = content_type.lower().startswith("text/plain")
    if not is_plain or text.lstrip().startswith("<"):
        return None
    return _join_lines(text)[:_MAX_PLAIN_TEXT] or None


def _join_messages(value: Any, depth: int = _MAX_DEPTH) -> str:
    """The messages in a JSON value as one text; empty if there are none.

    An object with a message gives `field: message`, followed by the messages in its
    key `errors`. In any other object, each key is the name of a field.
    """
    if isinstance(value, str):
        return value
    if depth == 0 or not isinstance(value, dict | list):
        return ""
    if isinstance(value, list):
        parts = [_join_messages(item, depth - 1) for item in value]
        separator = " " if all(isinstance(item, str) for item in value) else "; "
        return separator.join(filter(None, parts))
    fields = {key: _join_messages(item, depth - 1) for key, item in value.items()}
    for key in _MESSAGE_KEYS:
        if fields.get(key):
            message = "; ".join(filter(None, (fields[key], fields.get("errors"))))
            field = _find_field(value)
            return f"{field}: {message}" if field else message
    return "; ".join(
        message if key in _WRAPPER_KEYS else f"{key}: {message}"
        for key, message in fields.items()
        if message
    )


def _find_first_message(text: str) -> str | None:
    """The first message in JSON that is cut or not valid."""
    if (message := _FIRST_MESSAGE.search(text)) is None:
        return None
    try:
        return msgspec.json.decode(f'"{message[1]}"', type=str) or None
    except msgspec.DecodeError:
        return None


def _find_field(value: dict[str, Any]) -> str | None:
    """The field that a message is about: its name, or the last part of its path."""
    name = next((value[key] for key in _FIELD_KEYS if value.get(key)), None)
    field = name[-1] if isinstance(name, list) else name
    return field if isinstance(field, str) else None


def _join_lines(text: str) -> str:
    return " ".join(text.split())
