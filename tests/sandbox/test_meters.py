"""Meters: their lists, and changes that their usage shows."""

from __future__ import annotations

from typing import Any

import pytest
from contract_client import ContractClient

pytestmark = pytest.mark.asyncio


async def list_meters(
    client: ContractClient, *query: tuple[str, str]
) -> list[dict[str, Any]]:
    return await client.list_all(
        "meters_list_by_company", "meters", *query, company_id=client.company_id()
    )


async def list_meter_usage(
    client: ContractClient, meter_id: str
) -> list[dict[str, Any]]:
    return await client.list_all("usage_list_by_meter", "usageData", meter_id=meter_id)


async def update(client: ContractClient, meter_id: str, **body: Any) -> Any:
    return await client.call("meters_update", body, meter_id=meter_id)


async def test_every_meter_is_in_the_lists_of_its_site_and_connection(
    client: ContractClient,
) -> None:
    meters = await list_meters(client)
    by_site = [
        meter
        for site_id in client.site_ids()
        for meter in await client.list_all(
            "meters_list_by_site", "meters", site_id=site_id
        )
    ]
    by_connection = [
        meter
        for connection in client.sandbox.portfolio.company_data(0).connections
        for meter in await client.list_all(
            "meters_list_by_connection", "meters", connection_id=connection.id
        )
    ]
    assert by_connection == meters != []
    assert sorted(by_site, key=lambda meter: str(meter["id"])) == sorted(
        meters, key=lambda meter: str(meter["id"])
    )
    assert meters[0] == await client.call("meters_get", meter_id=meters[0]["id"])


async def test_a_bills_meters_are_those_of_its_usage(client: ContractClient) -> None:
    for document, records in client.sandbox.portfolio.company_data(0).list_documents()[
        :20
    ]:
        meters = await client.list_all(
            "meters_list_by_document", "meters", document_id=document.id
        )
        assert {meter["id"] for meter in meters} == {r.meter.id for r in records}


async def test_meters_are_filtered_by_commodity_and_identifier(
    client: ContractClient,
) -> None:
    meters = await list_meters(client)
    types = [("datasourceType", "GAS"), ("datasourceType", "WATER")]
    results = await list_meters(client, *types)
    assert results == [m for m in meters if m["datasourceType"] in {"GAS", "WATER"}]
    assert 0 < len(results) < len(meters)
    value = meters[0]["identifiers"][0]["value"]
    results = await list_meters(client, ("identifier", f"0 {value.lower()}"))
    assert meters[0] in results
    for query in (("datasourceType", "SEWER"), ("identifier", "")):
        detail = await client.get_refusal(
            "meters_list_by_company", None, query, company_id=client.company_id()
        )
        assert query[0] in detail


@pytest.mark.parametrize(
    "identifiers",
    [[{"rawName": "No.", "value": "N-77", "name": "METER"}], []],
    ids=["one", "none"],
)
async def test_new_identifiers_replace_all_others(
    client: ContractClient, identifiers: list[dict[str, str]]
) -> None:
    meter = (await list_meters(client))[0]
    was = await list_meter_usage(client, meter["id"])
    now = await update(client, meter["id"], identifiers=identifiers)
    assert now == {**meter, "identifiers": identifiers}
    records = await list_meter_usage(client, meter["id"])
    assert records == [{**record, "identifiers": identifiers} for record in was] != []
    results = await list_meters(client, ("identifier", "n77"))
    assert results == ([now] if identifiers else [])


async def test_an_identifier_without_a_value_is_refused(client: ContractClient) -> None:
    meter = (await list_meters(client))[0]
    body = {"identifiers": [{"value": "1"}, {"rawName": "No."}]}
    detail = await client.get_refusal("meters_update", body, meter_id=meter["id"])
    assert "identifiers.1.value" in detail
    assert await client.call("meters_get", meter_id=meter["id"]) == meter


