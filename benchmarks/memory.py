"""Memory: does it grow with the number of records that are streamed?

100,000 and 1,000,000 records, each in a fresh process; the figure is the ratio of
the peaks of memory of the two processes. The growth during the pull is printed beside
it. The server renders each page on request, so the duration means nothing.

    python -m benchmarks.memory [rounds]
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.support.child import child
from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure, ratios
from benchmarks.support.measured_pull import check, speeds
from benchmarks.support.pulls import PULLS
from benchmarks.support.scenario import Scenario
from benchmarks.support.server_process import Server, serving
from benchmarks.support.usage_pages import PER_PAGE

FEW, MANY = 100_000, 1_000_000
COMPANIES = 50
_STATUS = Path("/proc/self/status")


def peak() -> float:
    """Measure the peak memory of this process, in MB.

    On Linux a child inherits `ru_maxrss` of its parent, so it is the second choice.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


async def stream_records(url: str, name: str, sizes: list[int]) -> dict[str, float]:
    """Measure a pull in a child process, after one page that loads all code."""
    server = Server(url)
    async with PULLS[name](url) as pull:
        server.play(Scenario([1]))
        await pull()
        server.play(Scenario(sizes, is_kept=False))
        before = peak()
        records = await pull()
    grown = peak() - before
    check(name, records, server.stats(), sum(sizes))
    return {"before": before, "grown": grown}


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure few and many records, in turn."""
    share = 100 if effort.is_quick else 1
    speed = speeds()[0]
    runs: dict[int, list[Any]] = {FEW // share: [], MANY // share: []}
    with serving() as server:
        for _ in range(effort.rounds):
            for records, each in runs.items():
                # Few pages go to one company, so that all sizes have the same shape.
                owners = min(COMPANIES, records // PER_PAGE)
                sizes = [records // PER_PAGE // owners] * owners
                with child("benchmarks.memory:stream_records", speed=speed) as process:
                    each.append(process.ask(url=server.url, name="usage", sizes=sizes))
    few, many = ([run["grown"] for run in each] for each in runs.values())
    less, more = runs
    before = runs[more][-1]["before"]
    whole = ratios(*([before + run for run in each] for each in (many, few)))
    yield Figure(
        question=f"peak memory, {less:,} to {more:,} records streamed: growth",
        values=whole,
        at_most=1.1,
        peers={
            f"on top with {less:,} records, MB": few,
            f"on top with {more:,} records, MB": many,
            "growth of what came on top": ratios(many, few),
        },
        note=f"{before:.0f} MB before the pull",
    )


if __name__ == "__main__":
    run(measure, rounds=2)
