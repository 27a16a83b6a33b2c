"""Each answer is what the contract says, and each operation is where it says."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from sandbox.visitor import Visitor

from nectar_async import contract
from nectar_async.sandbox import Portfolio, Sandbox
from nectar_async.sandbox.routes import ROUTES, SEGMENTS
from nectar_async.sandbox.wire import connection_json, encode, meter_json
from nectar_async.sandbox.writer import document_json

pytestmark = pytest.mark.asyncio

# Read here, since the event loop is no place to read files.
OPERATIONS = contract.operations()
SEGMENT_PING = [("v2.2", "pong v2.2"), ("v2.1", "pong v2.1"), ("v2", "pong v2")]


def check(schema: str | dict[str, Any], value: Any) -> None:
    """Fail unless the value is valid for the schema (or the component of that name)."""
    document = DRAFT202012.create_resource(contract.load())
    registry: Registry[Any] = Registry().with_resource("urn:nectar", document)
    if isinstance(schema, str):
        schema = {"$ref": f"#/components/schemas/{schema}"}
    validator = Draft202012Validator(
        _absolute(schema), registry=registry, format_checker=FormatChecker()
    )
    errors = [error.message for error in validator.iter_errors(value)]
    assert errors == []


def _absolute(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"urn:nectar{value}" if key == "$ref" else value
        for key, value in schema.items()
    }


def answer_schema(operation: str, status: int) -> dict[str, Any]:
    """The schema of an operation's JSON answer, shared responses looked up."""
    response = OPERATIONS[operation].description["responses"][str(status)]
    if "$ref" in response:
        name = response["$ref"].rpartition("/")[2]
        response = contract.load()["components"]["responses"][name]
    schema: dict[str, Any] = response["content"]["application/json"]["schema"]
    return schema


def path_of(sandbox: Sandbox, operation: str, index: int) -> str:
    company = sandbox.portfolio.company(index)
    return OPERATIONS[operation].path.format(
        company_id=company.id, site_id=company.sites[-1].id
    )


async def test_every_route_is_a_row_of_the_contract() -> None:
    rows = OPERATIONS
    assert {name: (route.method, route.path) for name, route in ROUTES.items()} == {
        name: (rows[name].method, rows[name].path) for name in ROUTES
    }


@pytest.mark.parametrize("segment", SEGMENTS.values())
@pytest.mark.parametrize("operation", ROUTES)
async def test_every_answer_is_valid(
    visitor: Visitor, operation: str, segment: str
) -> None:
    for index in range(2 if segment == "v2.2" else 1):
        path = path_of(visitor.sandbox, operation, index)
        seen = await visitor.ask(f"/{segment}{path}")
        assert seen.status == 200
        assert seen.headers["Content-Type"] == "application/json"
        check(answer_schema(operation, 200), seen.json)


@pytest.mark.parametrize("operation", ROUTES)
async def test_every_answer_without_a_key_is_valid(
    visitor: Visitor, operation: str
) -> None:
    path = path_of(visitor.sandbox, operation, 0)
    seen = await visitor.ask(f"/v2.2{path}", key=None)
    assert seen.status == 401
    check(answer_schema(operation, 401), seen.json)


@pytest.mark.parametrize(("segment", "text"), SEGMENT_PING)
async def test_ping_says_which_version_answers(
    visitor: Visitor, segment: str, text: str
) -> None:
    assert (await visitor.ask(f"/{segment}/ping")).json == text


@pytest.mark.parametrize(("version", "segment"), SEGMENTS.items())
async def test_usage_has_the_fields_of_its_version(
    visitor: Visitor, version: str, segment: str
) -> None:
    """The fields that are always there are, with null where they say nothing."""
    schema = contract.load()["components"]["schemas"]["UsageData"]
    lists = schema["x-version-fields"][version]
    always = {*lists["always"], "document"}
    allowed = always | set(lists["optional"])
    page = await visitor.usage(0, version=segment)
    for record in page["usageData"]:
        assert always <= record.keys() <= allowed


async def test_companies_come_as_a_bare_array_with_their_sites(
    visitor: Visitor,
) -> None:
    companies = (await visitor.ask("/v2.2/company")).json
    assert [company["id"] for company in companies] == [
        company.id for company in visitor.sandbox.portfolio
    ]
    for company in companies:
        alone = (await visitor.ask(f"/v2.2/company/{company['id']}")).json
        sites = (await visitor.ask(f"/v2.2/site/company/{company['id']}")).json
        assert alone == company
        assert sites == company["sites"] != []


async def test_sites_come_in_pages_where_the_sandbox_is_told_so() -> None:
    async with (
        Sandbox(companies=1, site_list="envelope") as sandbox,
        aiohttp.ClientSession() as session,
    ):
        path = path_of(sandbox, "sites_list_by_company", 0)
        page = (await Visitor(sandbox, session).ask(f"/v2.2{path}")).json
    check("SitePage", page)
    assert page["totalSites"] == len(page["sites"])


async def test_what_bills_a_company_is_valid_as_well(portfolio: Portfolio) -> None:
    """Connections, meters and whole documents are not served yet, but fit."""
    for index in range(0, 20, 4):
        book = portfolio.book(index)
        for connection in book.connections:
            value = json.loads(encode(connection_json(book.company, connection)))
            check("Connection", value)
            for account in connection.accounts[:3]:
                meter = meter_json(portfolio.ids, book.company, account.meters[0])
                check("Meter", json.loads(encode(meter)))
        for document, records in list(book.documents())[:10]:
            whole = document_json(book.company, document, records)
            check("Document", json.loads(encode(whole)))
