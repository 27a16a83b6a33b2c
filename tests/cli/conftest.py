"""Fixtures: a shared sandbox, the environment, and commands as processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_processes import CommandRunner, default_sigint, run_sandbox


@pytest.fixture(scope="session")
def small_sandbox() -> Iterator[dict[str, str]]:
    """Run a sandbox of two companies without latency; yields its environment."""
    with run_sandbox("--companies", "2", "--latency", "0") as (_, environment):
        yield environment


@pytest.fixture
def connected(
    small_sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Let commands of this process use that sandbox; returns its environment."""
    for name, value in small_sandbox.items():
        monkeypatch.setenv(name, value)
    return small_sandbox


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[CommandRunner]:
    """Run commands as processes, without a key, in an empty folder."""
    with default_sigint():
        yield CommandRunner(tmp_path)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove NECTAR_* from the environment and use an empty working directory."""
    for name in [name for name in os.environ if name.startswith("NECTAR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
