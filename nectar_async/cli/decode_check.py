"""Check whether the models can decode recorded answers, and what they do not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from nectar_async import contract
from nectar_async._json.converter import Converter, get_converter
from nectar_async._json.json_text import find_only_list
from nectar_async._paging.pager import Pager
from nectar_async.client import NectarClient
from nectar_async.contract.wire_names import to_python
from nectar_async.errors import DecodeError
from nectar_async.models.page import Listing
from nectar_async.recording.bodies import Body, FormData
from nectar_async.recording.check import Finding, Severity
from nectar_async.recording.exchange import Exchange
from nectar_async.settings import Settings
from nectar_async.transports.memory import MemoryTransport

__all__ = ["find_decode_problems", "read_return_types"]

_NOT_DECODED: Final = (NoneType, str)
_INDEX: Final = re.compile(r"\[[0-9]+\]")


def find_decode_problems(exchange: Exchange) -> Iterator[Finding]:
    """List why an answer cannot be decoded, or else its keys that no model knows.

    Answers that are errors are skipped, and so are operations without a method of the
    client.
    """
    answer = exchange.answer
    return_type = read_return_types().get(exchange.question.operation, NoneType)
    is_success = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    if return_type in _NOT_DECODED or not is_success:
        return
    data = _read_data(answer.body)
    if not data and exchange.question.method != "GET":
        return  # the answer to a write may be empty
    severity = Severity.ERROR
    problems = _decode(get_converter(is_strict=False), exchange, return_type, data)
    if not problems:
        severity = Severity.NOTE
        problems = _decode(get_converter(is_strict=True), exchange, return_type, data)
    for problem in dict.fromkeys(_INDEX.sub("[]", problem) for problem in problems):
        message, _, path = problem.partition(" @ ")
        place = path.removeprefix("$").removeprefix(".")
        yield Finding(
            severity=severity, place=f"response {place}".strip(), message=message
        )


@cache
def read_return_types() -> Mapping[str, Any]:
    """Read the return type of the client's method for each operation id.

    The tag of an operation names the attribute of the client, and the rest of its id
    the method: `usage_list_by_company` is `client.usage.by_company`.
    """
    client = NectarClient(transport=MemoryTransport({}), settings=Settings())
    return_types: dict[str, Any] = {}
    for operation, row in contract.operations().items():
        tag = row.description["tags"][0]
        name = operation.removeprefix(f"{tag}_").removeprefix("list_")
        group = getattr(client, tag, None)
        method = getattr(group, "all" if name == "list" else name, None)
        if method is not None:
            return_types[operation] = get_type_hints(method)["return"]
    return return_types


def _read_data(body: Body | None) -> bytes:
    return b"" if body is None or isinstance(body, FormData) else body.data()


def _decode(
    decoder: Converter, exchange: Exchange, return_type: Any, data: bytes
) -> tuple[str, ...]:
    """Decode an answer as a return type, and return the problems."""
    try:
        if get_origin(return_type) is Pager:
            (model,) = get_args(return_type)
            listing, page = _find_listing(exchange), exchange.question.page or 1
            decoder.decode_page(data, model, listing, page)
        elif get_origin(return_type) is list:
            decoder.decode(bytes(find_only_list(data)), return_type)
        else:
            decoder.decode(data, return_type)
    except DecodeError as error:
        return error.problems
    return ()


def _find_listing(exchange: Exchange) -> Listing:
    """Find the keys of a page; the key of the items is the tag by default."""
    row = contract.operations()[exchange.question.operation]
    keys = row.description.get("x-paginated", {})
    return Listing(items=to_python(keys.get("items", row.description["tags"][0])))
