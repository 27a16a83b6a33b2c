"""Connections are created and checked, and get sample data, by the sandbox's clock."""

from __future__ import annotations

from typing import Any

import pytest
from contract_client import ContractClient

from nectar_async.sandbox.generator.connection_logins import SANDBOX_LOGIN

pytestmark = pytest.mark.asyncio

SAMPLED = {"ELECTRICITY", "SOLAR", "WATER", "GAS", "FUEL"}


async def list_connections(
    client: ContractClient, *query: tuple[str, str]
) -> list[dict[str, Any]]:
    return await client.list_all(
        "connections_list_by_company",
        "connections",
        *query,
        company_id=client.company_id(),
    )


async def list_connection_usage(
    client: ContractClient, connection_id: str
) -> list[dict[str, Any]]:
    records = await client.list_all(
        "usage_list_by_connection", "usageData", connection_id=connection_id
    )
    for record in records:
        # The link to the file changes with the time.
        (record["document"] or {}).pop("url", None)
    return records


async def update(client: ContractClient, connection_id: str, **body: Any) -> Any:
    return await client.call("connections_update", body, connection_id=connection_id)


async def test_correct_credentials_connect_after_some_seconds(
    client: ContractClient,
) -> None:
    created = await client.connect()
    assert created["status"] == "PENDING"
    assert (created["accounts"], created["isActive"]) == ([], True)
    client.advance(4)
    assert (await client.get_connection(created["id"]))["status"] == "PENDING"
    client.advance(1)
    now = await client.get_connection(created["id"])
    assert now["status"] == "CONNECTED"
    assert now["statusErrorDetail"] is None
    assert now["created"] < now["statusFirstSeenTime"] == now["statusLastUpdateTime"]
    assert (await list_connections(client))[-1] == now


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "guess"},
        {"username": "someone"},
        {"url": "https://portal.example.org/login"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_other_credentials_are_a_wrong_password(
    client: ContractClient, wrong: dict[str, Any]
) -> None:
    created = await client.connect(**wrong)
    assert created["status"] == "PENDING"
    client.advance(5)
    now = await client.get_connection(created["id"])
    assert now["status"] == "PASSWORD_INCORRECT"
    assert now["statusErrorDetail"]
    client.advance(60)
    assert await list_connection_usage(client, created["id"]) == []


async def test_sample_data_arrives_within_thirty_seconds(
    client: ContractClient,
) -> None:
    created = await client.connect()
    total = len(await list_all_usage(client))
    client.advance(19)
    assert await list_connection_usage(client, created["id"]) == []
    client.advance(1)
    now = await client.get_connection(created["id"])
    records = await list_connection_usage(client, created["id"])
    assert {record["datasourceType"] for record in records} == SAMPLED
    assert set(now["initialDatasourceTypes"]) == SAMPLED
    assert {record["site"]["id"] for record in records} == set(now["initialSites"])
    assert {record["created"] for record in records} == {"2026-01-01T00:00:20.000000Z"}
    assert len(await list_all_usage(client)) == total + len(records)
    meters = await client.list_all(
        "meters_list_by_connection", "meters", connection_id=created["id"]
    )
    assert {meter["id"] for meter in meters} == {record["meter"] for record in records}
    accounts = {account["id"]: account["meters"] for account in now["accounts"]}
    for meter in meters:
        assert meter["id"] in accounts[meter["account"]]
    documents = await client.list_all(
        "documents_list_by_connection", "documents", connection_id=created["id"]
    )
    assert {document["id"] for document in documents} == {
        record["document"]["id"] for record in records if record["document"]
    }


async def list_all_usage(client: ContractClient) -> list[dict[str, Any]]:
    return await client.list_all(
        "usage_list_by_company", "usageData", company_id=client.company_id()
    )


async def test_sample_data_has_each_site_and_the_requested_commodities(
    client: ContractClient,
) -> None:
    sites = client.site_ids()[:3]
    created = await client.connect(*sites, initialDatasourceTypes=["GAS", "TELECOM"])
    client.advance(20)
    records = await list_connection_usage(client, created["id"])
    results = {(record["site"]["id"], record["datasourceType"]) for record in records}
    assert results == {(site_id, "GAS") for site_id in sites}


async def test_sample_data_does_not_depend_on_later_changes(
    client: ContractClient,
) -> None:
    sites = client.site_ids()[:2]
    created = await client.connect(*sites)
    client.advance(20)
    before = await list_connection_usage(client, created["id"])
    await update(client, created["id"], initialSites=sites[:1], externalId="C-1")
    await client.call("sites_update", {"address": "Elsewhere"}, site_id=sites[0])
    after = await list_connection_usage(client, created["id"])
    for record in (*before, *after):
        del record["site"]
    assert after == before


@pytest.mark.parametrize("count", [0, 4], ids=["none", "four"])
async def test_a_connection_needs_one_to_three_sites(
    client: ContractClient, count: int
) -> None:
    company_id = client.company_id()
    for name in "abcd":
        await client.call("sites_create", {"name": name}, company_id=company_id)
    body = {**SANDBOX_LOGIN._asdict(), "sites": client.site_ids()[:count]}
    detail = await client.get_refusal("connections_create", body, company_id=company_id)
    assert detail.startswith("sites:")


async def test_the_sites_must_belong_to_the_company(client: ContractClient) -> None:
    stranger = client.site_ids(1)[0]
    body = {**SANDBOX_LOGIN._asdict(), "sites": [stranger]}
    company_id = client.company_id()
    detail = await client.get_refusal("connections_create", body, company_id=company_id)
    assert stranger in detail


async def test_the_same_login_twice_in_a_company_is_refused(
    client: ContractClient,
) -> None:
    created = await client.connect()
    body = {
        **SANDBOX_LOGIN._asdict(),
        "url": "https://NectarClimate.com/",
        "sites": client.site_ids()[:1],
    }
    await client.get_refusal("connections_create", body, company_id=client.company_id())
    assert (
        len([c for c in await list_connections(client) if c["url"] == created["url"]])
        == 1
    )
    await client.connect(index=1)


async def test_no_response_contains_a_password(client: ContractClient) -> None:
    questions = [{"key": "Pet?", "value": "Rex the fish"}]
    created = await client.connect(password="hunter-2", securityQuestions=questions)
    client.advance(30)
    path = f"/v2.2/connection/{created['id']}"
    bodies = [str(created), (await client.request(f"{path}/details")).body.decode()]
    bodies.append((await client.request(path)).body.decode())
    bodies.append(str(await update(client, created["id"], password="hunter-3")))
    for body in bodies:
        assert "hunter" not in body
        assert "Rex" not in body
    (connection,) = client.sandbox.portfolio.company_data(0).connections[-1:]
    assert "hunter" not in repr(connection)


async def test_new_correct_credentials_connect_after_some_seconds(
    client: ContractClient,
) -> None:
    created = await client.connect(password="guess")
    client.advance(60)
    now = await update(client, created["id"], password=SANDBOX_LOGIN.password)
    assert now["status"] == "PASSWORD_INCORRECT"
    client.advance(4)
    assert (await client.get_connection(created["id"]))[
        "status"
    ] == "PASSWORD_INCORRECT"
    client.advance(1)
    assert (await client.get_connection(created["id"]))["status"] == "CONNECTED"
    client.advance(15)
    assert await list_connection_usage(client, created["id"])


async def test_wrong_credentials_disconnect_and_keep_the_data(
    client: ContractClient,
) -> None:
    created = await client.connect()
    client.advance(20)
    records = await list_connection_usage(client, created["id"])
    await update(client, created["id"], password="guess")
    client.advance(5)
    assert (await client.get_connection(created["id"]))[
        "status"
    ] == "PASSWORD_INCORRECT"
    assert await list_connection_usage(client, created["id"]) == records != []


async def test_a_change_to_an_existing_login_is_refused(
    client: ContractClient,
) -> None:
    await client.connect()
    other = await client.connect(username="someone")
    body = {"username": SANDBOX_LOGIN.username}
    await client.get_refusal("connections_update", body, connection_id=other["id"])
    unchanged = await client.get_connection(other["id"])
    assert unchanged["username"] == "someone"


async def test_a_generated_connection_can_be_reconnected(
    client: ContractClient,
) -> None:
    connection = (await list_connections(client))[0]
    await update(client, connection["id"], password="guess")
    client.advance(5)
    now = await client.get_connection(connection["id"])
    assert now["status"] == "PASSWORD_INCORRECT"
    records = await list_connection_usage(client, connection["id"])
    await update(client, connection["id"], password=SANDBOX_LOGIN.password)
    client.advance(30)
    now = await client.get_connection(connection["id"])
    assert now["status"] == "CONNECTED"
    assert await list_connection_usage(client, connection["id"]) == records


async def test_a_connection_can_be_deactivated_and_activated(
    client: ContractClient,
) -> None:
    connection = (await list_connections(client))[0]
    for is_active in (False, True):
        now = await update(client, connection["id"], isActive=is_active)
        assert now == {**connection, "isActive": is_active, "updated": now["updated"]}


async def test_every_field_of_a_connection_can_be_changed(
    client: ContractClient,
) -> None:
    connection = (await list_connections(client))[0]
    body = {
        "externalId": "C-9",
        "country": "FR",
        "initialSites": client.site_ids()[:1],
        "initialDatasourceTypes": ["WATER"],
        "workflowOwnerEmail": "new@example.com",
        "dataCollectionStartDate": "2024-02-03",
        "multiplyByOccupancy": True,
    }
    now = await update(client, connection["id"], **body)
    assert now == {**connection, **body, "updated": now["updated"]}
    cleared: dict[str, Any] = {"externalId": None, "dataCollectionStartDate": None}
    assert (
        await update(client, connection["id"], **cleared)
    ).items() >= cleared.items()


async def test_a_confirmation_connects_and_a_denial_changes_nothing(
    client: ContractClient,
) -> None:
    created = await client.connect(password="guess")
    client.advance(5)
    for is_confirmed, status in ((False, "PASSWORD_INCORRECT"), (True, "CONNECTED")):
        now = await client.call(
            "connections_confirm",
            {"confirm": is_confirmed},
            connection_id=created["id"],
        )
        assert now["status"] == status
    client.advance(60)
    assert (await client.get_connection(created["id"]))["status"] == "CONNECTED"
