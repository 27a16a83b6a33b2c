"""What a user can set: frozen values, checked when they are made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import Attribute, evolve, field, frozen

from nectar_async.errors import ConfigurationError

__all__ = ["Operation", "RetryPolicy", "Settings"]

DEFAULT_BASE_URL = "https://external.nectarclimate.com"

# v2.0 lives under /v2; there is no /v2.0.
_SEGMENTS = {"v2.2": "v2.2", "v2.1": "v2.1", "v2.0": "v2"}
_VERSIONS = {segment: version for version, segment in _SEGMENTS.items()}
_VERSION_SEGMENT = re.compile(r"v\d+(\.\d+)*", re.IGNORECASE)

# An operation that a user corrects is one of these verbs.
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _at_least(least: float, *, optional: bool = False) -> Any:
    """A validator: a number that is not below `least`; None where it is optional."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(f"{attribute.name} is a number, not {value!r}")
        if not value >= least:
            raise ConfigurationError(
                f"{attribute.name} is at least {least}, not {value}"
            )

    return check


def _above_zero(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(
            f"{attribute.name} is a number of seconds above 0 (None for no bound),"
            f" not {value!r}"
        )


def _whole(_: object, attribute: Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"{attribute.name} is a whole number from 1, not {value!r}"
        )


def _trimmed(url: str) -> str:
    return str(url).strip().rstrip("/")


@frozen(kw_only=True)
class RetryPolicy:
    """When a failed request is sent again. Times are seconds.

    What may be repeated at all is not a matter of policy: a write is repeated only when
    it provably was not sent, when it was refused with 429, or when the API promises
    that a repeat does no harm.
    """

    attempts: int = field(default=4, validator=_whole)
    """How often a request is sent at most, the first time included; 1 never repeats."""
    wait_initial: float = field(default=0.5, validator=_at_least(0))
    """The wait before the second attempt; it doubles each time."""
    wait_max: float = field(default=30.0, validator=_at_least(0))
    """No wait of ours is longer, jitter aside (which adds up to half a wait)."""
    retry_after_max: float = field(default=120.0, validator=_at_least(0))
    """A server that asks for a longer wait gets none: the error is raised at once."""
    budget: int = field(default=50, validator=_at_least(0))
    """Repeats that the client has in hand; each success earns a fifth of one back.

    Ordinary trouble never exhausts it. In an outage it does, and then requests fail
    at their first attempt instead of multiplying the traffic.
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
    keys: Mapping[str, str] = field(factory=dict, kw_only=True)
    """Wire keys of query, body and envelope: the package's spelling to the true one."""

    @method.validator
    def _check_method(self, _: object, value: str | None) -> None:
        if value is not None and value not in _METHODS:
            raise ConfigurationError(
                f"method is one of {', '.join(_METHODS)}, not {value!r}"
            )

    @path.validator
    def _check_path(self, _: object, value: str | None) -> None:
        if value is not None and not value.startswith("/"):
            raise ConfigurationError(
                f"path starts with '/', as '/site/{{site_id}}', not {value!r}"
            )


@frozen(kw_only=True)
class Settings:
    """How a client talks to the API. Times are seconds, sizes are bytes."""

    base_url: str = field(default=DEFAULT_BASE_URL, converter=_trimmed)
    """An origin with an optional prefix, without the version."""
    api_version: str = field(default="v2.2")
    """`v2.2`, `v2.1` or `v2.0`."""
    max_concurrency: int = field(default=10, validator=_whole)
    """Requests in flight at once, over everything the client does. The API asks for at
    most 10 per key."""
    attempt_timeout: float | None = field(default=30.0, validator=_above_zero)
    """One attempt, from its permit to the last byte; None for no bound."""
    deadline: float | None = field(default=None, validator=_above_zero)
    """One request with its queueing, attempts and back-off. Bound a whole walk with
    `anyio.fail_after`."""
    retry: RetryPolicy = field(factory=RetryPolicy)
    """When a failed request is sent again."""
    max_body_bytes: int = field(default=64 * 1024 * 1024, validator=_whole)
    """The largest answer that is read, as it comes and unpacked."""
    strict: bool = False
    """Whether an answer that does not fit its model is an error. By default it is
    drift: what is new or odd is kept in `.extra`, and the record is given."""
    operations: Mapping[str, Operation] = field(factory=dict)
    """Corrections by operation id, see `Operation`."""

    @base_url.validator
    def _check_base_url(self, _: object, value: str) -> None:
        try:
            parts = urlsplit(value)
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise ConfigurationError(f"base_url is no URL: {value!r}") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise ConfigurationError(
                f"base_url is an origin as {DEFAULT_BASE_URL!r}, not {value!r}"
            )
        if parts.username or parts.password:
            raise ConfigurationError("base_url holds a user or password; take it out")
        if parts.query or parts.fragment or not value.isascii() or " " in value:
            raise ConfigurationError(
                f"base_url is an origin with an optional path, not {value!r}"
            )
        origin, _, last = value.rpartition("/")
        if _VERSION_SEGMENT.fullmatch(last):
            version = _VERSIONS.get(last.lower(), "v2.2")
            raise ConfigurationError(
                f"base_url ends in a version: write base_url={origin!r} and"
                f" api_version={version!r}"
            )

    @api_version.validator
    def _check_api_version(self, _: object, value: str) -> None:
        if value not in _SEGMENTS:
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
