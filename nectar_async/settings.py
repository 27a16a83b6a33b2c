"""What a user can set: frozen values, checked when they are made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from attrs import Attribute, evolve, field, frozen

from nectar_async.contract.operation_ids import meant
from nectar_async.errors import ConfigurationError

__all__ = ["Operation", "RetryPolicy", "Settings"]

DEFAULT_BASE_URL = "https://external.nectarclimate.com"

# v2.0 lives under /v2; there is no /v2.0.
_SEGMENTS = {"v2.2": "v2.2", "v2.1": "v2.1", "v2.0": "v2"}
_VERSIONS = {segment: version for version, segment in _SEGMENTS.items()} | {
    "v2.0": "v2.0"
}
_VERSION_SEGMENT = re.compile(r"v\d+(\.\d+)*", re.IGNORECASE)

# Printable and ASCII, without the beginnings of a query and a fragment.
_PATH = r'/[!"$->@-~]*'
_LONGEST_LABEL = 63

# An operation that a user corrects is one of these verbs.
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _number(least: float) -> Any:
    """A validator: a number that is not below `least`."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(
                f"{attribute.name} must be a number, not {value!r}"
            )
        if not value >= least:
            raise ConfigurationError(
                f"{attribute.name} is at least {least}, not {value}"
            )

    return check


def _whole(least: int) -> Any:
    """A validator: a whole number that is not below `least`."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigurationError(
                f"{attribute.name} must be a whole number from {least}, not {value!r}"
            )

    return check


def _bound(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(
            f"{attribute.name} must be a number of seconds above 0 (None for no bound),"
            f" not {value!r}"
        )


def _a(kind: type) -> Any:
    """A validator: a value of that type."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kind):
            raise ConfigurationError(
                f"{attribute.name} is a {kind.__name__}, not {value!r}"
            )

    return check


def _table_of(kind: type) -> Any:
    """A validator: a mapping from text to values of that type."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        is_table = isinstance(value, Mapping) and all(
            isinstance(key, str) and isinstance(one, kind) for key, one in value.items()
        )
        if not is_table:
            raise ConfigurationError(
                f"{attribute.name} maps text to {kind.__name__}, not {value!r}"
            )

    return check


def _is_path(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_PATH, value) is not None


def _split(url: str) -> SplitResult:
    """The parts of a base URL; what cannot be one is refused, without any password."""
    try:
        parts = urlsplit(url)
        has_user = "@" in parts.netloc
    except ValueError:
        raise ConfigurationError("base_url is no URL") from None
    if has_user:
        raise ConfigurationError("base_url holds a user or a password; take it out")
    # `urlsplit` drops some control characters in silence, and an empty query.
    if not url.isascii() or not url.isprintable() or set(url) & {"?", "#", " "}:
        raise ConfigurationError(
            f"base_url is an origin with an optional path, not {url!r}"
        )
    try:
        _port = parts.port
    except ValueError:
        raise ConfigurationError(f"base_url has no port that can be: {url!r}") from None
    return parts


def _check_host(host: str) -> None:
    labels = host.rstrip(".").split(".")
    if any(not 1 <= len(label) <= _LONGEST_LABEL for label in labels):
        raise ConfigurationError(f"base_url has no host that can be: {host!r}")


def _trimmed(url: str) -> str:
    return str(url).strip().rstrip("/")


@frozen(kw_only=True)
class RetryPolicy:
    """When a failed request is sent again. Times are seconds.

    What may be repeated at all is not a matter of policy: a write is repeated only when
    it provably was not sent, when it was refused with 429, or when the API promises
    that a repeat does no harm.
    """

    attempts: int = field(default=4, validator=_whole(1))
    """How often a request is sent at most, the first time included; 1 never repeats."""
    wait_initial: float = field(default=0.5, validator=_number(0))
    """The wait before the second attempt; it doubles each time."""
    wait_max: float = field(default=30.0, validator=_number(0))
    """No wait of ours is longer, jitter aside (which adds up to half a wait)."""
    retry_after_max: float = field(default=120.0, validator=_number(0))
    """A server that asks for a longer wait gets none: the error is raised at once."""
    budget: int = field(default=50, validator=_whole(0))
    """Repeats that the client has in hand; each success earns a fifth of one back.

    While fewer than one request in six fails, they last for ever. In an outage they
    run out, and then requests fail at their first attempt instead of multiplying the
    traffic. Repeats after a 429 are not counted: those slow the client down anyway.
    """


@frozen
class Operation:
    """Another address, or other keys, for an operation that the API's pages leave open.

    ```python
    Settings(
        operations={
            "connections_confirm": Operation(
                "PATCH", "/connection/{connection_id}", keys={"confirm": "isConfirmed"}
            )
        }
    )
    ```
    """

    method: str | None = field(default=None)
    """The verb; None keeps the one that the package knows."""
    path: str | None = field(default=None)
    """The path below the version, with the same `{names}`; None keeps it."""
    keys: Mapping[str, str] = field(
        factory=dict, kw_only=True, validator=_table_of(str)
    )
    """Wire keys of query, body and envelope: the package's spelling to the true one."""

    @method.validator
    def _check_method(self, _: object, value: str | None) -> None:
        if value is not None and value not in _METHODS:
            raise ConfigurationError(
                f"method is one of {', '.join(_METHODS)}, not {value!r}"
            )

    @path.validator
    def _check_path(self, _: object, value: str | None) -> None:
        if value is not None and not _is_path(value):
            raise ConfigurationError(
                f"path starts with '/' and is nothing but a path, as"
                f" '/site/{{site_id}}', not {value!r}"
            )


