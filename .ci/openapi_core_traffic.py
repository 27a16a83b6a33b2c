"""Call every operation of the SDK, and check its traffic with openapi-core.

    openapi_core_traffic.py http://127.0.0.1:41234 the-key

The check is a transport, so it sees requests as they are sent, with the key. It fails
if a request or an answer violates the contract, and if no request used an operation, a
filter or a field of a body of the contract.
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

__all__ = ["CheckingTransport", "main"]

_FIELD = re.compile(rb'form-data; name="(\w+)"')


# Requests and answers in the form of openapi-core


@frozen
class _OpenapiRequest:
    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters


@frozen
class _OpenapiResponse:
    status_code: int
    headers: Headers
    content_type: str
    data: bytes


@define
class CheckingTransport:
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
        asked = _to_openapi_request(request, body)
        response = await self.inner.send(request)
        answered = _OpenapiResponse(
            response.status,
            Headers(list(response.headers.items())),
            response.headers.get("content-type", ""),
            decompress_body(response),
        )
        self.statuses[request.operation].append(response.status)
        self.seen[request.operation].update(_list_inputs(asked))
        errors = self.openapi.iter_response_errors(asked, answered)
        for fault in (
            *self._find_violations(request, asked),
            *map(_format_error, errors),
        ):
            self.faults.append(f"{request.operation} {response.status}: {fault}")
        return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self.inner.aclose()

    def _find_violations(self, request: Any, asked: _OpenapiRequest) -> Iterator[str]:
        url = asked.host_url + asked.path
        match = APICallPathFinder(self.openapi.spec).find(asked.method, url)
        name = match.operation["operationId"]
        if name != request.operation:
            yield f"the request matches operation {name}"
        yield from map(_format_error, self.openapi.iter_request_errors(asked))


def _to_openapi_request(request: Any, body: bytes | None) -> _OpenapiRequest:
    parts = urlsplit(request.url)
    headers = Headers(list(request.headers.items()))
    return _OpenapiRequest(
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


def _list_inputs(asked: _OpenapiRequest) -> Iterator[str]:
    yield from asked.parameters.query
    if asked.body is None:
        return
    if asked.content_type.startswith("multipart/"):
        yield from (name.decode() for name in _FIELD.findall(asked.body))
    else:
        yield from json.loads(asked.body)


def _format_error(error: BaseException) -> str:
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    schema = getattr(causes[-1], "schema_errors", ())
    return "; ".join(str(part) for part in (*causes, *schema))[:500]


# The verdict


def main(url: str, key: str) -> int:
    """Call all operations; returns 0 if nothing is wrong."""
    transport = anyio.run(_call_api, url, key)
    wanted = contract.operations()
    for name in sorted(wanted):
        print(f"{name:30} {_format_counts(transport.statuses.get(name, []))}")
    complaints = [*transport.faults, *_list_gaps(transport)]
    print(*complaints, sep="\n")
    number = sum(map(len, transport.statuses.values()))
    print(
        f"openapi-core: {len(transport.statuses)} of {len(wanted)} operations,"
        f" {number} exchanges, {len(complaints)} complaints"
    )
    return 1 if complaints else 0


async def _call_api(url: str, key: str) -> CheckingTransport:
    settings = Settings(base_url=url)
    spec = OpenAPI.from_dict(_load_contract(f"{url}/v2.2"))
    transport = CheckingTransport(AiohttpTransport(), spec)
    async with NectarClient(key, settings=settings, transport=transport) as nectar:
        await call_everything(nectar)
    stranger = CheckingTransport(AiohttpTransport(), spec)
    try:
        async with NectarClient(
            "wrong", settings=settings, transport=stranger
        ) as nectar:
            await nectar.ping()
    except AuthenticationError:
        transport.faults += stranger.faults
    else:
        transport.faults.append("ping_get: a wrong key was accepted")
    return transport


def _load_contract(address: str) -> dict[str, Any]:
    """Load the contract for a server at an address."""
    document = deepcopy(contract.load())
    document["servers"] = [{"url": address}]
    # openapi-core reads a file as bytes, which a JSON schema does not accept as string.
    form = document["components"]["schemas"]["JobSubmitDocument"]["properties"]
    del form["document"]["type"]
    return document


def _list_gaps(transport: CheckingTransport) -> Iterator[str]:
    """List the parts of the contract that no request used."""
    for name, row in contract.operations().items():
        if not any(status < 300 for status in transport.statuses.get(name, ())):
            yield f"{name}: no request succeeded"
        for missing in sorted(
            _list_contract_inputs(row.description) - transport.seen[name]
        ):
            yield f"{name}: no request used {missing}"


def _list_contract_inputs(description: dict[str, Any]) -> set[str]:
    """List the filters of an operation and the fields of its body."""
    parameters = [
        _resolve(parameter) for parameter in description.get("parameters", ())
    ]
    names = {one["name"] for one in parameters if one["in"] == "query"}
    for media in description.get("requestBody", {}).get("content", {}).values():
        names.update(_resolve(media["schema"])["properties"])
    return names


def _resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = contract.load()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def _format_counts(statuses: Sequence[int]) -> str:
    return "  ".join(
        f"{status}: {statuses.count(status)}" for status in sorted({*statuses})
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
