"""Every example runs against a sandbox."""

from __future__ import annotations

import runpy
from datetime import date
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from nectar_async import (
    BadRequestError,
    Connection,
    ConnectionStatus,
    MemoryTransport,
    NectarClient,
)
from nectar_async.resources import _polling
from nectar_async.sandbox import Answer, Fault, Sandbox

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


@pytest_asyncio.fixture
async def sandbox(monkeypatch: pytest.MonkeyPatch) -> Any:
    async with Sandbox(companies=4, seed=7) as sandbox:
        monkeypatch.setenv("NECTAR_BASE_URL", sandbox.url)
        monkeypatch.setenv("NECTAR_API_KEY", sandbox.api_key)
        yield sandbox


@pytest.mark.asyncio
async def test_the_script_lists_companies_without_async_code(sandbox: Sandbox) -> None:
    companies = await anyio.to_thread.run_sync(load("from_a_script")["companies"])
    assert len(companies) == 4


@pytest.mark.asyncio
async def test_the_stages_stamp_a_header_and_count_bytes(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    received = await load("stages")["main"]()
    assert set(received) == {"companies_list", "sites_list_by_company"}
    assert all(size > 0 for size in received.values())
    assert f"{received['companies_list']:,} bytes" in capsys.readouterr().out


@pytest.mark.asyncio
async def test_the_header_of_the_example_is_on_every_request() -> None:
    transport = MemoryTransport({"companies_list": []})
    stage = load("stages")["stamp_team"]
    async with NectarClient(transport=transport, stages=[stage]) as nectar:
        await nectar.companies.all()
    assert [sent.headers["X-Team"] for sent in transport.requests] == ["energy"]


@pytest.mark.asyncio
async def test_the_nightly_pull_prints_its_verdict(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    nightly = load("nightly")
    assert await nightly["pull"](nightly["date"](2025, 1, 1)) == 0
    assert "complete" in capsys.readouterr().out


def test_the_nightly_pull_has_a_default_first_day() -> None:
    first_day = load("nightly")["first_day"]
    assert first_day(["2025-10-01"]) == date(2025, 10, 1)
    assert first_day([]) < date.today()  # noqa: DTZ011 - the local day, as in the example
    with pytest.raises(SystemExit, match="write it as 2025-10-01"):
        first_day(["october"])


@pytest.mark.asyncio
async def test_the_service_sums_up_months(sandbox: Sandbox) -> None:
    company = next(
        company
        for company in await anyio.to_thread.run_sync(
            load("from_a_script")["companies"]
        )
        if company.sites
    )
    async with TestClient(TestServer(load("service")["service"]())) as client:
        answer = await (await client.get(f"/company/{company.id}/months")).json()
        assert answer["verdict"] == "complete"
        missing = await client.get("/company/no-such-company/months")
        assert missing.status == 404


def build_usage_page(*records: tuple[str | None, str | None]) -> dict[str, Any]:
    """Build a page of usage records of January with amounts and units."""
    return {
        "usageData": [
            {
                "id": f"u-{number}",
                "endDate": "2025-01-31",
                "usage": amount,
                "usageUnits": unit,
            }
            for number, (amount, unit) in enumerate(records)
        ],
        **dict.fromkeys(("currentPage", "totalPages"), 1),
        "perPage": 100,
        "hasNext": False,
        "hasPrevious": False,
        "totalUsageData": len(records),
    }


@pytest.mark.asyncio
async def test_the_service_converts_units_exactly_and_counts_the_others() -> None:
    page = build_usage_page(
        ("0.1", "kWh"),
        ("1.234", "MWh"),
        ("200", "Wh"),
        ("7", "kVA"),
        (None, "kWh"),
        ("5", None),
    )
    service = load("service")
    app = web.Application()
    transport = MemoryTransport({"usage_list_by_company": page})
    app[service["NECTAR"]] = NectarClient(transport=transport)
    app.router.add_get("/company/{company}/months", service["months"])
    async with TestClient(TestServer(app)) as client:
        answer = await (await client.get("/company/c/months")).json()
    assert answer == {
        "months": {"2025-01": "1234.300"},
        "skipped": {"kVA": 1, "kWh": 1, "no unit": 1},
        "verdict": "complete",
    }


@pytest_asyncio.fixture
async def fast_sandbox(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a sandbox whose clock is so fast that jobs and connections end at once."""
    # Longer waits would only take time.
    monkeypatch.setattr(_polling, "_FIRST_WAIT", 0.02)
    async with Sandbox(companies=1, seed=7, clock_speed=5_000) as sandbox:
        monkeypatch.setenv("NECTAR_BASE_URL", sandbox.url)
        monkeypatch.setenv("NECTAR_API_KEY", sandbox.api_key)
        yield sandbox


def is_undone(sandbox: Sandbox) -> bool:
    """Whether the company, sites and connection were created and removed again."""
    counts = sandbox.witness.by_operation
    return (
        (counts["companies_create"], counts["companies_delete"]) == (1, 1)
        and (counts["sites_create"], counts["sites_delete"]) == (2, 2)
        and (counts["connections_create"], counts["connections_update"]) == (1, 1)
    )


def read_only_file(folder: Path) -> bytes:
    (path,) = folder.iterdir()
    return path.read_bytes()


@pytest.mark.asyncio
async def test_onboarding_works_and_is_undone(
    fast_sandbox: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    onboard = load("onboard")
    folder = tmp_path / "new" / "bills"  # it does not exist yet
    assert await onboard["onboard"](folder) == 0
    output = capsys.readouterr().out
    assert ": CONNECTED\n" in output
    assert "COMPLETED, new documents: 1, duplicates: 0" in output
    assert read_only_file(folder).startswith(b"%PDF")
    assert 1 < output.count("document ") <= 5
    assert "bills:\n" in output
    assert " more\n" in output
    assert is_undone(fast_sandbox)
    remaining = await anyio.to_thread.run_sync(load("from_a_script")["companies"])
    assert len(remaining) == 1


@pytest.mark.asyncio
async def test_an_onboarding_that_fails_is_undone_too(
    fast_sandbox: Sandbox, tmp_path: Path
) -> None:
    broken = Fault(operation="documents_list_by_connection", effect=Answer(status=400))
    fast_sandbox.faults.add(broken)
    with pytest.raises(BadRequestError):
        await load("onboard")["onboard"](tmp_path)
    assert is_undone(fast_sandbox)


@pytest.mark.asyncio
async def test_a_failed_login_is_printed_with_advice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = Connection(id="c", status=ConnectionStatus.PASSWORD_INCORRECT)
    load("onboard")["print_status"](wrong)
    status, advice = capsys.readouterr().out.splitlines()
    assert status == "connection c: PASSWORD_INCORRECT"
    assert "customer acts: Send a reconnect invitation" in advice


def test_every_example_has_a_test_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    # my_service.py has its tests beside it; tests/test_example_service.py runs those.
    others = {"my_service", "test_my_service"}
    names = {path.stem for path in EXAMPLES.glob("*.py")} - others
    assert names
    untested = [f"{name}.py" for name in names if f'load("{name}")' not in source]
    assert untested == []


@pytest.mark.asyncio
async def test_a_field_of_ones_own_is_read_from_the_bills(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    example = load("own_fields")
    await example["main"]()
    assert "kWh" in capsys.readouterr().out
    page = {"usageData": [{"id": "1", "costCentre": "4711"}], "hasNext": False}
    transport = MemoryTransport({"usage_list_by_company": page})
    converter = example["build_converter"]()
    async with NectarClient(transport=transport, converter=converter) as nectar:
        (record,) = await nectar.usage.by_company("c")
    assert record.cost_centre == "4711"  # type: ignore[attr-defined]
