"""A log and counters of the requests that the server received, for tests."""

from __future__ import annotations

import time
from collections import Counter, deque
from hashlib import blake2b
from typing import Any

from attrs import asdict, define, frozen

__all__ = ["Entry", "PendingEntry", "Witness", "fingerprint"]

_MAX_ENTRIES = 200_000


def fingerprint(key: str | None) -> str | None:
    """Compute eight hex digits that distinguish API keys without revealing them."""
    if key is None:
        return None
    return blake2b(key.encode(), digest_size=4).hexdigest()


@frozen(kw_only=True)
class Entry:
    """A finished request; times are seconds since the log was created or reset."""

    operation: str | None
    """None for a path or method that names no operation."""
    method: str
    path: str
    page: str | None
    company: str | None
    key: str | None
    """The fingerprint of its API key."""
    started: float
    finished: float
    """When the last byte was passed to the operating system."""
    status: int | None
    """None if nothing was sent."""


@define(kw_only=True, eq=False)
class PendingEntry:
    """A request that is being served."""

    started: float
    epoch: int
    """How often the witness had been reset when the request arrived."""
    method: str
    path: str
    page: str | None
    key: str | None
    operation: str | None = None
    company: str | None = None
    status: int | None = None


class Witness:
    """Counts requests by operation and by API key, and logs the last 200,000."""

    def __init__(self) -> None:
        self._epoch = 0
        self._in_flight = 0
        self.reset()

    @property
    def in_flight(self) -> int:
        """How many requests are being served now."""
        return self._in_flight

    def reset(self) -> None:
        """Clear counters and log, and restart its time; keep requests in flight."""
        self._epoch += 1
        self._zero = time.monotonic()
        self.requests: int = 0
        self.peak_in_flight: int = self._in_flight
        self.by_operation: Counter[str] = Counter()
        self.by_key: Counter[str] = Counter()
        self.log: deque[Entry] = deque(maxlen=_MAX_ENTRIES)

    def begin(
        self, *, method: str, path: str, page: str | None, key: str | None
    ) -> PendingEntry:
        """Count a request that arrived; `finish` must follow."""
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

    def finish(self, entry: PendingEntry) -> None:
        """Log a request that has ended, with or without a reply."""
        self._in_flight -= 1
        if entry.epoch != self._epoch:
            return  # the request arrived before the last reset
        self.requests += 1
        if entry.operation is not None:
            self.by_operation[entry.operation] += 1
        if entry.key is not None:
            self.by_key[entry.key] += 1
        self.log.append(
            Entry(
                operation=entry.operation,
                method=entry.method,
                path=entry.path,
                page=entry.page,
                company=entry.company,
                key=entry.key,
                started=entry.started - self._zero,
                finished=time.monotonic() - self._zero,
                status=entry.status,
            )
        )

    def as_json(self) -> dict[str, Any]:
        """Build a JSON object of the counters and the log."""
        return {
            "requests": self.requests,
            "inFlight": self.in_flight,
            "peakInFlight": self.peak_in_flight,
            "byOperation": dict(self.by_operation),
            "byKey": dict(self.by_key),
            "log": [asdict(entry) for entry in self.log],
        }
