"""Complaints about models, files and imports."""

from __future__ import annotations

import gc
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import cattrs
import msgspec
import pytest
from complaints.flawed_json import (
    StoredLinks,
    build_body,
    decode_page,
    decode_strictly,
    decode_with_new_class,
    parse_local_time,
    read_ids,
    sum_usage,
)
from doubles import USAGE, MakeClient, envelope

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    UsageData,
    UsageUnits,
)
from nectar_async.sandbox import Sandbox

pytestmark = pytest.mark.without_coverage

SUPPORT = Path(__file__).parents[1] / "support"


def build_page(*rows: str) -> bytes:
    """Build a page of usage from rows of raw JSON."""
    page = envelope([], page=1, per_page=100, total=len(rows))
    text = json.dumps(page).replace('"usageData": []', '"usageData": [%s]')
    return (text % ", ".join(rows)).encode(errors="surrogateescape")


async def read_usage(make_client: MakeClient, body: bytes) -> list[UsageData]:
    """Read the usage records of a page with the client."""
    nectar = make_client({USAGE: Response(200, {}, body)})
    return [record async for record in nectar.usage.by_company("a")]


@pytest.mark.anyio
async def test_a_new_enum_value_loses_no_record(make_client: MakeClient) -> None:
    """One new enum value or unit fails the decoding of the whole answer.

    Enums are open: a new value keeps its text, and its `is_known` is False.

    https://github.com/apify/apify-client-python/issues/931
    https://github.com/XeroAPI/xero-python/issues/231
    https://github.com/GitGuardian/py-gitguardian/issues/191
    https://github.com/jrester/tesla_powerwall/issues/40
    https://github.com/kdeyev/eyeonwater/issues/99
    """
    body = build_page(
        '{"id": "u-1", "usageUnits": "kWh"}',
        '{"id": "u-2", "usageUnits": "quads"}',
        '{"id": "u-3", "usageUnits": "therms"}',
    )
    with pytest.raises(cattrs.BaseValidationError):
        decode_page(body)

    first, second, third = await read_usage(make_client, body)
    assert first.usage_units is UsageUnits.KWH
    assert second.usage_units == "quads"
    assert second.usage_units is not None
    assert not second.usage_units.is_known
    assert third.id == "u-3"


@pytest.mark.anyio
async def test_missing_and_wrong_values_hide_no_record(make_client: MakeClient) -> None:
    """Missing and wrong values in the data of a utility hide the other records.

    A missing value is None, a wrong value is kept in `.extra`, and the record is
    yielded.

    https://github.com/home-assistant/core/issues/117387
    https://github.com/home-assistant/core/issues/127410
    """
    body = build_page(
        '{"id": "u-1", "usage": 1.5}',
        '{"id": "u-2"}',
        '{"id": "u-3", "usage": null}',
        '{"id": "u-4", "usage": {"reading": "n/a"}}',
        '{"id": "u-5", "usage": "2.50"}',
    )
    with pytest.raises(KeyError):
        sum_usage(body)
    assert read_ids(body) == ["u-1"]

    records = await read_usage(make_client, body)
    assert [record.id for record in records] == ["u-1", "u-2", "u-3", "u-4", "u-5"]
    amounts = [record.usage for record in records]
    assert amounts == [Decimal("1.5"), None, None, None, Decimal("2.50")]
    assert records[3].extra == {"usage": {"reading": "n/a"}}


@pytest.mark.anyio
async def test_amounts_are_exact_and_keep_their_unit(make_client: MakeClient) -> None:
    """Floats and early rounding change amounts, and units are mixed up.

    Amounts are decimals with all digits, have their own unit, and are never converted.

    https://github.com/BottlecapDave/HomeAssistant-OctopusEnergy/issues/768
    https://github.com/BottlecapDave/HomeAssistant-OctopusEnergy/issues/1704
    https://github.com/rnovacek/homeassistant_cz_energy_spot_prices/issues/191
    https://github.com/tronikos/opower/issues/191
    https://github.com/tronikos/opower/issues/20
    """
    body = build_page(
        '{"id": "u-1", "usage": 0.105, "usageUnits": "kWh"}',
        '{"id": "u-2", "usage": 0.205, "usageUnits": "therms"}',
        '{"id": "u-3", "usage": 12345678901234567.89, "usageUnits": "kWh"}',
    )
    assert Decimal(sum_usage(body)) != Decimal("12345678901234568.2")

    records = await read_usage(make_client, body)
    assert [(str(record.usage), record.usage_units) for record in records] == [
        ("0.105", "kWh"),
        ("0.205", "therms"),
        ("12345678901234567.89", "kWh"),
    ]


@pytest.mark.anyio
async def test_instants_have_a_time_zone(make_client: MakeClient) -> None:
    """Times without a time zone are wrong around the change to winter time.

    Instants have a time zone, also in the hour that is repeated.

    https://github.com/home-assistant/core/issues/173835
    https://github.com/EnergieID/entsoe-py/issues/331
    https://github.com/EnergieID/entsoe-py/issues/388
    https://github.com/EnergieID/entsoe-py/issues/468
    """
    starts = ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]
    assert parse_local_time(starts[0]) == parse_local_time(starts[1])

    page = envelope([], page=1, per_page=100, total=2)
    rows = [{"id": f"i-{start}", "start": start} for start in starts]
    answer = {**page, "intervals": rows, "totalIntervals": 2}
    nectar = make_client({"intervals_list_by_connection": answer})
    pager = nectar.intervals.by_connection("c")
    first, second = [interval.start async for interval in pager]
    assert first is not None
    assert second is not None
    assert (second - first).total_seconds() == 3600


