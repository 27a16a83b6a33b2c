"""Every block of the README runs."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import pytest_asyncio

from nectar_async import NectarClient
from nectar_async.sandbox import Sandbox

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest_asyncio.fixture
async def sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Sandbox]:
    monkeypatch.chdir(tmp_path)  # some blocks write files
    # What takes a while is over before anybody asks.
    async with Sandbox(companies=3, seed=7, clock_speed=5_000) as sandbox:
        monkeypatch.setenv("NECTAR_BASE_URL", sandbox.url)
        monkeypatch.setenv("NECTAR_API_KEY", sandbox.api_key)
        yield sandbox


@pytest.mark.asyncio
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
async def test_a_block_of_the_readme_runs(
    block: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks with `await` at their top level are the body of an async function."""
    if "anyio.run(" in block:
        source = block
    else:
        body = textwrap.indent(block, "    ")
        source = f"async def main():\n{body}\nimport anyio\nanyio.run(main)\n"
    scope: dict[str, Any] = {"NectarClient": NectarClient}
    await anyio.to_thread.run_sync(exec, compile(source, "README.md", "exec"), scope)
    if "print(" in block:
        assert capsys.readouterr().out


def test_the_main_program_has_at_most_twelve_lines() -> None:
    main = next(block for block in BLOCKS if "repository.usage" in block)
    assert sum(bool(line.strip()) for line in main.splitlines()) <= 12


@pytest.mark.parametrize("marker", ["demo", "tests"])
def test_each_command_is_one_line(marker: str) -> None:
    found = re.search(rf"<!-- {marker} -->\n```sh\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    (line,) = found[1].strip().splitlines()
    assert shlex.split(line)[:3] == ["python3", "-m", "venv"]


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)]+)\)", TEXT))
def test_links_of_the_readme_lead_somewhere(path: str) -> None:
    assert (README.parent / path).exists()
