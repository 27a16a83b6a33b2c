"""Scenarios of the server: how many pages each company has and how long each takes.

`bound` computes the shortest time in which all counted requests can be answered.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import frozen

__all__ = ["COMPANY_LIST", "Entry", "Scenario", "bound", "build_skewed", "company_id"]

PERMITS = 10
COMPANY_LIST = -1
"""The owner of the list of companies in a log."""


@frozen
class Entry:
    """One request, as recorded by the server. Times are in seconds."""

    owner: int
    """The place of the company in the list, or `COMPANY_LIST`."""
    page: int
    latency: float
    """The seconds that the scenario sets for the answer."""
    start: float
    """Start, since the scenario was set."""
    took: float
    """Duration until the answer was handed to the socket."""


@frozen
class Scenario:
    """A portfolio and its latencies; the same for all competitors."""

    sizes: Sequence[int]
    """Pages of each company, in the order of the list."""
    latency: float = 0.0
    """Mean latency in seconds."""
    sigma: float = 0.0
    """Sigma of the log-normal latencies; 0 makes all of them equal."""
    seed: int = 7
    is_kept: bool = True
    """Whether pages are rendered beforehand and kept; for small scenarios."""

    @property
    def pages(self) -> int:
        """The number of pages of all companies."""
        return sum(self.sizes)

    def compute_latency(self, owner: int, page: int) -> float:
        """Compute the latency of a page: the same for every competitor, every time."""
        if not self.sigma or not self.latency:
            return self.latency
        generator = random.Random(f"{self.seed} {owner} {page}")
        return self.latency * math.exp(
            generator.gauss(-(self.sigma**2) / 2, self.sigma)
        )


def company_id(owner: int) -> str:
    """Build the id of the company at a position of the list."""
    return f"{owner:08x}-0000-4000-8000-00000000c0de"


def build_skewed(pages: int = 200, companies: int = 50) -> list[int]:
    """Build skewed numbers of pages, where few companies have most: 68, 19, ..., 1."""
    weights = [1 / (rank + 1) ** 1.1 for rank in range(companies)]
    spare = pages - companies
    sizes = [1 + int(spare * weight / sum(weights)) for weight in weights]
    sizes[0] += pages - sum(sizes)
    return sizes


def bound(log: Iterable[Entry], permits: int = PERMITS) -> float:
    """Compute the seconds of an ideal greedy schedule of all counted requests.

    Each request counts with the latency of the scenario, not with the time that the
    server took, because that would excuse a busy machine. The list of companies comes
    first, and the first page of each company before its other pages. A request starts
    as soon as it is known and one of the `permits` is free: first pages before others,
    those of the largest companies first, then the longest requests. No client can know
    that order beforehand.
    """
    now = 0.0
    behind: dict[int, list[float]] = defaultdict(list)
    for entry in sorted(log, key=lambda entry: entry.page):
        if entry.owner == COMPANY_LIST:
            now += entry.latency
        else:
            behind[entry.owner].append(entry.latency)
    # Rank, latency, and the owner whose other pages it opens.
    ready: list[tuple[int, float, float, int]] = [
        (0, -sum(latencies), latencies[0], owner) for owner, latencies in behind.items()
    ]
    heapq.heapify(ready)
    busy: list[tuple[float, int]] = []
    while ready or busy:
        while ready and len(busy) < permits:
            rank, _, latency, owner = heapq.heappop(ready)
            heapq.heappush(busy, (now + latency, owner if rank == 0 else COMPANY_LIST))
        now, opened = heapq.heappop(busy)
        if opened != COMPANY_LIST:
            for latency in behind[opened][1:]:
                heapq.heappush(ready, (1, -latency, latency, opened))
    return now
