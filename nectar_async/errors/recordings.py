"""Recordings that cannot be replayed, and requests that they do not know."""

from __future__ import annotations

from nectar_async.errors.root import NectarError

__all__ = [
    "RecordingError",
    "StaleRecordingError",
    "UnmatchedRequestError",
    "UnusedRecordingError",
]


class RecordingError(NectarError):
    """A recording cannot be read, replayed or written; the message says why."""


class UnmatchedRequestError(RecordingError):
    """A request that the recording has no answer for, or no further one.

    The message lists what comes nearest, and in which fields it differs.
    """

    def __init__(self, message: str = "", *, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.nearest = nearest
        """The names of the exchanges that come nearest, the nearest first."""


class UnusedRecordingError(RecordingError):
    """Exchanges of a recording that nobody asked for."""

    def __init__(self, message: str = "", *, unused: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.unused = unused
        """Their names."""


class StaleRecordingError(RecordingError):
    """A recording that is older than `max_age`."""