@pytest.mark.anyio
async def test_a_field_can_be_cleared(make_client: MakeClient) -> None:
    """There is no way to send an explicit null.

    `UNSET` leaves a field unchanged, `None` clears it, and `[]` empties it.

    https://github.com/lablup/backend.ai/issues/13299
    """
    assert build_body(name="Mill", externalId=None) == {"name": "Mill"}

    bodies: list[Any] = []

    def answer(request: Request[Any]) -> object:
        assert isinstance(request.body, bytes)
        bodies.append(json.loads(request.body))
        return {"id": "s", "name": "Mill"}

    nectar = make_client(MemoryTransport(answer))
    await nectar.sites.update("s", name="Mill", external_id=None)
    await nectar.sites.update("s", name="Mill", path=[])
    await nectar.sites.update("s", name="Mill")
    assert bodies == [
        {"name": "Mill", "externalId": None},
        {"name": "Mill", "path": []},
        {"name": "Mill"},
    ]


@pytest.mark.slow
@pytest.mark.anyio
async def test_decoding_creates_no_classes(make_client: MakeClient) -> None:
    """Schema objects are built again for each call, and memory grows forever.

    The process has one converter, and decoding creates no classes.

    https://github.com/openai/openai-python/issues/3084
    https://github.com/openai/openai-python/issues/2672
    """

    def count_classes() -> int:
        gc.collect()
        return sum(isinstance(each, type) for each in gc.get_objects())

    body = build_page('{"id": "u-1", "usage": 1.5, "isNew": true}')
    decode_with_new_class(body)
    before = count_classes()
    for _ in range(20):
        decode_with_new_class(body)
    assert count_classes() >= before + 20

    for _ in range(2):  # the first page has a new key, for which a decoder is built
        await read_usage(make_client, body)
    before = count_classes()
    for _ in range(20):
        await read_usage(make_client, body)
    assert count_classes() == before


LOADED = """
import sys
def find_loaded():
    words = ("aiohttp", "anyio", "asyncio", "attrs", "cattrs", "msgspec")
    return [word for word in words if word in sys.modules]
import nectar_async
print(*find_loaded())
import complaints.flawed_import
print(*find_loaded())
"""


def test_the_import_loads_no_dependency() -> None:
    """The import takes seconds and tens of megabytes.

    Dependencies are imported on first use, and aiohttp in a thread beside the loop.

    https://github.com/yanyongyu/githubkit/issues/54
    https://github.com/yanyongyu/githubkit/issues/76
    https://github.com/openai/openai-python/issues/2819
    https://github.com/anthropics/anthropic-sdk-python/issues/1211
    https://github.com/pydantic/pydantic-ai/issues/7405
    """
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", LOADED],
        cwd=SUPPORT,
        capture_output=True,
        text=True,
        check=True,
    )
    ours, flawed, _ = done.stdout.split("\n")
    assert ours == ""
    assert {"aiohttp", "cattrs", "msgspec"} <= set(flawed.split())


@pytest.mark.asyncio
async def test_a_download_requests_a_fresh_link() -> None:
    """A link that is valid for 24 hours has expired when it is used.

    A download requests a fresh link at its start, and another one when that expires.

    https://github.com/langfuse/langfuse/issues/15536
    """
    async with (
        Sandbox(companies=1) as sandbox,
        NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar,
    ):
        company = sandbox.portfolio.company(0)
        bill = await anext(aiter(nectar.documents.by_company(company.id)))
        assert bill.url is not None
        flawed = StoredLinks({bill.id: bill.url.reveal()})
        file = await flawed.download(bill.id)
        sandbox.clock.advance(25 * 3_600)
        with pytest.raises(aiohttp.ClientResponseError, match="403"):
            await flawed.download(bill.id)

        buffer = io.BytesIO()
        await nectar.documents.download(bill.id, buffer)
        assert buffer.getvalue() == file


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["NaN", r'"\ud83d"', "Infinity"], ids=ascii)
async def test_a_damaged_value_costs_only_itself(
    make_client: MakeClient, value: str
) -> None:
    """NaN or half of a surrogate pair in one value fails the whole answer.

    Only that value is lost, and the receipt counts it.

    https://github.com/axios/axios/issues/1409
    https://github.com/node-fetch/node-fetch/issues/806
    """
    rows = ('{"id": "1"}', f'{{"id": "2", "note": {value}}}', '{"id": "3"}')
    body = build_page(*rows)
    with pytest.raises(msgspec.DecodeError):
        decode_strictly(body)

    pager = make_client({USAGE: Response(200, {}, body)}).usage.by_company("a")
    assert [record.id async for record in pager] == ["1", "2", "3"]
    assert (pager.receipt.losses, pager.receipt.verdict) == (1, "complete")
