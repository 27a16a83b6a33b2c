"""No usable answer, or none in time."""

from __future__ import annotations

from nectar_async.errors.root import NectarError

__all__ = [
    "AttemptTimeoutError",
    "BodyCorruptError",
    "BodyTooLargeError",
    "ConnectionFailedError",
    "DeadlineExceededError",
    "TransportError",
]


class TransportError(NectarError):
    """No usable answer arrived."""

    is_sent: bool = True
    """False when the request provably did not reach the server."""
    is_permanent: bool = False
    """True when asking again cannot help, as with a certificate that is not trusted."""

    def __init__(
        self, message: str = "", *, is_sent: bool = True, is_permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.is_sent = is_sent
        self.is_permanent = is_permanent


class ConnectionFailedError(TransportError):
    """No connection came about (`is_sent` is False), or it broke (True)."""


class AttemptTimeoutError(TransportError):
    """One attempt took longer than `attempt_timeout` seconds."""


class BodyTooLargeError(TransportError):
    """The answer is larger than `max_body_bytes`, as it came or unpacked."""


class BodyCorruptError(TransportError):
    """The packed body broke off, or its bytes are no valid gzip or deflate."""


class DeadlineExceededError(NectarError):
    """`deadline` seconds passed before the request was done; says where they went."""

    queue_seconds: float = 0.0
    """Waiting for a permit of the gate (and for the key)."""
    network_seconds: float = 0.0
    """Inside attempts, the unfinished one included."""
    backoff_seconds: float = 0.0
    """Between attempts."""
