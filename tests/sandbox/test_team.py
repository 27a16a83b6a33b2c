"""The team, the utility providers and the webhook portal."""

from __future__ import annotations

from typing import Any

import pytest
from contract_schemas import check_schema, response_schema
from raw_client import RawClient

from nectar_async.sandbox.generator.names import REGIONS
from nectar_async.sandbox.server.stores import CALLER

pytestmark = pytest.mark.asyncio


async def update(raw_client: RawClient, body: dict[str, Any]) -> Any:
    response = await raw_client.request("/v2.2/team", method="PATCH", body=body)
    assert response.status == 200
    check_schema(response_schema("team_update", 200), response.json)
    assert (await raw_client.request("/v2.2/team")).json == response.json
    return response.json["users"]


async def test_users_replace_all_others_but_the_caller(raw_client: RawClient) -> None:
    before = (await raw_client.request("/v2.2/team")).json
    assert CALLER in before["users"]
    assert await update(raw_client, {}) == before["users"]
    assert await update(raw_client, {"users": ["new@example.com"]}) == [
        CALLER,
        "new@example.com",
    ]
    twice = ["A@example.com", "a@example.com", CALLER.upper()]
    assert len(await update(raw_client, {"users": twice})) == 2
    assert await update(raw_client, {"users": []}) == [CALLER]


async def test_a_member_needs_an_address(raw_client: RawClient) -> None:
    body = {"users": ["somebody"]}
    response = await raw_client.request("/v2.2/team", method="PATCH", body=body)
    assert response.status == 400
    assert response.json["detail"].startswith("users.0: ")


async def test_providers_are_listed_in_pages_by_name(raw_client: RawClient) -> None:
    names: list[str] = []
    ids: set[str] = set()
    page = 1
    while True:
        response = (
            await raw_client.request("/v2.2/datasource", [("page", str(page))])
        ).json
        check_schema(response_schema("providers_search", 200), response)
        names += [provider["name"] for provider in response["datasources"]]
        ids |= {provider["id"] for provider in response["datasources"]}
        if not response["hasNext"]:
            break
        page += 1
    assert names == sorted(names)
    assert len(names) == len(ids) == response["totalDatasources"] > 300
    assert {name for region in REGIONS for name in region.utilities} <= set(names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("énergie", "Énergie Exemple"),
        ("eaux-de-cote", "Eaux de Côte-Neuve"),
        (" fernhollow en ", "Fernhollow Energy"),
    ],
)
async def test_a_search_finds_names_and_addresses(
    raw_client: RawClient, text: str, name: str
) -> None:
    response = (await raw_client.request("/v2.2/datasource", [("search", text)])).json
    assert [provider["name"] for provider in response["datasources"]] == [name]


async def test_a_search_may_find_nothing(raw_client: RawClient) -> None:
    response = (
        await raw_client.request("/v2.2/datasource", [("search", "nobody")])
    ).json
    assert (response["totalDatasources"], response["datasources"]) == (0, [])


async def test_the_webhook_portal_is_a_link(raw_client: RawClient) -> None:
    response = await raw_client.request("/v2.2/webhook")
    check_schema(response_schema("webhook_portal_get", 200), response.json)
    assert response.json["url"].startswith("https://app.svix.com/login#key=")
