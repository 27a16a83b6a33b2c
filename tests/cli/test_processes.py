"""Commands as processes: signals, pipes, children, a server that dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_processes import (
    Commands,
    children_of,
    end,
    has_lines,
    is_alive,
    records,
    sandbox,
    until,
)

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="signals, and children by /proc"
)

SLOW = ("--companies", "12", "--latency", "0.2")


@pytest.fixture(scope="module", autouse=True)
def unreachable(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A ping of a closed port; its attempts take seconds, so it starts early."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = "http://{}:{}".format(*listener.getsockname())
    folder = tmp_path_factory.mktemp("unreachable")
    environment = {"NECTAR_BASE_URL": url, "NECTAR_API_KEY": "any"}
    with Commands(folder, **environment).start("ping") as process:
        yield url, process
        process.kill()


def test_the_demo_for_machines(commands: Commands) -> None:
    done = commands.run("demo", "--companies", "3", "--latency", "0", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["companies"] == len(report["receipts"]) == 3
    assert report["requests"] == report["pages"] + 1
    assert 1 <= report["peak_in_flight"] <= 10
    assert report["wall"] > report["bound"] == 0
    assert report["verdict"] == "complete"
    assert report["failures"] == []
    assert len(records(commands.folder / report["out"])) == report["records"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_a_good_file_and_no_child(
    commands: Commands, number: signal.Signals
) -> None:
    out = commands.folder / "nectar-demo.jsonl"
    process = commands.start("demo", *SLOW)
    until(lambda: has_lines(out))
    (child,) = children_of(process.pid)
    process.send_signal(number)
    done = end(process)
    assert done.returncode == (143 if number == signal.SIGTERM else 130)
    assert done.stderr.startswith(f"interrupted: {len(records(out)):,} records of ")
    assert "of 12 companies" in done.stderr
    assert " complete" in done.stderr
    assert "Traceback" not in done.stderr
    assert not is_alive(child)


def test_the_child_of_a_killed_demo_ends(commands: Commands) -> None:
    process = commands.start("demo", *SLOW)
    until(lambda: has_lines(commands.folder / "nectar-demo.jsonl"))
    (child,) = children_of(process.pid)
    process.kill()
    end(process)
    until(lambda: not is_alive(child))


def test_an_interrupted_start_says_so(commands: Commands) -> None:
    process = commands.start("demo", *SLOW)
    until(lambda: bool(children_of(process.pid)))
    (child,) = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    done = end(process)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    until(lambda: not is_alive(child))


def test_an_interrupted_pull_is_told_to_machines(commands: Commands) -> None:
    out = commands.folder / "usage.jsonl"
    with sandbox(*SLOW) as (_, environment):
        commands.environment.update(environment)
        process = commands.start("pull", "usage", "--out", "usage.jsonl", "--json")
        until(lambda: has_lines(out))
        process.send_signal(signal.SIGTERM)
        done = end(process)
        assert commands.run("pull", "usage", "--out", "all.jsonl").returncode == 0
    assert done.returncode == 143
    report = json.loads(done.stdout)
    assert report["error"]["message"] == "interrupted by SIGTERM"
    assert report["records"] == len(records(out))
    assert report["verdict"] == "unfinished"
    came = Counter(record["companyId"] for record in records(out))
    every = records(commands.folder / "all.jsonl")
    whole = Counter(record["companyId"] for record in every)
    assert all(came[one] == whole[one] for one in report["companies_complete"])


def test_an_interrupted_pull_leaves_a_good_file(commands: Commands) -> None:
    out = commands.folder / "usage.jsonl"
    with sandbox(*SLOW) as (_, environment):
        commands.environment.update(environment)
        process = commands.start("pull", "usage", "--out", "usage.jsonl")
        until(lambda: has_lines(out))
        process.send_signal(signal.SIGINT)
        done = end(process)
    assert done.returncode == 130
    assert f"interrupted: {len(records(out)):,} records" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_that_dies_is_named_with_operation_company_and_page(
    tmp_path: Path,
) -> None:
    out = tmp_path / "usage.jsonl"
    with sandbox(*SLOW) as (server, environment):
        process = Commands(tmp_path, **environment).start(
            "pull", "usage", "--out", "usage.jsonl"
        )
        until(lambda: has_lines(out))
        server.kill()
        died = time.monotonic()
        done = end(process)
        took = time.monotonic() - died
    assert done.returncode == 4
    assert took < 15
    error, *notes, hint, so_far = done.stderr.splitlines()
    ids = {record["companyId"] for record in records(out)}
    assert error.startswith("error: usage_list_by_company, company ")
    assert ", page " in error
    assert "NECTAR_BASE_URL" in hint
    assert all(one.startswith("note: not tried again: ") for one in notes)
    companies = "1 company" if len(ids) == 1 else f"{len(ids)} companies"
    assert f"{len(records(out)):,} records of {companies} in usage.jsonl" in so_far


def test_an_unreachable_host_is_named(
    unreachable: tuple[str, subprocess.Popen[str]],
) -> None:
    url, process = unreachable
    done = end(process)
    assert done.returncode == 4
    error, hint = done.stderr.splitlines()
    assert f"cannot connect to {url}" in error
    assert "NECTAR_BASE_URL" in hint


def test_a_reader_that_has_enough_ends_a_pull_quietly(
    tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    commands = Commands(tmp_path, **small_sandbox)
    process = commands.start("pull", "usage", "--out", "-")
    assert process.stdout is not None
    record = json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 141
    assert said == ""
    assert record["companyId"]


def test_a_pull_into_a_pipe_reports_on_stderr(
    tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    done = Commands(tmp_path, **small_sandbox).run(
        "pull", "usage", "--out", "-", "--json"
    )
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert json.loads(done.stderr)["records"] == len(lines)
    refused = Commands(tmp_path, **{**small_sandbox, "NECTAR_API_KEY": "wrong"})
    done = refused.run("pull", "usage", "--out", "-", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(done.stderr)["error"]["status"] == 401


def test_a_sandbox_prints_its_environment_and_ends_by_ctrl_c(
    commands: Commands,
) -> None:
    process = commands.start("sandbox", "--port", "0", "--companies", "1")
    assert process.stdout is not None
    said = dict(
        process.stdout.readline().removeprefix("export ").strip().split("=")
        for _ in range(2)
    )
    answer = Commands(commands.folder, **said).run("ping")
    assert answer.stdout.startswith("pong")
    process.send_signal(signal.SIGINT)
    done = end(process)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_terminal_sees_the_pull(commands: Commands) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "nectar_async.cli", "demo"),
            *("--companies", "4", "--latency", "0.05"),
        ],
        cwd=commands.folder,
        env={**commands.environment, "TERM": "xterm", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        seen = b""
        try:
            while block := os.read(ours, 65_536):
                seen += block
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    text = seen.decode()
    assert "getting ready" in text
    assert "first record after" in text
    assert text.count("first record after") == 1
    assert "of 4 companies" in text
    assert "in flight" in text
