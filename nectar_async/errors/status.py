"""Answers that are not 2xx."""

from __future__ import annotations

from nectar_async.errors.root import NectarError

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "MaintenanceError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RedirectedError",
    "ServerError",
    "ServerTimeoutError",
    "StatusError",
    "UnprocessableError",
]


class StatusError(NectarError):
    """The server answered with something else than 2xx."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        detail: str | None = None,
        body: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status."""
        self.detail = detail
        """The server's own words, when it gave any."""
        self.body = body
        """The head of the answer's text, at most 2,000 characters."""
        self.retry_after = retry_after
        """Seconds that the server asked to wait, when it did."""


class RedirectedError(StatusError):
    """3xx: redirects are never followed, the key would travel along."""


class BadRequestError(StatusError):
    """400: the request is invalid; `detail` says why."""


class AuthenticationError(StatusError):
    """401: the key is missing, wrong or withdrawn."""


class PermissionDeniedError(StatusError):
    """403: not allowed, or (the API says 403 for both) not there."""


class NotFoundError(StatusError):
    """404: not there, or not visible to this key."""


class ConflictError(StatusError):
    """409: in conflict with what is there."""


class UnprocessableError(StatusError):
    """422: understood, but not acceptable."""


class RateLimitedError(StatusError):
    """429: too many requests; `retry_after` is the wait that the server asked for."""


class ServerError(StatusError):
    """5xx: the server failed."""


class ServerTimeoutError(ServerError):
    """502 or 504: the server ran out of its 10 seconds. A write may have happened."""


class MaintenanceError(ServerError):
    """503: the API is being maintained."""
