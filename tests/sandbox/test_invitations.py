"""Invitations are created and used, and end in one of three ways."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from contract_schemas import check_schema, response_schema
from raw_client import RawClient, RawResponse

from nectar_async.sandbox import Sandbox
from nectar_async.sandbox.generator.connections import SANDBOX_LOGIN

pytestmark = pytest.mark.asyncio

NOBODY = "00000000-0000-4000-a000-000000000000"
LOGIN = SANDBOX_LOGIN._asdict()


class Host(RawClient):
    """Creates invitations, and uses them as their recipient does."""

    async def invite(self, index: int = 0, **wanted: Any) -> Any:
        company = self.sandbox.portfolio.company(index)
        path = f"/v2.2/invitation/company/{company.id}"
        seen = await self.request(path, method="POST", body=wanted)
        assert seen.status == 201, seen.body
        check_schema(response_schema("invitations_create", 201), seen.json)
        return seen.json

    async def reconnect(self, connection_id: str, **wanted: Any) -> Any:
        path = f"/v2.2/invitation/connection/{connection_id}"
        seen = await self.request(path, method="POST", body=wanted)
        assert seen.status == 201, seen.body
        check_schema(response_schema("invitations_create_reconnect", 201), seen.json)
        return seen.json

    async def use(self, invitation: Any, **typed: Any) -> RawResponse:
        path = f"/_sandbox/invitations/{invitation['token']}/use"
        site = self.sandbox.portfolio.company(0).sites[0].id
        body = {**LOGIN, "sites": [site], **typed}
        return await self.request(path, method="POST", key=None, body=body)

    async def look(self, invitation: Any) -> Any:
        seen = await self.request(f"/v2.2/invitation/{invitation['id']}")
        check_schema(response_schema("invitations_get", 200), seen.json)
        return seen.json

    async def revoke(self, invitation: Any) -> Any:
        path = f"/v2.2/invitation/{invitation['id']}/revoke"
        seen = await self.request(path, method="POST")
        assert seen.status == 200
        check_schema(response_schema("invitations_revoke", 200), seen.json)
        return seen.json

    async def listed(self, *query: tuple[str, str]) -> list[str]:
        company = self.sandbox.portfolio.company(0)
        seen = await self.request(f"/v2.2/invitation/company/{company.id}", list(query))
        check_schema(response_schema("invitations_list_by_company", 200), seen.json)
        assert seen.json["totalInvitations"] == len(seen.json["invitations"])
        return [invitation["id"] for invitation in seen.json["invitations"]]


@pytest.fixture
def host(raw_client: RawClient) -> Host:
    return Host(raw_client.sandbox, raw_client.session)


async def test_an_invitation_is_a_link_that_never_ends_unless_told_so(
    host: Host,
) -> None:
    made = await host.invite()
    company = host.sandbox.portfolio.company(0)
    assert made["invitationUrl"] == (
        f"https://dash.nectarclimate.com/p/i/{made['token']}"
    )
    assert made["companyId"] == company.id
    for key in ("connectionId", "expiresAt", "maxUses"):
        assert made[key] is None
    assert made["status"] == "ACTIVE"
    assert made["invitationType"] == "CREATE_CONNECTION"
    assert (made["prefill"], made["useCount"], made["createdConnections"]) == (
        {},
        0,
        [],
    )
    host.sandbox.clock.advance(10**9)
    assert (await host.look(made))["status"] == "ACTIVE"


async def test_the_prefill_is_stored(host: Host) -> None:
    site = host.sandbox.portfolio.company(0).sites[0].id
    prefill = {"initialSites": [site], "utilityTypes": ["GAS"], "country": "US"}
    made = await host.invite(prefill=prefill, allowedEmails=["a@example.com"])
    assert made["prefill"] == prefill
    assert made["allowedEmails"] == ["a@example.com"]


async def test_an_invitation_expires_by_the_clock(host: Host) -> None:
    made = await host.invite(expiresInSeconds=60)
    host.sandbox.clock.advance(59)
    assert (await host.look(made))["status"] == "ACTIVE"
    host.sandbox.clock.advance(1)
    over = await host.look(made)
    assert over["status"] == "EXPIRED"
    assert over["events"][-1]["eventType"] == "EXPIRED"
    assert over["events"][-1]["createdAt"] == made["expiresAt"]
    assert (await host.use(made)).status == 410


async def test_a_revoked_invitation_stays_revoked(host: Host) -> None:
    made = await host.invite(expiresInSeconds=60)
    assert (await host.revoke(made))["status"] == "REVOKED"
    host.sandbox.clock.advance(100)
    assert (await host.revoke(made))["status"] == "REVOKED"
    events = (await host.look(made))["events"]
    assert [event["eventType"] for event in events] == ["CREATED", "REVOKED"]
    assert (await host.use(made)).status == 410


async def test_an_ended_invitation_cannot_be_revoked(host: Host) -> None:
    expired = await host.invite(expiresInSeconds=60)
    fulfilled = await host.invite(maxUses=1)
    await host.use(fulfilled)
    host.sandbox.clock.advance(60)
    assert (await host.revoke(expired))["status"] == "EXPIRED"
    assert (await host.revoke(fulfilled))["status"] == "FULFILLED"


async def test_a_used_invitation_creates_a_connection(host: Host) -> None:
    made = await host.invite(maxUses=1)
    used = await host.use(made)
    assert used.status == 200
    company = host.sandbox.portfolio.company(0)
    found = host.sandbox.portfolio.find_connection(used.json["connectionId"])
    assert found is not None
    assert found[0].id == company.id
    assert (found[1].url, found[1].username) == (LOGIN["url"], LOGIN["username"])
    assert found[1].status == "PENDING"
    seen = await host.look(made)
    assert (seen["status"], seen["useCount"]) == ("FULFILLED", 1)
    assert [event["eventType"] for event in seen["events"]] == [
        "CREATED",
        "OPENED",
        "CONNECTION_CREATED",
        "FULFILLED",
    ]
    assert [made["id"] for made in seen["createdConnections"]] == [found[1].id]
    assert seen["createdConnections"][0]["status"] == "PENDING"
    host.sandbox.clock.advance(60)
    later = (await host.look(made))["createdConnections"][0]["status"]
    assert later == "CONNECTED"
    assert (await host.use(made, username="another")).status == 410


async def test_the_prefill_supplies_missing_fields(host: Host) -> None:
    site = host.sandbox.portfolio.company(0).sites[-1].id
    prefill = {
        "url": LOGIN["url"],
        "initialSites": [site],
        "connectionOwnerEmail": "boss@example.com",
        "utilityTypes": ["GAS"],
    }
    made = await host.invite(prefill=prefill)
    path = f"/_sandbox/invitations/{made['token']}/use"
    typed = {"username": LOGIN["username"], "password": LOGIN["password"]}
    used = await host.request(path, method="POST", key=None, body=typed)
    found = host.sandbox.portfolio.find_connection(used.json["connectionId"])
    assert found is not None
    assert found[1].owner_email == "boss@example.com"
    assert found[1].sites == (site,)
    assert found[1].datasource_types == ("GAS",)


async def test_only_invited_people_may_use_an_invitation(host: Host) -> None:
    made = await host.invite(allowedEmails=["Ann@example.com"], sendEmail=True)
    for typed in ({}, {"email": "bob@example.com"}):
        assert (await host.use(made, **typed)).status == 403
    assert (await host.use(made, email="ann@example.com")).status == 200
    events = (await host.look(made))["events"]
    assert [(event["eventType"], event["email"]) for event in events] == [
        ("CREATED", None),
        ("EMAIL_SENT", "Ann@example.com"),
        ("OPENED", "ann@example.com"),
        ("CONNECTION_CREATED", "ann@example.com"),
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"sites": []},
        {"sites": [NOBODY]},
        {"password": ""},
        {"url": None},
        {"email": "nobody"},
    ],
    ids=str,
)
async def test_invalid_credentials_are_refused(
    host: Host, typed: dict[str, Any]
) -> None:
    made = await host.invite()
    assert (await host.use(made, **typed)).status == 400
    assert (await host.look(made))["useCount"] == 0


async def test_an_unknown_token_is_not_found(host: Host) -> None:
    assert (await host.use({"token": "abc123"})).status == 404
    assert (await host.use({"token": "no-token"})).status == 404


async def test_a_reconnect_invitation_renews_the_credentials(host: Host) -> None:
    portfolio = host.sandbox.portfolio
    broken = portfolio.add_connection(
        0,
        {**LOGIN, "password": "wrong", "sites": [portfolio.company(0).sites[0].id]},
        host.sandbox.clock.now(),
    )
    host.sandbox.clock.advance(60)
    found = portfolio.find_connection(broken.id)
    assert found is not None
    assert found[1].status == "PASSWORD_INCORRECT"
    made = await host.reconnect(broken.id)
    assert made["invitationType"] == "EDIT_CONNECTION"
    assert (made["connectionId"], made["prefill"]) == (broken.id, {})
    assert (await host.use(made)).json["connectionId"] == broken.id
    host.sandbox.clock.advance(60)
    found = portfolio.find_connection(broken.id)
    assert found is not None
    assert found[1].status == "CONNECTED"
    seen = await host.look(made)
    assert (seen["useCount"], seen["createdConnections"]) == (1, [])


async def test_invitations_are_listed_newest_first_and_filtered(host: Host) -> None:
    connection = host.sandbox.portfolio.company_data(0).connections[0]
    await host.invite(index=1)
    first = (await host.invite())["id"]
    second = await host.invite()
    third = (await host.reconnect(connection.id))["id"]
    assert await host.listed() == [third, second["id"], first]
    await host.revoke(second)
    assert await host.listed(("status", "REVOKED")) == [second["id"]]
    assert await host.listed(("status", "ACTIVE")) == [third, first]
    assert await host.listed(("invitationType", "EDIT_CONNECTION")) == [third]
    assert await host.listed(
        ("invitationType", "CREATE_CONNECTION"), ("status", "ACTIVE")
    ) == [first]


async def test_many_invitations_are_listed_in_pages(host: Host) -> None:
    for _ in range(101):
        host.sandbox.portfolio.company(0)
        await host.invite()
    company = host.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    seen = (await host.request(path, [("page", "2")])).json
    assert (seen["totalInvitations"], len(seen["invitations"])) == (101, 1)


async def test_the_prefilled_sites_must_belong_to_the_company(host: Host) -> None:
    company = host.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    body = {"prefill": {"initialSites": [NOBODY]}}
    seen = await host.request(path, method="POST", body=body)
    assert seen.status == 400
    assert NOBODY in seen.json["detail"]


async def test_the_expiry_must_be_a_date_that_can_be_formatted(host: Host) -> None:
    company = host.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    body = {"expiresInSeconds": 10**15}
    seen = await host.request(path, method="POST", body=body)
    assert seen.status == 400
    assert seen.json["detail"].startswith("expiresInSeconds")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/invitation/{NOBODY}"),
        ("POST", f"/invitation/{NOBODY}/revoke"),
        ("POST", f"/invitation/company/{NOBODY}"),
        ("POST", f"/invitation/connection/{NOBODY}"),
        ("GET", f"/invitation/company/{NOBODY}"),
    ],
)
async def test_an_unknown_invitation_is_not_found(
    host: Host, method: str, path: str
) -> None:
    body: Any = {} if method == "POST" else None
    seen = await host.request(f"/v2.2{path}", method=method, body=body)
    assert seen.status == 404


async def test_invitations_of_a_restricted_company_are_refused() -> None:
    async with Sandbox(companies=1) as sandbox, aiohttp.ClientSession() as session:
        host = Host(sandbox, session)
        made = await host.invite()
        sandbox.restricted.add(made["companyId"])
        assert (await host.request(f"/v2.2/invitation/{made['id']}")).status == 403
