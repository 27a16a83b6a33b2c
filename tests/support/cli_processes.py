"""Commands as processes, and what they leave behind."""

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
PATIENCE = 30.0


class Commands:
    """Starts `nectar` commands in a folder of their own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith("NECTAR_")}
        self.environment = {**kept, "PYTHONPATH": str(ROOT), **environment}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
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
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def end(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a process that was told to end."""
    out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def sandbox(
    *arguments: str,
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """A sandbox process, and the environment that leads to it."""
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
            said = json.loads(process.stdout.readline())
            yield (
                process,
                {"NECTAR_BASE_URL": said["url"], "NECTAR_API_KEY": said["api_key"]},
            )
        finally:
            process.kill()


def until(is_true: Callable[[], bool]) -> None:
    """Wait for another process to get somewhere."""
    deadline = time.monotonic() + PATIENCE
    moment = threading.Event()
    while not is_true():
        assert time.monotonic() < deadline, "it did not come"
        moment.wait(0.01)


def has_lines(path: Path) -> bool:
    return path.exists() and b"\n" in path.read_bytes()


def records(path: Path) -> list[dict[str, Any]]:
    """The records of a file; fails unless each line is one, the last included."""
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def children_of(pid: int) -> list[int]:
    """Ids of the living child processes, by /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@contextmanager
def ctrl_c_works() -> Iterator[None]:
    """Children get Ctrl-C even where the test run itself ignores it."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
