"""One pull in a child: its wall time, its processor time, and what the server saw."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import asdict, frozen

from benchmarks._child import Child, child, has_speed
from benchmarks._pages import PER_PAGE
from benchmarks._pulls import PULLS
from benchmarks._scenario import PERMITS, Scenario
from benchmarks._serving import Server, Stats, serving

__all__ = ["Crew", "Measured", "check", "crew", "pull", "speeds"]

_WARM = Scenario((PERMITS * 2,))


@frozen(kw_only=True)
class Measured:
    """One pull. Times are seconds."""

    wall: float
    cpu: float
    bound: float
    allowed: float
    """The bound if each request costs what the server took."""
    peak: int
    """Requests in flight at once, at most."""
    requests: int
    lateness: float
    """By how much the server answered late, on average."""

    @property
    def efficiency(self) -> float:
        """Bound / wall."""
        return self.bound / self.wall


def check(name: str, records: int, stats: Stats, pages: int) -> None:
    """Figures of a pull that lost records, or took more than its due, are none.

    Raises:
        SystemExit: it is one of those.
    """
    if records != pages * PER_PAGE or stats.peak > PERMITS:
        raise SystemExit(
            f"{name}: {records:,} records of {pages} pages, {stats.peak} at once"
        )


async def pull(url: str, name: str, scenario: dict[str, Any]) -> dict[str, Any]:
    """Pull once, in a child; a small pull without latency comes before the clock."""
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
class Crew:
    """A server, and a process for each competitor with and without `speed`."""

    _server: Server
    _stack: ExitStack
    _children: dict[tuple[str, bool], Child]

    def pull(self, name: str, scenario: Scenario, *, speed: bool) -> Measured:
        """One pull by a competitor of `PULLS`."""
        key = (name, speed)
        if key not in self._children:
            entered = child("benchmarks._measured:pull", speed=speed)
            self._children[key] = self._stack.enter_context(entered)
        answer = self._children[key].ask(
            url=self._server.url, name=name, scenario=asdict(scenario)
        )
        return Measured(**answer)


def speeds(*, is_quick: bool = False) -> tuple[bool, ...]:
    """With and without the extra `speed`, or only without, where it is missing.

    Where it has to be quick, only the first of them.
    """
    both = (True, False) if has_speed() else (False,)
    return both[:1] if is_quick else both


@contextmanager
def crew() -> Iterator[Crew]:
    """Start the server; competitors start when they are first asked."""
    with serving() as server, ExitStack() as stack:
        yield Crew(server, stack, {})
