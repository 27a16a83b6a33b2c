"""Lists of connections with all their filters, and magic links."""

from __future__ import annotations

from typing import Any

import pytest
from contract_client import ContractClient

pytestmark = pytest.mark.asyncio

STATUSES = ("CONNECTED", "PENDING", "PASSWORD_INCORRECT")


async def list_connections(
    client: ContractClient, *query: tuple[str, str]
) -> list[dict[str, Any]]:
    return await client.list_all(
        "connections_list_by_company",
        "connections",
        *query,
        company_id=client.company_id(),
    )


@pytest.mark.parametrize("status", STATUSES)
async def test_connections_are_filtered_by_status(
    client: ContractClient, status: str
) -> None:
    await client.connect()
    await client.connect(username="someone")
    client.advance(5)
    await client.connect(username="else")
    connections = await list_connections(client)
    results = await list_connections(client, ("status", status))
    assert results == [c for c in connections if c["status"] == status] != []


async def test_connections_are_filtered_by_owner_and_sites(
    client: ContractClient,
) -> None:
    sites = client.site_ids()
    created = await client.connect(sites[-1], workflowOwnerEmail="me@example.com")
    connections = await list_connections(client)
    owner = ("connectionOwnerEmail", "me@example.com")
    assert await list_connections(client, owner) == [created]
    assert (
        await list_connections(client, ("connectionOwnerEmail", "ME@example.com")) == []
    )
    for wanted in ([sites[-1]], sites):
        results = await list_connections(
            client, *(("sites", site_id) for site_id in wanted)
        )
        assert created in results
        assert results == [
            c for c in connections if not set(wanted).isdisjoint(c["initialSites"])
        ]
    assert await list_connections(client, ("sites", client.site_ids(1)[0])) == []


async def test_limit_sets_the_size_of_a_page(
    client: ContractClient,
) -> None:
    await client.connect()
    connections = await list_connections(client)
    company_id = client.company_id()
    page = await client.call(
        "connections_list_by_company", None, ("limit", "1"), company_id=company_id
    )
    assert page["connections"] == connections[:1]
    assert page["perPage"] == 1
    assert page["totalPages"] == page["totalConnections"] == len(connections) > 1
    assert await list_connections(client, ("limit", "2")) == connections
    assert await list_connections(client, ("limit", "500")) == connections


@pytest.mark.parametrize(
    "query",
    [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "many"),
        ("status", "INCORRECT_PASSWORD"),
        ("status", ""),
        ("sites", "no-uuid"),
        ("connectionOwnerEmail", ""),
        ("page", "0"),
    ],
    ids=" ".join,
)
async def test_an_invalid_filter_is_refused(
    client: ContractClient, query: tuple[str, str]
) -> None:
    company_id = client.company_id()
    detail = await client.get_refusal(
        "connections_list_by_company", None, query, company_id=company_id
    )
    assert query[0] in detail


async def test_magic_links_lead_to_the_company(client: ContractClient) -> None:
    company_id = client.company_id()
    link = await client.call("magic_links_create", company_id=company_id)
    assert link == await client.call("magic_links_create", company_id=company_id)
    assert link["publicCompanyId"] != company_id
    assert link["magicLinkUrl"].endswith(
        f"/{link['publicCompanyId']}/{link['companyMagicLinkSecret']}"
    )
    body = {"sites": client.site_ids(), "url": "https://portal.example.org"}
    prefilled = await client.call(
        "magic_links_create_prefilled", body, company_id=company_id
    )
    assert prefilled["publicCompanyId"] == link["publicCompanyId"]
    assert prefilled["companyMagicLinkSecret"] != link["companyMagicLinkSecret"]
    strange = {"sites": client.site_ids(1)}
    await client.get_refusal(
        "magic_links_create_prefilled", strange, company_id=company_id
    )


async def test_an_edit_link_is_the_connection_with_its_secret(
    client: ContractClient,
) -> None:
    connection = (await list_connections(client))[0]
    plain = await client.get_connection(connection["id"])
    assert plain["publicCompanyId"] is plain["connectionMagicLinkSecret"] is None
    edit = await client.call("magic_links_create_edit", connection_id=connection["id"])
    link = await client.call("magic_links_create", company_id=client.company_id())
    assert edit["publicCompanyId"] == link["publicCompanyId"]
    assert edit["connectionMagicLinkSecret"]
    for key in ("publicCompanyId", "connectionMagicLinkSecret"):
        edit[key] = None
    assert edit == plain
