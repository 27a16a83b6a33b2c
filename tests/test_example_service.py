"""The example of a user's own suite runs: on its recordings, on a sandbox, anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.without_coverage

EXAMPLES = Path(__file__).parent.parent / "examples"
INI = """
[pytest]
addopts = --strict-markers -p no:cacheprovider
filterwarnings = error
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """The example, in a repository of its own."""
    for name in ("my_service.py", "test_my_service.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    shutil.copytree(EXAMPLES / "recordings", tmp_path / "recordings")
    (tmp_path / "pytest.ini").write_text(INI)
    return tmp_path


def run(suite: Path, *flags: str) -> str:
    """What pytest says in a process that knows no key, and no proxy that answers."""
    unwanted = ("NECTAR_", "PYTEST_")
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith(unwanted)
    }
    # Only what the example needs, so that it starts at once.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = ("-p", "nectar_async", "-p", "anyio")
    done = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, "-m", "pytest", "-q", *plugins, *flags],
        cwd=suite,
        env={**environment, "NECTAR_BASE_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(suite: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(suite)): path.read_bytes()
        for path in sorted(suite.glob("recordings/**/*"))
        if path.is_file()
    }


def test_the_example_replays_without_a_server_or_a_key(suite: Path) -> None:
    before = files(suite)
    said = run(suite)
    assert "nectar recordings" not in said  # nothing is unused, nothing was missed
    assert files(suite) == before


@pytest.mark.slow
def test_the_example_runs_against_a_sandbox_by_one_flag(suite: Path) -> None:
    shutil.rmtree(suite / "recordings")
    run(suite, "--nectar-sandbox")
    assert files(suite) == {}


@pytest.mark.slow
def test_recording_the_example_anew_changes_not_a_byte(suite: Path) -> None:
    before = files(suite)
    run(suite, "--nectar-sandbox", "--nectar-record=record")
    assert files(suite) == before


@pytest.mark.slow
def test_nothing_is_missing_in_the_recordings_of_the_example(suite: Path) -> None:
    before = files(suite)
    said = run(suite, "--nectar-sandbox", "--nectar-record=new")
    assert "nothing was missing" in said
    assert files(suite) == before


def test_the_examples_recordings_are_small() -> None:
    assert sum(map(len, files(EXAMPLES).values())) < 400_000
