"""Bills: their lists, filters and changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from contract_client import ContractClient

pytestmark = pytest.mark.asyncio

Bill = dict[str, Any]
START, END = "2024-06-30", "2025-03-07"


async def list_bills(
    client: ContractClient, *query: tuple[str, str], **ids: str
) -> list[Bill]:
    operation = "documents_list_by_company"
    if not ids:
        ids = {"company_id": client.company_id()}
    elif "site_id" in ids:
        operation = "documents_list_by_site"
    else:
        operation = "documents_list_by_connection"
    return await client.list_all(operation, "documents", *query, **ids)


def parse_moment(text: str) -> datetime:
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def build_midnight_rule(key: str) -> Callable[[Bill], bool]:
    low, high = (parse_moment(f"{day}T00:00:00") for day in (START, END))
    return lambda bill: low <= parse_moment(bill[key]) <= high


RULES: dict[str, Callable[[Bill], bool]] = {
    "BILL_DATE": lambda bill: START <= (bill["billDate"] or "") <= END,
    "USAGE_PERIOD": lambda bill: any(
        usage["startDate"] <= END and usage["endDate"] >= START
        for usage in bill["usageData"]
    ),
    "CREATED_DATE": build_midnight_rule("created"),
    "UPDATED_DATE": build_midnight_rule("updated"),
}


async def test_each_bill_is_listed_once_and_the_newest_first(
    client: ContractClient,
) -> None:
    bills = await list_bills(client)
    assert len({bill["id"] for bill in bills}) == len(bills) > 100
    moments = [parse_moment(bill["created"]) for bill in bills]
    assert moments == sorted(moments, reverse=True)
    alone = await client.call("documents_get", document_id=bills[7]["id"])
    assert alone == bills[7]


@pytest.mark.parametrize("date_type", [None, *RULES])
async def test_dates_are_compared_as_the_date_type_says(
    client: ContractClient, date_type: str | None
) -> None:
    query = [("startDate", START), ("endDate", END)]
    if date_type is not None:
        query.append(("dateType", date_type))
    rule = RULES[date_type or "BILL_DATE"]
    results = await list_bills(client, *query)
    assert results == [bill for bill in await list_bills(client) if rule(bill)] != []


async def test_bills_are_filtered_by_the_meters_on_them(client: ContractClient) -> None:
    bills = await list_bills(client)
    results = await list_bills(client, ("datasourceType", "GAS"))
    assert 0 < len(results) < len(bills)
    assert results == [
        bill
        for bill in bills
        if "GAS" in {usage["datasourceType"] for usage in bill["usageData"]}
    ]
    value = bills[0]["usageData"][0]["identifiers"][0]["value"]
    assert bills[0] in await list_bills(client, ("identifier", f"0-{value.lower()}"))


async def test_a_site_has_the_bills_of_its_meters(client: ContractClient) -> None:
    site_id = client.site_ids()[0]
    results = await list_bills(client, site_id=site_id)
    assert results == [
        bill
        for bill in await list_bills(client)
        if site_id in {usage["site"]["id"] for usage in bill["usageData"]}
    ]
    assert results


async def test_every_bill_belongs_to_one_connection(client: ContractClient) -> None:
    bills = await list_bills(client)
    shared = [
        bill
        for connection in client.sandbox.portfolio.company_data(0).connections
        for bill in await list_bills(client, connection_id=connection.id)
    ]
    assert sorted(bill["id"] for bill in shared) == sorted(bill["id"] for bill in bills)


async def test_is_deleted_lists_deleted_bills_among_the_live_ones(
    client: ContractClient,
) -> None:
    live = await list_bills(client, ("isDeleted", "false"))
    assert live == await list_bills(client)
    everything = await list_bills(client, ("isDeleted", "true"))
    assert [bill for bill in everything if bill in live] == live
    deleted = [bill for bill in everything if bill not in live]
    assert deleted
    for bill in deleted:
        assert bill["usageData"] == []
        assert bill == await client.call("documents_get", document_id=bill["id"])
    detail = await client.get_refusal(
        "documents_list_by_company",
        None,
        ("isDeleted", "perhaps"),
        company_id=client.company_id(),
    )
    assert "isDeleted" in detail


async def test_a_changed_field_shows_on_the_bill_and_its_usage(
    client: ContractClient,
) -> None:
    bill = (await list_bills(client))[5]
    body = {
        "billDate": "2020-02-29",
        "dueDate": None,
        "totalCharges": "1234.5678",
        "chargesUnits": "EUR",
        "invoiceId": None,
        "notes": "typed by hand",
        "isFlagged": True,
    }
    now = await client.call("documents_update", body, document_id=bill["id"])
    assert now["updated"] >= now["created"]
    for usage in bill["usageData"]:
        record = await client.call("usage_get", usage_data_id=usage["id"])
        assert record["document"].items() >= body.items()
    # Nothing else of the bill has changed, not even its line items.
    assert now == {**bill, **body, "updated": now["updated"]}
    results = await list_bills(client, ("endDate", "2020-02-29"))
    assert [document["id"] for document in results] == [bill["id"]]


async def test_a_changed_date_does_not_change_the_due_date(
    client: ContractClient,
) -> None:
    bill = (await list_bills(client))[0]
    body = {"billDate": "2020-02-29"}
    now = await client.call("documents_update", body, document_id=bill["id"])
    assert (now["dueDate"], now["notes"]) == (bill["dueDate"], bill["notes"])


async def test_a_bill_stays_when_all_its_usage_is_deleted(
    client: ContractClient,
) -> None:
    bill = (await list_bills(client))[0]
    for usage in bill["usageData"]:
        await client.call("usage_delete", usage_data_id=usage["id"])
    now = await client.call("documents_get", document_id=bill["id"])
    assert now["usageData"] == []
    assert now["id"] in {listed["id"] for listed in await list_bills(client)}


async def test_an_uploaded_bill_has_usage_of_the_sites_first_meter(
    client: ContractClient,
) -> None:
    portfolio = client.sandbox.portfolio
    site_id = client.site_ids()[-1]
    document = portfolio.add_document(
        0,
        file_name="gas.pdf",
        job_id="job-1",
        site_id=site_id,
        moment=client.sandbox.clock.now(),
    )
    bill = await client.call("documents_get", document_id=document.id)
    assert (bill["fileName"], bill["jobId"]) == ("gas.pdf", "job-1")
    assert [usage["site"]["id"] for usage in bill["usageData"]] == [site_id]
    assert bill["usageData"][0]["startDate"] == "2025-12-01"
    assert bill in await list_bills(client)
    assert bill in await list_bills(client, site_id=site_id)
    meter_id = bill["usageData"][0]["meter"]
    assert meter_id in {meter.id for meter in portfolio.company_data(0).meters}


async def test_a_bill_uploaded_to_a_new_site_creates_a_meter(
    client: ContractClient,
) -> None:
    company = await client.call("companies_create", {"name": "New"})
    add = client.sandbox.portfolio.add_document
    now = client.sandbox.clock.now()
    bare = add(2, file_name="a.pdf", job_id=None, site_id=None, moment=now)
    await client.call("sites_create", {"name": "Gate"}, company_id=company["id"])
    first = add(2, file_name="b.pdf", job_id=None, site_id=None, moment=now)
    second = add(2, file_name="c.pdf", job_id=None, site_id=None, moment=now)
    bills = await client.list_all(
        "documents_list_by_company", "documents", company_id=company["id"]
    )
    assert {bill["id"] for bill in bills} == {bare.id, first.id, second.id}
    (meter,) = await client.list_all(
        "meters_list_by_company", "meters", company_id=company["id"]
    )
    assert meter["account"] is None
    records = await client.list_all(
        "usage_list_by_meter", "usageData", meter_id=meter["id"]
    )
    assert {record["document"]["id"] for record in records} == {first.id, second.id}
