"""Measure one pull in a child process: wall time, CPU time, and the server's counts."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import asdict, frozen

from benchmarks.support.child import Child, child, has_speed
from benchmarks.support.pulls import PULLS
from benchmarks.support.scenario import PERMITS, Scenario
from benchmarks.support.server_process import Server, Stats, serving
from benchmarks.support.usage_pages import PER_PAGE

__all__ = ["Competitors", "Measured", "check", "competitors", "pull", "speeds"]

_WARM = Scenario((PERMITS * 2,))


@frozen(kw_only=True)
class Measured:
    """One pull. Times are seconds."""

    wall: float
    cpu: float
    bound: float
    allowed: float
    """The bound, computed from the durations that the server measured."""
    peak: int
    """Requests in flight at once, at most."""
    requests: int
    lateness: float
    """The average delay of the server's answers."""

    @property
    def efficiency(self) -> float:
        """Bound / wall."""
        return self.bound / self.wall


def check(name: str, records: int, stats: Stats, pages: int) -> None:
    """Refuse the figures of a pull that lost records or exceeded its permits.

    Raises:
        SystemExit: records are missing, or too many requests were in flight.
    """
    if records != pages * PER_PAGE or stats.peak > PERMITS:
        raise SystemExit(
            f"{name}: {records:,} records of {pages} pages, {stats.peak} at once"
        )


async def pull(url: str, name: str, scenario: dict[str, Any]) -> dict[str, Any]:
    """Measure one pull in a child process, after a small one without latency."""
    server, asked = Server(url), Scenario(**scenario)
    async with PULLS[name](url) as run:
        server.play(_WARM)
        await run()
        server.play(asked)
        gc.collect()
        start, cpu = time.perf_counter(), time.process_time()
        records = await run()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    stats = server.stats()
    check(name, records, stats, asked.pages)
    return asdict(
        Measured(
            wall=wall,
            cpu=cpu,
            bound=stats.bound,
            allowed=stats.allowed,
            peak=stats.peak,
            requests=len(stats.log),
            lateness=stats.lateness,
        )
    )


@frozen
class Competitors:
    """A server, and a process for each competitor with and without `speed`."""

    _server: Server
    _stack: ExitStack
    _children: dict[tuple[str, bool], Child]

    def pull(self, name: str, scenario: Scenario, *, speed: bool) -> Measured:
        """Measure one pull by a competitor of `PULLS`."""
        key = (name, speed)
        if key not in self._children:
            entered = child("benchmarks.support.measured_pull:pull", speed=speed)
            self._children[key] = self._stack.enter_context(entered)
        answer = self._children[key].ask(
            url=self._server.url, name=name, scenario=asdict(scenario)
        )
        return Measured(**answer)


def speeds(*, is_quick: bool = False) -> tuple[bool, ...]:
    """List whether to measure with the extra `speed`, without it, or both.

    A quick run measures only the first. Without the extra there is only `False`.
    """
    both = (True, False) if has_speed() else (False,)
    return both[:1] if is_quick else both


@contextmanager
def competitors() -> Iterator[Competitors]:
    """Start the server; each competitor starts at its first pull."""
    with serving() as server, ExitStack() as stack:
        yield Competitors(server, stack, {})
