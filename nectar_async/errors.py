"""All exceptions of the package, as one tree.

NectarError
├── ConfigurationError        a wrong setting, environment or key; nothing was sent
├── InvalidArgumentError      an argument that the API would refuse; nothing was sent
├── ClientClosedError         the client was used after `aclose()`
├── WrongLoopError            the client was used in another loop, thread or process
├── TransportError            there is no usable answer
│   ├── ConnectionFailedError     there was no connection, or it broke
│   ├── AttemptTimeoutError       one attempt took longer than `attempt_timeout`
│   ├── BodyTooLargeError         the answer is larger than `max_body_bytes`
│   └── BodyCorruptError          the compressed answer is truncated or not valid
├── DeadlineExceededError     a request with its attempts took longer than `deadline`
├── StatusError               the status of the answer is not 2xx
│   ├── RedirectedError           3xx; not followed, because the key would be sent along
│   ├── BadRequestError           400
│   ├── AuthenticationError       401
│   ├── PermissionDeniedError     403; the API also answers it for missing objects
│   ├── NotFoundError             404
│   ├── ConflictError             409
│   ├── UnprocessableError        422
│   ├── RateLimitedError          429
│   └── ServerError               5xx
│       ├── ServerTimeoutError        502, 504: over the server's 10 seconds
│       └── MaintenanceError          503
├── DecodeError               the answer does not fit its model; names the field
├── PaginationError           the pages of a list do not advance
├── WaitTimeoutError          a wait for a job or a connection took too long
├── DownloadError             the file of a document cannot be downloaded
└── RecordingError            a recording cannot be read, replayed or written
    ├── UnmatchedRequestError     the recording has no answer for a request
    ├── UnusedRecordingError      exchanges of the recording were not requested
    └── StaleRecordingError       the recording is older than `max_age`

Errors can be pickled. They hold no header, no key and no open connection.
"""

from __future__ import annotations

from typing import Any, Self

import attrs

from nectar_async._text import make_printable
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
    """The base class of every error that this package raises.

    The client sets the attributes that say which request failed. They are None or 0 if
    the error is not about a request.
    """

    operation: str | None = None
    """The contract's operation id, as `usage_list_by_company`."""
    target: str | None = None
    """The object of the request, as `company 3b1e6f0a-…, page 3`."""
    page: int | None = None
    """The page that was requested, from 1."""
    cursor: str | None = None
    """The cursor to continue the list from: `pager.resume(error.cursor)`."""
    attempts: int = 0
    """How many times the request was sent."""
    elapsed: float = 0.0
    """Seconds from the call to the error, with queue, attempts and back-off."""
    request_id: str | None = None
    """Made by the client, and sent with every attempt as `X-Request-Id`."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.operation, self.target)))
        text = f"{where}: {self.message}" if where else self.message
        if self.attempts > 1:
            text += f" (after {self.attempts} attempts in {self.elapsed:.1f} s)"
        # Messages quote servers. The attributes keep the original text.
        return make_printable(text)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self),), dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        self.__dict__.update(state or {})
        self.args: tuple[Any, ...] = (self.message,)


def _rebuild(kind: type[NectarError]) -> NectarError:
    return kind.__new__(kind)


class ConfigurationError(NectarError, ValueError):
    """A setting, an environment variable or the key is missing or not valid."""


class InvalidArgumentError(NectarError, ValueError):
    """An argument that the API would refuse or misread; the message names it."""


class ClientClosedError(NectarError):
    """The client was used after it was closed."""


class WrongLoopError(NectarError):
    """The client was used in another loop, thread or process than its own."""


# No usable answer


class TransportError(NectarError):
    """There is no usable answer."""

    is_sent: bool = True
    """False if the request certainly did not reach the server."""
    is_permanent: bool = False
    """True if a repeat cannot help, as with a certificate that is not trusted."""

    def __init__(
        self, message: str = "", *, is_sent: bool = True, is_permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.is_sent = is_sent
        self.is_permanent = is_permanent


class ConnectionFailedError(TransportError):
    """There was no connection (`is_sent` is False), or it broke (True)."""


class AttemptTimeoutError(TransportError):
    """One attempt took longer than `attempt_timeout` seconds."""


class BodyTooLargeError(TransportError):
    """The answer is larger than `max_body_bytes`, compressed or decompressed."""


class BodyCorruptError(TransportError):
    """The compressed body is truncated, or is not valid gzip or deflate."""


class DeadlineExceededError(NectarError):
    """A request with all its attempts took longer than `deadline` seconds."""

    queue_seconds: float = 0.0
    """Time spent waiting for a permit and for the key."""
    network_seconds: float = 0.0
    """Time spent in attempts, the unfinished one included."""
    backoff_seconds: float = 0.0
    """Time spent waiting between attempts."""


# A status that is not 2xx


class StatusError(NectarError):
    """The status of the answer is not 2xx."""

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
        """The server's message, or None if there is none."""
        self.body = body
        """The beginning of the answer's text, at most 2,000 characters."""
        self.retry_after = retry_after
        """Seconds that the server asks to wait, or None."""


