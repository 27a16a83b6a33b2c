"""Calls of the client, and what a server would see of them.

What a request says is a mapping from `at`, `path company_id`, `query page` and
`body isActive` to text (of JSON, but for the address), so that two of them can be
compared at once, and `1` is neither `true` nor `"1"`.
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
    "Wire",
    "answer_of",
    "asked",
    "client_on",
    "expected",
    "response",
    "said",
    "text_of",
    "wire_of",
]

KEY = "key-of-the-tests"


@frozen
class Wire:
    """A request as a server would see it."""

    operation: str
    method: str
    address: str
    """The address without its query."""
    query: Mapping[str, list[str]]
    """The texts of each key, in their order."""
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The keys of the body: JSON, or the parts of a form as text."""
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


async def wire_of(request: Request[Any]) -> Wire:
    """What a transport is given, with its body read to the end."""
    parts = urlsplit(request.url)
    query: dict[str, list[str]] = {}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(key, []).append(text)
    body = request.body or b""
    if not isinstance(body, bytes):
        chunks = body() if callable(body) else body
        body = b"".join([chunk async for chunk in chunks])
    return Wire(
        request.operation,
        request.method,
        f"{parts.scheme}://{parts.netloc}{parts.path}",
        query,
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )


def said(endpoint: Endpoint, wire: Wire) -> dict[str, str]:
    """What a request says, and whether it says it at the operation's address."""
    server = re.escape(contract.load()["servers"][0]["url"])
    pattern = server + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)
    found = re.fullmatch(pattern, wire.address)
    parts = {} if found is None else found.groupdict()
    places = {
        "path": {key: unquote(text) for key, text in parts.items()},
        "query": wire.query,
        "body": wire.fields,
    }
    address = wire.address if found is None else endpoint.path
    return {"at": f"{wire.method} {address}"} | {
        f"{place} {key}": text_of(value)
        for place, values in places.items()
        for key, value in values.items()
    }


def expected(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, str]:
    """What a request is to say.

    Args:
        endpoint: the operation.
        values: by the names of the arguments, as they are to stand on the wire.
    """
    arguments = {one.name: one for one in endpoint.arguments}
    return {"at": f"{endpoint.method} {endpoint.path}"} | {
        f"{arguments[name].place} {arguments[name].wire}": _expected(
            arguments[name], value
        )
        for name, value in values.items()
    }


def _expected(argument: Argument, value: Any) -> str:
    if isinstance(value, bytes):
        return text_of(value.decode("latin-1"))
    if argument.place != "query":
        return text_of(value)
    # A list repeats its key; what is no text is spelled as JSON spells it.
    several = value if isinstance(value, list) else [value]
    return text_of([one if isinstance(one, str) else text_of(one) for one in several])


def text_of(value: Any) -> str:
    """A value as JSON text that can be compared."""
    return json.dumps(value, sort_keys=True)


async def asked(method: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """What a call gives; of a list that comes page by page, the first page.

    Calls that the API calls deprecated warn, which a test of its own looks at.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        answer = method(**given)
    if isinstance(answer, Pager):
        return await anext(answer.pages())
    return await answer if inspect.isawaitable(answer) else answer


def client_on(answer: object, **settings: Any) -> tuple[NectarClient, list[Wire]]:
    """A strict client that is given this answer to whatever it asks, and what it asks.

    A body is read while it is sent: afterwards its file may be closed.
    """
    wires: list[Wire] = []

    async def handle(request: Request[Any]) -> object:
        wires.append(await wire_of(request))
        return answer(request) if callable(answer) else answer

    client = NectarClient(
        KEY,
        transport=MemoryTransport(handle),
        settings=Settings(strict=True, **settings),
        clock=VirtualClock(),
    )
    return client, wires


def response(status: int, *bodies: Any) -> Response:
    """An answer with a JSON body, or with none."""
    if not bodies:
        return Response(status)
    return Response(status, {"content-type": JSON}, msgspec.json.encode(bodies[0]))


def answer_of(endpoint: Endpoint) -> Response:
    """A success with the contract's first example."""
    status, schema = endpoint.answers[0]
    return response(status, *schema.get("examples", ())[:1])
