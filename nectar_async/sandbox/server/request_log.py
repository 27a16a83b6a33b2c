"""What the server saw, for tests and benchmarks that do not take a client's word."""

from __future__ import annotations

import time
from collections import Counter, deque
from hashlib import blake2b
from typing import Any

from attrs import asdict, define, frozen

__all__ = ["Entry", "PendingEntry", "Witness", "fingerprint"]

_LOG_BOUND = 200_000


def fingerprint(key: str | None) -> str | None:
    """Eight hex digits that tell keys apart without showing them."""
    if key is None:
        return None
    return blake2b(key.encode(), digest_size=4).hexdigest()


@frozen(kw_only=True)
class Entry:
    """One request; times are seconds since the witness began to look."""

    operation: str | None
    """None for a path or method that is no operation."""
    method: str
    path: str
    page: str | None
    company: str | None
    key: str | None
    """The key's fingerprint."""
    started: float
    finished: float
    """When the last byte was handed to the system."""
    status: int | None
    """None when nothing was answered."""


@define(kw_only=True, eq=False)
class PendingEntry:
    """A request while it is served; what is known of it grows."""

    started: float
    epoch: int
    """How often the witness had been reset when the request came."""
    method: str
    path: str
    page: str | None
    key: str | None
    operation: str | None = None
    company: str | None = None
    status: int | None = None


class Witness:
    """Counts of requests, by operation and by key, and a log of the last 200,000."""

    def __init__(self) -> None:
        self._epoch = 0
        self._in_flight = 0
        self.reset()

    @property
    def in_flight(self) -> int:
        """Requests that are being served now."""
        return self._in_flight

    def reset(self) -> None:
        """Forget everything but what is in flight, and start the clock again."""
        self._epoch += 1
        self._zero = time.monotonic()
        self.requests: int = 0
        self.peak_in_flight: int = self._in_flight
        self.by_operation: Counter[str] = Counter()
        self.by_key: Counter[str] = Counter()
        self.log: deque[Entry] = deque(maxlen=_LOG_BOUND)

    def begin(
        self, *, method: str, path: str, page: str | None, key: str | None
    ) -> PendingEntry:
        """A request has arrived; `finish` must follow."""
        self._in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        return PendingEntry(
            started=time.monotonic(),
            epoch=self._epoch,
            method=method,
            path=path,
            page=page,
            key=fingerprint(key),
        )

    def finish(self, visit: PendingEntry) -> None:
        """The request is over, answered or not."""
        self._in_flight -= 1
        if visit.epoch != self._epoch:
            return  # it came before the reset, and belongs to what was forgotten
        self.requests += 1
        if visit.operation is not None:
            self.by_operation[visit.operation] += 1
        if visit.key is not None:
            self.by_key[visit.key] += 1
        self.log.append(
            Entry(
                operation=visit.operation,
                method=visit.method,
                path=visit.path,
                page=visit.page,
                company=visit.company,
                key=visit.key,
                started=visit.started - self._zero,
                finished=time.monotonic() - self._zero,
                status=visit.status,
            )
        )

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "requests": self.requests,
            "inFlight": self.in_flight,
            "peakInFlight": self.peak_in_flight,
            "byOperation": dict(self.by_operation),
            "byKey": dict(self.by_key),
            "log": [asdict(entry) for entry in self.log],
        }
