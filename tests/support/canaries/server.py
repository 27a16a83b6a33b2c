"""A server in memory that answers with canaries, in each of several ways."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import anyio
from attrs import frozen
from canaries.canaries import (
    add_hidden_keys,
    build_marked_answer,
    list_marks,
    list_texts,
)
from endpoints import ENDPOINTS
from sent_requests import SentRequest, read_request

from nectar_async import Request, Response, RetryPolicy
from nectar_async.errors import (
    AttemptTimeoutError,
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    DeadlineExceededError,
    DecodeError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectedError,
    ServerError,
    UnprocessableError,
)

__all__ = [
    "FILE",
    "NEVER",
    "WAYS",
    "Server",
    "Way",
    "build_answer",
    "encode_json",
    "success",
    "wrap_texts",
]

_JSON = {"content-type": "application/json"}
_HTML = {"content-type": "text/html; charset=utf-8"}
FILE = b"%PDF-1.7 the file"
_MAX_KEPT = 2_000  # characters of a text that an error keeps
_HOST = "https://files.example.com/other/qzsigned-77/bill.pdf?X-Signature=qzsignei%2F"


@cache
def build_answer(operation: str) -> tuple[int, Any]:
    """Build the status and the body of a successful answer with canaries."""
    endpoint = next(
        endpoint for endpoint in ENDPOINTS if endpoint.operation == operation
    )
    body = build_marked_answer(endpoint)
    if operation == "jobs_get":
        body = {**body, "status": "COMPLETED"}
    return endpoint.answers[0][0], body


def success(sent: SentRequest) -> Response:
    """Answer successfully."""
    if sent.operation == "documents_download":
        size = len(FILE)
        headers = {
            "content-range": f"bytes 0-{size - 1}/{size}",
            "etag": '"one"',
        }
        return Response(206, headers, FILE)
    status, body = build_answer(sent.operation)
    return Response(status, _JSON, b"" if body is None else encode_json(body))


def first_chunk() -> Response:
    """Build the first chunk of a longer file."""
    span = f"bytes 0-{len(FILE) - 1}/{2 * len(FILE)}"
    return Response(206, {"content-range": span, "etag": '"one"'}, FILE)


def encode_json(value: object) -> bytes:
    """Encode JSON as most servers do."""
    return json.dumps(value).encode()


def _describe_request(sent: SentRequest) -> str:
    """Describe everything that the server received, and the successful answer."""
    query = "&".join(f"{k}={v}" for k, v in sent.query.items())
    body = sent.body.decode("latin-1") if b"\x89PNG" in sent.body else sent.body
    return (
        f"{sent.method} {sent.address}?{query} {dict(sent.headers)} {body!r}"
        f" {success(sent).body.decode()}"
    )


def _find_key(sent: SentRequest) -> str:
    return sent.headers.get("x-api-key", "no key at all")


def echo(sent: SentRequest) -> Response:
    """Answer 400 with the whole request, as text and as JSON inside JSON."""
    detail = f"cannot: {_describe_request(sent)} {sent.body.decode('utf-8', 'replace')}"
    return Response(400, _JSON, encode_json({"detail": detail}))


def unprocessable(sent: SentRequest) -> Response:
    """Answer 422 like FastAPI, with the body under `input`."""
    fields = (
        sent.fields if sent.headers.get("content-type", "") in _JSON.values() else {}
    )
    problems = [
        {
            "type": "missing",
            "loc": ["body", name],
            "msg": "Field required",
            "input": value,
        }
        for name, value in {"body": fields, **fields}.items()
    ]
    key = _find_key(sent)
    problems.append({"loc": ["header", "x-api-key"], "msg": f"bad {key}", "input": key})
    return Response(422, _JSON, encode_json({"detail": problems}))


def dump(sent: SentRequest) -> Response:
    """Answer 500 with a dump of request, headers and answer, as debuggers do."""
    key = _find_key(sent)
    secret = next(list_texts(sent.fields), key)
    page = (
        f"<html><head><title>KeyError: {html.escape(secret)} {html.escape(key)}</title>"
        f"</head><body><pre>{html.escape(_describe_request(sent))}</pre></body></html>"
    )
    return Response(500, _HTML, page.encode())


def cut(sent: SentRequest) -> Response:
    """Answer 401 with a text that the client cuts off in the middle of a secret."""
    secret = next(iter(sorted(list_marks(sent.fields))), _find_key(sent))
    lead = "no. " * ((_MAX_KEPT - 12) // 4)
    detail = lead + "." * (_MAX_KEPT - 12 - len(lead)) + secret * 2
    return Response(401, _JSON, encode_json({"detail": detail}))


def plain(sent: SentRequest) -> Response:
    """Answer 403 in plain text with the secrets in it."""
    text = f"denied: {_describe_request(sent)}"
    return Response(403, {"content-type": "text/plain"}, text.encode())


def truncated(sent: SentRequest) -> Response:
    """Answer 200 with truncated JSON."""
    whole = success(sent)
    return Response(whole.status, whole.headers, whole.body[: -len(whole.body) // 3])


def wrong_types(sent: SentRequest) -> Response:
    """Answer 200 with null for ids and a list for every text."""
    if sent.operation == "documents_download":
        return Response(200, {"content-length": "999999"}, FILE)
    status, body = build_answer(sent.operation)
    return Response(status, _JSON, encode_json(_corrupt(body)))


def _corrupt(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key == "id" else _corrupt(inner) if inner else [inner]
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_corrupt(item) for item in value]
    return [value] if isinstance(value, str) else value


def odd(sent: SentRequest) -> Response:
    """Answer 200 with every text wrapped in an object, except ids."""
    if sent.operation == "documents_download":
        return success(sent)
    status, body = build_answer(sent.operation)
    return Response(status, _JSON, encode_json(wrap_texts(body)))


def wrap_texts(value: Any) -> Any:
    """Wrap all texts of a JSON value in objects, except ids."""
    if isinstance(value, dict):
        return {
            key: inner if key == "id" else wrap_texts(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [wrap_texts(item) for item in value]
    return {"inner": [value]} if isinstance(value, str) else value


def novel(sent: SentRequest) -> Response:
    """Answer 200 with keys that the contract does not have and a secret below them."""
    if sent.operation == "documents_download":
        return success(sent)
    status, body = build_answer(sent.operation)
    return Response(
        status, _JSON, b"" if body is None else encode_json(add_hidden_keys(body))
    )


def never(sent: SentRequest) -> Response:
    """Answer successfully, with a job that has not ended."""
    status, body = build_answer(sent.operation)
    return Response(status, _JSON, encode_json({**body, "status": "PENDING"}))


def redirect(sent: SentRequest) -> Response:
    """Answer 302 with a secret and the key in the target."""
    headers = {
        "location": f"{_HOST}&key={_find_key(sent)}",
        "set-cookie": f"k={_find_key(sent)}",
    }
    return Response(302, headers, b"moved")


def too_long(sent: SentRequest) -> Response:
    """Answer 429 with a wait over the limit of the client, and the request."""
    return Response(
        429,
        {**_JSON, "retry-after": "9999"},
        encode_json({"message": _describe_request(sent)}),
    )


def unsent(sent: SentRequest) -> Response:
    """Fail to connect, with secrets in the error of the transport."""
    error = ConnectionFailedError(
        f"cannot send {_describe_request(sent)}", is_sent=False
    )
    raise error from OSError(111, f"refused {_describe_request(sent)}")


def broken(sent: SentRequest) -> Response:
    """Fail after sending, with secrets in the error of the transport."""
    error = ConnectionFailedError(f"reset by peer {sent.headers}")
    error.add_note(f"while sending {_describe_request(sent)}")
    raise error from ConnectionResetError(_describe_request(sent))


@frozen
class Way:
    """A way in which the server answers, with the settings of the client."""

    name: str
    answer: Callable[[SentRequest], Response] = success
    fails: type[Exception] | None = None
    """The error that a call raises; None for a result."""
    settings: Mapping[str, Any] = {}
    is_endless: bool = False
    """Whether no answer arrives."""
    is_cancelled: bool = False
    """Whether the call is cancelled while it waits for the answer."""

    def __str__(self) -> str:
        return self.name


_STRICT = {"strict": True}
_TWICE = {"retry": RetryPolicy(attempts=2)}
_SHORT = {"attempt_timeout": 0.001, "retry": RetryPolicy(attempts=1)}

WAYS = [
    Way("success", success, settings=_STRICT),
    Way("echo", echo, BadRequestError),
    Way("unprocessable", unprocessable, UnprocessableError),
    Way("dump", dump, ServerError, _TWICE),
    Way("cut", cut, AuthenticationError),
    Way("plain", plain, PermissionDeniedError),
    Way("truncated", truncated, DecodeError),
    Way("wrong types", wrong_types, DecodeError),
    Way("wrong types, strict", wrong_types, DecodeError, _STRICT),
    Way("odd", odd),
    Way("odd, strict", odd, DecodeError, _STRICT),
    Way("novel", novel),
    Way("novel, strict", novel, DecodeError, _STRICT),
    Way("redirect", redirect, RedirectedError),
    Way("too long", too_long, RateLimitedError),
    Way("unsent", unsent, ConnectionFailedError, _TWICE),
    Way("broken", broken, ConnectionFailedError, _TWICE),
    Way("attempt timeout", success, AttemptTimeoutError, _SHORT, is_endless=True),
    Way(
        "deadline",
        success,
        DeadlineExceededError,
        # Long enough for a slow machine to get as far as the transport.
        {"deadline": 0.01},
        is_endless=True,
    ),
    Way("cancelled", is_endless=True, is_cancelled=True),
]


NEVER = Way("never", never)


class Server:
    """Answers requests in one way, and keeps them in `sent_requests`.

    Args:
        way: how it answers.
        fails_at: the only operation that is answered this way; others succeed. None
            stands for every operation.
        cancel: cancels the call, for the ways that need it.
        is_late: whether the server fails only after the first chunk of a longer file.
    """

    def __init__(
        self,
        way: Way,
        fails_at: str | None,
        cancel: Callable[[], None],
        *,
        is_late: bool = False,
    ) -> None:
        self._way = way
        self._is_late = is_late
        self._fails_at = fails_at
        self._cancel = cancel
        self.sent_requests: list[SentRequest] = []

    async def __call__(self, request: Request[Any]) -> Response:
        sent = await read_request(request)
        self.sent_requests.append(sent)
        if self._fails_at not in {None, sent.operation}:
            return success(sent)
        if self._is_late and sent.headers.get("range", "").startswith("bytes=0-"):
            return first_chunk()
        if self._way.is_cancelled:
            self._cancel()
        if self._way.is_endless:
            await anyio.sleep_forever()
        return self._way.answer(sent)
