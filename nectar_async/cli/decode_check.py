"""Whether recorded answers can be read with the models, and what those do not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from nectar_async import contract
from nectar_async._json.converter import Converter, converter
from nectar_async._json.json import only_list
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

__all__ = ["misreadings"]

_PLAIN: Final = (NoneType, str)
_INDEX: Final = re.compile(r"\[[0-9]+\]")


def misreadings(exchange: Exchange) -> Iterator[Finding]:
    """What keeps an answer from being read, or else what in it no model knows.

    Answers that are errors, and those of operations that the client has no method for,
    are read by nobody.
    """
    answer = exchange.answer
    kind = returned().get(exchange.question.operation, NoneType)
    is_success = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    if kind in _PLAIN or not is_success:
        return
    data = _data(answer.body)
    if not data and exchange.question.method != "GET":
        return  # what a write answers may be nothing
    problems = _problems(converter(is_strict=False), exchange, kind, data)
    severity = Severity.ERROR if problems else Severity.NOTE
    problems = problems or _problems(converter(is_strict=True), exchange, kind, data)
    for problem in dict.fromkeys(_INDEX.sub("[]", one) for one in problems):
        words, _, place = problem.partition(" @ ")
        where = place.removeprefix("$").removeprefix(".")
        yield Finding(severity=severity, place=f"response {where}".strip(), words=words)


@cache
def returned() -> Mapping[str, Any]:
    """What the client's method for each operation gives, by operation id.

    The noun of an operation is the attribute, what follows is the method:
    `usage_list_by_company` is `client.usage.by_company`.
    """
    client = NectarClient(transport=MemoryTransport({}), settings=Settings())
    found: dict[str, Any] = {}
    for operation, row in contract.operations().items():
        noun = row.description["tags"][0]
        verb = operation.removeprefix(f"{noun}_").removeprefix("list_")
        owner = getattr(client, noun, None)
        method = getattr(owner, "all" if verb == "list" else verb, None)
        if method is not None:
            found[operation] = get_type_hints(method)["return"]
    return found


def _data(body: Body | None) -> bytes:
    return b"" if body is None or isinstance(body, FormData) else body.data()


def _problems(
    reader: Converter, exchange: Exchange, kind: Any, data: bytes
) -> tuple[str, ...]:
    try:
        if get_origin(kind) is Pager:
            (model,) = get_args(kind)
            listing, page = _listing(exchange), exchange.question.page or 1
            reader.decode_page(data, model, listing, page)
        elif get_origin(kind) is list:
            reader.decode(bytes(only_list(data)), kind)
        else:
            reader.decode(data, kind)
    except DecodeError as error:
        return error.problems
    return ()


def _listing(exchange: Exchange) -> Listing:
    """How the envelope is spelled; by its noun where the contract does not say."""
    row = contract.operations()[exchange.question.operation]
    spelled = row.description.get("x-paginated", {})
    return Listing(items=to_python(spelled.get("items", row.description["tags"][0])))