class RedirectedError(StatusError):
    """3xx: redirects are not followed, because the key would be sent along."""


class BadRequestError(StatusError):
    """400: the request is not valid; `detail` says why."""


class AuthenticationError(StatusError):
    """401: the key is missing, wrong or withdrawn."""


class PermissionDeniedError(StatusError):
    """403: access is denied, or the object does not exist."""


class NotFoundError(StatusError):
    """404: the object does not exist, or this key cannot see it."""


class ConflictError(StatusError):
    """409: the request conflicts with the present state."""


class UnprocessableError(StatusError):
    """422: the request is well formed, but not acceptable."""


class RateLimitedError(StatusError):
    """429: too many requests; `retry_after` is the wait that the server asks for."""


class ServerError(StatusError):
    """5xx: the server failed."""


class ServerTimeoutError(ServerError):
    """502, 504 or 524: the server ran out of its time. A write may have happened."""


class MaintenanceError(ServerError):
    """503: the API is under maintenance."""


# Answers and lists

# How many problems a message lists; `problems` has all of them.
_MAX_SHOWN = 5


class DecodeError(NectarError):
    """The answer does not fit its model; the message names the path of each problem.

    It holds none of the answer's values, because they may be secret.
    """

    def __init__(self, message: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
        """One line each, as `expected a decimal, got text @ $.usageData[3].usage`."""

    @classmethod
    def of(cls, expected: str, problems: tuple[str, ...]) -> Self:
        """Build an error that names the expected type and up to five problems."""
        shown, hidden = "; ".join(problems[:_MAX_SHOWN]), len(problems) - _MAX_SHOWN
        more = f"; and {hidden} more" if hidden > 0 else ""
        message = f"the answer is not a valid {expected}: {shown}{more}"
        return cls(message, problems=problems)

    @classmethod
    def of_items(cls, count: int, problems: tuple[str, ...]) -> Self:
        """Build an error that names the first items of a list that were left out."""
        items = f"{count:,} item{'s' * (count != 1)} of the list"
        shown = "; ".join(problems[:_MAX_SHOWN])
        message = f"{items} cannot be read, and all others were delivered: {shown}"
        return cls(message, problems=problems)


class PaginationError(NectarError):
    """The pages of a list do not advance; all records before that were delivered."""


# Waits and downloads


class WaitTimeoutError(NectarError, TimeoutError):
    """A wait for a job or a connection took too long; the caller may wait again."""

    def __init__(self, message: str = "", *, last: Any = None) -> None:
        super().__init__(message)
        self.last = last
        """The last value that was read, as a `Job`. A pickle has it without secrets."""

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, kind, state = super().__reduce__()
        return rebuild, kind, {**state, "last": _drop_secrets(self.last)}


def _drop_secrets(value: Any) -> Any:
    """Copy a model without its secrets and without its unknown keys."""
    if not attrs.has(type(value)):
        return value
    names = [field.name for field in attrs.fields(type(value))]
    secrets = [name for name in names if isinstance(getattr(value, name), Secret)]
    return attrs.evolve(value, **dict.fromkeys(secrets), extra={})


class DownloadError(NectarError):
    """The file of a document cannot be downloaded; the message says why.

    The link of the file opens the bill without a key, so the message has neither the
    link nor any text of the file host.
    """


# Recordings


class RecordingError(NectarError):
    """A recording cannot be read, replayed or written; the message says why."""


class UnmatchedRequestError(RecordingError):
    """The recording has no answer, or no further one, for a request.

    The message lists the nearest exchanges, and the fields in which they differ.
    """

    def __init__(self, message: str = "", *, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.nearest = nearest
        """The names of the nearest exchanges, the nearest first."""


class UnusedRecordingError(RecordingError):
    """Some exchanges of a recording were not requested."""

    def __init__(self, message: str = "", *, unused: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.unused = unused
        """The names of those exchanges."""


class StaleRecordingError(RecordingError):
    """A recording is older than `max_age`."""
