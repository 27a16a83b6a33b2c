"""Imports: what do `import nectar_async` and a client cost, next to `import aiohttp`?

Each statement runs in fresh interpreters, in turn. The time of a bare interpreter in
the same round is subtracted; from that of the client, the time of an interpreter that
runs an event loop.

    python -m benchmarks.imports [rounds]
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.support.child import ROOT
from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure, ratios

BARE, PEER = "bare interpreter", "import aiohttp"
LOOP = "interpreter with an event loop"
OURS = "import nectar_async"
CLIENT = "make and enter a client on MemoryTransport"
STATEMENTS = {
    BARE: "pass",
    PEER: "import aiohttp",
    OURS: "import nectar_async",
    LOOP: """
import asyncio
import anyio.lowlevel

asyncio.run(anyio.lowlevel.checkpoint())
""",
    CLIENT: """
import asyncio
from nectar_async import MemoryTransport, NectarClient

async def main():
    async with NectarClient(transport=MemoryTransport({})):
        pass

asyncio.run(main())
""",
}
NET_OF = {PEER: BARE, OURS: BARE, CLIENT: LOOP}
"""What runs without the measured work. A client is entered in a running loop."""


def milliseconds(statement: str) -> float:
    """Measure the wall time of a fresh interpreter that runs one statement."""
    start = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", statement], check=True, cwd=ROOT
    )
    return (time.perf_counter() - start) * 1e3


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure each statement in each round."""
    for statement in STATEMENTS.values():  # compiled and cached beforehand
        milliseconds(statement)
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(effort.rounds):
        for name, statement in STATEMENTS.items():
            times[name].append(milliseconds(statement))
    net = {name: _less(times[name], times[base]) for name, base in NET_OF.items()}
    for name, most in ((OURS, 0.15), (CLIENT, 0.8)):
        yield Figure(
            question=f"{name}, against {PEER}, net",
            values=ratios(net[name], net[PEER]),
            at_most=most,
            peers={
                f"{BARE}, ms": times[BARE],
                f"{LOOP}, ms": times[LOOP],
                f"{PEER}, ms net": net[PEER],
                "ours, ms net": net[name],
            },
        )


def _less(times: list[float], bare: list[float]) -> list[float]:
    return [seconds - other for seconds, other in zip(times, bare, strict=True)]


if __name__ == "__main__":
    run(measure, rounds=15)
