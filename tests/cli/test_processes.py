"""Commands as processes: signals, pipes, child processes, servers that die."""

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
    CommandRunner,
    find_children,
    has_lines,
    is_alive,
    read_records,
    run_sandbox,
    wait_for_end,
    wait_until,
)

pytestmark = pytest.mark.without_coverage

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="signals, and children by /proc"
)

SLOW = ("--companies", "12", "--latency", "0.2")


@pytest.fixture(scope="module", autouse=True)
def unreachable(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a ping of a closed port early, because its attempts take seconds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = "http://{}:{}".format(*listener.getsockname())
    folder = tmp_path_factory.mktemp("unreachable")
    environment = {"NECTAR_BASE_URL": url, "NECTAR_API_KEY": "any"}
    with CommandRunner(folder, **environment).start("ping") as process:
        yield url, process
        process.kill()


@pytest.mark.slow
def test_the_demo_reports_as_json(commands: CommandRunner) -> None:
    done = commands.run("demo", "--companies", "3", "--latency", "0", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["companies"] == len(report["receipts"]) == 3
    assert report["requests"] == report["pages"] + 1
    assert 1 <= report["peak_in_flight"] <= 10
    assert report["wall"] > report["bound"] == 0
    assert report["verdict"] == "complete"
    assert report["failures"] == []
    assert len(read_records(commands.folder / report["out"])) == report["records"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_whole_lines_and_no_child(
    commands: CommandRunner, number: signal.Signals
) -> None:
    out = commands.folder / "nectar-demo.jsonl.partial"
    process = commands.start("demo", *SLOW)
    wait_until(lambda: has_lines(out))
    (child,) = find_children(process.pid)
    process.send_signal(number)
    done = wait_for_end(process)
    assert done.returncode == (143 if number == signal.SIGTERM else 130)
    assert done.stderr.startswith(
        f"interrupted: {len(read_records(out)):,} records of "
    )
    assert "of 12 companies" in done.stderr
    assert " complete" in done.stderr
    assert "Traceback" not in done.stderr
    assert not is_alive(child)


@pytest.mark.slow
def test_the_sandbox_of_a_killed_demo_ends(commands: CommandRunner) -> None:
    process = commands.start("demo", *SLOW)
    wait_until(lambda: has_lines(commands.folder / "nectar-demo.jsonl.partial"))
    (child,) = find_children(process.pid)
    process.kill()
    wait_for_end(process)
    wait_until(lambda: not is_alive(child))


@pytest.mark.slow
def test_a_demo_can_be_interrupted_while_its_sandbox_starts(
    commands: CommandRunner,
) -> None:
    process = commands.start("demo", *SLOW)
    wait_until(lambda: bool(find_children(process.pid)))
    (child,) = find_children(process.pid)
    process.send_signal(signal.SIGINT)
    done = wait_for_end(process)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    wait_until(lambda: not is_alive(child))


@pytest.mark.slow
def test_an_interrupted_pull_is_reported_as_json(commands: CommandRunner) -> None:
    out = commands.folder / "usage.jsonl.partial"
    with run_sandbox(*SLOW) as (_, environment):
        commands.environment.update(environment)
        process = commands.start("pull", "usage", "--out", "usage.jsonl", "--json")
        wait_until(lambda: has_lines(out))
        process.send_signal(signal.SIGTERM)
        done = wait_for_end(process)
        assert commands.run("pull", "usage", "--out", "all.jsonl").returncode == 0
    assert done.returncode == 143
    report = json.loads(done.stdout)
    assert report["error"]["message"] == "interrupted by SIGTERM"
    assert report["records"] == len(read_records(out))
    assert report["verdict"] == "unfinished"
    written = Counter(record["companyId"] for record in read_records(out))
    every = read_records(commands.folder / "all.jsonl")
    expected = Counter(record["companyId"] for record in every)
    assert all(
        written[company] == expected[company]
        for company in report["companies_complete"]
    )


def test_an_interrupted_pull_leaves_whole_lines(commands: CommandRunner) -> None:
    out = commands.folder / "usage.jsonl.partial"
    with run_sandbox(*SLOW) as (_, environment):
        commands.environment.update(environment)
        process = commands.start("pull", "usage", "--out", "usage.jsonl")
        wait_until(lambda: has_lines(out))
        process.send_signal(signal.SIGINT)
        done = wait_for_end(process)
    assert done.returncode == 130
    assert f"interrupted: {len(read_records(out)):,} records" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_dead_server_is_reported_with_operation_company_and_page(
    tmp_path: Path,
) -> None:
    out = tmp_path / "usage.jsonl.partial"
    with run_sandbox(*SLOW) as (server, environment):
        process = CommandRunner(tmp_path, **environment).start(
            "pull", "usage", "--out", "usage.jsonl"
        )
        wait_until(lambda: has_lines(out))
        server.kill()
        died = time.monotonic()
        done = wait_for_end(process)
        took = time.monotonic() - died
    assert done.returncode == 4
    assert took < 15
    error, *notes, hint, so_far = done.stderr.splitlines()
    ids = {record["companyId"] for record in read_records(out)}
    assert error.startswith("error: usage_list_by_company, company ")
    assert ", page " in error
    assert "NECTAR_BASE_URL" in hint
    assert all(note.startswith("note: not sent again: ") for note in notes)
    companies = "1 company" if len(ids) == 1 else f"{len(ids)} companies"
    assert f"{len(read_records(out)):,} records of {companies} in usage.jsonl" in so_far


@pytest.mark.slow  # all attempts, with their waits
def test_an_unreachable_server_is_reported_with_its_address(
    unreachable: tuple[str, subprocess.Popen[str]],
) -> None:
    url, process = unreachable
    done = wait_for_end(process)
    assert done.returncode == 4
    error, hint = done.stderr.splitlines()
    assert f"cannot connect to {url}" in error
    assert "NECTAR_BASE_URL" in hint


@pytest.mark.slow
def test_a_closed_pipe_ends_a_pull_without_a_message(
    tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    commands = CommandRunner(tmp_path, **small_sandbox)
    process = commands.start("pull", "usage", "--out", "-")
    assert process.stdout is not None
    record = json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.stderr is not None
    printed = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 141
    assert printed == ""
    assert record["companyId"]


@pytest.mark.slow
def test_a_pull_to_stdout_is_reported_on_stderr(
    tmp_path: Path, small_sandbox: dict[str, str]
) -> None:
    done = CommandRunner(tmp_path, **small_sandbox).run(
        "pull", "usage", "--out", "-", "--json"
    )
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert json.loads(done.stderr)["records"] == len(lines)
    refused = CommandRunner(tmp_path, **{**small_sandbox, "NECTAR_API_KEY": "wrong"})
    done = refused.run("pull", "usage", "--out", "-", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(done.stderr)["error"]["status"] == 401


@pytest.mark.slow
def test_a_sandbox_prints_its_environment_and_ends_with_ctrl_c(
    commands: CommandRunner,
) -> None:
    process = commands.start("sandbox", "--port", "0", "--companies", "1")
    assert process.stdout is not None
    printed = dict(
        process.stdout.readline().removeprefix("export ").strip().split("=")
        for _ in range(2)
    )
    answer = CommandRunner(commands.folder, **printed).run("ping")
    assert answer.stdout.startswith("pong")
    process.send_signal(signal.SIGINT)
    done = wait_for_end(process)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_terminal_shows_the_progress_of_a_pull(commands: CommandRunner) -> None:
    controller, terminal = os.openpty()
    with subprocess.Popen(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "nectar_async.cli", "demo"),
            *("--companies", "4", "--latency", "0.05"),
        ],
        cwd=commands.folder,
        env={**commands.environment, "TERM": "xterm", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        output = b""
        try:
            while block := os.read(controller, 65_536):
                output += block
        except OSError:  # Linux raises it when the other end is closed
            pass
        os.close(controller)
    assert process.returncode == 0
    text = output.decode()
    assert "starting" in text
    assert "first record after" in text
    assert text.count("first record after") == 1
    assert "of 4 companies" in text
    assert "in flight" in text
