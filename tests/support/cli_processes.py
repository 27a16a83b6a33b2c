"""Run `nectar` commands and the sandbox as processes, and inspect what they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nectar_async

ROOT = Path(nectar_async.__file__).parent.parent
TIMEOUT = 30.0
POLL_INTERVAL = 0.01


class CommandRunner:
    """Runs `nectar` commands in a folder with an environment of their own.

    Args:
        folder: the working directory.
        environment: variables besides those of this process without NECTAR_*.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("NECTAR_")
        }
        self.environment = {**inherited, "PYTHONPATH": str(ROOT), **environment}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; a warning is an error in it."""
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-W", "error", "-m", "nectar_async.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=TIMEOUT)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def wait_for_end(
    process: subprocess.Popen[str],
) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a process and return its output."""
    out, err = process.communicate(timeout=TIMEOUT)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def run_sandbox(
    *arguments: str,
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Run a sandbox process; yield it and the environment that leads clients to it."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "nectar_async.sandbox"),
            *("--json", "--exit-with-parent", *arguments),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process:
        try:
            server = json.loads(process.stdout.readline())
            yield (
                process,
                {"NECTAR_BASE_URL": server["url"], "NECTAR_API_KEY": server["api_key"]},
            )
        finally:
            process.kill()


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait until a condition about another process is true."""
    deadline = time.monotonic() + TIMEOUT
    never_set = threading.Event()
    while not is_true():
        assert time.monotonic() < deadline, "the condition did not become true"
        never_set.wait(POLL_INTERVAL)


def has_lines(path: Path) -> bool:
    """Whether a file exists and has at least one whole line."""
    return path.exists() and b"\n" in path.read_bytes()


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read the records of a file; fails if a line, also the last, is incomplete."""
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def find_children(pid: int) -> list[int]:
    """Find the ids of the living child processes in /proc."""
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            children.append(int(stat.parent.name))
    return children


def is_alive(pid: int) -> bool:
    """Whether a process runs, by /proc."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@contextmanager
def default_sigint() -> Iterator[None]:
    """Restore the default handler of SIGINT, which children inherit.

    The test run itself may ignore Ctrl-C.
    """
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
