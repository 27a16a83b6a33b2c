"""Lists that move while they are replayed: a walk notices, and repairs itself if asked.

The list has four pages of two rows: acme-1 and acme-2, up to acme-8.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from doubles import USAGE, MakeClient
from faulty_replay import ACME, DAYS, ROWS, Stage, record

from nectar_async import MemoryTransport, NectarClient, Page, Request
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async.errors import PaginationError, RecordingError
from nectar_async.faults import FaultLike
from nectar_async.models import UsageData
from nectar_async.models.page import Listing
from nectar_async.recording import Overlay
from nectar_async.recording.effects import (
    Answer,
    ClampSilently,
    DeleteRow,
    InsertRow,
    Miscount,
    RepeatPage,
    Shuffle,
)
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = pytest.mark.anyio

Lay = Callable[..., Stage]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings") / "acme"
    record(folder)
    return folder


@pytest.fixture
def lay(make_client: MakeClient, path: Path) -> Lay:
    """A client on the recording with these overlays."""

    def lay(*overlays: FaultLike) -> Stage:
        return Stage(make_client, path, *overlays)

    return lay


async def plain(stage: Stage) -> tuple[list[str], Receipt]:
    """A walk that takes what comes."""
    pager = stage.nectar.usage.by_company(ACME)
    return [one.id async for one in pager], pager.receipt


async def repaired(stage: Stage) -> tuple[list[str], Receipt]:
    """A walk that goes over a list again when it moved."""
    async with stage.nectar.repository.usage(companies=[ACME]) as view:
        return [one.id async for one in view], view.receipt


# Pages that do not advance.


@pytest.mark.parametrize("walk", [plain, repaired], ids=["plain", "repaired"])
@pytest.mark.parametrize(
    "overlay",
    [ClampSilently(2), Overlay(RepeatPage(), page=3)],
    ids=["clamped", "repeated"],
)
async def test_a_page_that_comes_again_ends_the_walk(
    lay: Lay, overlay: FaultLike, walk: Callable[[Stage], Any]
) -> None:
    stage = lay(overlay)
    with pytest.raises(PaginationError, match="page 3 is page 2 once more") as caught:
        await walk(stage)
    assert caught.value.page == 3
    assert stage.clock.sleeps == []


async def test_a_clamped_page_claims_the_number_that_was_asked_for(lay: Lay) -> None:
    stage = lay(ClampSilently())
    asked = Request.get(
        USAGE,
        "/usage/company/{company_id}",
        Page[UsageData],
        query={"page": 9},
        listing=Listing(items="usage_data"),
        company_id=ACME,
    )
    page = await stage.nectar.send(asked)
    assert (page.number, page.current_page, page.has_next) == (9, 9, False)
    assert [one.id for one in page.items] == ROWS[-2:]


async def test_pages_up_to_the_clamp_are_as_recorded(lay: Lay) -> None:
    ids, receipt = await plain(lay(ClampSilently(4)))
    assert (ids, receipt.verdict) == (ROWS, Verdict.COMPLETE)


# Rows that come and go.


async def test_a_row_that_comes_in_makes_one_come_twice(lay: Lay) -> None:
    stage = lay(InsertRow(after=1))
    ids, receipt = await plain(stage)
    assert ids == ROWS  # what came again is given once
    assert receipt.verdict is Verdict.DRIFTED
    assert (receipt.total_first, receipt.total_last, receipt.repeats) == (8, 9, 1)
    assert stage.pages == [1, 2, 3, 4, 5]


async def test_a_walk_that_repairs_itself_gets_the_row_that_came_in(lay: Lay) -> None:
    stage = lay(InsertRow(after=1, row={"id": "new"}))
    ids, receipt = await repaired(stage)
    assert ids == [*ROWS, "new"]
    assert receipt.verdict is Verdict.COMPLETE
    assert (receipt.total_last, receipt.rewalked) == (9, 5)


async def test_a_row_that_goes_takes_another_one_along(lay: Lay) -> None:
    ids, receipt = await plain(lay(DeleteRow(after=1)))
    assert ids == [one for one in ROWS if one != "acme-3"]
    assert receipt.verdict is Verdict.DRIFTED
    assert (receipt.total_first, receipt.total_last) == (8, 7)


async def test_a_walk_that_repairs_itself_gets_the_row_that_was_lost(lay: Lay) -> None:
    stage = lay(DeleteRow(after=1))
    ids, receipt = await repaired(stage)
    assert sorted(ids) == ROWS
    assert receipt.verdict is Verdict.COMPLETE
    assert stage.pages == [1, 1, 2, 2, 3, 3, 4, 4]


async def test_what_happens_after_the_last_page_is_seen_by_who_looks_again(
    lay: Lay,
) -> None:
    ids, receipt = await plain(lay(InsertRow(after=4)))
    assert (ids, receipt.verdict) == (ROWS, Verdict.COMPLETE)
    stage = lay(InsertRow(after=4, row={"id": "new"}))
    pager = stage.nectar.usage.by_company(ACME, verify=True)
    ids = [one.id async for one in pager]
    assert pager.receipt.verdict is Verdict.DRIFTED
    assert stage.pages == [1, 1, 2, 3, 4]


async def test_rows_behind_a_change_move_and_those_before_stay(lay: Lay) -> None:
    ids, receipt = await plain(lay(InsertRow(after=1, at=6, row={"id": "new"})))
    assert ids == [*ROWS[:5], "new", *ROWS[5:]]
    assert receipt.verdict is Verdict.DRIFTED  # the total says so


async def test_a_new_row_is_like_the_first_one_and_has_an_id_of_its_own(
    lay: Lay,
) -> None:
    first, _ = await repaired(lay(InsertRow()))
    again, _ = await repaired(lay(InsertRow()))
    assert first == again
    assert len({*first} - {*ROWS}) == 1


async def test_a_list_in_another_order_is_a_whole_list_still(lay: Lay) -> None:
    ids, receipt = await plain(lay(Shuffle(seed=3)))
    assert ids != ROWS
    assert sorted(ids) == ROWS
    assert receipt.verdict is Verdict.COMPLETE
    assert ids == (await plain(lay(Shuffle(seed=3))))[0]
    assert ids != (await plain(lay(Shuffle(seed=4))))[0]


async def test_a_page_in_another_order_than_the_others_leaves_a_short_list(
    lay: Lay,
) -> None:
    stage = lay(Overlay(Shuffle(seed=1), page=2))
    ids, receipt = await plain(stage)
    assert {*ids} < {*ROWS}
    assert receipt.verdict is Verdict.SHORT
    _, receipt = await repaired(lay(Overlay(Shuffle(seed=1), page=2)))
    assert (receipt.verdict, receipt.rewalked) == (Verdict.SHORT, 4)


# Totals that lie.


@pytest.mark.parametrize(
    ("miscount", "verdict", "totals"),
    [
        pytest.param(Miscount(by=2), Verdict.SHORT, (10, 10), id="more"),
        pytest.param(Miscount(by=-2), Verdict.DRIFTED, (6, 6), id="fewer"),
        pytest.param(Miscount(each_page=1), Verdict.DRIFTED, (8, 11), id="growing"),
        pytest.param(
            Overlay(Miscount(by=1), page=2), Verdict.DRIFTED, (8, 8), id="once"
        ),
    ],
)
async def test_a_total_that_lies_is_no_complete_list(
    lay: Lay, miscount: FaultLike, verdict: Verdict, totals: tuple[int, int]
) -> None:
    for walk in (plain, repaired):
        ids, receipt = await walk(lay(miscount))
        assert ids == ROWS
        assert receipt.verdict is verdict
        assert (receipt.total_first, receipt.total_last) == totals


async def test_too_few_pages_end_no_walk_that_is_told_of_a_next_one(lay: Lay) -> None:
    ids, receipt = await plain(lay(Overlay(Miscount(pages=-2), page=1)))
    assert (ids, receipt.verdict) == (ROWS, Verdict.COMPLETE)  # `hasNext` leads on


# What has no pages, and what is not whole.


async def test_a_bare_array_is_answered_as_ever(lay: Lay) -> None:
    effects = (ClampSilently(1), RepeatPage(), InsertRow(), Shuffle(), Miscount(by=1))
    stage = lay(*effects)
    assert [one.id for one in await stage.nectar.companies.all()] == [ACME]


async def test_a_page_that_an_overlay_makes_counts_as_asked_for(lay: Lay) -> None:
    stage = lay(Shuffle(), Overlay(Answer(200, body=b"[]"), operation="companies_list"))
    await plain(stage)
    assert await stage.nectar.companies.all() == []
    left = {name.partition(".")[0] for name in stage.transport.unused}
    assert "companies_list" not in left
    # Of the other windows of the same list nobody asked for anything.
    assert len([name for name in stage.transport.unused if USAGE in name]) == 12


async def test_rows_cannot_move_where_a_page_is_missing(
    make_client: MakeClient, path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(path, folder, ignore=shutil.ignore_patterns("usage*page-0003*"))
    stage = Stage(make_client, folder, InsertRow())
    with pytest.raises(RecordingError, match="page 3 is not recorded"):
        await stage.ids()


# Envelopes as other servers may have them.


async def test_an_envelope_is_known_by_its_first_list_and_total(
    make_client: MakeClient, tmp_path: Path
) -> None:
    def answer(request: Request[Any]) -> object:
        page = request.page or 1
        return {
            "warnings": ["slow"],
            "totalProviders": 3,
            "totalPages": 3,
            "currentPage": page,
            "providers": [{"id": f"p-{page}", "name": "Utility"}],
        }

    async def names(nectar: NectarClient) -> list[Any]:
        return [one.id async for one in nectar.providers.search("Utility")]

    recorder = Recorder(tmp_path / "r", mode="record")
    async with NectarClient(
        transport=MemoryTransport(answer), recorder=recorder
    ) as nectar:
        assert await names(nectar) == ["p-1", "p-2", "p-3"]
    transport = RecordedTransport(tmp_path / "r", overlays=[DeleteRow(at=2)])
    assert await names(make_client(transport)) == ["p-1", "p-3"]


async def test_walks_of_two_lists_move_on_their_own(lay: Lay) -> None:
    stage = lay(Overlay(InsertRow(after=3), operation=USAGE))
    counts: dict[str, int] = {}

    async def walk(name: str, **window: Any) -> None:
        pager = stage.nectar.usage.by_company(ACME, **window)
        [_ async for _ in pager]
        counts[name] = pager.receipt.pages

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: walk("all"))
        group.start_soon(lambda: walk("days", **DAYS))
    assert counts == {"all": 5, "days": 5}
