"""Rows that change while their list is read are given again, in their new version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from doubles import MakeClient

from nectar_async import NectarClient, Receipt, Request, Verdict

pytestmark = pytest.mark.anyio

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
COMPANY = {"id": "c", "name": "Mill", "sites": []}

Row = dict[str, Any]
Read = list[tuple[str, str, Any]]


def build_row(row_id: str, updated: str | None = OLD, **fields: object) -> Row:
    return {"id": row_id, "updated": updated, **fields}


class ChangingList:
    """A list of usage, whose pages are those of the next state each time it is read.

    Args:
        states: the pages of the list, before and after it changed.
    """

    def __init__(self, *states: Sequence[Sequence[Row]]) -> None:
        self.states = list(states)
        self.total = sum(map(len, states[0]))
        self.was_read = False

    async def __call__(self, request: Request[Any]) -> object:
        if request.operation == "companies_list":
            return [COMPANY]
        number = request.page or 1
        if number == 1 and self.was_read and len(self.states) > 1:
            self.states.pop(0)
        self.was_read = True
        pages = self.states[0]
        return {
            "usageData": pages[number - 1],
            "totalUsageData": self.total,
            "totalPages": len(pages),
            "currentPage": number,
            "perPage": 2,
            "hasNext": number < len(pages),
            "hasPrevious": number > 1,
        }


async def read_list(nectar: NectarClient, how: str) -> tuple[Read, Receipt]:
    """Read the usage of the company: plainly, in the background, or with all others."""
    if how == "fan-out":
        async with nectar.repository.usage() as records:
            rows = [record async for record in records]
        return describe(rows), records.receipt
    pager = nectar.usage.by_company("c")
    if how == "plain":
        return describe([record async for record in pager]), pager.receipt
    async with pager.prefetch() as fetched:
        rows = [record async for record in fetched]
    return describe(rows), fetched.receipt


def describe(rows: Sequence[Any]) -> Read:
    return [
        (row.id, f"{row.updated:%Y-%m-%dT%H:%M:%SZ}", row.extra.get("odd"))
        for row in rows
    ]


each_way = pytest.mark.parametrize("how", ["plain", "prefetch", "fan-out"])


@each_way
async def test_a_row_that_comes_again_changed_is_given_again(
    make_client: MakeClient, how: str
) -> None:
    """Row 1 was updated and moved to page 2, so another row was missed."""
    moved = [
        [build_row("1"), build_row("2")],
        [build_row("1", NEW), build_row("3")],
    ]
    settled = [
        [build_row("2"), build_row("4")],
        [build_row("1", NEW), build_row("3")],
    ]
    async with make_client(ChangingList(moved, settled)) as nectar:
        rows, receipt = await read_list(nectar, how)
    assert rows[:4] == [
        ("1", OLD, None),
        ("2", OLD, None),
        ("1", NEW, None),
        ("3", OLD, None),
    ]
    if how == "fan-out":  # which reads a list again that has changed
        assert rows[4:] == [("4", OLD, None)]
        assert receipt.verdict is Verdict.COMPLETE
        assert (receipt.records, receipt.distinct) == (5, 4)
    else:
        assert rows[4:] == []
        assert receipt.verdict is Verdict.DRIFTED
        assert (receipt.records, receipt.distinct, receipt.repeats) == (4, 3, 0)


@each_way
async def test_a_changed_row_is_not_complete_even_if_the_total_fits(
    make_client: MakeClient, how: str
) -> None:
    pages = [[build_row("1"), build_row("2")], [build_row("1", NEW)]]
    listed = ChangingList(pages)
    listed.total = 2
    async with make_client(listed) as nectar:
        rows, receipt = await read_list(nectar, how)
    assert [row[:2] for row in rows] == [("1", OLD), ("2", OLD), ("1", NEW)]
    assert receipt.verdict is Verdict.DRIFTED


@each_way
async def test_a_row_that_comes_again_unchanged_is_given_once(
    make_client: MakeClient, how: str
) -> None:
    pages = [[build_row("1"), build_row("2")], [build_row("2"), build_row("3")]]
    async with make_client(ChangingList(pages)) as nectar:
        rows, receipt = await read_list(nectar, how)
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert receipt.verdict is Verdict.SHORT
    assert receipt.repeats >= 1


@each_way
@pytest.mark.parametrize(
    "other",
    [build_row("1", odd="another"), build_row("1", usage="9"), build_row("1", NEW)],
    ids=["in extra", "in a field", "in updated"],
)
async def test_different_rows_with_one_id_on_one_page_are_all_given(
    make_client: MakeClient, how: str, other: Row
) -> None:
    pages = [[build_row("1", odd="one"), other], [build_row("2")]]
    async with make_client(ChangingList(pages)) as nectar:
        rows, receipt = await read_list(nectar, how)
    assert [row[0] for row in rows] == ["1", "1", "2"]
    assert (receipt.records, receipt.distinct) == (3, 3)
    assert receipt.verdict is Verdict.COMPLETE


async def test_equal_rows_with_one_id_on_one_page_are_given_once(
    make_client: MakeClient,
) -> None:
    pages = [[build_row("1"), build_row("1")], [build_row("2")]]
    async with make_client(ChangingList(pages)) as nectar:
        rows, receipt = await read_list(nectar, "plain")
    assert [row[0] for row in rows] == ["1", "2"]
    assert receipt.verdict is Verdict.SHORT


async def test_the_verification_notices_a_first_page_with_a_changed_row(
    make_client: MakeClient,
) -> None:
    before = [[build_row("1")], [build_row("2")]]
    after = [[build_row("1", NEW)], [build_row("2")]]
    async with make_client(ChangingList(before, after)) as nectar:
        pager = nectar.usage.by_company("c", verify=True)
        rows = describe([record async for record in pager])
    assert [row[:2] for row in rows] == [("1", OLD), ("2", OLD), ("1", NEW)]
    assert pager.receipt.verdict is Verdict.DRIFTED


async def test_companies_that_move_between_pages_are_not_complete(
    make_client: MakeClient,
) -> None:
    """A company is deleted meanwhile, so that another one is on no page."""

    async def answer(request: Request[Any]) -> object:
        number = request.page or 1
        if request.operation != "companies_list":
            company = request.url.partition("?")[0].rpartition("/")[2]
            return await ChangingList([[build_row(f"{company}1")]])(request)
        return {
            "companies": [
                {**COMPANY, "id": company_id}
                for company_id in [["a", "b"], ["d"]][number - 1]
            ],
            "totalCompanies": 5 - number,
            "totalPages": 2,
            "currentPage": number,
            "perPage": 2,
            "hasNext": number == 1,
            "hasPrevious": number > 1,
        }

    async with make_client(answer) as nectar:
        async with nectar.repository.usage() as records:
            ids = [record.id async for record in records]
        assert sorted(ids) == ["a1", "b1", "d1"]
        assert records.receipt.verdict is Verdict.DRIFTED
        assert {receipt.verdict for receipt in records.receipts.values()} == {
            Verdict.COMPLETE
        }


@pytest.mark.anyio
async def test_rows_of_one_id_that_differ_in_any_value_are_all_given(
    make_client: MakeClient,
) -> None:
    first = {"id": "1", "additionalFields": {"rate": 1}}
    rows = [first, {**first, "additionalFields": {"rate": 2}}, {**first, "new": [1]}]
    page = {"usageData": [*rows, first], "totalUsageData": 3, "totalPages": 1}
    answers = {"usage_list_by_company": {**page, "currentPage": 1, "hasNext": False}}
    records = await make_client(answers).usage.by_company("c")
    assert [record.additional_fields for record in records] == [
        {"rate": 1},
        {"rate": 2},
        {"rate": 1},
    ]
    assert records[2].extra == {"new": [1]}
    assert records.receipt.distinct == 3
