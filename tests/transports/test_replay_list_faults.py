"""Faults on the lists of a replay: a walk reports them, and repairs itself on request.

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
from faulty_replay import ACME, DAYS, ROWS, ReplayClient, record

from nectar_async import MemoryTransport, NectarClient, Page, Request
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async.errors import PaginationError, RecordingError
from nectar_async.faults import (
    Answer,
    ClampSilently,
    DeleteRow,
    FaultLike,
    InsertRow,
    Miscount,
    RepeatPage,
    Shuffle,
)
from nectar_async.models import UsageData
from nectar_async.models.page import Listing
from nectar_async.recording import Overlay
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = pytest.mark.anyio

Replay = Callable[..., ReplayClient]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings") / "acme"
    record(folder)
    return folder


@pytest.fixture
def replay(make_client: MakeClient, path: Path) -> Replay:
    """Build a client that replays the recording with overlays."""

    def replay(*overlays: FaultLike) -> ReplayClient:
        return ReplayClient(make_client, path, *overlays)

    return replay


async def read_once(client: ReplayClient) -> tuple[list[str], Receipt]:
    """Read the list once."""
    pager = client.nectar.usage.by_company(ACME)
    return [record.id async for record in pager], pager.receipt


async def read_repaired(client: ReplayClient) -> tuple[list[str], Receipt]:
    """Read the list, and again if its rows moved."""
    async with client.nectar.repository.usage(companies=[ACME]) as view:
        return [record.id async for record in view], view.receipt


# Pages that do not advance.


@pytest.mark.parametrize("walk", [read_once, read_repaired], ids=["plain", "repaired"])
@pytest.mark.parametrize(
    "overlay",
    [ClampSilently(2), Overlay(RepeatPage(), page=3)],
    ids=["clamped", "repeated"],
)
async def test_a_repeated_page_ends_the_walk(
    replay: Replay, overlay: FaultLike, walk: Callable[[ReplayClient], Any]
) -> None:
    client = replay(overlay)
    with pytest.raises(PaginationError, match="page 3 repeats page 2") as caught:
        await walk(client)
    assert caught.value.page == 3
    assert client.clock.sleeps == []


async def test_a_clamped_page_has_the_requested_number(replay: Replay) -> None:
    client = replay(ClampSilently())
    asked = Request.get(
        USAGE,
        "/usage/company/{company_id}",
        Page[UsageData],
        query={"page": 9},
        listing=Listing(items="usage_data"),
        company_id=ACME,
    )
    page = await client.nectar.send(asked)
    assert (page.number, page.current_page, page.has_next) == (9, 9, False)
    assert [record.id for record in page.items] == ROWS[-2:]


async def test_pages_up_to_the_clamp_are_as_recorded(replay: Replay) -> None:
    ids, receipt = await read_once(replay(ClampSilently(4)))
    assert (ids, receipt.verdict) == (ROWS, Verdict.COMPLETE)


# Rows that are inserted and deleted.


async def test_an_inserted_row_repeats_another_row(replay: Replay) -> None:
    client = replay(InsertRow(after=1))
    ids, receipt = await read_once(client)
    assert ids == ROWS  # the repeated row is yielded once
    assert receipt.verdict is Verdict.DRIFTED
    assert (receipt.total_first, receipt.total_last, receipt.repeats) == (8, 9, 1)
    assert client.pages == [1, 2, 3, 4, 5]


async def test_a_repaired_walk_yields_the_inserted_row(replay: Replay) -> None:
    client = replay(InsertRow(after=1, row={"id": "new"}))
    ids, receipt = await read_repaired(client)
    assert ids == [*ROWS, "new"]
    assert receipt.verdict is Verdict.COMPLETE
    assert (receipt.total_last, receipt.rewalked) == (9, 5)


async def test_a_deleted_row_hides_another_row(replay: Replay) -> None:
    ids, receipt = await read_once(replay(DeleteRow(after=1)))
    assert ids == [row for row in ROWS if row != "acme-3"]
    assert receipt.verdict is Verdict.DRIFTED
    assert (receipt.total_first, receipt.total_last) == (8, 7)


async def test_a_repaired_walk_yields_the_hidden_row(replay: Replay) -> None:
    client = replay(DeleteRow(after=1))
    ids, receipt = await read_repaired(client)
    assert sorted(ids) == ROWS
    assert receipt.verdict is Verdict.COMPLETE
    assert client.pages == [1, 1, 2, 2, 3, 3, 4, 4]


async def test_a_change_after_the_last_page_is_found_by_verification(
    replay: Replay,
) -> None:
    ids, receipt = await read_once(replay(InsertRow(after=4)))
    assert (ids, receipt.verdict) == (ROWS, Verdict.COMPLETE)
    client = replay(InsertRow(after=4, row={"id": "new"}))
    pager = client.nectar.usage.by_company(ACME, verify=True)
    ids = [record.id async for record in pager]
    assert pager.receipt.verdict is Verdict.DRIFTED
    assert client.pages == [1, 1, 2, 3, 4]


async def test_only_rows_behind_a_change_move(replay: Replay) -> None:
    ids, receipt = await read_once(replay(InsertRow(after=1, at=6, row={"id": "new"})))
    assert ids == [*ROWS[:5], "new", *ROWS[5:]]
    assert receipt.verdict is Verdict.DRIFTED  # because of the total


async def test_the_default_new_row_has_the_same_new_id_each_time(
    replay: Replay,
) -> None:
    first, _ = await read_repaired(replay(InsertRow()))
    again, _ = await read_repaired(replay(InsertRow()))
    assert first == again
    assert len({*first} - {*ROWS}) == 1


async def test_a_shuffled_list_is_complete(replay: Replay) -> None:
    ids, receipt = await read_once(replay(Shuffle(seed=3)))
    assert ids != ROWS
    assert sorted(ids) == ROWS
    assert receipt.verdict is Verdict.COMPLETE
    assert ids == (await read_once(replay(Shuffle(seed=3))))[0]
    assert ids != (await read_once(replay(Shuffle(seed=4))))[0]


async def test_one_shuffled_page_leaves_a_list_short(
    replay: Replay,
) -> None:
    client = replay(Overlay(Shuffle(seed=1), page=2))
    ids, receipt = await read_once(client)
    assert {*ids} < {*ROWS}
    assert receipt.verdict is Verdict.SHORT
    _, receipt = await read_repaired(replay(Overlay(Shuffle(seed=1), page=2)))
    assert (receipt.verdict, receipt.rewalked) == (Verdict.SHORT, 4)


# Wrong totals.


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
async def test_a_list_with_a_wrong_total_is_not_complete(
    replay: Replay, miscount: FaultLike, verdict: Verdict, totals: tuple[int, int]
) -> None:
    for walk in (read_once, read_repaired):
        ids, receipt = await walk(replay(miscount))
        assert ids == ROWS
        assert receipt.verdict is verdict
        assert (receipt.total_first, receipt.total_last) == totals


async def test_a_walk_follows_has_next_past_the_announced_pages(replay: Replay) -> None:
    ids, receipt = await read_once(replay(Overlay(Miscount(pages=-2), page=1)))
    assert (ids, receipt.verdict) == (ROWS, Verdict.COMPLETE)  # because of `hasNext`


# Answers without pages, and incomplete recordings.


async def test_effects_on_lists_leave_a_bare_array_unchanged(replay: Replay) -> None:
    effects = (ClampSilently(1), RepeatPage(), InsertRow(), Shuffle(), Miscount(by=1))
    client = replay(*effects)
    assert [company.id for company in await client.nectar.companies.all()] == [ACME]


async def test_a_page_that_an_overlay_builds_counts_as_used(replay: Replay) -> None:
    client = replay(
        Shuffle(), Overlay(Answer(200, body=b"[]"), operation="companies_list")
    )
    await read_once(client)
    assert await client.nectar.companies.all() == []
    unused = {name.partition(".")[0] for name in client.transport.unused}
    assert "companies_list" not in unused
    # No page of the lists with other filters was requested.
    assert len([name for name in client.transport.unused if USAGE in name]) == 12


async def test_rows_cannot_move_where_a_page_is_missing(
    make_client: MakeClient, path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(path, folder, ignore=shutil.ignore_patterns("usage*page-0003*"))
    client = ReplayClient(make_client, folder, InsertRow())
    with pytest.raises(RecordingError, match="page 3 is not recorded"):
        await client.read_ids()


# Other envelopes.


async def test_an_envelope_is_read_by_its_first_list_and_total(
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
        return [provider.id async for provider in nectar.providers.search("Utility")]

    recorder = Recorder(tmp_path / "r", mode="record")
    async with NectarClient(
        transport=MemoryTransport(answer), recorder=recorder
    ) as nectar:
        assert await names(nectar) == ["p-1", "p-2", "p-3"]
    transport = RecordedTransport(tmp_path / "r", overlays=[DeleteRow(at=2)])
    assert await names(make_client(transport)) == ["p-1", "p-3"]


async def test_rows_move_in_each_list_separately(replay: Replay) -> None:
    client = replay(Overlay(InsertRow(after=3), operation=USAGE))
    counts: dict[str, int] = {}

    async def walk(name: str, **window: Any) -> None:
        pager = client.nectar.usage.by_company(ACME, **window)
        [_ async for _ in pager]
        counts[name] = pager.receipt.pages

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: walk("all"))
        group.start_soon(lambda: walk("days", **DAYS))
    assert counts == {"all": 5, "days": 5}
