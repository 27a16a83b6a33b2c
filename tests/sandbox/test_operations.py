"""Each response is valid for the contract, and each operation has its route."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import aiohttp
import pytest
from contract_schemas import (
    OPERATIONS,
    check_schema,
    has_id,
    response_schema,
    success_status,
)
from raw_client import RawClient, RawResponse

from nectar_async import contract
from nectar_async.sandbox import Portfolio, Sandbox
from nectar_async.sandbox.generator.connection_logins import SANDBOX_LOGIN
from nectar_async.sandbox.generator.pdf import make_pdf
from nectar_async.sandbox.handlers.routes import ROUTES
from nectar_async.sandbox.server.entity_json import (
    connection_json,
    document_json,
    meter_json,
)
from nectar_async.sandbox.server.messages import encode_json
from nectar_async.sandbox.server.router import SEGMENTS

# Read at import, because reading a file blocks the event loop.
BILL = make_pdf("a bill", size=30_000)
BILL_LINK = "https://files.example.com/bill.pdf"
NOBODY = "00000000-0000-4000-a000-000000000000"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
SEGMENT_PING = [("v2.2", "pong v2.2"), ("v2.1", "pong v2.1"), ("v2", "pong v2")]


def build_path(sandbox: Sandbox, operation: str, index: int, **more: str) -> str:
    """Build an operation's path with ids of entities of a company."""
    company_data = sandbox.portfolio.company_data(index)
    record = next(
        record for record in company_data.records if record.document is not None
    )
    assert record.document is not None
    known = {
        "company_id": company_data.company.id,
        "site_id": company_data.company.sites[-1].id,
        "connection_id": company_data.connections[0].id,
        "account_id": company_data.accounts[0].id,
        "meter_id": record.meter.id,
        "document_id": record.document.id,
        "usage_data_id": record.id,
        "invitation_id": company_data.company.id,
        "job_id": company_data.company.id,
    }
    return OPERATIONS[operation].path.format(**{**known, **more})


def build_body(sandbox: Sandbox, operation: str, index: int) -> dict[str, Any]:
    """Build a valid body, minimal or one that changes something."""
    company_data = sandbox.portfolio.company_data(index)
    bodies: dict[str, dict[str, Any]] = {
        "companies_create": {"name": "Ælfric Mills"},
        "companies_update": {"externalId": None},
        "sites_create": {"name": "Gatehouse"},
        "sites_update": {"path": []},
        "accounts_update": {"isTracked": False},
        "accounts_bulk_update": {
            "accounts": [company_data.accounts[0].id],
            "isTracked": False,
        },
        "connections_create": {
            **SANDBOX_LOGIN._asdict(),
            "sites": [company_data.company.sites[0].id],
        },
        "connections_update": {"isActive": False},
        "connections_confirm": {"confirm": True},
        "meters_update": {"identifiers": [{"value": "77", "rawName": "No."}]},
        "documents_update": {"billDate": "2025-02-03"},
        "usage_update": {"usage": "12.50"},
        "jobs_submit_bulk": {"documents": [BILL_LINK]},
        "team_update": {"users": []},
    }
    return bodies.get(operation, {})


async def create_entity(raw_client: RawClient, operation: str, index: int) -> str:
    """Create an entity with an operation, and get its id."""
    path = f"/v2.2{build_path(raw_client.sandbox, operation, index)}"
    body = build_body(raw_client.sandbox, operation, index)
    response = await raw_client.request(path, method="POST", body=body)
    created: str = response.json["id"]
    return created


async def request_operation(
    raw_client: RawClient, operation: str, segment: str, index: int
) -> RawResponse:
    """Request an operation with a valid path and body."""
    more = {}
    if "{invitation_id}" in OPERATIONS[operation].path:
        more["invitation_id"] = await create_entity(
            raw_client, "invitations_create", index
        )
    if "{job_id}" in OPERATIONS[operation].path:
        more["job_id"] = await create_entity(raw_client, "jobs_submit_bulk", index)
    path = f"/{segment}{build_path(raw_client.sandbox, operation, index, **more)}"
    method = OPERATIONS[operation].method
    if operation == "jobs_submit_document":
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("document", io.BytesIO(BILL), filename="bill.pdf")
        return await raw_client.request(path, method=method, data=form)
    body = None
    if "requestBody" in OPERATIONS[operation].description:
        body = build_body(raw_client.sandbox, operation, index)
    return await raw_client.request(path, method=method, body=body)


