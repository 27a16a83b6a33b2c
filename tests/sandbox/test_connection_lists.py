"""Lists of connections with all their filters, and links to their pages."""

from __future__ import annotations

from typing import Any

import pytest
from caller import Caller

pytestmark = pytest.mark.asyncio

STATUSES = ("CONNECTED", "PENDING", "PASSWORD_INCORRECT")


async def listed(caller: Caller, *query: tuple[str, str]) -> list[dict[str, Any]]:
    return await caller.every(
        "connections_list_by_company",
        "connections",
        *query,
        company_id=caller.company_id(),
    )


@pytest.mark.parametrize("status", STATUSES)
async def test_connections_are_found_by_status(caller: Caller, status: str) -> None:
    await caller.connect()
    await caller.connect(username="someone")
    caller.wait(5)
    await caller.connect(username="else")
    connections = await listed(caller)
    found = await listed(caller, ("status", status))
    assert found == [c for c in connections if c["status"] == status] != []


async def test_connections_are_found_by_owner_and_sites(caller: Caller) -> None:
    sites = caller.site_ids()
    made = await caller.connect(sites[-1], workflowOwnerEmail="me@example.com")
    connections = await listed(caller)
    owner = ("connectionOwnerEmail", "me@example.com")
    assert await listed(caller, owner) == [made]
    assert await listed(caller, ("connectionOwnerEmail", "ME@example.com")) == []
    for wanted in ([sites[-1]], sites):
        found = await listed(caller, *(("sites", site_id) for site_id in wanted))
        assert made in found
        assert found == [
            c for c in connections if not set(wanted).isdisjoint(c["initialSites"])
        ]
    assert await listed(caller, ("sites", caller.site_ids(1)[0])) == []


async def test_a_page_of_connections_is_as_long_as_the_caller_says(
    caller: Caller,
) -> None:
    await caller.connect()
    connections = await listed(caller)
    company_id = caller.company_id()
    page = await caller.call(
        "connections_list_by_company", None, ("limit", "1"), company_id=company_id
    )
    assert page["connections"] == connections[:1]
    assert page["perPage"] == 1
    assert page["totalPages"] == page["totalConnections"] == len(connections) > 1
    assert await listed(caller, ("limit", "2")) == connections
    assert await listed(caller, ("limit", "500")) == connections


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
async def test_a_filter_that_means_nothing_is_refused(
    caller: Caller, query: tuple[str, str]
) -> None:
    company_id = caller.company_id()
    detail = await caller.refused(
        "connections_list_by_company", None, query, company_id=company_id
    )
    assert query[0] in detail


async def test_magic_links_lead_to_the_company(caller: Caller) -> None:
    company_id = caller.company_id()
    link = await caller.call("magic_links_create", company_id=company_id)
    assert link == await caller.call("magic_links_create", company_id=company_id)
    assert link["publicCompanyId"] != company_id
    assert link["magicLinkUrl"].endswith(
        f"/{link['publicCompanyId']}/{link['companyMagicLinkSecret']}"
    )
    body = {"sites": caller.site_ids(), "url": "https://portal.example.org"}
    prefilled = await caller.call(
        "magic_links_create_prefilled", body, company_id=company_id
    )
    assert prefilled["publicCompanyId"] == link["publicCompanyId"]
    assert prefilled["companyMagicLinkSecret"] != link["companyMagicLinkSecret"]
    strange = {"sites": caller.site_ids(1)}
    await caller.refused("magic_links_create_prefilled", strange, company_id=company_id)


async def test_an_edit_link_is_the_connection_with_its_secret(caller: Caller) -> None:
    connection = (await listed(caller))[0]
    plain = await caller.connection(connection["id"])
    assert plain["publicCompanyId"] is plain["connectionMagicLinkSecret"] is None
    edit = await caller.call("magic_links_create_edit", connection_id=connection["id"])
    link = await caller.call("magic_links_create", company_id=caller.company_id())
    assert edit["publicCompanyId"] == link["publicCompanyId"]
    assert edit["connectionMagicLinkSecret"]
    for key in ("publicCompanyId", "connectionMagicLinkSecret"):
        edit[key] = None
    assert edit == plain
