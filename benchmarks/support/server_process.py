"""Start the server of the benchmarks, set its scenario, and read its counts."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from typing import Any

from attrs import asdict, evolve, frozen

from benchmarks.support.child import ROOT
from benchmarks.support.scenario import Entry, Scenario, bound

__all__ = ["Server", "Stats", "serving"]

_SECONDS = 60.0


@frozen
class Stats:
    """The counts of the server since its scenario was set."""

    peak: int
    """Requests in flight at once, at most."""
    cpu: float
    """Seconds of processor that the server took."""
    log: tuple[Entry, ...]

    @property
    def bound(self) -> float:
        """The shortest possible duration, in seconds; see `scenario.bound`."""
        return bound(self.log)

    @property
    def allowed(self) -> float:
        """The bound with the durations that the server measured, delays included."""
        return bound(evolve(entry, latency=entry.took) for entry in self.log)

    @property
    def lateness(self) -> float:
        """Seconds by which the server sent an answer late, on average."""
        return fmean(entry.took - entry.latency for entry in self.log)


@frozen
class Server:
    """A running server."""

    url: str
    """Its origin, for `Settings.base_url`."""

    def play(self, scenario: Scenario) -> None:
        """Set a scenario and reset the counts."""
        self._ask("PUT", "/scenario", json.dumps(asdict(scenario)).encode())

    def stats(self) -> Stats:
        """Read the counts."""
        answer_ = self._ask("GET", "/stats")
        log = tuple(Entry(*entry) for entry in answer_["log"])
        return Stats(answer_["peak"], answer_["cpu"], log)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.url + path, data=body, method=method
        )
        with urllib.request.urlopen(  # noqa: S310 - as above
            request, timeout=_SECONDS
        ) as answer:
            return json.load(answer)


@contextmanager
def serving() -> Iterator[Server]:
    """Start a server; end it when the block is left."""
    command = [sys.executable, "-m", "benchmarks.support.server"]
    with subprocess.Popen(  # noqa: S603 - our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            if process.stdout is None or not (port := process.stdout.readline()):
                raise SystemExit("the server of the benchmarks did not start")
            yield Server(f"http://127.0.0.1:{int(port)}")
        finally:
            process.kill()
