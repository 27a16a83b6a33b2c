"""Filters of lists: each rule is computed again from the unfiltered responses."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from contract_schemas import OPERATIONS

from nectar_async import contract
from nectar_async.sandbox.server.filters import normalize_identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_client import ContractClient
    from raw_client import RawClient

    from nectar_async.sandbox import Portfolio

Record = dict[str, Any]
START, END = "2024-06-30", "2025-03-07"
BOUNDS = [(START, None), (None, END), (START, END), (END, START), (None, None)]


def parse_moment(text: str) -> tuple[datetime, int]:
    """Parse a date-time to its second and the nanoseconds after it."""
    head, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(head).replace(tzinfo=UTC), int(
        (fraction or "0").ljust(9, "0")
    )


def is_between(value: Any, low: Any, high: Any) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def is_billed_between(record: Record, start: str | None, end: str | None) -> bool:
    if start is None and end is None:
        return True
    day = (record["document"] or {}).get("billDate")
    return day is not None and is_between(day, start, end)


def is_used_between(record: Record, start: str | None, end: str | None) -> bool:
    return (end is None or record["startDate"] <= end) and (
        start is None or record["endDate"] >= start
    )


def build_moment_rule(field: str) -> Callable[[Record, str | None, str | None], bool]:
    def keeps(record: Record, start: str | None, end: str | None) -> bool:
        low = start and parse_moment(f"{start}T00:00:00Z")
        high = end and parse_moment(f"{end}T00:00:00Z")
        return is_between(parse_moment(record[field]), low, high)

    return keeps


RULES = {
    "BILL_DATE": is_billed_between,
    "USAGE_PERIOD": is_used_between,
    "CREATED_DATE": build_moment_rule("created"),
    "UPDATED_DATE": build_moment_rule("updated"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("date_type", [None, *RULES])
async def test_dates_are_compared_as_the_date_type_says(
    raw_client: RawClient, date_type: str | None
) -> None:
    """The default is the bill date; each bound also works alone."""
    rule = RULES[date_type or "BILL_DATE"]
    company = raw_client.sandbox.portfolio.company(0)
    owners = [f"company/{company.id}", *(f"site/{site.id}" for site in company.sites)]
    for owner in owners[:2]:
        path = f"/v2.2/usage/{owner}"
        _, everything = await raw_client.list_all_usage(path)
        for start, end in BOUNDS:
            query = [("startDate", start), ("endDate", end), ("dateType", date_type)]
            sent = [(key, value) for key, value in query if value is not None]
            total, records = await raw_client.list_all_usage(path, *sent)
            expected = [record for record in everything if rule(record, start, end)]
            assert records == expected
            assert total == len(expected)


@pytest.mark.asyncio
@pytest.mark.parametrize("field", ["created", "updated"])
async def test_of_the_last_day_only_midnight_is_included(
    raw_client: RawClient, field: str
) -> None:
    path = f"/v2.2/usage/company/{raw_client.sandbox.portfolio.company(0).id}"
    _, everything = await raw_client.list_all_usage(path)
    days = {record[field][:10] for record in everything}
    for day in sorted(days)[::25]:
        query = [("dateType", f"{field.upper()}_DATE"), ("endDate", day)]
        _, records = await raw_client.list_all_usage(path, *query)
        assert all(record[field] <= f"{day}T00:00:00.000000000Z" for record in records)


@pytest.mark.asyncio
async def test_both_bounds_are_included(raw_client: RawClient) -> None:
    path = f"/v2.2/usage/company/{raw_client.sandbox.portfolio.company(0).id}"
    _, everything = await raw_client.list_all_usage(path)
    day = everything[50]["document"]["billDate"]
    _, records = await raw_client.list_all_usage(
        path, ("startDate", day), ("endDate", day)
    )
    assert records == [
        record for record in everything if is_billed_between(record, day, day)
    ]
    assert records


@pytest.mark.asyncio
async def test_a_record_created_at_midnight_is_within_that_days_bounds(
    raw_client: RawClient,
) -> None:
    for company in raw_client.sandbox.portfolio:
        path = f"/v2.2/usage/company/{company.id}"
        _, everything = await raw_client.list_all_usage(path)
        for record in everything:
            if "T00:00:00" not in record["created"]:
                continue
            day = record["created"][:10]
            query = [("startDate", day), ("endDate", day)]
            _, results = await raw_client.list_all_usage(
                path, *query, ("dateType", "CREATED_DATE")
            )
            assert record in results
            return
    pytest.fail("no record was created at midnight")


@pytest.mark.asyncio
async def test_a_record_without_a_bill_date_matches_no_bound(
    raw_client: RawClient,
) -> None:
    for company in raw_client.sandbox.portfolio:
        path = f"/v2.2/usage/company/{company.id}"
        _, everything = await raw_client.list_all_usage(path)
        _, bounded = await raw_client.list_all_usage(path, ("startDate", "1900-01-01"))
        undated = [r for r in everything if not (r["document"] or {}).get("billDate")]
        assert len(bounded) == len(everything) - len(undated)


@pytest.mark.asyncio
@pytest.mark.parametrize("types", [["GAS"], ["GAS", "ELECTRICITY"], ["REFRIGERANT"]])
async def test_datasource_types_are_alternatives(
    raw_client: RawClient, types: list[str]
) -> None:
    path = f"/v2.2/usage/company/{raw_client.sandbox.portfolio.company(0).id}"
    _, everything = await raw_client.list_all_usage(path)
    query = [("datasourceType", value) for value in types]
    total, records = await raw_client.list_all_usage(path, *query)
    assert records == [r for r in everything if r["datasourceType"] in types]
    assert total == len(records)


@pytest.mark.asyncio
async def test_an_identifier_matches_any_of_the_meters_after_normalization(
    raw_client: RawClient,
) -> None:
    path = f"/v2.2/usage/company/{raw_client.sandbox.portfolio.company(0).id}"
    _, everything = await raw_client.list_all_usage(path)
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
            total, records = await raw_client.list_all_usage(path, ("identifier", text))
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
def test_normalized_identifiers_lack_five_marks_and_leading_zeros(
    value: str, normal: str
) -> None:
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
async def test_an_invalid_query_is_refused(
    raw_client: RawClient, query: tuple[str, str]
) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    response = await raw_client.request(f"/v2.2/usage/company/{company.id}", [query])
    assert response.status == 400
    assert query[0] in response.json["detail"]


@pytest.mark.asyncio
async def test_unknown_parameters_are_ignored(raw_client: RawClient) -> None:
    assert await raw_client.list_usage(0, ("limit", "5"), ("colour", "blue")) == (
        await raw_client.list_usage(0)
    )


def list_filters() -> list[tuple[str, str]]:
    """List the filters of all lists in the contract, as operation and parameter."""
    return [
        (operation, name)
        for operation in OPERATIONS
        for name in find_filter_schemas(operation)
    ]


def find_filter_schemas(operation: str) -> dict[str, Any]:
    """Find the schemas of a list's query parameters, by name, except `page`."""
    parameters = map(
        contract.resolve_ref, OPERATIONS[operation].description.get("parameters", ())
    )
    schemas = {
        parameter["name"]: parameter["schema"]
        for parameter in parameters
        if parameter["in"] == "query"
    }
    if "page" not in schemas:
        return {}
    del schemas["page"]
    return schemas


