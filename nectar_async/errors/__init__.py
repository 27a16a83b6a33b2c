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

from nectar_async.errors.answers import (
    DecodeError,
    DownloadError,
    PaginationError,
    WaitTimeoutError,
)
from nectar_async.errors.recordings import (
    RecordingError,
    StaleRecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.errors.root import (
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    NectarError,
    WrongLoopError,
)
from nectar_async.errors.status import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MaintenanceError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectedError,
    ServerError,
    ServerTimeoutError,
    StatusError,
    UnprocessableError,
)
from nectar_async.errors.transport import (
    AttemptTimeoutError,
    BodyCorruptError,
    BodyTooLargeError,
    ConnectionFailedError,
    DeadlineExceededError,
    TransportError,
)

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

# Pickles, logs and tracebacks name the place that users import from.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
