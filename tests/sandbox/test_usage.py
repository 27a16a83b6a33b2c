"""Usage records: their lists, changes and deletions."""

from __future__ import annotations

from typing import Any

import pytest
from contract_client import ContractClient

pytestmark = pytest.mark.asyncio

Record = dict[str, Any]


async def list_all_usage(client: ContractClient) -> list[Record]:
    return await client.list_all(
        "usage_list_by_company", "usageData", company_id=client.company_id()
    )


async def update(client: ContractClient, record: Record, **body: Any) -> Any:
    return await client.call("usage_update", body, usage_data_id=record["id"])


async def test_every_list_has_the_usage_of_its_owner(client: ContractClient) -> None:
    records = await list_all_usage(client)
    first = next(record for record in records if record["document"])
    connection = next(
        connection
        for connection in client.sandbox.portfolio.company_data(0).connections
        for account in connection.accounts
        for meter in account.meters
        if meter.id == first["meter"]
    )
    meters = {m.id for account in connection.accounts for m in account.meters}
    document_id, meter_id = first["document"]["id"], first["meter"]
    for operation, ids, belongs in (
        (
            "usage_list_by_document",
            {"document_id": document_id},
            lambda r: (r["document"] or {}).get("id") == document_id,
        ),
        (
            "usage_list_by_meter",
            {"meter_id": meter_id},
            lambda r: r["meter"] == meter_id,
        ),
        (
            "usage_list_by_connection",
            {"connection_id": connection.id},
            lambda r: r["meter"] in meters,
        ),
    ):
        results = await client.list_all(operation, "usageData", **ids)
        assert results == [record for record in records if belongs(record)]
        assert first in results


async def test_a_bills_usage_is_filtered_by_its_period(client: ContractClient) -> None:
    """All other lists compare the date of the bill."""
    record = next(r for r in await list_all_usage(client) if r["document"])
    day = ("endDate", record["startDate"])
    ids = {"document_id": record["document"]["id"]}
    results = await client.list_all("usage_list_by_document", "usageData", day, **ids)
    assert record in results
    by_bill = ("dateType", "BILL_DATE")
    assert record["document"]["billDate"] > record["startDate"]
    assert not await client.list_all(
        "usage_list_by_document", "usageData", day, by_bill, **ids
    )
    meter = {"meter_id": record["meter"]}
    results = await client.list_all("usage_list_by_meter", "usageData", day, **meter)
    assert record not in results


async def test_a_single_record_equals_the_one_in_the_list(
    client: ContractClient,
) -> None:
    for record in (await list_all_usage(client))[::50]:
        assert record == await client.call("usage_get", usage_data_id=record["id"])


async def test_an_update_changes_the_given_fields(client: ContractClient) -> None:
    record = (await list_all_usage(client))[3]
    body = {
        "startDate": "2020-01-01",
        "endDate": "2020-01-31",
        "usage": "12.3400",
        "usageUnits": "MWh",
        "exclusion": not record["exclusion"],
        "isEstimated": True,
        "isImplied": True,
        "tariff": "T-9",
        "currentReading": "20",
        "previousReading": "7.66",
        "multiplier": "1.0",
        "billedDemand": "3",
        "fractionRenewable": "0.5",
        "supplierName": "Supplier",
        "utilityName": "Utility",
        "country": "FR",
    }
    now = await update(client, record, **body)
    assert now == {
        **record,
        **body,
        "updated": now["updated"],
        "timeOfUseBreakdown": None,
    }
    results = await client.list_all(
        "usage_list_by_company",
        "usageData",
        ("dateType", "USAGE_PERIOD"),
        ("endDate", "2020-02-01"),
        company_id=client.company_id(),
    )
    assert results == [now]
    again = await update(client, record, tariff="T-10")
    assert again == {**now, "tariff": "T-10", "updated": again["updated"]}


async def test_a_period_does_not_end_before_it_starts(client: ContractClient) -> None:
    record = (await list_all_usage(client))[0]
    body = {"endDate": "2019-12-31"}
    detail = await client.get_refusal("usage_update", body, usage_data_id=record["id"])
    assert "endDate" in detail
    assert (await list_all_usage(client))[0] == record


async def test_fields_of_the_meter_change_the_meter(client: ContractClient) -> None:
    record = (await list_all_usage(client))[0]
    numbers = [{"rawName": "No.", "value": "77", "name": None}]
    company_id = client.company_id()
    site = await client.call("sites_create", {"name": "New"}, company_id=company_id)
    now = await update(client, record, identifiers=numbers, site=site["id"])
    assert (now["identifiers"], now["site"]) == (numbers, site)
    meter = await client.call("meters_get", meter_id=record["meter"])
    assert (meter["identifiers"], meter["site"]) == (numbers, site["id"])
    for other in await list_all_usage(client):
        if other["meter"] == record["meter"]:
            assert (other["identifiers"], other["site"]) == (numbers, site)


async def test_a_record_can_be_moved_to_another_meter(client: ContractClient) -> None:
    records = await list_all_usage(client)
    record = records[0]
    other = next(other for other in records if other["site"] != record["site"])
    now = await update(client, record, meter=other["meter"])
    for key in ("meter", "site", "identifiers", "datasourceType", "meterAddress"):
        assert now[key] == other[key]
    assert (now["usage"], now["id"]) == (record["usage"], record["id"])
    for stranger in ("nothing", client.sandbox.portfolio.company_data(1).meters[0].id):
        body = {"meter": stranger}
        detail = await client.get_refusal(
            "usage_update", body, usage_data_id=record["id"]
        )
        assert "meter" in detail


async def test_a_deleted_record_is_gone_from_all_lists(client: ContractClient) -> None:
    records = await list_all_usage(client)
    gone = records.pop(1)
    await client.call("usage_delete", usage_data_id=gone["id"])
    assert await list_all_usage(client) == records
    meter = {"meter_id": gone["meter"]}
    assert gone not in await client.list_all(
        "usage_list_by_meter", "usageData", **meter
    )
    for operation in ("usage_get", "usage_delete", "usage_update"):
        body: dict[str, Any] | None = {} if operation == "usage_update" else None
        await client.call(operation, body, status=404, usage_data_id=gone["id"])
