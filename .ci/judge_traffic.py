"""Call every operation of the SDK, and check its traffic with openapi-core.

    judge_traffic.py http://127.0.0.1:41234 the-key

It stands below the whole pipeline, where a transport is, so it sees the key as well. It
fails for a request or an answer that is not the contract's, and for an operation, a
filter or a field of a body of the contract that no request had.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
from attrs import define, field, frozen
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.finders import APICallPathFinder
from werkzeug.datastructures import Headers, ImmutableMultiDict

from nectar_async import AuthenticationError, NectarClient, Settings, contract
from nectar_async._http.compression import decompress_body
from nectar_async.transports import AiohttpTransport

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from surface import call_everything

__all__ = ["Judge", "main"]

_FIELD = re.compile(rb'form-data; name="(\w+)"')


# Requests and answers in the form of openapi-core


@frozen
class _Asked:
    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters


@frozen
class _Answered:
    status_code: int
    headers: Headers
    content_type: str
    data: bytes


@define
class Judge:
    """A transport that checks every request and answer."""

    inner: AiohttpTransport
    openapi: OpenAPI
    faults: list[str] = field(factory=list)
    statuses: dict[str, list[int]] = field(factory=lambda: defaultdict(list))
    seen: dict[str, set[str]] = field(factory=lambda: defaultdict(set))
    """The filters and fields that requests of an operation had."""

    async def send(self, request: Any, /) -> Any:
        """Send a request; check it and its answer."""
        body = request.body
        if callable(body):
            body = b"".join([chunk async for chunk in body()])
        asked = _asked(request, body)
        response = await self.inner.send(request)
        answered = _Answered(
            response.status,
            Headers(list(response.headers.items())),
            response.headers.get("content-type", ""),
            decompress_body(response),
        )
        self.statuses[request.operation].append(response.status)
        self.seen[request.operation].update(_names(asked))
        errors = self.openapi.iter_response_errors(asked, answered)
        for fault in (*self._faults(request, asked), *map(_told, errors)):
            self.faults.append(f"{request.operation} {response.status}: {fault}")
        return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self.inner.aclose()

    def _faults(self, request: Any, asked: _Asked) -> Iterator[str]:
        url = asked.host_url + asked.path
        found = APICallPathFinder(self.openapi.spec).find(asked.method, url)
        name = found.operation["operationId"]
        if name != request.operation:
            yield f"it went to {name}"
        yield from map(_told, self.openapi.iter_request_errors(asked))


def _asked(request: Any, body: bytes | None) -> _Asked:
    parts = urlsplit(request.url)
    headers = Headers(list(request.headers.items()))
    return _Asked(
        host_url=f"{parts.scheme}://{parts.netloc}",
        path=parts.path,
        method=request.method.lower(),
        content_type=headers.get("Content-Type", ""),
        body=body,
        parameters=RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            header=headers,
        ),
    )


def _names(asked: _Asked) -> Iterator[str]:
    yield from asked.parameters.query
    if asked.body is None:
        return
    if asked.content_type.startswith("multipart/"):
        yield from (name.decode() for name in _FIELD.findall(asked.body))
    else:
        yield from json.loads(asked.body)


def _told(error: BaseException) -> str:
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    schema = getattr(causes[-1], "schema_errors", ())
    return "; ".join(str(one) for one in (*causes, *schema))[:500]


# The verdict


def main(url: str, key: str) -> int:
    """Call all operations; returns 0 if nothing is wrong."""
    judge = anyio.run(_judged, url, key)
    wanted = contract.operations()
    for name in sorted(wanted):
        print(f"{name:30} {_counts(judge.statuses.get(name, []))}")
    complaints = [*judge.faults, *_gaps(judge)]
    print(*complaints, sep="\n")
    number = sum(map(len, judge.statuses.values()))
    print(
        f"openapi-core: {len(judge.statuses)} of {len(wanted)} operations,"
        f" {number} exchanges, {len(complaints)} complaints"
    )
    return 1 if complaints else 0


async def _judged(url: str, key: str) -> Judge:
    settings = Settings(base_url=url)
    spec = OpenAPI.from_dict(_document(f"{url}/v2.2"))
    judge = Judge(AiohttpTransport(), spec)
    async with NectarClient(key, settings=settings, transport=judge) as nectar:
        await call_everything(nectar)
    stranger = Judge(AiohttpTransport(), spec)
    try:
        async with NectarClient(
            "wrong", settings=settings, transport=stranger
        ) as nectar:
            await nectar.ping()
    except AuthenticationError:
        judge.faults += stranger.faults
    else:
        judge.faults.append("ping_get: a wrong key opens it")
    return judge


def _document(address: str) -> dict[str, Any]:
    """Load the contract for a server at an address."""
    document = deepcopy(contract.load())
    document["servers"] = [{"url": address}]
    # openapi-core reads a file as bytes, which a JSON schema does not accept as string.
    form = document["components"]["schemas"]["JobSubmitDocument"]["properties"]
    del form["document"]["type"]
    return document


def _gaps(judge: Judge) -> Iterator[str]:
    """List the parts of the contract that no request used."""
    for name, row in contract.operations().items():
        if not any(status < 300 for status in judge.statuses.get(name, ())):
            yield f"{name}: never answered with success"
        for missing in sorted(_offered(row.description) - judge.seen[name]):
            yield f"{name}: never asked with {missing}"


def _offered(description: dict[str, Any]) -> set[str]:
    """List the filters of an operation and the fields of its body."""
    parameters = [_resolved(one) for one in description.get("parameters", ())]
    names = {one["name"] for one in parameters if one["in"] == "query"}
    for media in description.get("requestBody", {}).get("content", {}).values():
        names.update(_resolved(media["schema"])["properties"])
    return names


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = contract.load()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _counts(statuses: Sequence[int]) -> str:
    return "  ".join(f"{one}: {statuses.count(one)}" for one in sorted({*statuses}))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