async def test_the_usage_of_a_moved_meter_belongs_to_its_new_site(
    client: ContractClient,
) -> None:
    meter = (await list_meters(client))[0]
    company_id = client.company_id()
    site = await client.call("sites_create", {"name": "New"}, company_id=company_id)
    now = await update(client, meter["id"], site=site["id"])
    assert now == {**meter, "site": site["id"]}
    records = await list_meter_usage(client, meter["id"])
    moved = await client.list_all("usage_list_by_site", "usageData", site_id=site["id"])
    assert moved == records != []
    assert {record["site"]["name"] for record in records} == {"New"}
    stranger = {"site": client.site_ids(1)[0]}
    assert "site" in await client.get_refusal(
        "meters_update", stranger, meter_id=meter["id"]
    )


async def test_every_other_field_shows_in_the_usage(client: ContractClient) -> None:
    meter = (await list_meters(client))[0]
    body = {
        "address": "1 GATE",
        "datasourceType": "WATER",
        "waterType": "RECLAIMED",
        "isTracked": not meter["isTracked"],
        "isDuplicated": True,
        "tags": ["a"],
    }
    now = await update(client, meter["id"], **body)
    assert now == {**meter, **body, "isDuplicated": "true"}
    for record in await list_meter_usage(client, meter["id"]):
        assert record["meterAddress"] == record["serviceAddress"] == "1 GATE"
        assert (record["datasourceType"], record["waterType"]) == ("WATER", "RECLAIMED")
        assert record["meterIsTracked"] == body["isTracked"]
    cleared = await update(client, meter["id"], waterType=None, address=None)
    assert (cleared["waterType"], cleared["address"]) == (None, None)


async def test_waste_types_are_uuids_in_meters_and_names_in_usage(
    client: ContractClient,
) -> None:
    meters = client.sandbox.portfolio.company_data(0).meters
    waste = next(m for m in meters if m.commodity.datasource_type == "WASTE")
    ids = client.sandbox.portfolio.ids
    wanted = ids.make("wasteType", 0, "Food scraps")
    now = await update(client, waste.id, wasteType=wanted)
    assert now["wasteType"] == wanted
    names = {record["wasteType"] for record in await list_meter_usage(client, waste.id)}
    assert names == {"Food scraps"}
    body = {"wasteType": client.company_id()}
    assert "wasteType" in await client.get_refusal(
        "meters_update", body, meter_id=waste.id
    )


@pytest.mark.parametrize("updates_meters", [True, False])
async def test_tracking_an_account_changes_its_meters_by_default(
    client: ContractClient, *, updates_meters: bool
) -> None:
    account = client.sandbox.portfolio.company_data(0).accounts[0]
    was = await client.call("meters_get", meter_id=account.meters[0].id)
    body = {"isTracked": False, "updateMeters": updates_meters}
    now = await client.call("accounts_update", body, account_id=account.id)
    assert (now["isTracked"], now["trackingStatus"]) == (False, "DISABLED")
    for meter_id in now["meters"]:
        meter = await client.call("meters_get", meter_id=meter_id)
        wanted = False if updates_meters else was["isTracked"]
        assert meter["isTracked"] is wanted
        for record in await list_meter_usage(client, meter_id):
            assert record["meterIsTracked"] is wanted
    body = {"isTracked": True}
    now = await client.call("accounts_update", body, account_id=account.id)
    assert (now["isTracked"], now["trackingStatus"]) == (True, "ENABLED")


async def test_a_bulk_update_changes_all_accounts_or_none(
    client: ContractClient,
) -> None:
    accounts = [
        account.id for account in client.sandbox.portfolio.company_data(0).accounts[:3]
    ]
    company_id = client.company_id()
    stranger = client.sandbox.portfolio.company_data(1).accounts[0].id
    body: dict[str, Any] = {"accounts": [*accounts, stranger], "isTracked": False}
    detail = await client.get_refusal(
        "accounts_bulk_update", body, company_id=company_id
    )
    assert stranger in detail
    assert accounts[0] not in detail
    body["accounts"] = accounts
    now = await client.call("accounts_bulk_update", body, company_id=company_id)
    assert [account["id"] for account in now] == accounts
    assert {account["trackingStatus"] for account in now} == {"DISABLED"}
    tracked = client.sandbox.portfolio.company_data(0).accounts[3:]
    assert all(account.is_tracked for account in tracked)
    body["accounts"] = []
    assert await client.call("accounts_bulk_update", body, company_id=company_id) == []
