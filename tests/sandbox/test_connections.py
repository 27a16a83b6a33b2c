"""Connections are made, checked, healed and filled, in the sandbox's own time."""

from __future__ import annotations

from typing import Any

import pytest
from caller import Caller

from nectar_async.sandbox.generator.connections import SANDBOX_LOGIN

pytestmark = pytest.mark.asyncio

SAMPLED = {"ELECTRICITY", "SOLAR", "WATER", "GAS", "FUEL"}


async def listed(caller: Caller, *query: tuple[str, str]) -> list[dict[str, Any]]:
    return await caller.every(
        "connections_list_by_company",
        "connections",
        *query,
        company_id=caller.company_id(),
    )


async def usage_of(caller: Caller, connection_id: str) -> list[dict[str, Any]]:
    records = await caller.every(
        "usage_list_by_connection", "usageData", connection_id=connection_id
    )
    for record in records:
        # The link to the file says until when it is good.
        (record["document"] or {}).pop("url", None)
    return records


async def update(caller: Caller, connection_id: str, **body: Any) -> Any:
    return await caller.call("connections_update", body, connection_id=connection_id)


async def test_right_credentials_connect_after_a_while(caller: Caller) -> None:
    made = await caller.connect()
    assert made["status"] == "PENDING"
    assert (made["accounts"], made["isActive"]) == ([], True)
    caller.wait(4)
    assert (await caller.connection(made["id"]))["status"] == "PENDING"
    caller.wait(1)
    now = await caller.connection(made["id"])
    assert now["status"] == "CONNECTED"
    assert now["statusErrorDetail"] is None
    assert now["created"] < now["statusFirstSeenTime"] == now["statusLastUpdateTime"]
    assert (await listed(caller))[-1] == now


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "guess"},
        {"username": "someone"},
        {"url": "https://portal.example.org/login"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_anything_else_is_a_wrong_password(
    caller: Caller, wrong: dict[str, Any]
) -> None:
    made = await caller.connect(**wrong)
    assert made["status"] == "PENDING"
    caller.wait(5)
    now = await caller.connection(made["id"])
    assert now["status"] == "PASSWORD_INCORRECT"
    assert now["statusErrorDetail"]
    caller.wait(60)
    assert await usage_of(caller, made["id"]) == []


async def test_sample_data_comes_within_thirty_seconds(caller: Caller) -> None:
    made = await caller.connect()
    total = len(await everything(caller))
    caller.wait(19)
    assert await usage_of(caller, made["id"]) == []
    caller.wait(1)
    now = await caller.connection(made["id"])
    records = await usage_of(caller, made["id"])
    assert {record["datasourceType"] for record in records} == SAMPLED
    assert set(now["initialDatasourceTypes"]) == SAMPLED
    assert {record["site"]["id"] for record in records} == set(now["initialSites"])
    assert {record["created"] for record in records} == {"2026-01-01T00:00:20.000000Z"}
    assert len(await everything(caller)) == total + len(records)
    meters = await caller.every(
        "meters_list_by_connection", "meters", connection_id=made["id"]
    )
    assert {meter["id"] for meter in meters} == {record["meter"] for record in records}
    accounts = {account["id"]: account["meters"] for account in now["accounts"]}
    for meter in meters:
        assert meter["id"] in accounts[meter["account"]]
    documents = await caller.every(
        "documents_list_by_connection", "documents", connection_id=made["id"]
    )
    assert {document["id"] for document in documents} == {
        record["document"]["id"] for record in records if record["document"]
    }


async def everything(caller: Caller) -> list[dict[str, Any]]:
    return await caller.every(
        "usage_list_by_company", "usageData", company_id=caller.company_id()
    )


async def test_sample_data_is_of_each_site_and_of_the_commodities_asked_for(
    caller: Caller,
) -> None:
    sites = caller.site_ids()[:3]
    made = await caller.connect(*sites, initialDatasourceTypes=["GAS", "TELECOM"])
    caller.wait(20)
    records = await usage_of(caller, made["id"])
    found = {(record["site"]["id"], record["datasourceType"]) for record in records}
    assert found == {(site_id, "GAS") for site_id in sites}


async def test_sample_data_does_not_depend_on_later_changes(caller: Caller) -> None:
    sites = caller.site_ids()[:2]
    made = await caller.connect(*sites)
    caller.wait(20)
    before = await usage_of(caller, made["id"])
    await update(caller, made["id"], initialSites=sites[:1], externalId="C-1")
    await caller.call("sites_update", {"address": "Elsewhere"}, site_id=sites[0])
    after = await usage_of(caller, made["id"])
    for record in (*before, *after):
        del record["site"]
    assert after == before


@pytest.mark.parametrize("count", [0, 4], ids=["none", "four"])
async def test_one_to_three_sites_are_needed(caller: Caller, count: int) -> None:
    company_id = caller.company_id()
    for name in "abcd":
        await caller.call("sites_create", {"name": name}, company_id=company_id)
    body = {**SANDBOX_LOGIN._asdict(), "sites": caller.site_ids()[:count]}
    detail = await caller.refused("connections_create", body, company_id=company_id)
    assert detail.startswith("sites:")


async def test_the_sites_must_be_the_companys(caller: Caller) -> None:
    stranger = caller.site_ids(1)[0]
    body = {**SANDBOX_LOGIN._asdict(), "sites": [stranger]}
    company_id = caller.company_id()
    detail = await caller.refused("connections_create", body, company_id=company_id)
    assert stranger in detail


async def test_the_same_login_twice_in_a_company_is_refused(caller: Caller) -> None:
    made = await caller.connect()
    body = {
        **SANDBOX_LOGIN._asdict(),
        "url": "https://NectarClimate.com/",
        "sites": caller.site_ids()[:1],
    }
    await caller.refused("connections_create", body, company_id=caller.company_id())
    assert len([c for c in await listed(caller) if c["url"] == made["url"]]) == 1
    await caller.connect(index=1)


async def test_no_password_comes_back(caller: Caller) -> None:
    questions = [{"key": "Pet?", "value": "Rex the fish"}]
    made = await caller.connect(password="hunter-2", securityQuestions=questions)
    caller.wait(30)
    path = f"/v2.2/connection/{made['id']}"
    bodies = [str(made), (await caller.ask(f"{path}/details")).body.decode()]
    bodies.append((await caller.ask(path)).body.decode())
    bodies.append(str(await update(caller, made["id"], password="hunter-3")))
    for body in bodies:
        assert "hunter" not in body
        assert "Rex" not in body
    (connection,) = caller.sandbox.portfolio.company_data(0).connections[-1:]
    assert "hunter" not in repr(connection)


async def test_new_credentials_heal_after_a_while(caller: Caller) -> None:
    made = await caller.connect(password="guess")
    caller.wait(60)
    now = await update(caller, made["id"], password=SANDBOX_LOGIN.password)
    assert now["status"] == "PASSWORD_INCORRECT"
    caller.wait(4)
    assert (await caller.connection(made["id"]))["status"] == "PASSWORD_INCORRECT"
    caller.wait(1)
    assert (await caller.connection(made["id"]))["status"] == "CONNECTED"
    caller.wait(15)
    assert await usage_of(caller, made["id"])


async def test_wrong_credentials_stop_a_connection_and_keep_its_data(
    caller: Caller,
) -> None:
    made = await caller.connect()
    caller.wait(20)
    records = await usage_of(caller, made["id"])
    await update(caller, made["id"], password="guess")
    caller.wait(5)
    assert (await caller.connection(made["id"]))["status"] == "PASSWORD_INCORRECT"
    assert await usage_of(caller, made["id"]) == records != []


async def test_a_login_changed_to_one_that_is_there_is_refused(
    caller: Caller,
) -> None:
    await caller.connect()
    other = await caller.connect(username="someone")
    body = {"username": SANDBOX_LOGIN.username}
    await caller.refused("connections_update", body, connection_id=other["id"])
    kept = await caller.connection(other["id"])
    assert kept["username"] == "someone"


async def test_a_generated_connection_can_be_reconnected(caller: Caller) -> None:
    connection = (await listed(caller))[0]
    await update(caller, connection["id"], password="guess")
    caller.wait(5)
    now = await caller.connection(connection["id"])
    assert now["status"] == "PASSWORD_INCORRECT"
    records = await usage_of(caller, connection["id"])
    await update(caller, connection["id"], password=SANDBOX_LOGIN.password)
    caller.wait(30)
    now = await caller.connection(connection["id"])
    assert now["status"] == "CONNECTED"
    assert await usage_of(caller, connection["id"]) == records


async def test_a_connection_can_be_switched_off_and_on(caller: Caller) -> None:
    connection = (await listed(caller))[0]
    for is_active in (False, True):
        now = await update(caller, connection["id"], isActive=is_active)
        assert now == {**connection, "isActive": is_active, "updated": now["updated"]}


async def test_every_field_of_a_connection_can_be_changed(caller: Caller) -> None:
    connection = (await listed(caller))[0]
    body = {
        "externalId": "C-9",
        "country": "FR",
        "initialSites": caller.site_ids()[:1],
        "initialDatasourceTypes": ["WATER"],
        "workflowOwnerEmail": "new@example.com",
        "dataCollectionStartDate": "2024-02-03",
        "multiplyByOccupancy": True,
    }
    now = await update(caller, connection["id"], **body)
    assert now == {**connection, **body, "updated": now["updated"]}
    cleared: dict[str, Any] = {"externalId": None, "dataCollectionStartDate": None}
    assert (
        await update(caller, connection["id"], **cleared)
    ).items() >= cleared.items()


async def test_confirming_connects_and_denying_changes_nothing(caller: Caller) -> None:
    made = await caller.connect(password="guess")
    caller.wait(5)
    for says, status in ((False, "PASSWORD_INCORRECT"), (True, "CONNECTED")):
        now = await caller.call(
            "connections_confirm", {"confirm": says}, connection_id=made["id"]
        )
        assert now["status"] == status
    caller.wait(60)
    assert (await caller.connection(made["id"]))["status"] == "CONNECTED"
