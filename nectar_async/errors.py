"""Everything that can go wrong, as one tree.

NectarError
├── ConfigurationError        settings, environment or key; nothing was sent
├── InvalidArgumentError      an argument that the API would refuse; nothing was sent
├── ClientClosedError         the client was used after `aclose()`
├── WrongLoopError            the client was used on another loop, thread or process
├── TransportError            no usable answer arrived
│   ├── ConnectionFailedError     no connection, or it broke
│   ├── AttemptTimeoutError       one attempt took longer than `attempt_timeout`
│   ├── BodyTooLargeError         more bytes than `max_body_bytes`, packed or unpacked
│   └── BodyCorruptError          the packed body broke off or cannot be unpacked
├── DeadlineExceededError     queue, attempts and back-off took longer than `deadline`
├── StatusError               an answer that is not 2xx
│   ├── RedirectedError           3xx; never followed, the key would travel along
│   ├── BadRequestError           400
│   ├── AuthenticationError       401
│   ├── PermissionDeniedError     403; the API also says it for "does not exist"
│   ├── NotFoundError             404
│   ├── ConflictError             409
│   ├── UnprocessableError        422
│   ├── RateLimitedError          429
│   └── ServerError               5xx
│       ├── ServerTimeoutError        502, 504: over the server's 10 seconds
│       └── MaintenanceError          503
├── DecodeError               an answer that does not fit its model; names the field
├── PaginationError           a list whose pages do not advance
├── WaitTimeoutError          what was waited for did not come in time; nothing failed
├── DownloadError             the file of a document cannot be had as it should be
└── RecordingError            a recording cannot be read, replayed or written
    ├── UnmatchedRequestError     a request that it has no answer for; says what is near
    ├── UnusedRecordingError      exchanges that nobody asked for
    └── StaleRecordingError       it is older than `max_age`

Errors pickle, and hold no header, no key and no live object.
"""

from __future__ import annotations

from typing import Any, Self

import attrs

from nectar_async._types import Secret

__all__ = [
    "AttemptTimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "BodyCorruptError",
    "BodyTooLargeError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "DeadlineExceededError",
    "DecodeError",
    "DownloadError",
    "InvalidArgumentError",
    "MaintenanceError",
    "NectarError",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RecordingError",
    "RedirectedError",
    "ServerError",
    "ServerTimeoutError",
    "StaleRecordingError",
    "StatusError",
    "TransportError",
    "UnmatchedRequestError",
    "UnprocessableError",
    "UnusedRecordingError",
    "WaitTimeoutError",
    "WrongLoopError",
]


class NectarError(Exception):
    """The root of every error that this package raises.

    Which request it was is filled in where it leaves the client; all of it is None or 0
    for an error that met no request.
    """

    operation: str | None = None
    """The contract's operation id, as `usage_list_by_company`."""
    target: str | None = None
    """What was asked for, as `company 3b1e6f0a-…, page 3`."""
    page: int | None = None
    """The page of the list that was asked for, from 1."""
    cursor: str | None = None
    """Where the list can be taken up again: `pager.resume(error.cursor)`."""
    attempts: int = 0
    """How often the request was tried, this last time included."""
    elapsed: float = 0.0
    """Seconds from the call to the error: queue, attempts and back-off."""
    request_id: str | None = None
    """Made by the client, and sent with every attempt as `X-Request-Id`."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.operation, self.target)))
        tries = f" ({self._effort()})" if self.attempts > 1 else ""
        return f"{where}: {self.message}{tries}" if where else f"{self.message}{tries}"

    def _effort(self) -> str:
        return f"after {self.attempts} attempts in {self.elapsed:.1f} s"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self),), dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        self.__dict__.update(state or {})
        self.args: tuple[Any, ...] = (self.message,)


def _rebuild(kind: type[NectarError]) -> NectarError:
    return kind.__new__(kind)


class ConfigurationError(NectarError, ValueError):
    """A setting, the environment or the key is missing or makes no sense."""


class InvalidArgumentError(NectarError, ValueError):
    """An argument that the API would refuse or misread; the message names it."""


class ClientClosedError(NectarError):
    """The client was used after it was closed."""


class WrongLoopError(NectarError):
    """The client was used on another loop, thread or process than its own."""


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


# Problems that a message lists; all of them are in `problems`.
_SHOWN = 5


class DecodeError(NectarError):
    """The answer does not fit its model; each problem is named by its path.

    It holds no part of the answer's values: those may be anybody's secrets.
    """

    def __init__(self, message: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
        """One line each, as `expected a decimal, got text @ $.usageData[3].usage`."""

    @classmethod
    def of(cls, what: str, problems: tuple[str, ...]) -> Self:
        """An error that says what was expected and lists up to five problems."""
        shown, rest = "; ".join(problems[:_SHOWN]), len(problems) - _SHOWN
        more = f"; and {rest} more" if rest > 0 else ""
        return cls(f"the answer is no {what}: {shown}{more}", problems=problems)


class PaginationError(NectarError):
    """The pages of a list do not advance; what was read before was given already."""


class WaitTimeoutError(NectarError, TimeoutError):
    """What was waited for did not come in time; it goes on: wait for it again."""

    def __init__(self, message: str = "", *, last: Any = None) -> None:
        super().__init__(message)
        self.last = last
        """The value that was seen last, as a `Job`. A pickle has it without secrets."""

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, kind, state = super().__reduce__()
        return rebuild, kind, {**state, "last": _bare(self.last)}


def _bare(value: Any) -> Any:
    """A model without its secrets, and without what nobody knows of."""
    if not attrs.has(type(value)):
        return value
    parts = {one.name: getattr(value, one.name) for one in attrs.fields(type(value))}
    secrets = [name for name, part in parts.items() if isinstance(part, Secret)]
    return attrs.evolve(value, **dict.fromkeys(secrets), extra={})


class DownloadError(NectarError):
    """The file of a document cannot be had as it should be; the message says why.

    Its link opens the bill without a key, so the link is never in it, nor is anything
    that the file host said.
    """


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
