"""The account of one request: when, how often, and where the time went."""

from __future__ import annotations

from attrs import define

__all__ = ["Timing"]


@define(kw_only=True)
class Timing:
    """What happened to one request on its way: the one mutable thing it carries."""

    request_id: str = ""
    started: float | None = None
    elapsed: float = 0.0
    attempts: int = 0
    queue_seconds: float = 0.0
    network_seconds: float = 0.0
    backoff_seconds: float = 0.0
