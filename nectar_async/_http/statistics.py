"""What a client counts."""

from __future__ import annotations

from attrs import asdict, define, frozen

from nectar_async._http.limiter import Limiter

__all__ = ["Counters", "Statistics"]


@define
class Counters:
    """What a client counts while it works."""

    requests: int = 0
    attempts: int = 0
    retries: int = 0
    rate_limited: int = 0
    bytes_received: int = 0
    queue_seconds: float = 0.0
    network_seconds: float = 0.0
    backoff_seconds: float = 0.0

    def snapshot(self, limiter: Limiter) -> Statistics:
        """A picture of it, and of the limiter."""
        return Statistics(
            **asdict(self),
            in_flight=limiter.in_flight,
            peak_in_flight=limiter.peak_in_flight,
            waiting=limiter.waiting,
            limit=limiter.allowed,
            max_limit=limiter.limit,
        )


@frozen(kw_only=True)
class Statistics:
    """What a client and its copies did so far. Seconds are sums over all requests."""

    requests: int
    """Calls, whatever came of them."""
    attempts: int
    """What went through the limiter; each is one request at the server."""
    retries: int
    """Attempts after a failure."""
    rate_limited: int
    """Answers with status 429."""
    bytes_received: int
    """Bodies, as they came over the wire, those of failures too."""
    queue_seconds: float
    """Waiting for a permit, and for the key."""
    network_seconds: float
    """Holding a permit."""
    backoff_seconds: float
    """Waiting between attempts."""
    in_flight: int
    """Permits held at this moment."""
    peak_in_flight: int
    """The most permits that were ever held at once."""
    waiting: int
    """Attempts in the queue at this moment."""
    limit: int
    """Permits that there are at this moment: fewer while the server has too much to
    do."""
    max_limit: int
    """The most permits that there are: `Settings.max_concurrency`."""
