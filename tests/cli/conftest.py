"""One sandbox for all commands that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_processes import Commands, ctrl_c_works, sandbox


@pytest.fixture(scope="session")
def small_sandbox() -> Iterator[dict[str, str]]:
    """The environment that leads to a quick sandbox of two companies."""
    with sandbox("--companies", "2", "--latency", "0") as (_, environment):
        yield environment


@pytest.fixture
def connected(
    small_sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """This process's commands lead to that sandbox; gives the environment."""
    for name, value in small_sandbox.items():
        monkeypatch.setenv(name, value)
    return small_sandbox


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """Commands without a key, in an empty folder."""
    with ctrl_c_works():
        yield Commands(tmp_path)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own environment, and an empty working directory."""
    for name in ("BASE_URL", "API_KEY", "API_VERSION", "DEBUG", "RECORD"):
        monkeypatch.delenv(f"NECTAR_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
