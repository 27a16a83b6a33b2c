"""A filter that the API would refuse is named before anything is sent."""

# mypy: disable-error-code="unused-awaitable"
# A list can be awaited, and these tests leave some alone.

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, strategies as st

from nectar_async import (
    DatasourceType,
    DateType,
    InvalidArgumentError,
    MemoryTransport,
    NectarClient,
    Request,
)
from nectar_async.resources.usage import USAGE_LISTS

pytestmark = pytest.mark.anyio

START, END = date(2025, 1, 1), date(2025, 1, 31)
EMPTY = {"usageData": [], "totalUsageData": 0, "totalPages": 0, "hasNext": False}

LISTS: dict[str, Callable[..., Any]] = {
    "by_company": lambda nectar, **filters: nectar.usage.by_company("c", **filters),
    "by_site": lambda nectar, **filters: nectar.usage.by_site("s", **filters),
    "repository": lambda nectar, **filters: nectar.repository.usage(**filters),
}
each_list = pytest.mark.parametrize("ask", LISTS.values(), ids=LISTS)

WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"start_date": datetime(2025, 1, 1, tzinfo=UTC)},
        r"start_date must be a day; pass start_date=start_date\.date\(\)",
    ),
    ({"end_date": datetime(2025, 1, 1, tzinfo=UTC)}, "end_date must be a day"),
    ({"start_date": "2025-01-01"}, "start_date must be a datetime.date, not str"),
    ({"end_date": 20250101}, "end_date must be a datetime.date, not int"),
    ({"start_date": END, "end_date": START}, "start_date 2025-01-31 is after end_date"),
    (
        {"date_type": "UPDATED_DATE"},
        "date_type UPDATED_DATE selects nothing without dates",
    ),
    ({"date_type": "BILL"}, "date_type must be one of .*BILL_DATE"),
    ({"date_type": ""}, "date_type must be one of .*BILL_DATE"),
    ({"date_type": 5}, "date_type must be one of .*BILL_DATE"),
    ({"date_type": [DateType.BILL_DATE]}, "date_type must be one of .*BILL_DATE"),
    (
        {"datasource_type": "SEWER"},
        "datasource_type must be one of .*ELECTRICITY.*'SEWER'",
    ),
    (
        {"datasource_type": "electricity"},
        "datasource_type must be one of .*ELECTRICITY",
    ),
    ({"datasource_type": ""}, "datasource_type must be one of .*ELECTRICITY"),
    ({"datasource_type": DatasourceType("STEAM")}, "datasource_type must be one of"),
    ({"datasource_type": ["GAS", "STEAM"]}, "datasource_type must be one of .*'STEAM'"),
    ({"datasource_type": ["GAS", None]}, "datasource_type must be one of"),
    ({"datasource_type": [["GAS"]]}, "datasource_type must be one of"),
    ({"datasource_type": []}, "datasource_type is empty"),
    ({"datasource_type": iter(())}, "datasource_type is empty"),
    ({"datasource_type": 5}, "datasource_type "),
    ({"datasource_type": True}, "datasource_type "),
    ({"datasource_type": b"GAS"}, "datasource_type must be one of"),
    ({"identifier": ""}, "identifier is empty"),
    ({"identifier": 5}, "identifier must be text, not int"),
    ({"identifier": ["a"]}, "identifier must be text, not list"),
]


def build_filters(**arguments: Any) -> dict[str, object]:
    """Build the filters of a usage list; missing ones are None."""
    filters = USAGE_LISTS.filters
    return filters.build_query({**dict.fromkeys(filters.checks), **arguments})


def build_query(**arguments: Any) -> list[tuple[str, str]]:
    """Return the query as a server reads it."""
    request = Request.get("o", "/x", dict, query=build_filters(**arguments))
    return parse_qsl(urlsplit(request.resolve("https://x").url).query)


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_a_wrong_filter_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^{words}"):
        build_filters(**wrong)


@each_list
@pytest.mark.parametrize(
    "wrong",
    [
        {"start_date": END, "end_date": START},
        {"start_date": datetime(2025, 1, 1, tzinfo=UTC)},
        {"date_type": "BILL"},
        {"datasource_type": []},
        {"datasource_type": "STEAM"},
        {"identifier": 5},
    ],
    ids=repr,
)
async def test_nothing_is_sent_for_a_wrong_filter(
    ask: Callable[..., Any], wrong: dict[str, Any]
) -> None:
    transport = MemoryTransport({})
    async with NectarClient(transport=transport) as nectar:
        with pytest.raises(InvalidArgumentError):
            ask(nectar, **wrong)
    assert transport.requests == []


