"""Stalls: how long does a pull of 2,000 pages block the event loop?

There is no latency, so that answers come as fast as they can. A task that does nothing
but yield measures each turn of the loop; callbacks of the garbage collector tell its
share. A turn in which the thread waited counts with its wall time. Any other turn
counts with its processor time, because other processes took the rest; its wall time is
printed as a peer. A core that is slower for a while looks the same as long work. So as
many equal pieces of work are measured too, and the longest minus the median is printed
("of the machine itself"). The pull is within `relaxed_gc()`, like those of the `nectar`
command; the figure without it is printed as well.

    python -m benchmarks.stalls [rounds]
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

from attrs import asdict, define

from benchmarks.support.child import child
from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure
from benchmarks.support.measured_pull import check, speeds
from benchmarks.support.pulls import PULLS
from benchmarks.support.scenario import Scenario
from benchmarks.support.server_process import Server, serving
from benchmarks.support.usage_pages import template
from nectar_async import relaxed_gc


@define
class Turns:
    """The longest turns of a loop, in seconds."""

    own: float = 0.0
    """Without the garbage collector."""
    whole: float = 0.0
    """With the garbage collector."""
    wall: float = 0.0
    """With the garbage collector, and the time that other processes took."""
    collector: float = 0.0
    """The longest pause of the garbage collector."""
    machine: float = 0.0
    """How much longer the longest of equal pieces of work takes than the median."""

    _since: float = 0.0
    _paused: float = 0.0

    async def watch(self) -> None:
        """Measure each turn until cancelled."""
        now = _clocks()
        while True:
            self._paused = 0.0
            await asyncio.sleep(0)
            then, now = now, _clocks()
            turn = _own(then, now)
            self.wall = max(self.wall, now[0] - then[0])
            self.whole = max(self.whole, turn)
            self.own = max(self.own, turn - self._paused)

    def count_collection(self, phase: str, _: dict[str, int]) -> None:
        """Add the time of a collection; a callback of the garbage collector."""
        now = time.thread_time()
        if phase == "start":
            self._since = now
        else:
            self._paused += now - self._since
            self.collector = max(self.collector, now - self._since)


def _unevenness(pieces: int) -> float:
    """Measure equal pieces of work; return the longest time minus the median."""
    body = template(0).body(0, 1, 1)
    took = []
    gc.disable()
    try:
        for _ in range(pieces):
            then = _clocks()
            json.loads(body)
            took.append(_own(then, _clocks()))
    finally:
        gc.enable()
    return max(took) - statistics.median(took)


def _clocks() -> tuple[float, float, int]:
    """Read the wall time, the CPU time, and how often this thread waited."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return time.perf_counter(), time.thread_time(), used.ru_nvcsw


def _own(then: tuple[float, float, int], now: tuple[float, float, int]) -> float:
    """Compute the seconds between two readings that this thread worked or waited."""
    wall, work, waits = (
        after - before for before, after in zip(then, now, strict=True)
    )
    return wall if waits else min(wall, work)


async def measure_stalls(
    url: str, name: str, sizes: list[int], *, is_relaxed: bool
) -> dict[str, float]:
    """Measure the loop during a pull in a child process, after a small pull."""
    server, turns = Server(url), Turns()
    async with PULLS[name](url) as pull:
        server.play(Scenario([20]))
        await pull()
        server.play(Scenario(sizes))
        gc.callbacks.append(turns.count_collection)
        watch = asyncio.create_task(turns.watch())
        try:
            with relaxed_gc() if is_relaxed else nullcontext():
                records = await pull()
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            gc.callbacks.remove(turns.count_collection)
    check(name, records, server.stats(), sum(sizes))
    turns.machine = _unevenness(sum(sizes))
    return asdict(turns, filter=lambda field, _: not field.name.startswith("_"))


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure each round and competitor in a fresh process."""
    sizes = [2] * 10 if effort.is_quick else [40] * 50
    for speed in speeds(is_quick=effort.is_quick):
        runs: dict[str, list[Any]] = {"usage": [], "relaxed": [], "by_hand": []}
        with serving() as server:
            for _ in range(effort.rounds):
                for name, each in runs.items():
                    with child(
                        "benchmarks.stalls:measure_stalls", speed=speed
                    ) as process:
                        is_relaxed = name == "relaxed"
                        pulls = "usage" if is_relaxed else name
                        stalls = process.ask(
                            url=server.url,
                            name=pulls,
                            sizes=sizes,
                            is_relaxed=is_relaxed,
                        )
                        each.append(stalls)
        words = "" if speed else ", without `speed`"
        question = f"longest stall of the loop, {sum(sizes):,} pages"
        for part, name, title, most in (
            ("own", "usage", "outside the collector", 5.0),
            ("whole", "relaxed", "with the collector, relaxed", 15.0),
        ):
            yield Figure(
                question=f"{question}, {title}{words}",
                values=_milliseconds(runs[name], part),
                unit="ms",
                at_most=most if speed else None,
                peers={
                    "by hand": _milliseconds(runs["by_hand"], part),
                    "ours, the collector as it comes": _milliseconds(
                        runs["usage"], "whole"
                    ),
                    "ours, with what others took": _milliseconds(runs[name], "wall"),
                    "the collector alone": _milliseconds(runs[name], "collector"),
                    "of the machine itself": _milliseconds(runs[name], "machine"),
                },
            )


def _milliseconds(runs: list[Any], part: str) -> list[float]:
    return [run[part] * 1e3 for run in runs]


if __name__ == "__main__":
    run(measure, rounds=3)
