"""A list server in memory with scripted answers, delays and faults."""

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
    """The type of the fixture `make_client`."""

    def __call__(self, transport: object, /, **options: Any) -> NectarClient: ...


@frozen
class Row:
    """A record with nothing but its id."""

    id: str


def rows(name: str, count: int) -> list[str]:
    """Ids of `count` records of a company."""
    return [f"{name}-{number}" for number in range(1, count + 1)]


def envelope(
    ids: Sequence[str], *, page: int, per_page: int, total: int, **changes: object
) -> dict[str, object]:
    """The envelope of a page of usage; `changes` override its keys."""
    pages = max(1, -(-total // per_page))
    return {
        "usageData": [{"id": record_id} for record_id in ids],
        "totalUsageData": total,
        "perPage": per_page,
        "totalPages": pages,
        "currentPage": page,
        "hasNext": page < pages,
        "hasPrevious": page > 1,
        **changes,
    }


class ListServer:
    """A server of companies and pages of usage, to be reached through `transport`.

    Past the end it returns the last page again, as the API does. Scripted answers of a
    page are used before the page itself.
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
        """How many turns of the event loop each answer takes."""
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
        """Answer requests of the page with these, one each, before the page itself."""
        self._scripts[company, page] += answers

    def change(self, company: str, page: int, ids: Sequence[str]) -> None:
        """Replace the list of the company after the page was requested."""
        self._changes[company, page] = ids

    def hold(self, company: str, page: int) -> anyio.Event:
        """Answer the page only when the event is set."""
        return self._holds.setdefault((company, page), anyio.Event())

    def pages_of(self, company: str) -> list[int]:
        """The pages of a company that were requested, in order."""
        return [page for name, page in self.asked if name == company]

    def all_rows(self) -> list[str]:
        """Every id of every company, sorted."""
        return sorted(record_id for ids in self.companies.values() for record_id in ids)

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
    """The company and the page in the URL of a request."""
    parts = urlsplit(request.url)
    page = parse_qs(parts.query).get("page", ["1"])
    return parts.path.rpartition("/")[2], int(page[0])


async def settle_down(turns: int = 50) -> None:
    """Run the other tasks for some turns of the event loop."""
    for _ in range(turns):
        await anyio.lowlevel.checkpoint()


def assert_idle(client: NectarClient) -> None:
    """Assert that no permit of the client is held or waited for."""
    now = client.statistics()
    assert (now.in_flight, now.waiting) == (0, 0)
