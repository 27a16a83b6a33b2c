"""Lists can be collected: all records, the first ones, or one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from doubles import ListServer, MakeClient, rows

from nectar_async import (
    DecodeError,
    InvalidArgumentError,
    NectarClient,
    Receipt,
    Records,
    Verdict,
)
from nectar_async._paging import records as records_module

pytestmark = pytest.mark.anyio


def list_ids(records: Records[Any]) -> list[str]:
    return [record.id for record in records]


@pytest.fixture
def server() -> ListServer:
    return ListServer({"a": rows("a", 7), "b": rows("b", 3)})


@pytest.fixture
def nectar(server: ListServer, make_client: MakeClient) -> NectarClient:
    return make_client(server.transport)


async def test_awaiting_a_list_collects_all_of_it(nectar: NectarClient) -> None:
    records = await nectar.usage.by_company("a")
    assert list_ids(records) == rows("a", 7)
    assert records.receipt.verdict is Verdict.COMPLETE
    assert records.failures == ()


async def test_awaiting_the_repository_collects_every_company(
    nectar: NectarClient,
) -> None:
    records = await nectar.repository.usage()
    assert sorted(list_ids(records)) == rows("a", 7) + rows("b", 3)
    assert (records.receipt.verdict, records.receipt.distinct) == ("complete", 10)


async def test_a_list_can_be_awaited_again_and_iterated(nectar: NectarClient) -> None:
    pager = nectar.usage.by_company("a")
    first, second = await pager, await pager
    assert first == second
    assert [record async for record in pager] == [*first]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_a_limit_requests_only_the_pages_that_it_needs(
    nectar: NectarClient, server: ListServer, limit: int
) -> None:
    records = await nectar.usage.by_company("a").collect(limit=limit)
    assert list_ids(records) == rows("a", 7)[:limit]
    if limit == 1:
        assert server.asked == [("a", 1)]
    verdict = "complete" if limit > 7 else "unfinished"
    assert records.receipt.verdict == verdict


async def test_a_limit_of_a_fan_out_stops_all_companies(nectar: NectarClient) -> None:
    records = await nectar.repository.usage().collect(limit=2)
    assert len(records) == 2
    assert records.receipt.verdict is Verdict.UNFINISHED
    assert nectar.statistics().in_flight == 0


async def test_the_first_record_or_none(
    nectar: NectarClient, make_client: MakeClient
) -> None:
    first = await nectar.usage.by_company("a").first()
    assert first is not None
    assert first.id == "a-1"
    assert await nectar.repository.usage().first() is not None
    empty = make_client(ListServer({"a": []}).transport)
    assert await empty.usage.by_company("a").first() is None
    assert await empty.repository.usage().first() is None


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "7"])
async def test_a_limit_that_is_no_number_of_records_is_refused(
    nectar: NectarClient, server: ListServer, limit: Any
) -> None:
    for listed in (nectar.usage.by_company("a"), nectar.repository.usage()):
        with pytest.raises(InvalidArgumentError, match="limit must be at least 1"):
            await listed.collect(limit=limit)
    assert server.asked == []


async def test_failures_are_kept_with_the_records(
    server: ListServer, make_client: MakeClient
) -> None:
    server.script("b", 1, {"usageData": "no list"})
    records = await make_client(server.transport).repository.usage(on_error="collect")
    assert list_ids(records) == rows("a", 7)
    (failure,) = records.failures
    assert failure.company_id == "b"
    assert isinstance(failure.error, DecodeError)
    assert repr(records) == "<7 records of UsageData: unfinished, failures: 1>"


async def test_a_large_list_is_logged_once_with_its_memory(
    nectar: NectarClient,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records_module, "_LARGE", 6)
    with caplog.at_level(logging.WARNING, "nectar_async"):
        await nectar.usage.by_company("b")
        await nectar.usage.by_company("a").collect(limit=6)
        assert caplog.messages == []
        await nectar.usage.by_company("a")
        await nectar.repository.usage()
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith("7 records are collected in memory, which")
    assert "`async for` reads them one by one" in caplog.text


def test_records_have_a_length_an_index_and_slices() -> None:
    receipt = Receipt(records=3)
    records = Records(("a", "b", "c"), receipt)
    assert (len(records), records[0], records[-1]) == (3, "a", "c")
    assert [*records] == ["a", "b", "c"]
    assert [*records[1:]] == ["b", "c"]
    assert records[::2].receipt is receipt
    assert "b" in records
    assert records
    assert not Records()
    assert records == Records(("a", "b", "c"))
    with pytest.raises(IndexError):
        records[3]


def test_records_are_no_sequence_and_cannot_be_changed() -> None:
    records = Records(("a",))
    assert not isinstance(records, Sequence)
    with pytest.raises(AttributeError):
        records.receipt = Receipt()  # type: ignore[misc]
    assert repr(records) == "<1 record of str: unfinished>"
