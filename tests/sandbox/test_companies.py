"""Companies are created, changed and deleted."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from contract_client import ContractClient

from nectar_async.sandbox import Portfolio, Sandbox
from nectar_async.sandbox.server.entity_json import encode_rows
from nectar_async.sandbox.server.stores import CALLER

pytestmark = pytest.mark.asyncio


async def list_companies(client: ContractClient) -> list[dict[str, Any]]:
    companies: list[dict[str, Any]] = await client.call("companies_list")
    return companies


async def test_a_created_company_is_last_in_the_list(
    client: ContractClient,
) -> None:
    before = await list_companies(client)
    created = await client.call("companies_create", {"name": "Ælfric Mills"})
    assert await list_companies(client) == [*before, created]
    assert await client.call("companies_get", company_id=created["id"]) == created


async def test_missing_fields_have_the_defaults_of_the_contract(
    client: ContractClient,
) -> None:
    """Data collection starts in the year before the year of the sandbox's clock."""
    created = await client.call("companies_create", {"name": "A"})
    team = await client.call("team_get")
    assert created == {
        "id": created["id"],
        "name": "A",
        "isDemandEnabled": False,
        "sites": [],
        "users": team["users"],
        "externalId": None,
        "dataCollectionStartDate": "2025-01-01",
        "isImpliedMeteringEnabled": False,
        "impliedMeteringFraction": "1.00",
        "isBasicIdentifierMappingEnabled": False,
        "isLowAccuracyModeEnabled": False,
    }


async def test_all_fields_are_stored(client: ContractClient) -> None:
    body = {
        "name": "B",
        "externalId": "CO-77",
        "dataCollectionStartDate": "2023-05-06",
        "isImpliedMeteringEnabled": True,
        "impliedMeteringFraction": "0.85",
        "isDemandEnabled": True,
        "isBasicIdentifierMappingEnabled": True,
        "isLowAccuracyModeEnabled": True,
        "users": ["new@example.com", "NEW@example.com"],
    }
    created = await client.call("companies_create", body)
    assert created.items() >= {**body, "users": created["users"]}.items()
    assert CALLER in created["users"]
    assert [user.lower() for user in created["users"]].count("new@example.com") == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "C", "users": ["nobody@elsewhere.org"]}, "nobody@elsewhere.org"),
        ({"name": "C", "impliedMeteringFraction": "1.5"}, "impliedMeteringFraction"),
        ({"name": "C", "impliedMeteringFraction": "."}, "impliedMeteringFraction"),
        ({"name": ""}, "name"),
        ({}, "name"),
    ],
    ids=["stranger", "fraction", "no number", "no name", "nothing"],
)
async def test_a_refused_company_is_not_created(
    client: ContractClient, body: dict[str, Any], text: str
) -> None:
    before = await list_companies(client)
    assert text in await client.get_refusal("companies_create", body)
    assert await list_companies(client) == before


async def test_an_update_leaves_other_fields_unchanged(
    client: ContractClient,
) -> None:
    company_id = client.company_id()
    was = await client.call("companies_get", company_id=company_id)
    body: dict[str, Any] = {"name": "Renamed", "impliedMeteringFraction": "0.5"}
    now = await client.call("companies_update", body, company_id=company_id)
    assert now == {**was, **body, "impliedMeteringFraction": "0.50"}
    body = {"externalId": None}
    now = await client.call("companies_update", body, company_id=company_id)
    assert (now["externalId"], now["name"]) == (None, "Renamed")
    assert now in await list_companies(client)


async def test_users_replace_all_users_but_the_caller(
    client: ContractClient,
) -> None:
    created = await client.call("companies_create", {"name": "D"})
    for users in (["x@example.com"], []):
        body = {"users": users}
        now = await client.call("companies_update", body, company_id=created["id"])
        assert now["users"] == [CALLER, *users]
    wrong = {"users": ["nobody@elsewhere.org"], "name": "E"}
    await client.get_refusal("companies_update", wrong, company_id=created["id"])
    after = await client.call("companies_get", company_id=created["id"])
    assert (after["users"], after["name"]) == ([CALLER], "D")


async def test_an_update_does_not_change_generated_data(
    client: ContractClient,
) -> None:
    company_id = client.company_id()
    was = await client.list_all(
        "usage_list_by_company", "usageData", company_id=company_id
    )
    body = {"isDemandEnabled": True, "isImpliedMeteringEnabled": True, "name": "F"}
    await client.call("companies_update", body, company_id=company_id)
    now = await client.list_all(
        "usage_list_by_company", "usageData", company_id=company_id
    )
    assert now == was


async def test_an_update_keeps_the_changes_of_other_companies(
    client: ContractClient,
) -> None:
    portfolio = client.sandbox.portfolio
    cached = portfolio.company(1), portfolio.company_data(1)
    body = {"name": "G"}
    await client.call("companies_update", body, company_id=client.company_id(0))
    assert portfolio.company(1) is cached[0]
    assert portfolio.company_data(1) is cached[1]


async def test_a_deleted_company_stays_visible_for_some_seconds(
    client: ContractClient,
) -> None:
    company_id = client.company_id()
    (gone, other) = await list_companies(client)
    company_data = client.sandbox.portfolio.company_data(0)
    await client.call("companies_delete", company_id=company_id)
    client.advance(3)
    assert await list_companies(client) == [gone, other]
    await client.call("companies_delete", company_id=company_id)
    client.advance(2)
    assert await list_companies(client) == [other]
    for operation, ids in (
        ("companies_get", {"company_id": company_id}),
        ("companies_delete", {"company_id": company_id}),
        ("usage_list_by_company", {"company_id": company_id}),
        ("sites_get", {"site_id": gone["sites"][0]["id"]}),
        ("connections_get", {"connection_id": company_data.connections[0].id}),
        ("documents_get", {"document_id": company_data.bills[0].id}),
        ("meters_get", {"meter_id": company_data.meters[0].id}),
        ("usage_get", {"usage_data_id": company_data.records[0].id}),
    ):
        assert await client.call(operation, status=404, **ids) == {
            "detail": "Not found."
        }


async def test_a_company_created_after_a_deletion_has_another_id(
    client: ContractClient,
) -> None:
    first = await client.call("companies_create", {"name": "H"})
    await client.call("companies_delete", company_id=first["id"])
    client.advance(5)
    second = await client.call("companies_create", {"name": "H"})
    assert second["id"] not in {first["id"], *map(client.company_id, (0, 1))}


async def test_the_same_calls_give_the_same_bytes() -> None:
    bodies = []
    for _ in range(2):
        async with (
            Sandbox(companies=2, clock_speed=0) as sandbox,
            aiohttp.ClientSession() as session,
        ):
            client = ContractClient(sandbox, session)
            created = await client.call("companies_create", {"name": "I"})
            body = {"name": "Gate"}
            await client.call("sites_create", body, company_id=created["id"])
            await client.connect(index=2)
            client.advance(20)
            data = sandbox.portfolio.company_data(2)
            bodies.append(b"".join(encode_rows(data, "v2.2")))
    assert bodies[0] == bodies[1] != b""


async def test_a_change_generates_only_the_changed_company() -> None:
    portfolio = Portfolio(companies=10_000)
    with portfolio.change(9_999) as changes:
        changes.edit(portfolio.company(9_999).id, {"name": "J"})
    portfolio.create_company({"name": "K"})
    assert [portfolio.company(index).name for index in (9_999, 10_000)] == ["J", "K"]
    assert len(portfolio._companies._values) == 2
