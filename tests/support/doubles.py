"""A list server in memory, whose answers, delays and faults a test decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
from attrs import frozen

from nectar_async import MemoryTransport, NectarClient, Request

USAGE = "usage_list_by_company"

Scripted = object | Callable[[], Awaitable[object]]


class MakeClient(Protocol):
    """What the fixture `make_client` gives."""

    def __call__(self, transport: object, /, **options: Any) -> NectarClient: ...


@frozen
class Row:
    """The least that a record is."""

    id: str


def rows(name: str, count: int) -> list[str]:
    """Ids of `count` records of a company."""
    return [f"{name}-{number}" for number in range(1, count + 1)]


def envelope(
    ids: Sequence[str], *, page: int, per_page: int, total: int, **changes: object
) -> dict[str, object]:
    """A page of usage as the API wraps it; `changes` win."""
    pages = max(1, -(-total // per_page))
    return {
        "usageData": [{"id": one} for one in ids],
        "totalUsageData": total,
        "perPage": per_page,
        "totalPages": pages,
        "currentPage": page,
        "hasNext": page < pages,
        "hasPrevious": page > 1,
        **changes,
    }


class ListServer:
    """Companies with usage, page by page, as the API gives them.

    `transport` speaks for it. Past the end it gives the last page again, as the API
    does. What a test scripts for one page of one company is used up first.
    """

    def __init__(
        self, companies: Mapping[str, Sequence[str]], *, per_page: int = 2
    ) -> None:
        self.companies = {name: list(ids) for name, ids in companies.items()}
        self.per_page = per_page
        self.transport = MemoryTransport(self._answer)
        self.asked: list[tuple[str, int]] = []
        """Company and page of each request, in order."""
        self.in_flight = 0
        self.peak = 0
        self.turns = 1
        """How many turns of the loop every answer takes."""
        self._scripts: defaultdict[tuple[str, int], list[Scripted]] = defaultdict(list)
        self._changes: dict[tuple[str, int], Sequence[str]] = {}
        self._holds: dict[tuple[str, int], anyio.Event] = {}

    @classmethod
    def of_pages(cls, *, per_page: int = 2, **pages: int) -> ListServer:
        """Companies by name, with that many full pages each."""
        return cls(
            {name: rows(name, count * per_page) for name, count in pages.items()},
            per_page=per_page,
        )

    def script(self, company: str, page: int, *answers: Scripted) -> None:
        """Give these for the page, one request each, before the page itself."""
        self._scripts[company, page] += answers

    def change(self, company: str, page: int, ids: Sequence[str]) -> None:
        """Once the page was given, the list of the company is another one."""
        self._changes[company, page] = ids

    def hold(self, company: str, page: int) -> anyio.Event:
        """Answer the page only when the event is set."""
        return self._holds.setdefault((company, page), anyio.Event())

    def pages_of(self, company: str) -> list[int]:
        """The pages of a company that were asked for, in order."""
        return [page for name, page in self.asked if name == company]

    def all_rows(self) -> list[str]:
        """Every id of every company, sorted."""
        return sorted(one for ids in self.companies.values() for one in ids)

    async def _answer(self, request: Request[Any]) -> object:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            return await self._scripted(request)
        finally:
            self.in_flight -= 1

    async def _scripted(self, request: Request[Any]) -> object:
        for _ in range(self.turns):
            await anyio.lowlevel.checkpoint()
        if request.operation == "companies_list":
            return [{"id": name, "name": name.title()} for name in self.companies]
        company, page = address(request)
        self.asked.append((company, page))
        if (event := self._holds.get((company, page))) is not None:
            await event.wait()
        if script := self._scripts[company, page]:
            answer = script.pop(0)
            return await answer() if callable(answer) else answer
        return self._page(company, page)

    def _page(self, company: str, page: int) -> dict[str, object]:
        ids = self.companies[company]
        last = max(1, -(-len(ids) // self.per_page))
        current = min(page, last)
        start = (current - 1) * self.per_page
        answer = envelope(
            ids[start : start + self.per_page],
            page=current,
            per_page=self.per_page,
            total=len(ids),
        )
        if (changed := self._changes.pop((company, page), None)) is not None:
            self.companies[company] = list(changed)
        return answer


def address(request: Request[Any]) -> tuple[str, int]:
    """The company and the page that a request asks for, as its URL says."""
    parts = urlsplit(request.url)
    page = parse_qs(parts.query).get("page", ["1"])
    return parts.path.rpartition("/")[2], int(page[0])


async def settle_down(turns: int = 50) -> None:
    """Let everybody who can go on do so."""
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()


def assert_idle(client: NectarClient) -> None:
    """Nobody holds a permit of the client, and nobody waits for one."""
    now = client.statistics()
    assert (now.in_flight, now.waiting) == (0, 0)
