"""Calls of the client, and the requests that a server would receive.

`list_sent` maps the places of a request (`at`, `path company_id`, `query page`,
`body isActive`) to JSON text, so that two requests can be compared as a whole, and `1`
differs from `true` and `"1"`.
"""

from __future__ import annotations

import inspect
import json
import re
import warnings
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from attrs import frozen
from endpoints import FORM, JSON, Argument, Endpoint

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Pager,
    Request,
    Response,
    Settings,
    VirtualClock,
    contract,
)

__all__ = [
    "KEY",
    "SentRequest",
    "build_client",
    "build_example",
    "build_response",
    "call",
    "list_expected",
    "list_sent",
    "read_request",
    "to_json_text",
]

KEY = "key-of-the-tests"


@frozen
class SentRequest:
    """A request as a server would receive it."""

    operation: str
    method: str
    address: str
    """The URL without its query."""
    query: Mapping[str, list[str]]
    """The values of each key, in order."""
    headers: Mapping[str, str]
    """The headers by their names in lower case."""
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a JSON body, or the parts of a form as text."""
        if not self.body:
            return {}
        if self.headers["content-type"].startswith(FORM):
            return {name: _content(part) for name, part in self.parts.items()}
        fields: dict[str, Any] = msgspec.json.decode(self.body, type=dict)
        return fields

    @property
    def parts(self) -> dict[str, EmailMessage]:
        """The parts of a form by their names."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + self.body)
        parts = cast("list[EmailMessage]", form.get_payload())
        return {
            str(part.get_param("name", header="content-disposition")): part
            for part in parts
        }


def _content(part: EmailMessage) -> str:
    return cast("bytes", part.get_payload(decode=True)).decode("latin-1")


async def read_request(request: Request[Any]) -> SentRequest:
    """Read a request as a transport gets it, with its body to the end."""
    parts = urlsplit(request.url)
    query: dict[str, list[str]] = {}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(key, []).append(text)
    body = request.body or b""
    if not isinstance(body, bytes):
        chunks = body() if callable(body) else body
        body = b"".join([chunk async for chunk in chunks])
    return SentRequest(
        request.operation,
        request.method,
        f"{parts.scheme}://{parts.netloc}{parts.path}",
        query,
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )


def list_sent(endpoint: Endpoint, sent: SentRequest) -> dict[str, str]:
    """List the values of a sent request by place; the path must be the operation's."""
    server = re.escape(contract.load()["servers"][0]["url"])
    pattern = server + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)
    match = re.fullmatch(pattern, sent.address)
    parts = {} if match is None else match.groupdict()
    places = {
        "path": {key: unquote(text) for key, text in parts.items()},
        "query": sent.query,
        "body": sent.fields,
    }
    address = sent.address if match is None else endpoint.path
    return {"at": f"{sent.method} {address}"} | {
        f"{place} {key}": to_json_text(value)
        for place, values in places.items()
        for key, value in values.items()
    }


def list_expected(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, str]:
    """List the values that a request should have, by place.

    Args:
        endpoint: the operation.
        values: the values by argument name, as they should be sent.
    """
    arguments = {argument.name: argument for argument in endpoint.arguments}
    return {"at": f"{endpoint.method} {endpoint.path}"} | {
        f"{arguments[name].place} {arguments[name].wire}": _to_expected_text(
            arguments[name], value
        )
        for name, value in values.items()
    }


def _to_expected_text(argument: Argument, value: Any) -> str:
    if isinstance(value, bytes):
        return to_json_text(value.decode("latin-1"))
    if argument.place != "query":
        return to_json_text(value)
    # A list repeats its key; values other than text are written as in JSON.
    values = value if isinstance(value, list) else [value]
    return to_json_text(
        [part if isinstance(part, str) else to_json_text(part) for part in values]
    )


def to_json_text(value: Any) -> str:
    """Convert a value to JSON text that can be compared."""
    return json.dumps(value, sort_keys=True)


async def call(method: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call a method, and return its result; for a pager, the first page.

    Deprecation warnings are ignored; another test checks them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result = method(**arguments)
    if isinstance(result, Pager):
        return await anext(result.pages())
    return await result if inspect.isawaitable(result) else result


def build_client(
    answer: object, **settings: Any
) -> tuple[NectarClient, list[SentRequest]]:
    """Build a strict client that always gets this answer, and the list of its requests.

    Bodies are read while they are sent, because their files may be closed afterwards.
    """
    sent_requests: list[SentRequest] = []

    async def handle(request: Request[Any]) -> object:
        sent_requests.append(await read_request(request))
        return answer(request) if callable(answer) else answer

    client = NectarClient(
        KEY,
        transport=MemoryTransport(handle),
        settings=Settings(strict=True, **settings),
        clock=VirtualClock(),
    )
    return client, sent_requests


def build_response(status: int, *bodies: Any) -> Response:
    """Build a response with a JSON body or without a body."""
    if not bodies:
        return Response(status)
    return Response(status, {"content-type": JSON}, msgspec.json.encode(bodies[0]))


def build_example(endpoint: Endpoint) -> Response:
    """Build a successful response with the first example of the contract."""
    status, schema = endpoint.answers[0]
    return build_response(status, *schema.get("examples", ())[:1])
