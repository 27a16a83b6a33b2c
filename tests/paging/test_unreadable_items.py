"""Odd items and totals do not end a list: they are left out and reported."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import MakeClient

from nectar_async import DecodeError, Failure, NectarClient, Request, Response, Verdict
from nectar_async.resources.companies import COMPANY_LIST

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


@pytest.mark.anyio
async def test_hundreds_of_odd_items_are_left_out_and_counted(
    make_client: MakeClient,
) -> None:
    rows = [{"id": str(number)} for number in range(300)]
    nectar = make_client(Answers([*rows, *[None] * 250], []))
    records = await nectar.companies._pages(COMPANY_LIST)
    assert len(records) == 300
    assert records.receipt.unreadable == 250
    assert len(records.receipt.problems) == 100


@pytest.mark.anyio
async def test_a_list_without_any_record_that_fits_is_an_error(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Answers([{"uuid": str(number)} for number in range(300)], []))
    with pytest.raises(DecodeError, match="id") as caught:
        await nectar.companies.all(on_error="collect")
    assert len(caught.value.problems) == 100


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("total", "verdict"),
    [
        (b"4.0", Verdict.COMPLETE),
        (b'"4"', Verdict.COMPLETE),
        (b"4e0", Verdict.COMPLETE),
        (b"null", Verdict.COMPLETE),
        (b"4.5", Verdict.DRIFTED),
        (b"NaN", Verdict.DRIFTED),
        (b"1e999", Verdict.DRIFTED),
        (b'"yes"', Verdict.DRIFTED),
        (b"[4]", Verdict.DRIFTED),
    ],
)
async def test_a_total_that_is_no_number_is_never_complete(
    make_client: MakeClient, total: bytes, verdict: Verdict
) -> None:
    async def respond(request: Request[Any]) -> Response:
        page = request.page or 1
        ids = {1: (1, 2), 2: (3, 4)}[page]
        rows = b",".join(b'{"id": "%d"}' % number for number in ids)
        return Response(
            200,
            {},
            b'{"usageData": [%s], "totalUsageData": %s, "totalPages": 2,'
            b' "currentPage": %d, "hasNext": %s}'
            % (rows, total, page, b"true" if page == 1 else b"false"),
        )

    records = await make_client(respond).usage.by_company("c")
    assert len(records) == 4
    assert records.receipt.verdict is verdict


@pytest.mark.anyio
async def test_rows_on_two_pages_show_drift_without_a_total(
    make_client: MakeClient,
) -> None:
    async def respond(request: Request[Any]) -> object:
        page = request.page or 1
        rows = [{"id": "1"}, {"id": "2"}] if page == 1 else [{"id": "2"}, {"id": "4"}]
        return {"usageData": rows, "currentPage": page, "hasNext": page == 1}

    records = await make_client(respond).usage.by_company("c")
    assert records.receipt.verdict is Verdict.DRIFTED
