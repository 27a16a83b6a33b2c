"""Every filter of the usage lists against the rule, worked out on the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from nectar_async.sandbox.server.filters import normalize_identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from visitor import Visitor

Record = dict[str, Any]
START, END = "2024-06-30", "2025-03-07"
BOUNDS = [(START, None), (None, END), (START, END), (END, START), (None, None)]


def moment(text: str) -> tuple[datetime, int]:
    """The instant to the second, and the nanoseconds after it."""
    head, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(head).replace(tzinfo=UTC), int(
        (fraction or "0").ljust(9, "0")
    )


def between(value: Any, low: Any, high: Any) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def by_bill_date(record: Record, start: str | None, end: str | None) -> bool:
    if start is None and end is None:
        return True
    day = (record["document"] or {}).get("billDate")
    return day is not None and between(day, start, end)


def by_period(record: Record, start: str | None, end: str | None) -> bool:
    return (end is None or record["startDate"] <= end) and (
        start is None or record["endDate"] >= start
    )


def by_moment(field: str) -> Callable[[Record, str | None, str | None], bool]:
    def keeps(record: Record, start: str | None, end: str | None) -> bool:
        low = start and moment(f"{start}T00:00:00Z")
        high = end and moment(f"{end}T00:00:00Z")
        return between(moment(record[field]), low, high)

    return keeps


RULES = {
    "BILL_DATE": by_bill_date,
    "USAGE_PERIOD": by_period,
    "CREATED_DATE": by_moment("created"),
    "UPDATED_DATE": by_moment("updated"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("date_type", [None, *RULES])
async def test_dates_are_compared_as_the_date_type_says(
    visitor: Visitor, date_type: str | None
) -> None:
    """Without a date type it is the bill date; each bound works alone."""
    rule = RULES[date_type or "BILL_DATE"]
    company = visitor.sandbox.portfolio.company(0)
    owners = [f"company/{company.id}", *(f"site/{site.id}" for site in company.sites)]
    for owner in owners[:2]:
        path = f"/v2.2/usage/{owner}"
        _, everything = await visitor.all_usage(path)
        for start, end in BOUNDS:
            query = [("startDate", start), ("endDate", end), ("dateType", date_type)]
            sent = [(key, value) for key, value in query if value is not None]
            total, records = await visitor.all_usage(path, *sent)
            expected = [record for record in everything if rule(record, start, end)]
            assert records == expected
            assert total == len(expected)


@pytest.mark.asyncio
@pytest.mark.parametrize("field", ["created", "updated"])
async def test_of_the_end_day_only_midnight_itself_is_caught(
    visitor: Visitor, field: str
) -> None:
    path = f"/v2.2/usage/company/{visitor.sandbox.portfolio.company(0).id}"
    _, everything = await visitor.all_usage(path)
    days = {record[field][:10] for record in everything}
    for day in sorted(days)[::25]:
        query = [("dateType", f"{field.upper()}_DATE"), ("endDate", day)]
        _, records = await visitor.all_usage(path, *query)
        assert all(record[field] <= f"{day}T00:00:00.000000000Z" for record in records)


@pytest.mark.asyncio
async def test_both_bounds_are_included(visitor: Visitor) -> None:
    path = f"/v2.2/usage/company/{visitor.sandbox.portfolio.company(0).id}"
    _, everything = await visitor.all_usage(path)
    day = everything[50]["document"]["billDate"]
    _, records = await visitor.all_usage(path, ("startDate", day), ("endDate", day))
    assert records == [
        record for record in everything if by_bill_date(record, day, day)
    ]
    assert records


@pytest.mark.asyncio
async def test_a_record_created_at_midnight_is_within_that_days_bounds(
    visitor: Visitor,
) -> None:
    for company in visitor.sandbox.portfolio:
        path = f"/v2.2/usage/company/{company.id}"
        _, everything = await visitor.all_usage(path)
        for record in everything:
            if "T00:00:00" not in record["created"]:
                continue
            day = record["created"][:10]
            query = [("startDate", day), ("endDate", day)]
            _, found = await visitor.all_usage(
                path, *query, ("dateType", "CREATED_DATE")
            )
            assert record in found
            return
    pytest.fail("no record was created at midnight")


@pytest.mark.asyncio
async def test_a_record_without_a_bill_date_matches_no_bound(visitor: Visitor) -> None:
    for company in visitor.sandbox.portfolio:
        path = f"/v2.2/usage/company/{company.id}"
        _, everything = await visitor.all_usage(path)
        _, bounded = await visitor.all_usage(path, ("startDate", "1900-01-01"))
        undated = [r for r in everything if not (r["document"] or {}).get("billDate")]
        assert len(bounded) == len(everything) - len(undated)


@pytest.mark.asyncio
@pytest.mark.parametrize("types", [["GAS"], ["GAS", "ELECTRICITY"], ["REFRIGERANT"]])
async def test_datasource_types_are_alternatives(
    visitor: Visitor, types: list[str]
) -> None:
    path = f"/v2.2/usage/company/{visitor.sandbox.portfolio.company(0).id}"
    _, everything = await visitor.all_usage(path)
    query = [("datasourceType", value) for value in types]
    total, records = await visitor.all_usage(path, *query)
    assert records == [r for r in everything if r["datasourceType"] in types]
    assert total == len(records)


@pytest.mark.asyncio
async def test_an_identifier_is_any_of_the_meters_however_it_is_written(
    visitor: Visitor,
) -> None:
    path = f"/v2.2/usage/company/{visitor.sandbox.portfolio.company(0).id}"
    _, everything = await visitor.all_usage(path)
    for identifier in everything[0]["identifiers"] + everything[99]["identifiers"]:
        wanted = normalize_identifier(identifier["value"])
        expected = [
            record
            for record in everything
            if wanted
            in {normalize_identifier(i["value"]) for i in record["identifiers"]}
        ]
        for text in (
            identifier["value"],
            wanted.lower(),
            f"00-{wanted[:2]} {wanted[2:]}",
        ):
            total, records = await visitor.all_usage(path, ("identifier", text))
            assert records == expected
            assert total == len(expected) > 0


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("013-774-6423", "137746423"),
        ("0137746423", "137746423"),
        ("137746423", "137746423"),
        ("10-020", "10020"),
        ("a.b#1", "A.B#1"),
        ("00 _x,/0", "X0"),
        ("000", ""),
    ],
)
def test_identifiers_lose_five_marks_and_leading_zeros(value: str, normal: str) -> None:
    assert normalize_identifier(value) == normal


def test_identifiers_that_differ_stay_different() -> None:
    assert normalize_identifier("1234") != normalize_identifier("12340")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "query",
    [
        ("startDate", "2024-02-30"),
        ("startDate", "2024-2-3"),
        ("endDate", "20240203"),
        ("endDate", ""),
        ("startDate", "2024-02-03T00:00:00Z"),
        ("dateType", "INVOICE_DATE"),
        ("datasourceType", "SEWER"),
        ("identifier", ""),
        ("page", "0"),
        ("page", "-1"),
        ("page", "1.5"),
        ("page", "two"),
        ("page", "9" * 5_000),
    ],
)
async def test_a_query_that_means_nothing_is_refused(
    visitor: Visitor, query: tuple[str, str]
) -> None:
    company = visitor.sandbox.portfolio.company(0)
    seen = await visitor.ask(f"/v2.2/usage/company/{company.id}", [query])
    assert seen.status == 400
    assert query[0] in seen.json["detail"]


@pytest.mark.asyncio
async def test_unknown_keys_of_a_query_are_ignored(visitor: Visitor) -> None:
    assert await visitor.usage(0, ("limit", "5"), ("colour", "blue")) == (
        await visitor.usage(0)
    )
