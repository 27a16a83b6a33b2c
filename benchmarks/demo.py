"""Demo: how close is `nectar demo` to the bound of ten requests at once?

Every round runs `nectar demo --json`, with the sandbox in a process of its own. The
bound is an ideal greedy schedule of all requests that the sandbox counted: first the
list of companies, then the others, ten at once.

    python -m benchmarks.demo [rounds]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.support.child import ROOT
from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure


def demo(companies: int, latency: float, out: Path) -> dict[str, Any]:
    """Run one demo; returns its JSON."""
    command = [sys.executable, "-m", "nectar_async.cli", "demo", "--json"]
    command += ["--companies", str(companies), "--latency", str(latency)]
    done = subprocess.run(  # noqa: S603 - our own
        [*command, "--out", str(out)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(effort: Effort) -> Iterator[Figure]:
    """Run one demo after the other."""
    companies, latency = (10, 0.02) if effort.is_quick else (50, 0.05)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "usage.jsonl"
        runs = [demo(companies, latency, out) for _ in range(effort.rounds)]
    last = runs[-1]
    yield Figure(
        question=f"`nectar demo`, {companies} companies, {latency * 1e3:g} ms:"
        " bound / wall",
        values=[run["bound"] / run["wall"] for run in runs],
        at_least=0.87,
        peers={"wall, seconds": [run["wall"] for run in runs]},
        note=f"bound {last['bound']:.3f} s; {last['records']:,} records;"
        f" {last['peak_in_flight']} at once",
    )


if __name__ == "__main__":
    run(measure, rounds=7)
