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


FULL = ">/dev/full"
CLOSED = ">&-"
REASONS = {
    FULL: b"error: standard output: No space left on device\n",
    CLOSED: b"error: standard output: Bad file descriptor (it is closed)\n",
}
needs_full_device = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no full device"
)


@needs_full_device
@pytest.mark.parametrize("redirections", [FULL, CLOSED])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        SLOW(("--help",)),
        SLOW(("pull", "usage", "--help")),
        SLOW(("pull",)),
        SLOW(("ping",)),
        ("ping", "--json"),
        SLOW(("recording",)),
        SLOW(("sandbox", "--fault", "help")),
        SLOW(("sandbox", "--port", "0")),
        SLOW(("pull", "usage", "--out", "-")),
    ],
)
def test_output_that_cannot_be_written_is_one_sentence(
    arguments: tuple[str, ...],
    redirections: str,
    tmp_path: Path,
    small_sandbox: dict[str, str],
) -> None:
    done = run_in_shell(
        redirections, *arguments, folder=tmp_path, environment=small_sandbox
    )
    assert (done.returncode, done.stderr) == (1, REASONS[redirections])


@needs_full_device
@pytest.mark.parametrize(
    ("redirections", "code"),
    [(FULL, 2), SLOW(CLOSED, 2), ("| (exec <&-)", 141)],
)
def test_a_wrong_option_is_named_though_its_json_is_lost(
    redirections: str, code: int, tmp_path: Path
) -> None:
    done = run_in_shell(
        redirections, "ping", "--bad", "--json", folder=tmp_path, environment={}
    )
    assert done.returncode == code
    error, hint, *lost = done.stderr.splitlines(keepends=True)
    assert (error, hint) == (
        b"error: No such option: --bad\n",
        b"hint: nectar ping --help\n",
    )
    assert b"".join(lost) == REASONS.get(redirections, b"")


@needs_full_device
@pytest.mark.parametrize(
    ("redirections", "stderr"),
    [
        (FULL, b"the report is lost: standard output: No space left on device\n"),
        SLOW(CLOSED, b""),
    ],
)
@pytest.mark.parametrize("options", [SLOW(()), ("--json",)])
def test_a_complete_file_is_a_success_without_its_report(
    options: tuple[str, ...],
    redirections: str,
    stderr: bytes,
    tmp_path: Path,
    small_sandbox: dict[str, str],
) -> None:
    done = run_in_shell(
        redirections,
        *("pull", "companies", "--out", "companies.jsonl", *options),
        folder=tmp_path,
        environment=small_sandbox,
    )
    assert (done.returncode, done.stderr) == (0, stderr)
    assert (tmp_path / "companies.jsonl").read_bytes().count(b"\n") == 2


@needs_full_device
@pytest.mark.parametrize(
    "redirections",
    ["2>/dev/full", *(SLOW(each) for each in ("2>&1 | (exec <&-)", "2>&- >&-"))],
)
def test_a_message_that_cannot_be_written_leaves_the_exit_code(
    redirections: str, tmp_path: Path
) -> None:
    done = run_in_shell(
        redirections, "ping", folder=tmp_path, environment={"NECTAR_API_KEY": ""}
    )
    assert (done.returncode, done.stderr) == (2, b"")


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    (tmp_path / "file").touch()
    done = run_in_shell(
        "",
        *("pull", "all", "--out", "file/folder"),
        folder=tmp_path,
        environment=small_sandbox,
    )
    assert (done.returncode, done.stderr) == (
        1,
        b"error: file/folder: Not a directory\n",
    )