@pytest.mark.parametrize("bad", ["", "..", "a\n", None, 5])
async def test_nothing_is_sent_for_a_wrong_id(bad: Any) -> None:
    transport = MemoryTransport({})
    async with NectarClient(transport=transport) as nectar:
        with pytest.raises(InvalidArgumentError, match=r"^company_id "):
            nectar.usage.by_company(bad)
        with pytest.raises(InvalidArgumentError, match=r"^site_id "):
            nectar.usage.by_site(bad)
        with pytest.raises(InvalidArgumentError, match=r"^company_id "):
            nectar.sites.by_company(bad)
        with pytest.raises(InvalidArgumentError, match=r"^company_id "):
            await nectar.companies.get(bad)
    assert transport.requests == []


@pytest.mark.parametrize("companies", [[None], [5], [["c"]]])
async def test_a_company_of_the_repository_is_a_company_or_an_id(
    companies: Any,
) -> None:
    transport = MemoryTransport({"usage_list_by_company": EMPTY})
    async with NectarClient(transport=transport) as nectar:
        with pytest.raises(InvalidArgumentError, match="compan"):
            nectar.repository.usage(companies=companies)
    assert transport.requests == []


@each_list
async def test_filters_are_sent_as_the_server_reads_them(
    ask: Callable[..., Any],
) -> None:
    transport = MemoryTransport(
        {
            "companies_list": [{"id": "c", "name": "C"}],
            "usage_list_by_company": EMPTY,
            "usage_list_by_site": EMPTY,
        }
    )
    async with NectarClient(transport=transport) as nectar:
        records = ask(
            nectar,
            start_date=START,
            end_date=END,
            date_type="USAGE_PERIOD",
            datasource_type=["ELECTRICITY", DatasourceType.GAS],
            identifier="A-1 / 2",
        )
        if hasattr(records, "__aenter__"):
            async with records as stream:
                assert [record async for record in stream] == []
        else:
            assert [record async for record in records] == []
    pairs = parse_qsl(urlsplit(transport.requests[-1].url).query)
    assert [pair for pair in pairs if pair[0] != "page"] == [
        ("startDate", "2025-01-01"),
        ("endDate", "2025-01-31"),
        ("dateType", "USAGE_PERIOD"),
        ("datasourceType", "ELECTRICITY"),
        ("datasourceType", "GAS"),
        ("identifier", "A-1 / 2"),
    ]


def test_no_filter_is_no_query() -> None:
    assert build_query() == []


def test_an_identifier_that_is_none_is_not_sent() -> None:
    assert build_query(identifier=None) == []


def test_one_commodity_or_several() -> None:
    single = [("datasourceType", "GAS")]
    assert build_query(datasource_type="GAS") == single
    assert build_query(datasource_type=DatasourceType.GAS) == single
    assert build_query(datasource_type={"GAS"}) == single
    assert build_query(datasource_type=iter(["GAS"])) == single
    several = [("datasourceType", kind) for kind in DatasourceType]
    assert build_query(datasource_type=DatasourceType) == several


@pytest.mark.parametrize("kind", list(DateType))
def test_a_date_type_is_a_member_or_its_text(kind: DateType) -> None:
    query = build_query(date_type=kind, start_date=START)
    assert query == build_query(date_type=str(kind), start_date=START)
    assert ("dateType", str(kind)) in query


@given(st.none() | st.dates(), st.none() | st.dates())
def test_a_window_may_be_open_or_one_day_long_but_not_reversed(
    start: date | None, end: date | None
) -> None:
    if start is not None and end is not None and start > end:
        with pytest.raises(InvalidArgumentError, match=f"{start} is after.*{end}"):
            build_query(start_date=start, end_date=end)
        return
    expected = {"startDate": start, "endDate": end}
    assert dict(build_query(start_date=start, end_date=end)) == {
        key: day.isoformat() for key, day in expected.items() if day is not None
    }
    if start is not None:
        assert build_query(start_date=start, end_date=start)
