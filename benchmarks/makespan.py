"""Makespan: how close is a pull to the bound of ten requests at once?

50 ms a page, constant or log-normal (sigma 0.5, drawn anew for each round, the same for
all competitors), 200 pages of 100 records: of one company, of 50 with 4 each, of 50 of
which few have most, and the same with the largest last. The bound is an ideal greedy
schedule of all requests that the server counted. Figures are bound / wall, with the
extra `speed` (uvloop, isal) and without.

    python -m benchmarks.makespan [rounds] [--only "1 x 200"] [--only jitter]

`--only` takes parts of the names that are printed, such as "prefetch", "50 x 4",
"constant".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure, ratios
from benchmarks.support.measured_pull import Competitors, Measured, competitors, speeds
from benchmarks.support.scenario import Scenario, build_skewed

LATENCY = 0.05
SIGMAS: Mapping[str, float] = {"constant": 0.0, "jitter": 0.5}
ONE = "1 x 200"
SHAPES: Mapping[str, Sequence[int]] = {
    ONE: [200],
    "50 x 4": [4] * 50,
    "skewed 50": build_skewed(),
    "skewed 50, largest last": build_skewed()[::-1],
}
QUICK_ONE = "1 x 20"
QUICK_SHAPES: Mapping[str, Sequence[int]] = {QUICK_ONE: [20], "10 x 2": [2] * 10}
OURS = {
    "usage": "repository.usage()",
    "prefetch": "prefetch()",
    "plain": "plain `async for`",
}
PEERS = {"by_hand": "by hand", "floor": "bare scheduler"}


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure all parts, round by round; competitors take turns within a round."""
    with competitors() as all_of_them:
        for shape, sizes in (QUICK_SHAPES if effort.is_quick else SHAPES).items():
            for jitter, sigma in SIGMAS.items():
                scenario = Scenario(sizes, LATENCY, sigma)
                yield from _cells(all_of_them, effort, scenario, f"{shape}, {jitter}")
        if effort.has("speed-up"):
            yield _speed_up(all_of_them, effort)


def _cells(
    all_of_them: Competitors, effort: Effort, scenario: Scenario, title: str
) -> Iterator[Figure]:
    """Measure one shape with one kind of latency; returns its figures."""
    least = 0.92 if scenario.sigma else 0.95
    wanted = {"usage": least}
    if len(scenario.sizes) == 1:
        wanted["prefetch"] = least
        if not scenario.sigma:
            wanted["plain"] = 0.75
    titles = {name: f"{OURS[name]}, {title}" for name in wanted}
    chosen = [name for name in wanted if effort.has(titles[name])]
    if not chosen:
        return
    for speed in speeds(is_quick=effort.is_quick):
        runs: dict[str, list[Measured]] = {name: [] for name in (*chosen, *PEERS)}
        for number in range(effort.rounds):
            drawn = evolve(scenario, seed=scenario.seed + number)
            for name, each in runs.items():
                each.append(all_of_them.pull(name, drawn, speed=speed))
        peers = {
            word: [run.efficiency for run in runs[name]] for name, word in PEERS.items()
        }
        late = max(run.lateness for run in runs[chosen[0]]) * 1e3
        for name in chosen:
            ours = [run.efficiency for run in runs[name]]
            beside = {
                "ours to the bare scheduler": ratios(ours, peers[PEERS["floor"]]),
                "ours, if the server may be late": [
                    run.allowed / run.wall for run in runs[name]
                ],
            }
            yield Figure(
                question=f"{titles[name]}: bound / wall{_with(speed=speed)}",
                values=ours,
                at_least=wanted[name] if speed else None,
                peers={**peers, **beside},
                note=f"{runs[name][-1].peak} at once; server late by {late:.1f} ms",
            )


def _speed_up(all_of_them: Competitors, effort: Effort) -> Figure:
    """How many times faster a pull is than one page after the other."""
    shape = QUICK_ONE if effort.is_quick else ONE
    scenario = Scenario({**SHAPES, **QUICK_SHAPES}[shape], LATENCY)
    speed = speeds()[0]
    rounds = min(effort.rounds, 2)  # each takes ten seconds and more
    ours, theirs = (
        [all_of_them.pull(name, scenario, speed=speed).wall for _ in range(rounds)]
        for name in ("usage", "sequential")
    )
    return Figure(
        question=f"speed-up over the sequential peer, {shape}{_with(speed=speed)}",
        values=ratios(theirs, ours),
        at_least=9.3 if speed else None,
        peers={"sequential, seconds": theirs, "repository.usage(), seconds": ours},
    )


def _with(*, speed: bool) -> str:
    return "" if speed else ", without `speed`"


if __name__ == "__main__":
    run(measure, rounds=5)
