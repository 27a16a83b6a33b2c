"""How fast a pull could have been at best."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

__all__ = ["ideal_makespan"]


def ideal_makespan(services: Iterable[float], permits: int) -> float:
    """Seconds until all is served when a free permit takes the next in line at once.

    List scheduling: exact when all services are equal, greedy otherwise.
    """
    free_at = [0.0] * permits
    for service in services:
        heapq.heapreplace(free_at, free_at[0] + service)
    return max(free_at)
