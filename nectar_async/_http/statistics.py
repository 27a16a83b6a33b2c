"""Counters of a client, and the snapshot of them that users get."""

from __future__ import annotations

from attrs import define, frozen

__all__ = ["Counters", "Statistics"]


@define
class Counters:
    """The running totals of a client. Seconds are sums over all requests."""

    requests: int = 0
    attempts: int = 0
    retries: int = 0
    rate_limited: int = 0
    bytes_received: int = 0
    queue_seconds: float = 0.0
    network_seconds: float = 0.0
    backoff_seconds: float = 0.0


@frozen(kw_only=True)
class Statistics:
    """A snapshot of a client and its copies. Seconds are sums over all requests."""

    requests: int
    """Calls, successful or not."""
    attempts: int
    """Requests that were sent, repeats included."""
    retries: int
    """Attempts after a failure."""
    rate_limited: int
    """Answers with status 429."""
    bytes_received: int
    """The size of all bodies as received, failures included."""
    queue_seconds: float
    """Time spent waiting for a permit and for the key."""
    network_seconds: float
    """Time spent holding a permit."""
    backoff_seconds: float
    """Time spent waiting between attempts."""
    in_flight: int
    """Permits that are held now."""
    peak_in_flight: int
    """The most permits that were ever held at once."""
    waiting: int
    """Attempts that wait for a permit now."""
    limit: int
    """Permits that exist now: fewer while the server is overloaded."""
    max_limit: int
    """The most permits that can exist: `Settings.max_concurrency`."""
