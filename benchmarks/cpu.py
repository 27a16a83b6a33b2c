"""CPU: how much processor time does a client need for a page, in total?

A pull of 200 pages without latency: request, answer, decompression, decoding, delivery.
The peer is code that people write by hand: `asyncio.gather` and a semaphore on aiohttp,
with plain dicts of orjson. With the extra `speed`, both use uvloop and isal.

    python -m benchmarks.cpu [rounds]
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure, ratios
from benchmarks.support.measured_pull import competitors, speeds
from benchmarks.support.scenario import Scenario

WORDS = {
    "usage": "nectar_async",
    "by_hand": "by hand",
    "floor": "bare scheduler to Structs",
}


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure in interleaved rounds; ratios are taken inside each."""
    pages = 20 if effort.is_quick else 200
    with competitors() as all_of_them:
        for speed in speeds(is_quick=effort.is_quick):
            cpu: dict[str, list[float]] = {name: [] for name in WORDS}
            for _ in range(effort.rounds):
                for name, each in cpu.items():
                    run = all_of_them.pull(name, Scenario([pages]), speed=speed)
                    each.append(run.cpu / pages * 1e6)
            words = "" if speed else ", without `speed`"
            yield Figure(
                question=f"CPU a page, against aiohttp + orjson by hand{words}",
                values=ratios(cpu["usage"], cpu["by_hand"]),
                at_most=2.0 if speed else None,
                peers={f"{word}, us a page": cpu[name] for name, word in WORDS.items()},
            )


if __name__ == "__main__":
    run(measure, rounds=10)
