"""Bodies and queries that are invalid for the contract are refused with a reason."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from raw_client import RawClient, RawResponse

from nectar_async import contract
from nectar_async.sandbox.server.json_schema import coerce_texts, find_problem
from nectar_async.sandbox.server.request_body import LIMIT

# Read at import, because reading a file blocks the event loop.
OPERATIONS = contract.operations()
BODIES = {
    name: row.description["requestBody"]["content"]["application/json"]["schema"]
    for name, row in OPERATIONS.items()
    if "application/json" in row.description.get("requestBody", {}).get("content", {})
}


async def create_invitation(raw_client: RawClient, **options: Any) -> RawResponse:
    company = raw_client.sandbox.portfolio.company(0)
    path = f"/v2.2/invitation/company/{company.id}"
    return await raw_client.request(path, method="POST", **options)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"maxUses": 0}, "maxUses: This must be 1 or more."),
        ({"maxUses": "2"}, "maxUses: This must be a whole number."),
        ({"maxUses": 1.5}, "maxUses: This must be a whole number."),
        ({"maxUses": True}, "maxUses: This must be a whole number."),
        ({"maxUses": None}, "maxUses: This field may not be null."),
        ({"sendEmail": 1}, "sendEmail: This must be true or false."),
        ({"allowedEmails": "a@b.c"}, "allowedEmails: This must be a list."),
        ({"allowedEmails": ["a@b.c", ""]}, "allowedEmails.1: This field may not be"),
        ({"allowedEmails": ["nobody"]}, "allowedEmails.0: This must be an e-mail"),
        ({"prefill": {"country": "USA"}}, "prefill.country: This may have at most 2"),
        ({"prefill": {"country": "U"}}, "prefill.country: This must have at least 2"),
        ({"prefill": {"initialSites": ["x"]}}, "prefill.initialSites.0: This must be"),
        ({"prefill": []}, "prefill: This must be an object."),
        ([], "The request body must be a JSON object."),
    ],
    ids=json.dumps,
)
async def test_an_invalid_body_is_refused_with_the_name_of_the_field(
    raw_client: RawClient, body: Any, detail: str
) -> None:
    response = await create_invitation(raw_client, body=body)
    assert response.status == 400
    assert response.json["detail"].startswith(detail)


@pytest.mark.asyncio
async def test_unknown_keys_of_a_body_are_ignored(raw_client: RawClient) -> None:
    assert (await create_invitation(raw_client, body={"colour": "blue"})).status == 201


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "data", [b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000, b"nothing"], ids=range(5)
)
async def test_a_body_that_is_not_json_is_refused(
    raw_client: RawClient, data: bytes
) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    response = await create_invitation(raw_client, data=data, headers=headers)
    assert response.status == 400
    assert response.json["detail"].startswith("JSON parse error")


@pytest.mark.asyncio
async def test_a_missing_body_is_refused(raw_client: RawClient) -> None:
    assert (await create_invitation(raw_client)).json == {
        "detail": "A request body is required."
    }


@pytest.mark.asyncio
async def test_another_media_type_is_refused(raw_client: RawClient) -> None:
    headers = {"Content-Type": "text/plain"}
    response = await create_invitation(raw_client, data=b"{}", headers=headers)
    assert response.status == 415
    assert "application/json" in response.json["detail"]


@pytest.mark.asyncio
async def test_a_body_is_ignored_where_the_operation_takes_none(
    raw_client: RawClient,
) -> None:
    assert (await raw_client.request("/v2.2/ping", data=b"{")).status == 200


@pytest.mark.asyncio
@pytest.mark.parametrize("is_length_known", [True, False], ids=["length", "chunks"])
async def test_a_body_over_the_limit_is_refused_before_its_end(
    raw_client: RawClient, is_length_known: bool
) -> None:
    chunk = b" " * 2**20

    async def chunks() -> Any:
        for _ in range(LIMIT // len(chunk) + 1):
            yield chunk

    data = io.BytesIO(chunk * (LIMIT // len(chunk) + 1))
    response = await create_invitation(
        raw_client, data=data if is_length_known else chunks()
    )
    assert response.status == 413
    assert str(LIMIT) in response.json["detail"]


@pytest.mark.asyncio
async def test_a_body_in_another_encoding_than_its_header_says_is_refused(
    raw_client: RawClient,
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    company = raw_client.sandbox.portfolio.company(0)
    async with raw_client.session.post(
        f"{raw_client.sandbox.url}/v2.2/invitation/company/{company.id}",
        data=b"nothing that was packed",
        headers={**headers, "X-API-Key": raw_client.sandbox.api_key},
        compress=False,
    ) as response:
        assert response.status == 400
        assert "cannot be read" in (await response.json())["detail"]


@pytest.mark.asyncio
async def test_the_api_key_is_checked_before_the_body(
    raw_client: RawClient,
) -> None:
    assert (await create_invitation(raw_client, data=b"{", key=None)).status == 401


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/invitation/company/{company}", ("status", "OVER")),
        ("/invitation/company/{company}", ("invitationType", "contributor")),
        ("/invitation/company/{company}", ("page", "0")),
        ("/datasource", ("page", "x")),
        ("/interval/connection/{connection}", ("startDate", "2025-12-31")),
        ("/interval/connection/{connection}", ("endDate", "2025-12-31T99:00:00Z")),
        ("/interval/connection/{connection}", ("datasourceType", "STEAM")),
        ("/interval/connection/{connection}", ("identifier", "")),
    ],
)
async def test_an_invalid_query_is_refused_with_the_name_of_the_parameter(
    raw_client: RawClient, path: str, query: tuple[str, str]
) -> None:
    portfolio = raw_client.sandbox.portfolio
    company_data = portfolio.company_data(0)
    address = path.format(
        company=company_data.company.id, connection=company_data.connections[0].id
    )
    response = await raw_client.request(f"/v2.2{address}", [query])
    assert response.status == 400
    assert response.json["detail"].startswith(query[0])


def test_texts_are_converted_to_the_type_of_the_schema() -> None:
    """A text that cannot be converted stays a text, so that validation fails."""
    assert coerce_texts({"type": "boolean"}, ["True"]) is True
    assert coerce_texts({"type": "boolean"}, ["0"]) is False
    assert coerce_texts({"type": "boolean"}, ["perhaps"]) == "perhaps"
    assert coerce_texts({"type": "integer"}, ["1", "2"]) == 2
    assert coerce_texts({"type": "integer"}, ["1e3"]) == "1e3"
    assert coerce_texts({"type": "integer"}, ["9" * 30]) == int("9" * 30)
    assert coerce_texts({"type": "integer"}, ["9" * 5_000]) == "9" * 5_000
    assert coerce_texts({"type": "array", "items": {"type": "integer"}}, ["1"]) == [1]
    assert coerce_texts({"allOf": [{"type": "integer"}], "default": 1}, ["3"]) == 3
    assert coerce_texts({"type": ["string", "null"]}, ["3"]) == "3"


VALUES: list[Any] = [
    *(None, True, 0, 1, 1.5, "", "x", [], {}, "2025-02-29", "2025-02-28", "a@b.c"),
    *(
        "https://x.example/a.pdf",
        "http://x.example",
        "00000000-0000-4000-a000-000000000000",
    ),
    *("A" * 201, "0.5", "12.34567", ["a"], [""], [None], {"a": 1}, "ELECTRICITY", "US"),
    *(["https://x.example/a.pdf"], [{"value": "1"}], [{"key": "a", "value": "b"}]),
]


@pytest.mark.parametrize("operation", BODIES)
def test_every_field_is_checked_as_by_a_json_schema_validator(operation: str) -> None:
    """Formats are not compared; the validator needs further packages for them."""
    schema = BODIES[operation]
    name = schema["$ref"].rpartition("/")[2]
    properties = contract.load()["components"]["schemas"][name]["properties"]
    validator = Draft202012Validator(
        {**schema, "components": contract.load()["components"]}
    )
    compared = 0
    for key in properties:
        for value in VALUES:
            body = {key: value}
            ours = find_problem(schema, body)
            theirs = [error.message for error in validator.iter_errors(body)]
            if ours is not None and not theirs:
                assert "This must be a" in ours  # a format
                continue
            assert (ours is None) == (not theirs), (body, ours, theirs)
            compared += 1
    assert compared > len(VALUES) / 2


@pytest.mark.asyncio
async def test_forms_are_accepted_where_the_contract_accepts_them(
    raw_client: RawClient,
) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    path = f"/v2.2/site/company/{company.id}"
    form = aiohttp.FormData({"name": "Dépôt", "path": "DE"})
    form.add_field("path", "Köln")
    response = await raw_client.request(path, method="POST", data=form)
    assert response.status == 201
    assert (response.json["name"], response.json["path"]) == ("Dépôt", ["DE", "Köln"])
    parts = aiohttp.FormData({"name": "Lager"}, default_to_multipart=True)
    response = await raw_client.request(path, method="POST", data=parts)
    assert (response.status, response.json["name"]) == (201, "Lager")
