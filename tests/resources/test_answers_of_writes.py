"""An error about the answer to a write says that the write was done."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import MakeClient
from endpoints import ENDPOINTS, Endpoint
from sent_requests import call

from nectar_async import NectarClient, Operation, Response
from nectar_async.errors import DecodeError

pytestmark = pytest.mark.anyio

BULK = "accounts_bulk_update"
# The answers of a revocation may be empty, and those of deletions are.
WRITES = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.method != "GET"
    and endpoint.answer_schema
    and endpoint.operation != "invitations_revoke"
]


async def update_accounts(client: NectarClient) -> list[str]:
    accounts = await client.accounts.bulk_update("c-1", ["a-1", "a-2"], is_tracked=True)
    assert isinstance(accounts, list)
    return [record.id for record in accounts]


@pytest.mark.parametrize("is_strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ([{"id": "a"}], ["a"]),
        ([], []),
        ({"updated": 2}, []),
        ({}, []),
        ({"accounts": [{"id": "a"}], "failed": []}, ["a"]),
        ({"failed": [{"id": "b"}], "accounts": [{"id": "a"}]}, ["a"]),
        ({"failed": [{"id": "b"}], "accounts": []}, []),
        ({"updated": ["a-1"], "results": [{"id": "a"}]}, ["a"]),
        ({"updated": ["a-1", "a-2"]}, []),
        ({"accounts": ["a-1"], "updated": [{"id": "a"}]}, ["a"]),
        ({"done": [{"id": "a"}], "failed": [{"id": "b"}]}, []),
        ({"accounts": None}, []),
    ],
)
async def test_a_bulk_update_finds_its_accounts(
    make_client: MakeClient, body: Any, ids: list[str], *, is_strict: bool
) -> None:
    assert await update_accounts(make_client({BULK: body}, strict=is_strict)) == ids


async def test_the_key_of_the_updated_accounts_can_be_corrected(
    make_client: MakeClient,
) -> None:
    body = {"done": [{"id": "a"}], "failed": [{"id": "b"}]}
    operations = {BULK: Operation(keys={"accounts": "done"})}
    assert await update_accounts(make_client({BULK: body}, operations=operations)) == [
        "a"
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b"null"])
async def test_the_error_of_an_odd_bulk_answer_says_that_the_update_was_done(
    make_client: MakeClient, body: bytes
) -> None:
    client = make_client({BULK: Response(200, {}, body)})
    with pytest.raises(
        DecodeError, match=r"accepted it \(status 200\), but the answer"
    ):
        await update_accounts(client)


@pytest.mark.parametrize("endpoint", WRITES, ids=lambda endpoint: endpoint.operation)
async def test_the_error_of_an_empty_answer_says_that_the_write_was_done(
    make_client: MakeClient, endpoint: Endpoint
) -> None:
    client = make_client({endpoint.operation: Response(204)})
    with pytest.raises(DecodeError) as caught:
        await call(endpoint.on(client), endpoint.least)
    error = caught.value
    assert error.operation == endpoint.operation
    assert error.message.startswith(
        "the server accepted it (status 204), but the answer"
    )
    assert "an empty body" in error.message
    assert error.args == (error.message,)


async def test_the_error_of_a_magic_links_answer_says_that_it_was_created(
    make_client: MakeClient,
) -> None:
    client = make_client({"magic_links_create": Response(200)})
    (endpoint,) = (
        endpoint for endpoint in ENDPOINTS if endpoint.operation == "magic_links_create"
    )
    with pytest.raises(DecodeError, match="the server accepted it"):
        await call(endpoint.on(client), endpoint.least)


async def test_the_error_of_a_read_claims_no_write(make_client: MakeClient) -> None:
    client = make_client({"jobs_get": Response(200)})
    with pytest.raises(DecodeError) as caught:
        await client.jobs.get("j-1")
    assert caught.value.message.startswith("the answer is not a valid Job")
