"""Lists and clients are shown with their place and state, and without a key."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from doubles import ListServer, MakeClient, rows

from nectar_async import (
    InvalidArgumentError,
    MemoryTransport,
    NectarClient,
    Pager,
    Response,
    Settings,
)
from nectar_async._paging.cursor import Cursor

pytestmark = pytest.mark.anyio

KEY = "qz-key-of-a-customer"


@pytest.fixture
def server() -> ListServer:
    return ListServer({"a": rows("a", 7), "b": rows("b", 3)})


async def test_a_pager_shows_its_list_its_owner_its_place_and_its_verdict(
    server: ListServer, make_client: MakeClient
) -> None:
    pager = make_client(server.transport).usage.by_company("a")
    name = "Pager usage_list_by_company of company a"
    assert repr(pager) == f"<{name}: 0 pages, 0 records, unfinished>"
    await pager.first()
    assert repr(pager) == f"<{name}: 1 page, 2 of 7 records, unfinished>"
    await pager
    assert repr(pager) == f"<{name}: 4 pages, 7 of 7 records, complete>"


async def test_a_list_of_nobody_shows_no_owner(make_client: MakeClient) -> None:
    pager = make_client({}).providers.search("power")
    assert repr(pager).startswith("<Pager providers_search: 0 pages")


async def test_an_id_with_an_escape_sequence_is_escaped(
    make_client: MakeClient,
) -> None:
    pager = make_client({}).usage.by_company("a\u202e\u009b2J")
    assert "company a\\u202e\\x9b2J: " in repr(pager)


async def test_a_prefetch_shows_the_same(
    server: ListServer, make_client: MakeClient
) -> None:
    prefetch = make_client(server.transport).usage.by_company("a").prefetch()
    async with prefetch as records:
        assert len([record async for record in records]) == 7
    assert repr(prefetch) == (
        "<Prefetch usage_list_by_company of company a: 4 pages, 7 of 7 records,"
        " complete>"
    )


async def test_a_fan_out_shows_its_companies_and_failures(
    server: ListServer, make_client: MakeClient
) -> None:
    server.script("b", 1, {"usageData": "no list"})
    fan_out = make_client(server.transport).repository.usage(on_error="collect")
    assert repr(fan_out) == (
        "<FanOut of UsageData: 0 of 0 companies, 0 pages, 0 records, unfinished>"
    )
    await fan_out
    assert repr(fan_out) == (
        "<FanOut of UsageData: 2 of 2 companies, 4 pages, 7 of 7 records, unfinished,"
        " failures: 1>"
    )


async def test_a_client_shows_its_host_version_permits_and_state() -> None:
    settings = Settings(
        base_url="https://proxy.example:8443/token-in-a-path", api_version="v2.1"
    )
    transport = MemoryTransport({"ping_get": "pong"})
    nectar = NectarClient(KEY, transport=transport, settings=settings)
    place = "NectarClient proxy.example:8443 v2.1, 10 of 10 permits"
    assert repr(nectar) == f"<{place}, not used yet>"
    await nectar.ping()
    assert repr(nectar) == repr(nectar.with_settings(deadline=9)) == f"<{place}, open>"
    await nectar.aclose()
    assert repr(nectar) == f"<{place}, closed>"


async def test_a_client_shows_the_permits_that_are_left_after_a_429() -> None:
    answers = iter([Response(429, {"retry-after": "0"}), "pong"])
    async with NectarClient(
        transport=MemoryTransport(lambda _: next(answers))
    ) as nectar:
        await nectar.ping()
        assert ", 5 of 10 permits, open>" in repr(nectar)


def show_frames(error: BaseException) -> str:
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    return repr([frame.locals for frame in whole.stack])


async def test_half_built_objects_are_shown_in_tracebacks(
    make_client: MakeClient,
) -> None:
    wrong: Any = 9
    with pytest.raises(Exception, match="settings must be") as caught:
        NectarClient(KEY, settings=wrong)
    assert "<NectarClient not built>" in show_frames(caught.value)
    pager = make_client({}).usage.by_company("a")
    other = make_client({}).usage.by_company("b")
    with pytest.raises(InvalidArgumentError) as refused:
        _ = pager.resume(str(_cursor_of(other)))
    assert "<Pager not built>" in show_frames(refused.value)


def _cursor_of(pager: Pager[Any]) -> object:
    return Cursor.from_request(pager._request)
