"""The code blocks, links and stated defaults of the README and of docs pages."""

from __future__ import annotations

import logging
import re
import shlex
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import attrs
import pandas as pd
import pytest
import pytest_asyncio
from endpoints import ENDPOINTS
from fastapi import FastAPI

from nectar_async import (
    NectarClient,
    NectarError,
    RetryPolicy,
    Settings,
    Statistics,
    UsageData,
    Verdict,
    contract,
)
from nectar_async.sandbox import Sandbox
from nectar_async.transports import Recorder

pytestmark = pytest.mark.without_coverage

README = Path(__file__).parent.parent / "README.md"
RELIABILITY = README.parent / "docs" / "reliability.md"
RECORDINGS = README.parent / "docs" / "recordings.md"
PERFORMANCE = README.parent / "docs" / "performance.md"
RECORDS = README.parent / "docs" / "records.md"
PAGES = [README, RELIABILITY, RECORDINGS, PERFORMANCE, RECORDS]
TEXT = README.read_text(encoding="utf-8")


# pyarrow imports pandas for its first table, which reads files on the event loop.
assert pd


def find_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


BLOCKS = [
    pytest.param(page, block, id=f"{page.stem} {number}: {block.partition(chr(10))[0]}")
    for page in PAGES
    for number, block in enumerate(find_blocks(page), 1)
]
FIRST_COMPANY = "d89d31e0-982f-4965-a6a1-4bbeeb46b54e"
# Names that the blocks of a page can use without an import.
SHARED: dict[Path, dict[str, Any]] = {
    README: {"NectarClient": NectarClient},
    PERFORMANCE: {"NectarClient": NectarClient},
    RECORDINGS: {"NectarClient": NectarClient, "COMPANY": FIRST_COMPANY},
    RECORDS: {
        "FastAPI": FastAPI,
        "NectarClient": NectarClient,
        "UsageData": UsageData,
        "company_id": FIRST_COMPANY,
    },
    RELIABILITY: {
        "NectarClient": NectarClient,
        "NectarError": NectarError,
        "RetryPolicy": RetryPolicy,
        "Sandbox": Sandbox,
    },
}
OPERATIONS = contract.operations()


@pytest_asyncio.fixture
async def sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Sandbox]:
    monkeypatch.chdir(tmp_path)  # some blocks write files
    # At this clock speed jobs and invitations end at once.
    async with Sandbox(companies=3, seed=7, clock_speed=5_000) as sandbox:
        monkeypatch.setenv("NECTAR_BASE_URL", sandbox.url)
        monkeypatch.setenv("NECTAR_API_KEY", sandbox.api_key)
        recorder = Recorder("tests/recordings/usage", mode="record")
        async with NectarClient(recorder=recorder) as nectar:
            async for _ in nectar.usage.by_company(FIRST_COMPANY):
                pass
        yield sandbox
    logging.getLogger("nectar_async").setLevel(logging.NOTSET)  # one block sets it


@pytest.mark.asyncio
@pytest.mark.parametrize(("page", "block"), BLOCKS)
async def test_a_block_runs(
    page: Path, block: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run a block; one with `await` at its top level as the body of a function."""
    if "anyio.run(" in block:
        source = block
    else:
        if page == RECORDS:
            block = _run_in_client(block)
        body = textwrap.indent(block, "    ")
        source = f"async def main():\n{body}\nimport anyio\nanyio.run(main)\n"
    scope = dict(SHARED[page])
    await anyio.to_thread.run_sync(exec, compile(source, page.name, "exec"), scope)
    if "print(" in block:
        assert capsys.readouterr().out


def _run_in_client(block: str) -> str:
    """Put a block into a client, and request the endpoint that it may define."""
    if "FastAPI" in block:
        block += textwrap.dedent("""
            import httpx
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://a") as w:
                assert len((await w.get(f"/companies/{company_id}/usage")).json()) > 9
        """)
    return f"async with NectarClient() as nectar:\n{textwrap.indent(block, '    ')}"


def test_each_way_out_of_records_takes_six_lines_at_most() -> None:
    blocks = find_blocks(RECORDS)
    assert len(blocks) == 9
    for block in blocks:
        assert sum(bool(line.strip()) for line in block.splitlines()) <= 6


def test_the_main_program_has_at_most_twelve_lines() -> None:
    main = next(block for block in find_blocks(README) if "repository.usage" in block)
    assert sum(bool(line.strip()) for line in main.splitlines()) <= 12


@pytest.mark.parametrize("marker", ["demo", "tests"])
def test_each_set_up_command_is_one_line(marker: str) -> None:
    match = re.search(rf"<!-- {marker} -->\n```sh\n(.*?)```", TEXT, re.DOTALL)
    assert match is not None
    (line,) = match[1].strip().splitlines()
    assert shlex.split(line)[:3] == ["python3", "-m", "venv"]


LINKS = [
    pytest.param(page, *link, id=f"{page.stem}: {''.join(link)}")
    for page in PAGES
    for link in re.findall(r"\]\((?!http)([^)#]*)(#[^)]+)?\)", page.read_text("utf-8"))
]


@pytest.mark.parametrize(("page", "path", "anchor"), LINKS)
def test_links_have_a_target(page: Path, path: str, anchor: str) -> None:
    target = page.parent / path if path else page
    assert target.exists()
    if anchor:
        heads = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
        # The rule by which GitHub builds anchors from headings.
        words = [re.sub(r"[^\w -]", "", head.lower()) for head in heads]
        assert anchor.removeprefix("#") in [text.replace(" ", "-") for text in words]


def test_the_page_states_the_real_defaults() -> None:
    text = RELIABILITY.read_text("utf-8")
    settings, policy = Settings(), RetryPolicy()
    for field in attrs.fields(RetryPolicy):
        assert f"{field.name}={getattr(policy, field.name)}," in text
    assert f"| `Settings.attempt_timeout` | {settings.attempt_timeout:g} s |" in text
    assert "| `Settings.deadline` | none |" in text
    assert settings.deadline is None
    assert f"in flight, {settings.max_concurrency} by default" in text
    assert f"{settings.max_downloads} chunks at once" in text


def test_the_page_has_every_field_of_the_statistics_and_every_verdict() -> None:
    text = RELIABILITY.read_text("utf-8")
    names = [field.name for field in attrs.fields(Statistics)]
    assert [name for name in (*names, *Verdict) if f"`{name}`" not in text] == []


def test_the_page_lists_the_operations_without_retries() -> None:
    """The page lists exactly the operations that the contract calls not repeatable."""
    text = RELIABILITY.read_text("utf-8")
    once = text.partition("*Once* are")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+\.\w+)`", once)) | {"invitations.create_reconnect"}
    not_repeated = {
        endpoint.call
        for endpoint in ENDPOINTS
        if OPERATIONS[endpoint.operation].description.get("x-idempotent-retry") is False
    }
    assert named == {
        call for call in not_repeated if not call.startswith("magic_links")
    }
