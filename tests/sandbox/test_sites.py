"""Sites are created, changed and archived."""

from __future__ import annotations

from typing import Any

import pytest
from contract_client import ContractClient

pytestmark = pytest.mark.asyncio


async def test_a_created_site_is_last_in_its_company(
    client: ContractClient,
) -> None:
    company_id = client.company_id()
    body = {
        "name": "Gatehouse",
        "externalId": "G-1",
        "address": "1 Gate",
        "path": ["US", "OR"],
        "occupancyPercent": "37.5",
    }
    site = await client.call("sites_create", body, company_id=company_id)
    assert site == {**body, "id": site["id"], "dataCollectionStopDate": None}
    assert await client.call("sites_get", site_id=site["id"]) == site
    sites = await client.call("sites_list_by_company", company_id=company_id)
    assert sites[-1] == site
    company = await client.call("companies_get", company_id=company_id)
    assert company["sites"] == sites


async def test_only_the_name_is_required(client: ContractClient) -> None:
    ids = set()
    for _ in range(2):
        site = await client.call(
            "sites_create", {"name": "Gate"}, company_id=client.company_id()
        )
        ids.add(site.pop("id"))
        assert site == {
            "name": "Gate",
            "externalId": None,
            "address": "",
            "path": [],
            "occupancyPercent": None,
            "dataCollectionStopDate": None,
        }
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "x", "path": ["p"] * 11}, "path"),
        ({"name": "x", "occupancyPercent": "100.1"}, "occupancyPercent"),
        ({"name": "x", "occupancyPercent": "-"}, "occupancyPercent"),
        ({"name": "x", "occupancyPercent": 5}, "occupancyPercent"),
    ],
    ids=["nothing", "long", "deep", "too full", "no number", "no text"],
)
async def test_an_invalid_site_is_refused(
    client: ContractClient, body: dict[str, Any], text: str
) -> None:
    company_id = client.company_id()
    assert text in await client.get_refusal("sites_create", body, company_id=company_id)


async def test_a_changed_site_shows_in_companies_and_usage(
    client: ContractClient,
) -> None:
    site_id = client.site_ids()[0]
    was = await client.call("sites_get", site_id=site_id)
    records = await client.list_all("usage_list_by_site", "usageData", site_id=site_id)
    body: dict[str, Any] = {"name": "Renamed", "externalId": None, "path": []}
    now = await client.call("sites_update", body, site_id=site_id)
    assert now == {**was, **body}
    after = await client.list_all("usage_list_by_site", "usageData", site_id=site_id)
    assert after == [{**record, "site": now} for record in records]
    assert records


async def test_null_clears_the_occupancy(client: ContractClient) -> None:
    site_id = client.site_ids()[0]
    for value in ("40", None):
        body = {"occupancyPercent": value}
        site = await client.call("sites_update", body, site_id=site_id)
        assert site["occupancyPercent"] == value


async def test_an_archived_site_can_still_be_read(
    client: ContractClient,
) -> None:
    site_id = client.site_ids()[0]
    records = await client.list_all("usage_list_by_site", "usageData", site_id=site_id)
    await client.call("sites_delete", site_id=site_id)
    site = await client.call("sites_get", site_id=site_id)
    assert site["dataCollectionStopDate"] == "2026-01-01"
    sites = await client.call("sites_list_by_company", company_id=client.company_id())
    assert site in sites
    after = await client.list_all("usage_list_by_site", "usageData", site_id=site_id)
    assert after == [{**record, "site": site} for record in records]


async def test_a_site_is_archived_once(client: ContractClient) -> None:
    site_id = client.site_ids()[0]
    for _ in range(2):
        await client.call("sites_delete", site_id=site_id)
        client.advance(40 * 86_400)
    site = await client.call("sites_get", site_id=site_id)
    assert site["dataCollectionStopDate"] == "2026-01-01"
