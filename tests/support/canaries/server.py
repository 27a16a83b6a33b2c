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
_KEPT = 2_000
_HOST = "https://files.example.com/other/qzsigned-77/bill.pdf?X-Signature=qzsignei%2F"


@cache
def build_answer(operation: str) -> tuple[int, Any]:
    """Build the status and the body of a successful answer with canaries."""
    endpoint = next(one for one in ENDPOINTS if one.operation == operation)
    body = build_marked_answer(endpoint)
    if operation == "jobs_get":
        body = {**body, "status": "COMPLETED"}
    return endpoint.answers[0][0], body


def success(wire: SentRequest) -> Response:
    """Answer successfully."""
    if wire.operation == "documents_download":
        size = len(FILE)
        said = {"content-range": f"bytes 0-{size - 1}/{size}", "etag": '"one"'}
        return Response(206, said, FILE)
    status, body = build_answer(wire.operation)
    return Response(status, _JSON, b"" if body is None else encode_json(body))


def first_chunk() -> Response:
    """Build the first chunk of a longer file."""
    said = {"content-range": f"bytes 0-{len(FILE) - 1}/{2 * len(FILE)}"}
    return Response(206, {**said, "etag": '"one"'}, FILE)


def encode_json(value: object) -> bytes:
    """Encode JSON as most servers do."""
    return json.dumps(value).encode()


def _describe_request(wire: SentRequest) -> str:
    """List everything that the server received and would have answered."""
    there = "&".join(f"{k}={v}" for k, v in wire.query.items())
    body = wire.body.decode("latin-1") if b"\x89PNG" in wire.body else wire.body
    return (
        f"{wire.method} {wire.address}?{there} {dict(wire.headers)} {body!r}"
        f" {success(wire).body.decode()}"
    )


def _find_key(wire: SentRequest) -> str:
    return wire.headers.get("x-api-key", "no key at all")


def echo(wire: SentRequest) -> Response:
    """400 with the whole request in its words, as text and as JSON inside JSON."""
    words = f"cannot: {_describe_request(wire)} {wire.body.decode('utf-8', 'replace')}"
    return Response(400, _JSON, encode_json({"detail": words}))


def unprocessable(wire: SentRequest) -> Response:
    """422 as FastAPI writes it, with the body under `input`."""
    given = (
        wire.fields if wire.headers.get("content-type", "") in _JSON.values() else {}
    )
    problems = [
        {
            "type": "missing",
            "loc": ["body", name],
            "msg": "Field required",
            "input": one,
        }
        for name, one in {"body": given, **given}.items()
    ]
    key = _find_key(wire)
    problems.append({"loc": ["header", "x-api-key"], "msg": f"bad {key}", "input": key})
    return Response(422, _JSON, encode_json({"detail": problems}))


def dump(wire: SentRequest) -> Response:
    """Answer 500 with a dump of request, headers and answer, as debuggers do."""
    key = _find_key(wire)
    secret = next(list_texts(wire.fields), key)
    page = (
        f"<html><head><title>KeyError: {html.escape(secret)} {html.escape(key)}</title>"
        f"</head><body><pre>{html.escape(_describe_request(wire))}</pre></body></html>"
    )
    return Response(500, _HTML, page.encode())


def cut(wire: SentRequest) -> Response:
    """401 with words that are cut off in the middle of a secret."""
    secret = next(iter(sorted(list_marks(wire.fields))), _find_key(wire))
    lead = "no. " * ((_KEPT - 12) // 4)
    said = lead + "." * (_KEPT - 12 - len(lead)) + secret * 2
    return Response(401, _JSON, encode_json({"detail": said}))


def plain(wire: SentRequest) -> Response:
    """403 in plain text with the secrets in it."""
    text = f"denied: {_describe_request(wire)}"
    return Response(403, {"content-type": "text/plain"}, text.encode())


def truncated(wire: SentRequest) -> Response:
    """200 with JSON that breaks off."""
    good = success(wire)
    return Response(good.status, good.headers, good.body[: -len(good.body) // 3])


def wrong_types(wire: SentRequest) -> Response:
    """200 with ids that are null, and every text a list."""
    if wire.operation == "documents_download":
        return Response(200, {"content-length": "999999"}, FILE)
    status, body = build_answer(wire.operation)
    return Response(status, _JSON, encode_json(_corrupt(body)))


def _corrupt(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key == "id" else _corrupt(one) if one else [one]
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_corrupt(one) for one in value]
    return [value] if isinstance(value, str) else value


def odd(wire: SentRequest) -> Response:
    """200 whose texts are in lists, with ids as they should be."""
    if wire.operation == "documents_download":
        return success(wire)
    status, body = build_answer(wire.operation)
    return Response(status, _JSON, encode_json(wrap_texts(body)))


def wrap_texts(value: Any) -> Any:
    """Wrap all texts of a JSON value in objects, except ids."""
    if isinstance(value, dict):
        return {k: one if k == "id" else wrap_texts(one) for k, one in value.items()}
    if isinstance(value, list):
        return [wrap_texts(one) for one in value]
    return {"inner": [value]} if isinstance(value, str) else value


def novel(wire: SentRequest) -> Response:
    """200 with keys that nobody knows and a secret below them."""
    if wire.operation == "documents_download":
        return success(wire)
    status, body = build_answer(wire.operation)
    return Response(
        status, _JSON, b"" if body is None else encode_json(add_hidden_keys(body))
    )


def never(wire: SentRequest) -> Response:
    """Answer successfully, with a job that has not ended."""
    status, body = build_answer(wire.operation)
    return Response(status, _JSON, encode_json({**body, "status": "PENDING"}))


def redirect(wire: SentRequest) -> Response:
    """302 to an address with a secret in it, and the key."""
    told = {
        "location": f"{_HOST}&key={_find_key(wire)}",
        "set-cookie": f"k={_find_key(wire)}",
    }
    return Response(302, told, b"moved")


def too_long(wire: SentRequest) -> Response:
    """429 that asks for a wait over the cap, with an echo."""
    return Response(
        429,
        {**_JSON, "retry-after": "9999"},
        encode_json({"message": _describe_request(wire)}),
    )


def unsent(wire: SentRequest) -> Response:
    """Fail to connect, with secrets in the error of the transport."""
    error = ConnectionFailedError(
        f"cannot send {_describe_request(wire)}", is_sent=False
    )
    raise error from OSError(111, f"refused {_describe_request(wire)}")


def broken(wire: SentRequest) -> Response:
    """Fail after sending, with secrets in the error of the transport."""
    error = ConnectionFailedError(f"reset by peer {wire.headers}")
    error.add_note(f"while sending {_describe_request(wire)}")
    raise error from ConnectionResetError(_describe_request(wire))


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
        {"deadline": 0.1},
        is_endless=True,
    ),
    Way("cancelled", is_endless=True, is_cancelled=True),
]


NEVER = Way("never", never)


class Server:
    """Answers in one way; `wires` is what it was asked.

    Args:
        way: how it answers.
        fails_at: the one operation that it answers so; the others succeed.
        cancel: what is done when the call is to be cancelled.
        is_late: whether the first chunk of a file, which is longer, still comes.
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
        self.wires: list[SentRequest] = []

    async def __call__(self, request: Request[Any]) -> Response:
        wire = await read_request(request)
        self.wires.append(wire)
        if self._fails_at not in {None, wire.operation}:
            return success(wire)
        if self._is_late and wire.headers.get("range", "").startswith("bytes=0-"):
            return first_chunk()
        if self._way.is_cancelled:
            self._cancel()
        if self._way.is_endless:
            await anyio.sleep_forever()
        return self._way.answer(wire)
