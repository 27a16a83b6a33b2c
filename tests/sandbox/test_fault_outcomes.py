"""The outcome of every effect over real HTTP, as a plain client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import aiohttp
import pytest
from raw_client import RawClient, RawResponse

from nectar_async.sandbox import Faults

Outcome: TypeAlias = int | type[Exception] | Callable[[RawResponse, RawResponse], bool]
"""A status, an error, or a condition of the responses with and without the fault."""


def is_same(seen: RawResponse, plain: RawResponse) -> bool:
    return (seen.status, seen.body) == (plain.status, plain.body)


def is_different(seen: RawResponse, plain: RawResponse) -> bool:
    return seen.status == 200 and seen.body != plain.body


def changes(**values: Any) -> Callable[[RawResponse, RawResponse], bool]:
    """Build the condition that the envelope has other values, and the same rows."""
    return lambda seen, plain: seen.json == {**plain.json, **values}


def find_etag(seen: RawResponse) -> str:
    return {name.lower(): text for name, text in seen.headers.items()}["etag"]


BROKEN = aiohttp.ClientError

# The request is for page 2 of a list of four pages.
ON_A_LIST: dict[str, Outcome] = {
    "stall seconds=0.001": is_same,
    "refuse": BROKEN,
    "run-out-of-time above=1": 502,
    "answer status=429": 429,
    "html status=503": 503,
    "empty": lambda seen, _: seen.body == b"",
    "send-away": 307,
    "gzip-bomb size=10": lambda seen, _: seen.body == b" " * 10,
    "set-value key=currentPage json=null": changes(currentPage=None),
    "nest depth=2": lambda seen, _: seen.body == b"[[]]",
    "garble": is_different,
    "repeat-keys": changes(),
    "set-header name=X-One value=two": lambda seen, _: seen.headers["X-One"] == "two",
    "insert-row": is_same,
    "delete-row": is_same,
    "shuffle": is_different,
    "repeat-page": is_different,
    "stand-still": lambda seen, _: seen.json["currentPage"] == 1,
    "clamp-silently last=1": lambda seen, _: seen.json["currentPage"] == 2,
    "promise-more": changes(totalPages=3),
    "miscount pages=3": changes(totalPages=7),
    "disconnect": BROKEN,
    "drop-body": BROKEN,
    "stall-body seconds=0.001": is_same,
    "drip size=9000 seconds=0.001": is_same,
    "cut-gzip": is_different,
    "crowd limit=0": 429,
    "rotate-key key=new": 401,
    "change insert=1": is_different,
    "reset": BROKEN,
    "wrong-length by=10": BROKEN,
    "endless": TimeoutError,
    "close-idle": is_same,
}
# The request is for the file of a document.
ON_A_FILE: dict[str, Outcome] = {
    "expire-link": 403,
    "ignore-range": 200,
    "redirect": 302,
    "change-file": lambda seen, plain: find_etag(seen) != find_etag(plain),
}


async def request_with(
    raw_client: RawClient, path: str, outcome: Outcome
) -> RawResponse | None:
    """Get the response; None if the request fails with the expected error."""
    is_file = path.startswith("/_files")
    headers = {"Accept-Encoding": "identity"}
    if is_file:
        headers["Range"] = "bytes=0-9"

    async def send() -> RawResponse:
        return await raw_client.request(
            path, headers=headers, key=None if is_file else ""
        )

    if not isinstance(outcome, type):
        return await send()
    with pytest.raises(outcome):
        async with asyncio.timeout(0.2):
            await send()
    return None


def is_outcome(outcome: Outcome, seen: RawResponse, plain: RawResponse) -> bool:
    if isinstance(outcome, int):
        return seen.status == outcome
    assert not isinstance(outcome, type)
    return outcome(seen, plain)


@pytest.mark.asyncio
@pytest.mark.parametrize("text", [*ON_A_LIST, *ON_A_FILE])
async def test_an_effect_has_its_outcome_over_http(
    raw_client: RawClient, text: str
) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    path, outcome = f"/v2.2/usage/company/{company.id}?page=2", ON_A_LIST.get(text)
    if outcome is None:
        outcome = ON_A_FILE[text]
        first = (await raw_client.list_usage())["usageData"][0]
        path = first["document"]["url"].removeprefix(raw_client.sandbox.url)
    plain = await request_with(raw_client, path, is_same)
    raw_client.sandbox.faults.add(text)
    seen = await request_with(raw_client, path, outcome)
    if seen is not None and plain is not None:
        assert is_outcome(outcome, seen, plain)
    assert raw_client.sandbox.faults.unmet == ()


def test_every_effect_of_a_sandbox_has_an_outcome_here() -> None:
    named = {text.split()[0] for text in (*ON_A_LIST, *ON_A_FILE)}
    assert named == {*Faults.vocabulary.effects}
