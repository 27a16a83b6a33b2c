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
import pytest
from complaints.naive_models import (
    KeptLinks,
    body_of,
    class_per_call,
    good_rows,
    local_time,
    page_of,
    total_of,
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

SUPPORT = Path(__file__).parents[1] / "support"


def answer_of(*rows: str) -> bytes:
    """A page of usage, whose rows are JSON as it stands on the wire."""
    page = envelope([], page=1, per_page=100, total=len(rows))
    text = json.dumps(page).replace('"usageData": []', '"usageData": [%s]')
    return (text % ", ".join(rows)).encode()


async def usage_of(make_client: MakeClient, body: bytes) -> list[UsageData]:
    """What the client makes of that page."""
    nectar = make_client({USAGE: Response(200, {}, body)})
    return [record async for record in nectar.usage.by_company("a")]


@pytest.mark.anyio
async def test_a_new_value_costs_no_record(make_client: MakeClient) -> None:
    """One new enum value or unit, and the whole answer is lost.

    Enums are open: a new value is kept as it is, and `is_known` is False.

    https://github.com/apify/apify-client-python/issues/931
    https://github.com/XeroAPI/xero-python/issues/231
    https://github.com/GitGuardian/py-gitguardian/issues/191
    https://github.com/jrester/tesla_powerwall/issues/40
    https://github.com/kdeyev/eyeonwater/issues/99
    """
    body = answer_of(
        '{"id": "u-1", "usageUnits": "kWh"}',
        '{"id": "u-2", "usageUnits": "quads"}',
        '{"id": "u-3", "usageUnits": "therms"}',
    )
    with pytest.raises(cattrs.BaseValidationError):
        page_of(body)

    first, second, third = await usage_of(make_client, body)
    assert first.usage_units is UsageUnits.KWH
    assert second.usage_units == "quads"
    assert second.usage_units is not None
    assert not second.usage_units.is_known
    assert third.id == "u-3"


@pytest.mark.anyio
async def test_gaps_and_odd_values_hide_nothing(make_client: MakeClient) -> None:
    """Gaps and odd values in a utility's data crash the rest, or hide it.

    What is missing is None, what does not fit is kept in `.extra`, and the record
    comes.

    https://github.com/home-assistant/core/issues/117387
    https://github.com/home-assistant/core/issues/127410
    """
    body = answer_of(
        '{"id": "u-1", "usage": 1.5}',
        '{"id": "u-2"}',
        '{"id": "u-3", "usage": null}',
        '{"id": "u-4", "usage": {"reading": "n/a"}}',
        '{"id": "u-5", "usage": "2.50"}',
    )
    with pytest.raises(KeyError):
        total_of(body)
    assert good_rows(body) == ["u-1"]

    records = await usage_of(make_client, body)
    assert [record.id for record in records] == ["u-1", "u-2", "u-3", "u-4", "u-5"]
    amounts = [record.usage for record in records]
    assert amounts == [Decimal("1.5"), None, None, None, Decimal("2.50")]
    assert records[3].extra == {"usage": {"reading": "n/a"}}


@pytest.mark.anyio
async def test_amounts_are_exact_and_keep_their_unit(make_client: MakeClient) -> None:
    """Floats and early rounding change amounts; units get mixed up.

    Amounts are decimals with every digit, beside their own unit, and are not converted.

    https://github.com/BottlecapDave/HomeAssistant-OctopusEnergy/issues/768
    https://github.com/BottlecapDave/HomeAssistant-OctopusEnergy/issues/1704
    https://github.com/rnovacek/homeassistant_cz_energy_spot_prices/issues/191
    https://github.com/tronikos/opower/issues/191
    https://github.com/tronikos/opower/issues/20
    """
    body = answer_of(
        '{"id": "u-1", "usage": 0.105, "usageUnits": "kWh"}',
        '{"id": "u-2", "usage": 0.205, "usageUnits": "therms"}',
        '{"id": "u-3", "usage": 12345678901234567.89, "usageUnits": "kWh"}',
    )
    assert Decimal(total_of(body)) != Decimal("12345678901234568.2")

    records = await usage_of(make_client, body)
    assert [(str(one.usage), one.usage_units) for one in records] == [
        ("0.105", "kWh"),
        ("0.205", "therms"),
        ("12345678901234567.89", "kWh"),
    ]


@pytest.mark.anyio
async def test_instants_know_their_zone(make_client: MakeClient) -> None:
    """Times without a zone, wrong for hours around the change of clocks.

    Instants are aware, also in the hour that comes twice.

    https://github.com/home-assistant/core/issues/173835
    https://github.com/EnergieID/entsoe-py/issues/331
    https://github.com/EnergieID/entsoe-py/issues/388
    https://github.com/EnergieID/entsoe-py/issues/468
    """
    starts = ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]
    assert local_time(starts[0]) == local_time(starts[1])

    page = envelope([], page=1, per_page=100, total=2)
    rows = [{"id": f"i-{at}", "start": at} for at in starts]
    answer = {**page, "intervals": rows, "totalIntervals": 2}
    nectar = make_client({"intervals_list_by_connection": answer})
    walk = nectar.intervals.by_connection("c")
    first, second = [one.start async for one in walk]
    assert first is not None
    assert second is not None
    assert (second - first).total_seconds() == 3600