def choose_values(schema: Any, page: Any) -> list[str]:
    """Choose valid values of a parameter: extremes, and dates that occur in a page."""
    [schema] = [
        part for part in contract.iterate_alternatives(schema) if "type" in part
    ]
    if schema["type"] == "array":
        return choose_values(schema["items"], page)
    if "enum" in schema:
        return list(schema["enum"])
    days = sorted(set(re.findall(r"\d{4}-\d{2}-\d{2}", json.dumps(page, default=str))))
    return {
        "boolean": ["true", "false"],
        "integer": [str(schema.get("minimum")), str(schema.get("maximum"))],
        "date": ["1900-01-01", "2200-01-01", *days[:: len(days) // 5 + 1]],
        "date-time": ["1900-01-01T00:00:00Z", "2200-01-01T00:00:00Z"],
        "uuid": ["00000000-0000-4000-a000-000000000000"],
        "email": ["nobody@example.com"],
        "string": ["nothing has this text"],
    }[schema.get("format", schema["type"])]


def list_owners(portfolio: Portfolio, operation: str) -> list[dict[str, str]]:
    """List the path parameters with which a list can be requested."""
    ids: dict[str, list[str]] = {key: [] for key in ("company", "site", "connection")}
    ids |= {key: [] for key in ("meter", "document")}
    for company in portfolio:
        data = portfolio.company_data(company.index)
        ids["company"].append(company.id)
        ids["site"] += [site.id for site in company.sites]
        ids["connection"] += [connection.id for connection in data.connections]
        ids["meter"] += [meter.id for meter in data.meters]
        ids["document"] += [bill.id for bill in data.bills]
    keys = re.findall(r"\{(\w+)_id\}", OPERATIONS[operation].path)
    if not keys:
        return [{}]
    return [{f"{key}_id": some_id} for key in keys for some_id in ids[key]]


async def is_applied(client: ContractClient, operation: str, name: str) -> bool:
    """Whether some value of a filter changes a list, alone or with another filter."""
    owners = list_owners(client.sandbox.portfolio, operation)
    for owner in owners[:20]:
        if await changes_list(client, operation, owner, name):
            return True
    for owner in owners[:2]:
        page = (await client.send(operation, **owner)).json
        for other, schema in find_filter_schemas(operation).items():
            for value in choose_values(schema, page) if other != name else ():
                query = (other, value)
                if await changes_list(client, operation, owner, name, query):
                    return True
    return False


async def changes_list(
    client: ContractClient,
    operation: str,
    owner: dict[str, str],
    name: str,
    *query: tuple[str, str],
) -> bool:
    """Whether some value of a filter changes the list that a query selects."""
    before = await client.send(operation, None, *query, **owner)
    assert before.status == 200
    schema = find_filter_schemas(operation)[name]
    for value in choose_values(schema, before.json):
        after = await client.send(operation, None, *query, (name, value), **owner)
        if after.body != before.body:
            return True
    return False


@pytest.mark.asyncio
@pytest.mark.parametrize(("operation", "name"), list_filters())
async def test_no_list_ignores_a_filter_of_the_contract(
    client: ContractClient, operation: str, name: str
) -> None:
    """Some value of each filter changes the list, or is refused."""
    company_id = client.company_id()
    connection_id = client.sandbox.portfolio.company_data(0).connections[0].id
    await client.call("invitations_create", {}, company_id=company_id)
    await client.call("invitations_create_reconnect", {}, connection_id=connection_id)
    assert await is_applied(client, operation, name), (
        f"{operation} ignores the filter {name}"
    )


def test_the_filters_are_read_from_the_contract() -> None:
    filters = list_filters()
    assert ("documents_list_by_company", "isDeleted") in filters
    assert ("usage_list_by_meter", "dateType") in filters
    assert ("connections_list_by_company", "sites") in filters
