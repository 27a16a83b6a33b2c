"""A record says whose it is, where the list or the record itself tells."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from attrs import evolve
from doubles import MakeClient

from nectar_async import NectarClient, Request, UsageData
from nectar_async._json.converter import get_converter

pytestmark = pytest.mark.anyio

SITE = {"id": "s", "name": "Mill"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "usageData": [{"id": "1", "site": SITE}, {"id": "2", "site": SITE, "odd": 1}],
    "meters": [{"id": "1"}, {"id": "2", "odd": 1}],
    "documents": [{"id": "1"}, {"id": "2", "odd": 1}],
    "connections": [
        {"id": "1", "accounts": [{"id": "a"}, {"id": "b", "odd": 1}]},
        {"id": "2", "odd": 1, "accounts": [{"id": "c"}]},
    ],
}
KEYS = {"usage": "usageData"}


async def answer(request: Request[Any]) -> object:
    """Answer each list with its rows, and each record with the first of them."""
    if request.operation == "companies_list":
        return [{"id": "c"}, {"id": "d"}]
    noun, _, verb = request.operation.partition("_")
    key = KEYS.get(noun, noun)
    return {key: ROWS[key]} if verb.startswith("list") else ROWS[key][0]


@pytest.fixture
def nectar(make_client: MakeClient) -> NectarClient:
    return make_client(answer)


@pytest.mark.parametrize("noun", ["usage", "meters", "documents", "connections"])
async def test_a_list_of_a_company_tells_its_records(
    nectar: NectarClient, noun: str
) -> None:
    pager = getattr(nectar, noun).by_company("c")
    assert {record.company_id for record in await pager} == {"c"}
    async with pager.prefetch() as records:
        assert {record.company_id async for record in records} == {"c"}


@pytest.mark.parametrize(
    "noun", ["usage", "meters", "documents", "connections", "accounts"]
)
async def test_the_repository_tells_the_company_of_every_record(
    nectar: NectarClient, noun: str
) -> None:
    async with getattr(nectar.repository, noun)() as records:
        async for company_id, page in records.pages():
            assert {item.company_id for item in page.items} == {company_id}


async def test_accounts_have_the_company_of_their_connection(
    nectar: NectarClient,
) -> None:
    connections = await nectar.connections.by_company("c")
    accounts = [account for each in connections for account in each.accounts]
    assert [account.company_id for account in accounts] == ["c", "c", "c"]


async def test_other_lists_and_single_records_do_not_tell(nectar: NectarClient) -> None:
    for records in (
        await nectar.usage.by_site("s"),
        await nectar.meters.by_connection("x"),
        await nectar.documents.by_site("s"),
    ):
        assert {record.company_id for record in records} == {None}
    assert (await nectar.usage.get("1")).company_id is None


async def test_a_record_with_its_company_tells(make_client: MakeClient) -> None:
    async def answer_with_company(request: Request[Any]) -> object:
        if request.operation == "documents_get":
            return {"id": "1", "company": "c"}
        return {"id": "1", "company": {"id": "c"}, "accounts": [{"id": "a"}]}

    nectar = make_client(answer_with_company)
    assert (await nectar.documents.get("1")).company_id == "c"
    connection = await nectar.connections.get("1")
    assert connection.company_id == connection.accounts[0].company_id == "c"


async def test_a_listed_record_equals_the_one_that_was_requested(
    nectar: NectarClient,
) -> None:
    listed = await nectar.usage.by_company("c").first()
    single = await nectar.usage.get("1")
    assert listed == single
    assert hash(listed) == hash(single)


def test_it_survives_a_copy_and_is_not_sent() -> None:
    record = UsageData(id="1", company_id="c")
    assert evolve(record, tariff="T").company_id == "c"
    assert pickle.loads(pickle.dumps(record)).company_id == "c"  # noqa: S301
    assert copy.copy(record).company_id == "c"
    assert b"company" not in get_converter(is_strict=False).encode(record)


def test_a_key_of_that_name_stays_in_extra() -> None:
    converter = get_converter(is_strict=False)
    record = converter.decode(b'{"id": "1", "companyId": "x"}', UsageData)
    assert record.company_id is None
    assert record.extra == {"companyId": "x"}
