"""Differences between the API's versions: fields, demand rows and demand meters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from contract_client import ContractClient

from nectar_async import contract
from nectar_async.sandbox import Sandbox
from nectar_async.sandbox.server.router import SEGMENTS

pytestmark = pytest.mark.asyncio

FIELDS = contract.load()["components"]["schemas"]["UsageDataNested"]["x-version-fields"]


@pytest_asyncio.fixture
async def demand_client() -> AsyncIterator[ContractClient]:
    """A client whose first company has demand enabled."""
    async with (
        Sandbox(companies=1, seed=2, clock_speed=0) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        assert sandbox.portfolio.company(0).is_demand_enabled
        yield ContractClient(sandbox, session)


async def list_usage(client: ContractClient, segment: str) -> list[dict[str, Any]]:
    return await client.list_all(
        "usage_list_by_company",
        "usageData",
        company_id=client.company_id(),
        segment=segment,
    )


async def list_bills(client: ContractClient, segment: str) -> list[dict[str, Any]]:
    return await client.list_all(
        "documents_list_by_company",
        "documents",
        company_id=client.company_id(),
        segment=segment,
    )


def is_demand(record: dict[str, Any]) -> bool:
    return bool(record["electricityType"] == "DEMAND")


async def test_only_lists_of_v21_have_demand_rows(
    demand_client: ContractClient,
) -> None:
    rows = await list_usage(demand_client, "v2.1")
    demand = [row for row in rows if is_demand(row)]
    plain = {row["id"] for row in rows if not is_demand(row)}
    assert demand
    assert {row["usageUnits"] for row in demand} == {"KW"}
    assert {row["datasourceType"] for row in demand} == {"ELECTRICITY"}
    for segment in ("v2.2", "v2"):
        assert {row["id"] for row in await list_usage(demand_client, segment)} == plain
    billed = {(row["meter"], row["startDate"]) for row in demand}
    assert billed <= {(r["meter"], r["startDate"]) for r in rows if not is_demand(r)}


async def test_a_demand_row_is_filtered_and_read_like_any_other(
    demand_client: ContractClient,
) -> None:
    rows = await list_usage(demand_client, "v2.1")
    row = next(row for row in rows if is_demand(row))
    meter_rows = await demand_client.list_all(
        "usage_list_by_meter", "usageData", meter_id=row["meter"], segment="v2.1"
    )
    assert meter_rows == [other for other in rows if other["meter"] == row["meter"]]
    alone = await demand_client.call(
        "usage_get", usage_data_id=row["id"], segment="v2.1"
    )
    assert alone == row


async def test_only_v20_can_change_demand_rows(
    demand_client: ContractClient,
) -> None:
    row = next(row for row in await list_usage(demand_client, "v2.1") if is_demand(row))
    for segment in ("v2.2", "v2.1"):
        response = await demand_client.call(
            "usage_update",
            {"usage": "5"},
            usage_data_id=row["id"],
            segment=segment,
            status=400,
        )
        assert "demand" in response["detail"].lower()
    await demand_client.call(
        "usage_update", {"usage": "5"}, usage_data_id=row["id"], segment="v2"
    )
    changed = next(
        r for r in await list_usage(demand_client, "v2.1") if r["id"] == row["id"]
    )
    assert changed == {**row, "usage": "5", "updated": changed["updated"]}


async def test_a_demand_row_can_be_deleted(demand_client: ContractClient) -> None:
    rows = await list_usage(demand_client, "v2.1")
    row = next(row for row in rows if is_demand(row))
    await demand_client.call("usage_delete", usage_data_id=row["id"], segment="v2.1")
    rows.remove(row)
    assert await list_usage(demand_client, "v2.1") == rows


@pytest.mark.parametrize(("version", "segment"), SEGMENTS.items())
async def test_the_usage_of_bills_has_the_fields_of_its_version(
    demand_client: ContractClient, version: str, segment: str
) -> None:
    always = set(FIELDS[version]["always"])
    allowed = always | set(FIELDS[version]["optional"])
    nested = [
        u
        for bill in await list_bills(demand_client, segment)
        for u in bill["usageData"]
    ]
    assert nested
    for record in nested:
        assert always <= record.keys() <= allowed
    listed = {
        row["id"] for row in await list_usage(demand_client, segment) if row["document"]
    }
    assert {record["id"] for record in nested} == listed


async def test_only_bills_of_v22_have_demand_meters(
    demand_client: ContractClient,
) -> None:
    results = 0
    for bill in await list_bills(demand_client, "v2.2"):
        on_bill = {record["id"] for record in bill["usageData"]}
        for demand in bill["demandMeters"]:
            results += 1
            assert set(demand["usageDataIds"]) <= on_bill
    assert results
    for segment in ("v2.1", "v2"):
        for bill in await list_bills(demand_client, segment):
            assert "demandMeters" not in bill


@pytest.mark.parametrize("segment", SEGMENTS.values())
async def test_changes_show_in_every_version(
    demand_client: ContractClient, segment: str
) -> None:
    """It does not matter in which version they were made."""
    before = await list_usage(demand_client, segment)
    record = (await list_usage(demand_client, "v2.2"))[0]
    body = {"usage": "77.70"}
    await demand_client.call(
        "usage_update", body, usage_data_id=record["id"], segment="v2"
    )
    after = await list_usage(demand_client, segment)
    assert len(after) == len(before)
    assert [r["usage"] for r in after if r["id"] == record["id"]] == ["77.70"]