def test_every_operation_of_the_contract_has_a_route() -> None:
    assert {name: (route.method, route.path) for name, route in ROUTES.items()} == {
        name: (row.method, row.path) for name, row in OPERATIONS.items()
    }


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "segment",
    [
        pytest.param(segment, marks=[] if segment == "v2.2" else [pytest.mark.slow])
        for segment in SEGMENTS.values()
    ],
)
@pytest.mark.parametrize("operation", ROUTES)
async def test_every_response_is_valid_for_the_contract(
    raw_client: RawClient, operation: str, segment: str
) -> None:
    for index in range(2 if segment == "v2.2" else 1):
        response = await request_operation(raw_client, operation, segment, index)
        assert response.status == success_status(operation), response.body
        if response.status == 204:
            assert response.body == b""
            continue
        assert response.headers["Content-Type"] == "application/json"
        check_schema(response_schema(operation, response.status), response.json)


@pytest.mark.asyncio
@pytest.mark.parametrize("operation", ROUTES)
async def test_every_response_to_a_request_without_a_key_is_valid(
    raw_client: RawClient, operation: str
) -> None:
    path = build_path(raw_client.sandbox, operation, 0)
    method = OPERATIONS[operation].method
    response = await raw_client.request(f"/v2.2{path}", method=method, key=None)
    assert response.status == 401
    check_schema(response_schema(operation, 401), response.json)


@pytest.mark.asyncio
@pytest.mark.parametrize("operation", [name for name in ROUTES if has_id(name)])
async def test_an_unknown_id_is_not_found(
    raw_client: RawClient, operation: str
) -> None:
    path = build_path(raw_client.sandbox, operation, 0)
    nothing = path.replace(UUID.findall(path)[0], NOBODY)
    method = OPERATIONS[operation].method
    body = None
    if "requestBody" in OPERATIONS[operation].description:
        body = build_body(raw_client.sandbox, operation, 0)
    data = None
    if operation == "jobs_submit_document":
        body, data = None, aiohttp.FormData(quote_fields=False)
        data.add_field("document", io.BytesIO(BILL), filename="bill.pdf")
    response = await raw_client.request(
        f"/v2.2{nothing}", method=method, body=body, data=data
    )
    assert response.status == 404, response.body
    check_schema(response_schema(operation, 404), response.json)


@pytest.mark.asyncio
@pytest.mark.parametrize(("segment", "text"), SEGMENT_PING)
async def test_ping_replies_with_the_version(
    raw_client: RawClient, segment: str, text: str
) -> None:
    assert (await raw_client.request(f"/{segment}/ping")).json == text


@pytest.mark.asyncio
@pytest.mark.parametrize(("version", "segment"), SEGMENTS.items())
async def test_usage_has_the_fields_of_its_version(
    raw_client: RawClient, version: str, segment: str
) -> None:
    """Required fields are there, with null where they have no value."""
    schema = contract.load()["components"]["schemas"]["UsageData"]
    lists = schema["x-version-fields"][version]
    always = {*lists["always"], "document"}
    allowed = always | set(lists["optional"])
    page = await raw_client.list_usage(0, version=segment)
    for record in page["usageData"]:
        assert always <= record.keys() <= allowed


@pytest.mark.asyncio
async def test_companies_are_listed_in_an_array_with_their_sites(
    raw_client: RawClient,
) -> None:
    companies = (await raw_client.request("/v2.2/company")).json
    assert [company["id"] for company in companies] == [
        company.id for company in raw_client.sandbox.portfolio
    ]
    for company in companies:
        alone = (await raw_client.request(f"/v2.2/company/{company['id']}")).json
        sites = (await raw_client.request(f"/v2.2/site/company/{company['id']}")).json
        assert alone == company
        assert sites == company["sites"] != []


@pytest.mark.asyncio
async def test_sites_are_listed_in_pages_with_that_option() -> None:
    async with (
        Sandbox(companies=1, site_list="envelope") as sandbox,
        aiohttp.ClientSession() as session,
    ):
        path = build_path(sandbox, "sites_list_by_company", 0)
        page = (await RawClient(sandbox, session).request(f"/v2.2{path}")).json
    check_schema("SitePage", page)
    assert page["totalSites"] == len(page["sites"])


def test_connections_meters_and_bills_are_valid_for_the_contract(
    portfolio: Portfolio,
) -> None:
    """These are more than the first pages of the lists have."""
    for index in range(0, 20, 4):
        company_data = portfolio.company_data(index)
        for connection in company_data.connections:
            value = json.loads(
                encode_json(connection_json(company_data.company, connection))
            )
            check_schema("Connection", value)
            for account in connection.accounts[:3]:
                meter = meter_json(
                    portfolio.ids, company_data.company, account.meters[0]
                )
                check_schema("Meter", json.loads(encode_json(meter)))
        for document, records in company_data.list_documents()[:10]:
            whole = document_json(company_data.company, document, records, "v2.2")
            check_schema("Document", json.loads(encode_json(whole)))
