"""Invitations are created and used, and end in one of three ways."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from contract_schemas import check_schema, response_schema
from raw_client import RawClient, RawResponse

from nectar_async.sandbox import Sandbox
from nectar_async.sandbox.generator.connection_logins import SANDBOX_LOGIN

pytestmark = pytest.mark.asyncio

NOBODY = "00000000-0000-4000-a000-000000000000"
LOGIN = SANDBOX_LOGIN._asdict()


class Host(RawClient):
    """A client that creates invitations, and uses them as their recipient does."""

    async def invite(self, index: int = 0, **fields: Any) -> Any:
        company = self.sandbox.portfolio.company(index)
        path = f"/v2.2/invitation/company/{company.id}"
        response = await self.request(path, method="POST", body=fields)
        assert response.status == 201, response.body
        check_schema(response_schema("invitations_create", 201), response.json)
        return response.json

    async def reconnect(self, connection_id: str, **fields: Any) -> Any:
        path = f"/v2.2/invitation/connection/{connection_id}"
        response = await self.request(path, method="POST", body=fields)
        assert response.status == 201, response.body
        check_schema(
            response_schema("invitations_create_reconnect", 201), response.json
        )
        return response.json

    async def use(self, invitation: Any, **fields: Any) -> RawResponse:
        path = f"/_sandbox/invitations/{invitation['token']}/use"
        site = self.sandbox.portfolio.company(0).sites[0].id
        body = {**LOGIN, "sites": [site], **fields}
        return await self.request(path, method="POST", key=None, body=body)

    async def get(self, invitation: Any) -> Any:
        response = await self.request(f"/v2.2/invitation/{invitation['id']}")
        check_schema(response_schema("invitations_get", 200), response.json)
        return response.json

    async def revoke(self, invitation: Any) -> Any:
        path = f"/v2.2/invitation/{invitation['id']}/revoke"
        response = await self.request(path, method="POST")
        assert response.status == 200
        check_schema(response_schema("invitations_revoke", 200), response.json)
        return response.json

    async def list_ids(self, *query: tuple[str, str]) -> list[str]:
        company = self.sandbox.portfolio.company(0)
        response = await self.request(
            f"/v2.2/invitation/company/{company.id}", list(query)
        )
        check_schema(response_schema("invitations_list_by_company", 200), response.json)
        assert response.json["totalInvitations"] == len(response.json["invitations"])
        return [invitation["id"] for invitation in response.json["invitations"]]


@pytest.fixture
def host(raw_client: RawClient) -> Host:
    return Host(raw_client.sandbox, raw_client.session)


async def test_an_invitation_never_expires_by_default(
    host: Host,
) -> None:
    created = await host.invite()
    company = host.sandbox.portfolio.company(0)
    assert created["invitationUrl"] == (
        f"https://dash.nectarclimate.com/p/i/{created['token']}"
    )
    assert created["companyId"] == company.id
    for key in ("connectionId", "expiresAt", "maxUses"):
        assert created[key] is None
    assert created["status"] == "ACTIVE"
    assert created["invitationType"] == "CREATE_CONNECTION"
    assert (created["prefill"], created["useCount"], created["createdConnections"]) == (
        {},
        0,
        [],
    )
    host.sandbox.clock.advance(10**9)
    assert (await host.get(created))["status"] == "ACTIVE"


async def test_the_prefill_is_stored(host: Host) -> None:
    site = host.sandbox.portfolio.company(0).sites[0].id
    prefill = {"initialSites": [site], "utilityTypes": ["GAS"], "country": "US"}
    created = await host.invite(prefill=prefill, allowedEmails=["a@example.com"])
    assert created["prefill"] == prefill
    assert created["allowedEmails"] == ["a@example.com"]


async def test_an_invitation_expires_by_the_clock(host: Host) -> None:
    created = await host.invite(expiresInSeconds=60)
    host.sandbox.clock.advance(59)
    assert (await host.get(created))["status"] == "ACTIVE"
    host.sandbox.clock.advance(1)
    expired = await host.get(created)
    assert expired["status"] == "EXPIRED"
    assert expired["events"][-1]["eventType"] == "EXPIRED"
    assert expired["events"][-1]["createdAt"] == created["expiresAt"]
    assert (await host.use(created)).status == 410


async def test_a_revoked_invitation_stays_revoked(host: Host) -> None:
    created = await host.invite(expiresInSeconds=60)
    assert (await host.revoke(created))["status"] == "REVOKED"
    host.sandbox.clock.advance(100)
    assert (await host.revoke(created))["status"] == "REVOKED"
    events = (await host.get(created))["events"]
    assert [event["eventType"] for event in events] == ["CREATED", "REVOKED"]
    assert (await host.use(created)).status == 410


async def test_an_ended_invitation_cannot_be_revoked(host: Host) -> None:
    expired = await host.invite(expiresInSeconds=60)
    fulfilled = await host.invite(maxUses=1)
    await host.use(fulfilled)
    host.sandbox.clock.advance(60)
    assert (await host.revoke(expired))["status"] == "EXPIRED"
    assert (await host.revoke(fulfilled))["status"] == "FULFILLED"


async def test_a_used_invitation_creates_a_connection(host: Host) -> None:
    created = await host.invite(maxUses=1)
    used = await host.use(created)
    assert used.status == 200
    company = host.sandbox.portfolio.company(0)
    results = host.sandbox.portfolio.find_connection(used.json["connectionId"])
    assert results is not None
    assert results[0].id == company.id
    assert (results[1].url, results[1].username) == (LOGIN["url"], LOGIN["username"])
    assert results[1].status == "PENDING"
    response = await host.get(created)
    assert (response["status"], response["useCount"]) == ("FULFILLED", 1)
    assert [event["eventType"] for event in response["events"]] == [
        "CREATED",
        "OPENED",
        "CONNECTION_CREATED",
        "FULFILLED",
    ]
    assert [created["id"] for created in response["createdConnections"]] == [
        results[1].id
    ]
    assert response["createdConnections"][0]["status"] == "PENDING"
    host.sandbox.clock.advance(60)
    later = (await host.get(created))["createdConnections"][0]["status"]
    assert later == "CONNECTED"
    assert (await host.use(created, username="another")).status == 410


async def test_the_prefill_supplies_missing_fields(host: Host) -> None:
    site = host.sandbox.portfolio.company(0).sites[-1].id
    prefill = {
        "url": LOGIN["url"],
        "initialSites": [site],
        "connectionOwnerEmail": "boss@example.com",
        "utilityTypes": ["GAS"],
    }
    created = await host.invite(prefill=prefill)
    path = f"/_sandbox/invitations/{created['token']}/use"
    fields = {"username": LOGIN["username"], "password": LOGIN["password"]}
    used = await host.request(path, method="POST", key=None, body=fields)
    results = host.sandbox.portfolio.find_connection(used.json["connectionId"])
    assert results is not None
    assert results[1].owner_email == "boss@example.com"
    assert results[1].sites == (site,)
    assert results[1].datasource_types == ("GAS",)


async def test_only_invited_people_may_use_an_invitation(host: Host) -> None:
    created = await host.invite(allowedEmails=["Ann@example.com"], sendEmail=True)
    for fields in ({}, {"email": "bob@example.com"}):
        assert (await host.use(created, **fields)).status == 403
    assert (await host.use(created, email="ann@example.com")).status == 200
    events = (await host.get(created))["events"]
    assert [(event["eventType"], event["email"]) for event in events] == [
        ("CREATED", None),
        ("EMAIL_SENT", "Ann@example.com"),
        ("OPENED", "ann@example.com"),
        ("CONNECTION_CREATED", "ann@example.com"),
    ]


@pytest.mark.parametrize(
    "fields",
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
    host: Host, fields: dict[str, Any]
) -> None:
    created = await host.invite()
    assert (await host.use(created, **fields)).status == 400
    assert (await host.get(created))["useCount"] == 0


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
    results = portfolio.find_connection(broken.id)
    assert results is not None
    assert results[1].status == "PASSWORD_INCORRECT"
    created = await host.reconnect(broken.id)
    assert created["invitationType"] == "EDIT_CONNECTION"
    assert (created["connectionId"], created["prefill"]) == (broken.id, {})
    assert (await host.use(created)).json["connectionId"] == broken.id
    host.sandbox.clock.advance(60)
    results = portfolio.find_connection(broken.id)
    assert results is not None
    assert results[1].status == "CONNECTED"
    response = await host.get(created)
    assert (response["useCount"], response["createdConnections"]) == (1, [])


async def test_invitations_are_listed_newest_first_and_filtered(host: Host) -> None:
    connection = host.sandbox.portfolio.company_data(0).connections[0]
    await host.invite(index=1)
    first = (await host.invite())["id"]
    second = await host.invite()
    third = (await host.reconnect(connection.id))["id"]
    assert await host.list_ids() == [third, second["id"], first]
    await host.revoke(second)
    assert await host.list_ids(("status", "REVOKED")) == [second["id"]]
    assert await host.list_ids(("status", "ACTIVE")) == [third, first]
    assert await host.list_ids(("invitationType", "EDIT_CONNECTION")) == [third]
    assert await host.list_ids(
        ("invitationType", "CREATE_CONNECTION"), ("status", "ACTIVE")
    ) == [first]


async def test_many_invitations_are_listed_in_pages(host: Host) -> None:
    for _ in range(101):
        await host.invite()
    company = host.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    response = (await host.request(path, [("page", "2")])).json
    assert (response["totalInvitations"], len(response["invitations"])) == (101, 1)


async def test_the_prefilled_sites_must_belong_to_the_company(host: Host) -> None:
    company = host.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    body = {"prefill": {"initialSites": [NOBODY]}}
    response = await host.request(path, method="POST", body=body)
    assert response.status == 400
    assert NOBODY in response.json["detail"]


async def test_the_expiry_must_be_a_date_that_can_be_formatted(host: Host) -> None:
    company = host.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    body = {"expiresInSeconds": 10**15}
    response = await host.request(path, method="POST", body=body)
    assert response.status == 400
    assert response.json["detail"].startswith("expiresInSeconds")


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
    response = await host.request(f"/v2.2{path}", method=method, body=body)
    assert response.status == 404


async def test_invitations_of_a_restricted_company_are_refused() -> None:
    async with Sandbox(companies=1) as sandbox, aiohttp.ClientSession() as session:
        host = Host(sandbox, session)
        created = await host.invite()
        sandbox.restricted.add(created["companyId"])
        assert (await host.request(f"/v2.2/invitation/{created['id']}")).status == 403
