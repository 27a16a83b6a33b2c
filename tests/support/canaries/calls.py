"""A table of all public calls of a client, with canaries as arguments.

A case takes a client and a list, and adds everything to the list that a caller can see.
Pagers and fan-outs are added before they are read, so that they are searched also when
they fail.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from canaries.canaries import VALUES, build_arguments
from endpoints import ENDPOINTS, Endpoint

from nectar_async import (
    MemoryTransport,
    NectarClient,
    NectarError,
    Pager,
    Request,
    Secret,
)
from nectar_async._paging.fanout import FanOut
from nectar_async._paging.prefetch import Prefetch
from nectar_async.models import Connection, Document
from nectar_async.models.page import Page
from nectar_async.resources._resource import Resource

__all__ = ["CASES", "Case", "list_public_calls"]

ID = "a94c2d57-1f3e-4b68-8c0d-2e7f9b5a6c01"
COMPANIES = ["3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11", ID]

Call = Callable[[NectarClient, list[Any]], Awaitable[None]]


@frozen
class Case:
    """A call with its name."""

    name: str
    """The public method, such as `usage.by_company`."""
    call: Call
    title: str = ""
    """The name of the case among those of the method."""
    fails_at: str | None = None
    """The only operation at which the server fails; None for every operation."""
    endpoint: Endpoint | None = None
    """The operation, for calls that make one request."""
    covers: Sequence[str] = ()
    """Other public methods that the case calls."""
    is_late: bool = False
    """Whether the first chunk of a file arrives before the server fails."""

    def __str__(self) -> str:
        return f"{self.name} {self.title}".strip()


def list_public_calls() -> set[str]:
    """List the public methods of a client, of its resources and of the lists.

    The properties of lists are included: a caller reads the receipt after a failure.
    """
    client = NectarClient(transport=MemoryTransport({}))
    members = inspect.getmembers(client)
    resources = {name: part for name, part in members if isinstance(part, Resource)}
    names = set(_list_methods(client))
    names |= {
        f"{noun}.{method}"
        for noun, resource in resources.items()
        for method in _list_methods(resource)
    }
    return names | {
        f"{kind.__name__}.{member}"
        for kind in (FanOut, Pager, Prefetch)
        for member in _list_members(kind)
    }


def _list_methods(owner: object) -> Iterator[str]:
    for name, _ in inspect.getmembers(type(owner), inspect.isroutine):
        if not name.startswith("_"):
            yield name


def _list_members(kind: type) -> Iterator[str]:
    return (name for name in dir(kind) if not name.startswith("_"))


def _build_case(endpoint: Endpoint, *, masked: bool) -> Case:
    async def call(nectar: NectarClient, seen: list[Any]) -> None:
        answer = endpoint.on(nectar)(**build_arguments(endpoint, masked=masked))
        if isinstance(answer, Pager):
            seen.append(answer)
            seen += [page async for page in answer.pages()]
            seen += [record async for record in answer]
        else:
            seen.append(await answer)

    title = "with secrets that are masked" if masked else ""
    return Case(endpoint.call, call, title, endpoint=endpoint)


def _build_waiting_call(name: str, **given: Any) -> Call:
    noun, _, verb = name.partition(".")

    async def call(nectar: NectarClient, seen: list[Any]) -> None:
        method = getattr(getattr(nectar, noun), verb)
        seen.append(await method(ID, on_progress=seen.append, **given))

    return call


def _build_activation_call(verb: str) -> Call:
    async def call(nectar: NectarClient, seen: list[Any]) -> None:
        seen.append(await getattr(nectar.connections, verb)(ID))

    return call


async def _download(nectar: NectarClient, seen: list[Any]) -> None:
    seen.append(await nectar.documents.download(ID, io.BytesIO()))


def _build_view_call(name: str, given: Mapping[str, Any]) -> Call:
    async def call(nectar: NectarClient, seen: list[Any]) -> None:
        view = getattr(nectar.repository, name)(**given)
        seen.append(view)
        async with view:
            seen += [record async for record in view]

    return call


def _build_view_cases(name: str) -> Iterator[Case]:
    operation = f"{ {'accounts': 'connections'}.get(name, name) }_list_by_company"
    full = f"repository.{name}"
    some = {"companies": COMPANIES}
    yield Case(full, _build_view_call(name, {}))
    collected = {**some, "on_error": "collect"}
    yield Case(full, _build_view_call(name, collected), "that collects", operation)
    if name != "documents":
        return  # the other cases are the same for all views; only documents have links
    yield Case(full, _build_view_call(name, some), "of some", operation)
    called: dict[str, Any] = {"on_error": lambda failure: None}
    yield Case(full, _build_view_call(name, called), "with a callback", operation)


async def _prefetch(nectar: NectarClient, seen: list[Any]) -> None:
    pager = nectar.documents.by_company(ID)
    prefetch = pager.prefetch()
    seen += [pager, prefetch]
    async with prefetch as records:
        seen += [record async for record in records]


async def _resume(nectar: NectarClient, seen: list[Any]) -> None:
    """Read a list, and resume it after a failure until that fails as well."""
    pager = nectar.documents.by_company(ID)
    seen.append(pager)
    try:
        seen += [record async for record in pager]
    except NectarError as error:
        seen += [error, pager.receipt, error.cursor]
        pager = pager.resume(error.cursor or "")
        seen.append(pager)
    seen += [page async for page in pager.pages()]
    seen.append(pager.receipt)


async def _prefetched_pages(nectar: NectarClient, seen: list[Any]) -> None:
    prefetch = nectar.documents.by_company(ID).prefetch(look_ahead=2)
    seen.append(prefetch)
    async with prefetch as records:
        seen += [page async for page in records.pages()]
    seen.append(prefetch.receipt)


async def _view_pages(nectar: NectarClient, seen: list[Any]) -> None:
    view = nectar.repository.documents(companies=COMPANIES, on_error="collect")
    seen.append(view)
    async with view:
        seen += [page async for page in view.pages()]
    seen += [view.receipt, view.receipts, view.failures, view.progress]


async def _next_page(nectar: NectarClient, seen: list[Any]) -> None:
    view = nectar.repository.documents(companies=COMPANIES)
    seen.append(view)
    async with view:
        seen.append(await view.next_page())


async def _collect(nectar: NectarClient, seen: list[Any]) -> None:
    pager = nectar.documents.by_company(ID)
    seen.append(await pager.first())
    records = await pager.collect(progress=True)
    seen += [records, records.receipt, *records]
    with pager.show_progress():
        seen += [record async for record in pager]


async def _collect_view(nectar: NectarClient, seen: list[Any]) -> None:
    seen.append(await nectar.repository.documents(companies=COMPANIES).first())
    view = nectar.repository.documents(companies=COMPANIES, on_error="collect")
    records = await view.collect(progress=True)
    seen += [records, records.receipt, *records, *records.failures]
    async with nectar.repository.documents(companies=COMPANIES) as view:
        with view.show_progress():
            seen += [record async for record in view]


async def _send(nectar: NectarClient, seen: list[Any]) -> None:
    request = Request.post(
        "connections_create",
        "/connection/company/{company_id}",
        Connection,
        json={
            "username": VALUES["username"],
            "password": Secret(VALUES["password"]),
            "security_questions": [{"key": VALUES["key"], "value": VALUES["value"]}],
            "one_time_code": Secret(VALUES["token"]),
        },
        company_id=ID,
    )
    seen.append(request)
    seen.append(await nectar.send(request))


async def _send_list(nectar: NectarClient, seen: list[Any]) -> None:
    listed = nectar.documents.by_company(ID)._request  # as a user would write it
    seen.append(await nectar.send(listed))
    assert isinstance(seen[-1], Page)


async def _send_plain(nectar: NectarClient, seen: list[Any]) -> None:
    request = Request.get(
        "documents_get", "/document/{document_id}", Document, document_id=ID
    )
    seen.append(await nectar.send(request))


async def _copy(nectar: NectarClient, seen: list[Any]) -> None:
    copy = nectar.with_settings(max_body_bytes=1 << 20)
    seen.append(copy)
    arguments = {"username": VALUES["username"], "password": VALUES["password"]}
    seen.append(await copy.connections.update(ID, **arguments))


async def _statistics(nectar: NectarClient, seen: list[Any]) -> None:
    try:
        await nectar.team.get()
    finally:
        seen.append(nectar.statistics())


async def _close(nectar: NectarClient, seen: list[Any]) -> None:
    await nectar.aclose()
    seen.append(await nectar.team.get())


CASES = [
    *(_build_case(endpoint, masked=False) for endpoint in ENDPOINTS),
    *(
        _build_case(endpoint, masked=True)
        for endpoint in ENDPOINTS
        if any(argument.is_sensitive for argument in endpoint.arguments)
    ),
    Case("connections.activate", _build_activation_call("activate")),
    Case("connections.deactivate", _build_activation_call("deactivate")),
    Case(
        "connections.wait_until_settled",
        _build_waiting_call("connections.wait_until_settled", timeout=15),
    ),
    Case("jobs.wait", _build_waiting_call("jobs.wait", timeout=15)),
    Case("documents.download", _download),
    Case("documents.download", _download, "from a host", "documents_download"),
    *(
        case
        for name in ("accounts", "connections", "documents", "meters", "usage")
        for case in _build_view_cases(name)
    ),
    Case("documents.by_company", _prefetch, "in the background"),
    Case("Pager.resume", _resume, covers=("Pager.pages", "Pager.receipt")),
    Case(
        "Prefetch.pages",
        _prefetched_pages,
        covers=("Pager.prefetch", "Prefetch.receipt"),
    ),
    Case(
        "FanOut.pages",
        _view_pages,
        fails_at="documents_list_by_company",
        covers=(
            *("FanOut.receipt", "FanOut.receipts"),
            *("FanOut.failures", "FanOut.progress"),
        ),
    ),
    Case("FanOut.next_page", _next_page),
    Case("Pager.collect", _collect, covers=("Pager.first", "Pager.show_progress")),
    Case(
        "FanOut.collect",
        _collect_view,
        covers=("FanOut.first", "FanOut.show_progress"),
    ),
    Case("send", _send),
    Case("send", _send_list, "a list"),
    Case("send", _send_plain, "a read"),
    Case("with_settings", _copy),
    Case("statistics", _statistics),
    Case("aclose", _close),
]
