"""Items that are not records do not end a list: they are left out and reported."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import MakeClient

from nectar_async import DecodeError, Failure, NectarClient, Request, Verdict

ODD: list[Any] = [None, {"usage": "3"}, 7, {"id": None}]
COMPANIES = [{"id": "a", "name": None}, {"id": "b"}]


def build_page(ids: list[str], odd: list[Any]) -> dict[str, Any]:
    rows = [{"id": ids[0]}, *odd, *({"id": each} for each in ids[1:])]
    return {
        "usageData": rows,
        "totalUsageData": len(rows),
        "totalPages": 1,
        "currentPage": 1,
        "perPage": 100,
        "hasNext": False,
        "hasPrevious": False,
    }


class Answers:
    """A list of companies and their usage, with odd items among them."""

    def __init__(self, companies: list[Any], odd: list[Any]) -> None:
        self.companies = companies
        self.odd = odd
        self.requests = 0

    async def __call__(self, request: Request[Any]) -> object:
        self.requests += 1
        if request.operation == "companies_list":
            return self.companies
        company = request.url.partition("?")[0].rpartition("/")[2]
        odd = self.odd if company == "a" else []
        return build_page([f"{company}1", f"{company}2"], odd)


async def read_everywhere(nectar: NectarClient, on_error: Any) -> tuple[Any, list[str]]:
    ids: list[str] = []
    async with nectar.repository.usage(on_error=on_error) as records:
        try:
            async for record in records:
                ids.append(record.id)  # noqa: PERF401 - kept when it raises
        except DecodeError as error:
            return error, ids
    return records, ids


@pytest.mark.anyio
@pytest.mark.parametrize("odd", [*([item] for item in ODD), ODD], ids=repr)
async def test_a_list_gives_all_other_records(
    make_client: MakeClient, odd: list[Any]
) -> None:
    answers = Answers(COMPANIES, odd)
    pager = make_client(answers).usage.by_company("a")
    assert [record.id async for record in pager] == ["a1", "a2"]
    receipt = pager.receipt
    assert (receipt.unreadable, receipt.verdict) == (len(odd), Verdict.SHORT)
    assert len(receipt.problems) == len(odd)
    assert answers.requests == 1


@pytest.mark.anyio
async def test_a_company_list_raises_after_all_or_collects(
    make_client: MakeClient,
) -> None:
    failures: list[Failure] = []
    nectar = make_client(Answers([*COMPANIES, None], []))
    with pytest.raises(DecodeError, match="1 item of the list cannot be read"):
        await nectar.companies.all()
    for on_error in ("collect", failures.append):
        companies = await nectar.companies.all(on_error=on_error)
        assert [company.id for company in companies] == ["a", "b"]
    assert [failure.company_id for failure in failures] == [""]


@pytest.mark.anyio
@pytest.mark.parametrize("companies", [COMPANIES, [*COMPANIES, None]])
async def test_the_repository_raises_after_the_last_record(
    make_client: MakeClient, companies: list[Any]
) -> None:
    error, ids = await read_everywhere(make_client(Answers(companies, ODD)), "raise")
    assert isinstance(error, DecodeError)
    assert sorted(ids) == ["a1", "a2", "b1", "b2"]


@pytest.mark.anyio
async def test_the_repository_collects_one_failure_for_each_list(
    make_client: MakeClient,
) -> None:
    answers = Answers([*COMPANIES, None], ODD)
    records, ids = await read_everywhere(make_client(answers), "collect")
    assert sorted(ids) == ["a1", "a2", "b1", "b2"]
    assert sorted(failure.company_id for failure in records.failures) == ["", "a"]
    assert records.receipt.unreadable == len(ODD) + 1
    assert records.receipt.verdict == "short"
    assert answers.requests == 3, "nothing is read again"


@pytest.mark.anyio
async def test_a_company_list_with_odd_items_is_never_complete(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Answers([None, *COMPANIES], []))
    records, ids = await read_everywhere(nectar, "collect")
    assert len(ids) == 4
    assert all(each.verdict == "complete" for each in records.receipts.values())
    assert records.receipt.verdict == "short"
