"""A small recording, and clients that replay it with faults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import anyio
from doubles import ListServer, MakeClient

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Request,
    VirtualClock,
)
from nectar_async.faults import FaultLike
from nectar_async.transports import RecordedTransport, Recorder

__all__ = ["ACME", "DAYS", "PAGES", "POST", "ROWS", "ReplayClient", "record"]

ACME = "acme"
PAGES = 4
ROWS = [f"{ACME}-{number}" for number in range(1, 2 * PAGES + 1)]
"""The ids on the four pages of the company's usage, two on each page."""

DAYS: Mapping[str, Any] = {
    "start_date": date(2026, 1, 1),
    "end_date": date(2026, 1, 4),
}
HALVES = (
    {**DAYS, "end_date": date(2026, 1, 2)},
    {**DAYS, "start_date": date(2026, 1, 3)},
)

POST = Request.post(
    "sites_create",
    "/site/company/{company_id}",
    dict,
    json={"name": "Hall 7"},
    company_id=ACME,
)


def record(path: Path) -> None:
    """Record the companies, a list as a whole and by days, and a write."""
    server = ListServer.of_pages(acme=PAGES)

    async def answer(request: Request[Any]) -> object:
        if request.operation == POST.operation:
            return {"id": "site-1", "name": "Hall 7"}
        return await server.transport.send(request)

    async def make() -> None:
        recorder = Recorder(path, mode="record")
        transport = MemoryTransport(answer)
        async with NectarClient(transport=transport, recorder=recorder) as nectar:
            await nectar.companies.all()
            await nectar.send(POST)
            for window in ({}, DAYS, *HALVES):
                assert [r async for r in nectar.usage.by_company(ACME, **window)]

    anyio.run(make)


class ReplayClient:
    """A client in virtual time that replays the recording with faults."""

    def __init__(
        self, make_client: MakeClient, path: Path, *overlays: FaultLike, **settings: Any
    ) -> None:
        self.clock = VirtualClock()
        self.transport = RecordedTransport(path, overlays=overlays)
        self.nectar = make_client(self.transport, clock=self.clock, **settings)

    @property
    def request_count(self) -> int:
        """How many requests were made."""
        return len(self.transport.witness.requests)

    @property
    def pages(self) -> list[int]:
        """The requested pages, sorted; 0 for a request without pages."""
        return sorted(request.page or 0 for request in self.transport.witness.requests)

    async def read_ids(self, **window: Any) -> list[str]:
        """Read the ids of the company's usage."""
        return [
            record.id async for record in self.nectar.usage.by_company(ACME, **window)
        ]