@pytest.mark.anyio
async def test_a_field_can_be_cleared(make_client: MakeClient) -> None:
    """There is no way to send an explicit null.

    `UNSET` leaves a field alone, `None` clears it, `[]` empties it.

    https://github.com/lablup/backend.ai/issues/13299
    """
    assert body_of(name="Mill", externalId=None) == {"name": "Mill"}

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
async def test_decoding_leaves_nothing_behind(make_client: MakeClient) -> None:
    """Schema objects are built again for each call, and memory grows for ever.

    One converter for the process; decoding makes no classes.

    https://github.com/openai/openai-python/issues/3084
    https://github.com/openai/openai-python/issues/2672
    """

    def classes() -> int:
        gc.collect()
        return sum(isinstance(one, type) for one in gc.get_objects())

    body = answer_of('{"id": "u-1", "usage": 1.5, "isNew": true}')
    class_per_call(body)
    before = classes()
    for _ in range(20):
        class_per_call(body)
    assert classes() >= before + 20

    for _ in range(2):  # the first one teaches the new key, with which all is made anew
        await usage_of(make_client, body)
    before = classes()
    for _ in range(20):
        await usage_of(make_client, body)
    assert classes() == before


LOADED = """
import sys
def heavy():
    words = ("aiohttp", "anyio", "asyncio", "attrs", "cattrs", "msgspec")
    return [word for word in words if word in sys.modules]
import nectar_async
print(*heavy())
import complaints.naive_start
print(*heavy())
"""


def test_the_import_costs_next_to_nothing() -> None:
    """The import takes seconds and tens of megabytes.

    What is heavy comes when it is first used, and aiohttp beside the loop.

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
    ours, naive, _ = done.stdout.split("\n")
    assert ours == ""
    assert {"aiohttp", "cattrs", "msgspec"} <= set(naive.split())


@pytest.mark.asyncio
async def test_the_link_of_a_file_is_asked_for_when_it_is_needed() -> None:
    """A link that is good for 24 hours is dead when it is used.

    A download asks for a fresh link when it begins, and again when that expires.

    https://github.com/langfuse/langfuse/issues/15536
    """
    async with (
        Sandbox(companies=1) as sandbox,
        NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar,
    ):
        company = sandbox.portfolio.company(0)
        bill = await anext(aiter(nectar.documents.by_company(company.id)))
        assert bill.url is not None
        naive = KeptLinks({bill.id: bill.url.reveal()})
        file = await naive.download(bill.id)
        sandbox.clock.advance(25 * 3_600)
        with pytest.raises(aiohttp.ClientResponseError, match="403"):
            await naive.download(bill.id)

        held = io.BytesIO()
        await nectar.documents.download(bill.id, held)
        assert held.getvalue() == file
