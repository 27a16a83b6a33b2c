"""The test suite of the example runs on recordings, on a sandbox, and records again."""

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
    """Copy the example to a folder of its own."""
    for name in ("my_service.py", "test_my_service.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    shutil.copytree(EXAMPLES / "recordings", tmp_path / "recordings")
    (tmp_path / "pytest.ini").write_text(INI)
    return tmp_path


def run(suite: Path, *flags: str) -> str:
    """Run pytest in a process without a key and server; return its output."""
    unwanted = ("NECTAR_", "PYTEST_")
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith(unwanted)
    }
    # Load only the plugins that the example needs, for a fast start.
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


def read_recordings(suite: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(suite)): path.read_bytes()
        for path in sorted(suite.glob("recordings/**/*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_the_example_replays_without_a_server_or_a_key(suite: Path) -> None:
    before = read_recordings(suite)
    output = run(suite)
    assert "nectar recordings" not in output  # no recording is unused or missing
    assert read_recordings(suite) == before


@pytest.mark.slow
def test_one_flag_runs_the_example_against_a_sandbox(suite: Path) -> None:
    shutil.rmtree(suite / "recordings")
    run(suite, "--nectar-sandbox")
    assert read_recordings(suite) == {}


@pytest.mark.slow
def test_recording_the_example_again_changes_no_byte(suite: Path) -> None:
    before = read_recordings(suite)
    run(suite, "--nectar-sandbox", "--nectar-record=record")
    assert read_recordings(suite) == before


@pytest.mark.slow
def test_the_recordings_of_the_example_are_complete(suite: Path) -> None:
    before = read_recordings(suite)
    output = run(suite, "--nectar-sandbox", "--nectar-record=new")
    assert "nothing was missing" in output
    assert read_recordings(suite) == before


def test_the_recordings_of_the_example_are_small() -> None:
    assert sum(map(len, read_recordings(EXAMPLES).values())) < 400_000
