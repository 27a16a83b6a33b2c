"""What do `import nectar_async` and a first client cost, next to `import aiohttp`?

Each statement runs in fresh interpreters, in turn; the figures are medians in
milliseconds, net of a bare interpreter, and their ratio to `import aiohttp`.

    python benchmarks/imports.py [rounds]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

STATEMENTS = {
    "bare": "pass",
    "import aiohttp": "import aiohttp",
    "import nectar_async": "import nectar_async",
    "client on memory": (
        "from nectar_async import NectarClient, Settings, UsageData, MemoryTransport;"
        "NectarClient(transport=MemoryTransport({}), settings=Settings())"
    ),
}


def milliseconds(statement: str) -> float:
    """The wall time of a fresh interpreter that runs one statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)  # noqa: S603 - our own
    return (time.perf_counter() - start) * 1e3


def main(rounds: int = 15) -> None:
    """Measure and print."""
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for name, statement in STATEMENTS.items():  # compiled and cached beforehand
        milliseconds(statement)
        times[name].clear()
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            times[name].append(milliseconds(statement))
    bare = statistics.median(times["bare"])
    net = {name: statistics.median(each) - bare for name, each in times.items()}
    print(f"bare interpreter {bare:.0f} ms; {rounds} rounds, medians, net of it")
    for name, value in list(net.items())[1:]:
        print(
            f"{name:22} {value:6.1f} ms   {value / net['import aiohttp']:.2f} x aiohttp"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
