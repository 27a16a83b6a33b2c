"""How near is a pull to the bound of the API's own rule, ten requests at once?

Every repetition is a `nectar demo --json`: the sandbox in a process of its own, and the
bound an ideal greedy schedule of all requests that it counted, ten at once, behind the
list of companies.

    python benchmarks/makespan.py [companies [latency [repetitions]]]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def demo(companies: int, latency: float, out: Path) -> dict[str, float]:
    """One demo, as its JSON."""
    command = [sys.executable, "-m", "nectar_async.cli", "demo", "--json"]
    command += ["--companies", str(companies), "--latency", str(latency)]
    done = subprocess.run(  # noqa: S603 - our own
        [*command, "--out", str(out)], check=True, capture_output=True, text=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main(companies: int = 50, latency: float = 0.05, repetitions: int = 5) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "usage.jsonl"
        runs = [demo(companies, latency, out) for _ in range(repetitions)]
    ratios = [run["bound"] / run["wall"] for run in runs]
    print(f"{companies} companies, latency {latency} s, {runs[0]['records']:,} records")
    for run, ratio in zip(runs, ratios, strict=True):
        print(
            f"wall {run['wall']:.3f} s, bound {run['bound']:.3f} s,"
            f" bound / wall {ratio:.3f}, peak in flight {run['peak_in_flight']}"
        )
    print(f"median {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    numbers = [float(text) if "." in text else int(text) for text in sys.argv[1:]]
    main(*numbers)  # type: ignore[arg-type]  # the command line has no types