@frozen(kw_only=True)
class Settings:
    """How a client talks to the API. Times are seconds, sizes are bytes."""

    base_url: str = field(default=DEFAULT_BASE_URL, converter=_trimmed)
    """An origin with an optional prefix, without the version."""
    api_version: str = field(default="v2.2")
    """`v2.2`, `v2.1` or `v2.0`."""
    max_concurrency: int = field(default=10, validator=_whole(1))
    """Requests in flight at once, over everything the client does. The API asks for at
    most 10 per key."""
    max_downloads: int = field(default=4, validator=_whole(1))
    """Chunks of files in flight at once, besides `max_concurrency`: files come from
    another host than the API."""
    attempt_timeout: float | None = field(default=30.0, validator=_bound)
    """One attempt, from its permit to the last byte; None for no bound. For an upload,
    the time without progress."""
    deadline: float | None = field(default=None, validator=_bound)
    """One request with its queueing, attempts and back-off. Bound a whole walk with
    `anyio.fail_after`."""
    retry: RetryPolicy = field(factory=RetryPolicy, validator=_a(RetryPolicy))
    """When a failed request is sent again."""
    max_body_bytes: int = field(default=64 * 1024 * 1024, validator=_whole(1))
    """The largest answer that is read, as it comes and unpacked."""
    strict: bool = field(default=False, validator=_a(bool))
    """Whether an answer that does not fit its model is an error. By default it is
    drift: what is new or odd is kept in `.extra`, and the record is given."""
    operations: Mapping[str, Operation] = field(
        factory=dict, validator=_table_of(Operation)
    )
    """Corrections by operation id, see `Operation`."""

    @operations.validator
    def _check_operations(self, _: object, value: Mapping[str, Operation]) -> None:
        for name in value:
            if (other := meant(name)) is not None:
                raise ConfigurationError(
                    f"there is no operation {name!r}; did you mean {other!r}?"
                )

    @base_url.validator
    def _check_base_url(self, _: object, value: str) -> None:
        parts = _split(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"base_url is an origin as {DEFAULT_BASE_URL!r}, not {parts.geturl()!r}"
            )
        _check_host(parts.hostname)
        origin, _, last = value.rpartition("/")
        if _VERSION_SEGMENT.fullmatch(last) and parts.path:
            version = _VERSIONS.get(last.lower(), "v2.2")
            raise ConfigurationError(
                f"base_url ends in a version: write base_url={origin!r} and"
                f" api_version={version!r}"
            )

    @api_version.validator
    def _check_api_version(self, _: object, value: str) -> None:
        if str(value) not in _SEGMENTS:
            raise ConfigurationError(
                f"api_version is one of {', '.join(_SEGMENTS)}, not {value!r}"
            )

    @property
    def api_url(self) -> str:
        """Where the operations live: the base URL with the segment of the version."""
        return f"{self.base_url}/{_SEGMENTS[self.api_version]}"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **changes: Any) -> Self:
        """Settings from `NECTAR_BASE_URL` and `NECTAR_API_VERSION`.

        A variable that is unset or empty leaves the default; `changes` win over both.

        Raises:
            ConfigurationError: a variable makes no sense; its name is in the message.
        """
        environ = os.environ if environ is None else environ
        defaults = cls()
        for variable, name in _VARIABLES.items():
            value = environ.get(variable, "").strip()
            if not value or name in changes:
                continue
            one: dict[str, Any] = {name: value}
            try:
                evolve(defaults, **one)
            except ConfigurationError as error:
                raise ConfigurationError(f"{variable}: {error.message}") from None
            changes[name] = value
        return cls(**changes)


_VARIABLES = {"NECTAR_BASE_URL": "base_url", "NECTAR_API_VERSION": "api_version"}
