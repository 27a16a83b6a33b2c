"""Every view of the repository over HTTP, while the rows of its lists move.

A company has too few meters and connections for several pages, so lists are cut into
small ones here; rows are deleted and inserted when a page is requested after the
first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from attrs import define, evolve, field
from harness import Harness, open_harness

from nectar_async import Receipt, Request, Response
from nectar_async.faults import Proceed
from nectar_async.faults.fault import at_page, find_page
from nectar_async.faults.lists import Envelope
from nectar_async.sandbox import Fault

pytestmark = pytest.mark.asyncio

SIZE = 2
"""The number of rows on a page."""
LATELY = {"start_date": date(2025, 12, 15)}
VIEWS: dict[str, dict[str, Any]] = {
    "connections": {},
    "documents": LATELY,
    "meters": {},
    "usage": LATELY,
}
"""Each view with its filters; dates limit the lists that are longer than needed."""


@define
class Moving:
    """A list in small pages, which is another one from its second page on.

    Args:
        delete: rows that leave it.
        insert: rows that come: those that are first, under ids of their own.
        at: in front of which row.
    """

    delete: int = 0
    insert: int = 0
    at: int = 0
    has_moved: bool = field(default=False, init=False)

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """The page of the list as it is by now."""
        page = find_page(request) or 1
        self.has_moved = self.has_moved or page > 1
        rows: list[Any] = []
        first = envelope = Envelope.read(await proceed(at_page(request, 1)))
        assert first is not None
        for number in range(1, first.pages + 1):
            envelope = Envelope.read(await proceed(at_page(request, number)))
            rows += () if envelope is None else envelope.rows
        if self.has_moved:
            rows = self.moved([msgspec.json.decode(bytes(row)) for row in rows])
        return self._cut(first, rows, page)

    def moved(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The list after it has moved."""
        new = [{**row, "id": f"{row['id']}-new"} for row in rows[: self.insert]]
        return [*rows[: self.at], *new, *rows[self.at + self.delete :]]

    def _cut(self, first: Envelope, rows: Sequence[Any], page: int) -> Response:
        assert first.total_key is not None
        pages = max(1, -(-len(rows) // SIZE))
        page = min(page, pages)
        return first.replace(
            **{
                first.items_key: rows[(page - 1) * SIZE : page * SIZE],
                first.total_key: len(rows),
                "perPage": SIZE,
                "totalPages": pages,
                "currentPage": page,
                "hasNext": page < pages,
                "hasPrevious": page > 1,
            }
        )


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness(clock_speed=0) as harness:
        yield harness


async def walked(harness: Harness, view: str) -> tuple[Receipt, list[str]]:
    """The receipt of a view, and the ids that were delivered."""
    listed = getattr(harness.client().repository, view)
    async with listed(companies=[harness.company_id], **VIEWS[view]) as records:
        ids = [record.id async for record in records]
    return records.receipt, ids


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "moving",
    [
        Moving(delete=3),
        Moving(insert=3, delete=1),
        Moving(delete=2, at=1),
        Moving(insert=2, at=3),
    ],
    ids=["3 go", "3 come, 1 goes", "2 go inside", "2 come inside"],
)
async def test_no_view_loses_rows_that_move(
    harness: Harness, view: str, moving: Moving
) -> None:
    harness.sandbox.faults.add(Fault(Moving(), operation=f"{view}_list_by_company"))
    _, before = await walked(harness, view)
    assert len(before) > 2 * SIZE
    after = [
        row["id"] for row in moving.moved([{"id": record_id} for record_id in before])
    ]

    harness.sandbox.faults.clear()
    moving = evolve(moving)  # parameters are shared
    harness.sandbox.faults.add(Fault(moving, operation=f"{view}_list_by_company"))
    receipt, ids = await walked(harness, view)
    assert moving.has_moved
    assert len(ids) == len(set(ids))
    assert set(ids) == {*before[:SIZE], *after}
    assert (receipt.verdict, receipt.records) == ("complete", len(ids))
    assert receipt.rewalked > 0


LAST = 4
"""The last page of the company's usage; it is requested after all others were read."""


@pytest.mark.parametrize(
    ("changes", "plain", "verified"),
    [
        (["insert=1 at=front"], "drifted", "drifted"),
        (["delete=1 at=150"], "drifted", "drifted"),
        (["insert=1 at=150", "delete=1 at=end"], "short", "short"),
        (["delete=1 at=front", "insert=1 at=end"], "complete", "drifted"),
        (["insert=1 delete=1 at=front"], "complete", "drifted"),
        (["delete=1 at=150", "insert=1 at=front"], "complete", "drifted"),
        (["delete=1 at=150", "insert=1 at=end"], "complete", "complete"),
        (["insert=1 delete=1 at=150"], "complete", "complete"),
    ],
    ids=lambda value: value if isinstance(value, str) else " and ".join(value),
)
async def test_moves_are_found_or_missed_as_the_documentation_says(
    harness: Harness, changes: list[str], plain: str, verified: str
) -> None:
    """The table of `docs/architecture.md`, row by row."""
    usage = harness.client().usage
    verdicts = []
    for verify in (False, True):
        harness.sandbox.faults.clear()
        harness.sandbox.faults.add(
            *(f"change {change} page={LAST} times=1" for change in changes)
        )
        walk = usage.by_company(harness.company_id, verify=verify)
        ids = {record.id async for record in walk}
        verdicts.append(str(walk.receipt.verdict))
        if not verify:  # the last look shows a row that came in front
            assert not ids >= set(harness.usage_ids), "a row was not seen"
    assert verdicts == [plain, verified]


async def test_the_repository_repairs_what_verifying_finds(harness: Harness) -> None:
    changes = ("change delete=1 at=front", "change insert=1 at=end")
    harness.sandbox.faults.add(*(f"{change} page={LAST} times=1" for change in changes))
    repository = harness.client().repository
    async with repository.usage(companies=[harness.company_id], verify=True) as records:
        ids = {record.id async for record in records}
    assert ids >= set(harness.usage_ids)
    assert records.receipt.verdict == "complete"
    assert records.receipt.rewalked > 0
