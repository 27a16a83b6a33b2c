"""Every example runs, against a sandbox."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from nectar_async.sandbox import Sandbox

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
async def test_the_script_lists_companies_without_being_async(sandbox: Sandbox) -> None:
    companies = await anyio.to_thread.run_sync(load("from_a_script")["companies"])
    assert len(companies) == 4


@pytest.mark.asyncio
async def test_the_nightly_pull_says_complete(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    nightly = load("nightly")
    assert await nightly["pull"](nightly["date"](2025, 1, 1)) == 0
    assert "complete" in capsys.readouterr().out


@pytest.mark.asyncio
async def test_the_service_adds_up_months(sandbox: Sandbox) -> None:
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


def test_every_example_has_a_test_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    names = [path.stem for path in EXAMPLES.glob("*.py")]
    assert names
    assert all(f'load("{name}")' in source for name in names)
