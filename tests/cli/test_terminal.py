"""The standard streams of the command: odd encodings, closed streams, no reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from cli_processes import ROOT

pytestmark = [
    pytest.mark.without_coverage,
    pytest.mark.skipif(os.name != "posix", reason="streams are closed by a shell"),
]

UVLOOP = (
    "import sys, uvloop; uvloop.install(); from nectar_async.cli import main;"
    " sys.exit(main())"
)

SLOW = partial(pytest.param, marks=pytest.mark.slow)


def run_in_shell(
    redirections: str,
    *arguments: str,
    folder: Path,
    environment: dict[str, str],
    program: tuple[str, ...] = ("-m", "nectar_async.cli"),
) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose streams a shell redirects or closes."""
    line = f'"$@" {redirections}'
    words = [sys.executable, "-W", "error", *program, *arguments]
    return subprocess.run(  # noqa: S603 - our own command
        ["/bin/bash", "-o", "pipefail", "-c", line, "bash", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "encoding", ["ascii", *(SLOW(name) for name in ("cp1252", "latin-1"))]
)
def test_a_pull_ends_well_in_any_encoding(
    encoding: str, tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    environment = {**small_sandbox, "PYTHONIOENCODING": encoding}
    done = run_in_shell(
        "",
        "pull",
        "usage",
        "--out",
        "東京.jsonl",
        folder=tmp_path,
        environment=environment,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u6771\u4eac.jsonl" in done.stdout
    assert (tmp_path / "東京.jsonl").stat().st_size


@pytest.mark.parametrize(
    "redirections",
    ["<&- >&- 2>&-", *(SLOW(each) for each in (">&-", "<&-", "2>&-", "<&- >&-"))],
)
def test_a_pull_ends_well_with_closed_streams(
    redirections: str, tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    done = run_in_shell(
        redirections,
        *("pull", "usage", "--out", "usage.jsonl"),
        folder=tmp_path,
        environment=small_sandbox,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    lines = (tmp_path / "usage.jsonl").read_text("utf-8").splitlines()
    assert all(json.loads(line)["companyId"] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("redirections", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_a_pull_ends_well_with_closed_streams_on_uvloop(
    redirections: str, tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    pytest.importorskip("uvloop")
    done = run_in_shell(
        redirections,
        *("pull", "usage", "--out", "usage.jsonl"),
        folder=tmp_path,
        environment=small_sandbox,
        program=("-W", "ignore", "-c", UVLOOP),
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments", [("pull", "usage", "--out", "-"), SLOW(("download", "any-id", "-"))]
)
def test_data_for_a_closed_stdout_are_an_error(
    arguments: tuple[str, ...], tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    done = run_in_shell(">&-", *arguments, folder=tmp_path, environment=small_sandbox)
    assert done.returncode == 1
    assert b"error: standard output: Bad file descriptor" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("pull", "usage", "--out", "usage.jsonl"), SLOW(("ping",))],
)
def test_without_a_reader_a_command_ends_quietly(
    arguments: tuple[str, ...], tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    done = run_in_shell(
        "| (exec <&-)", *arguments, folder=tmp_path, environment=small_sandbox
    )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_an_error(
    tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    done = run_in_shell(
        ">/dev/full", "ping", "--json", folder=tmp_path, environment=small_sandbox
    )
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
