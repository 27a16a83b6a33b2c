"""The settings of a client: frozen values that are checked when they are built."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from inspect import getfile
from pathlib import Path
from typing import Any, ClassVar, Final, Self, TypedDict, Unpack
from urllib.parse import SplitResult, urlsplit

from attrs import Attribute, evolve, field, frozen

from nectar_async._hints import HintedKeywords
from nectar_async._repr import format_record
from nectar_async.contract.operation_ids import find_close_operation
from nectar_async.errors import ConfigurationError

__all__ = [
    "GUESSES",
    "CopyChanges",
    "Operation",
    "RetryPolicy",
    "Settings",
    "SettingsChanges",
    "change_settings",
]

DEFAULT_BASE_URL = "https://external.nectarclimate.com"

# v2.0 lives under /v2; there is no /v2.0.
_SEGMENTS = {"v2.2": "v2.2", "v2.1": "v2.1", "v2.0": "v2"}
_VERSIONS = {segment: version for version, segment in _SEGMENTS.items()} | {
    "v2.0": "v2.0"
}
_VERSION_SEGMENT = re.compile(r"v\d+(\.\d+)*", re.IGNORECASE)

_VARIABLES: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "NECTAR_BASE_URL": ("base_url", str),
    "NECTAR_API_VERSION": ("api_version", str),
    "NECTAR_MAX_CONCURRENCY": ("max_concurrency", int),
}
"""The setting of each variable, and the function that parses its text."""

_ADVISED_CONCURRENCY: Final = 10

# Printable ASCII characters without `?` and `#`, which begin a query and a fragment.
_PATH = r'/[!"$->@-~]*'
_MAX_LABEL = 63

# Files whose frames are not the user's. The methods that attrs generates have none.
_INNER_FILES: Final = (
    f"{Path(__file__).parent}{os.sep}",
    f"{Path(getfile(field)).parent}{os.sep}",
    "<attrs generated",
)

# The verbs that `Operation.method` may have.
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _validate_number(least: float) -> Any:
    """Build a validator of numbers from `least`."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(
                f"{attribute.name} must be a number, not {value!r}"
            )
        if not value >= least:
            raise ConfigurationError(
                f"{attribute.name} must be at least {least}, not {value}"
            )

    return check


def _validate_integer(least: int) -> Any:
    """Build a validator of whole numbers from `least`."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigurationError(
                f"{attribute.name} must be a whole number from {least}, not {value!r}"
            )

    return check


def _validate_concurrency(
    instance: object, attribute: Attribute[Any], value: int
) -> None:
    _validate_integer(1)(instance, attribute, value)
    if value > _ADVISED_CONCURRENCY:
        _warn_about_concurrency()


@cache
def _warn_about_concurrency() -> None:
    """Warn once per process that more requests at once are allowed than advised."""
    warnings.warn(
        f"max_concurrency is above {_ADVISED_CONCURRENCY}: the API advises at most"
        f" {_ADVISED_CONCURRENCY} requests at once per key",
        UserWarning,
        stacklevel=_count_inner_frames() + 1,
    )


def _count_inner_frames() -> int:
    """Count the frames of this package and of attrs, from the caller's up."""
    frame, count = sys._getframe(1), 0  # noqa: SLF001 - the only way in Python 3.11
    while frame.f_back is not None:
        if not frame.f_code.co_filename.startswith(_INNER_FILES):
            break
        frame, count = frame.f_back, count + 1
    return count


def _validate_timeout(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(
            f"{attribute.name} must be a number of seconds above 0 (None for no limit),"
            f" not {value!r}"
        )


def _validate_type(kind: type) -> Any:
    """Build a validator of values of a type."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kind):
            raise ConfigurationError(
                f"{attribute.name} must be a {kind.__name__}, not {value!r}"
            )

    return check


def _validate_mapping(kind: type) -> Any:
    """Build a validator of mappings from text to values of a type."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        is_mapping = isinstance(value, Mapping) and all(
            isinstance(key, str) and isinstance(item, kind)
            for key, item in value.items()
        )
        if not is_mapping:
            raise ConfigurationError(
                f"{attribute.name} must map text to {kind.__name__}, not {value!r}"
            )

    return check


def _is_path(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_PATH, value) is not None


def _split_base_url(url: str) -> SplitResult:
    """Split and check a base URL; no message shows a password."""
    try:
        parts = urlsplit(url)
        has_user = "@" in parts.netloc
    except ValueError:
        raise ConfigurationError("base_url is not a URL") from None
    if has_user:
        raise ConfigurationError("base_url has a user or a password; remove it")
    # `urlsplit` silently drops some control characters and an empty query.
    if not url.isascii() or not url.isprintable() or set(url) & {"?", "#", " "}:
        raise ConfigurationError(
            f"base_url must be an origin with an optional path, not {url!r}"
        )
    try:
        _port = parts.port
    except ValueError:
        raise ConfigurationError(
            f"base_url has a port that is not valid: {url!r}"
        ) from None
    return parts


def _check_host(host: str) -> None:
    labels = host.rstrip(".").split(".")
    if any(not 1 <= len(label) <= _MAX_LABEL for label in labels):
        raise ConfigurationError(f"base_url has a host that is not valid: {host!r}")


def _trim_url(url: str) -> str:
    return str(url).strip().rstrip("/")


@frozen(kw_only=True)
class RetryPolicy:
    """How often and when a failed request is sent again. Times are seconds.

    The policy does not decide which requests may be repeated: a write is repeated only
    if it certainly was not sent, if it was refused with 429, or if the API promises
    that a repeat does no harm.
    """

    attempts: int = field(default=4, validator=_validate_integer(1))
    """The most times that a request is sent; 1 never repeats."""
    wait_initial: float = field(default=0.5, validator=_validate_number(0))
    """The wait before the second attempt; each further wait is twice as long."""
    wait_max: float = field(default=30.0, validator=_validate_number(0))
    """The longest wait of the client, without jitter, which adds up to a half."""
    retry_after_max: float = field(default=120.0, validator=_validate_number(0))
    """The longest wait that a server may ask for. If it asks for a longer wait, the
    error is raised at once."""
    budget: int = field(default=50, validator=_validate_integer(0))
    """How many repeats a client may make; each success adds a fifth of one.

    While fewer than one request in six fails, the budget lasts for ever. In an outage
    it is used up, and then requests fail at their first attempt, so that the traffic
    does not multiply. Repeats after a 429 are not counted, because a 429 slows down the
    client already.
    """


@frozen
class Operation:
    """A correction of the address or the keys of an operation.

    Use it where the API's documentation leaves them open.

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
    """The verb; None keeps the package's."""
    path: str | None = field(default=None)
    """The path below the version, with the same `{names}`; None keeps the package's."""
    keys: Mapping[str, str] = field(
        factory=dict, kw_only=True, validator=_validate_mapping(str)
    )
    """Wire keys of query, body and envelope: from the package's spelling to the true
    one."""

    @method.validator
    def _check_method(self, _: object, value: str | None) -> None:
        if value is not None and value not in _METHODS:
            raise ConfigurationError(
                f"method must be one of {', '.join(_METHODS)}, not {value!r}"
            )

    @path.validator
    def _check_path(self, _: object, value: str | None) -> None:
        if value is not None and not _is_path(value):
            raise ConfigurationError(
                "path must start with '/' and have neither query nor fragment, as"
                f" '/site/{{site_id}}', not {value!r}"
            )


class CopyChanges(TypedDict, total=False):
    """The keywords of `NectarClient.with_settings`: a copy's own settings."""

    attempt_timeout: float | None
    deadline: float | None
    retry: RetryPolicy
    max_body_bytes: int
    strict: bool
    operations: Mapping[str, Operation]


class SettingsChanges(CopyChanges, total=False):
    """All fields of `Settings` as keywords."""

    base_url: str
    api_version: str
    max_concurrency: int
    max_downloads: int


GUESSES: Final[Mapping[str, str]] = {
    **{name: f"{name}=..." for name in sorted(SettingsChanges.__optional_keys__)},
    "concurrency": "max_concurrency=...",
    "max_retries": "retry=RetryPolicy(attempts=...)",
    "retries": "retry=RetryPolicy(attempts=...)",
    "timeout": "attempt_timeout=...",
    "url": "base_url=...",
    "version": "api_version=...",
}
"""The right keyword of `Settings` for names that people try."""


@frozen(kw_only=True)
class Settings(HintedKeywords):
    """The settings of a client. Times are seconds, sizes are bytes."""

    _HINTS: ClassVar[Mapping[str, str]] = {
        name: f"write Settings({code})" for name, code in GUESSES.items()
    } | {"api_key": "write NectarClient(api_key, settings=Settings(...))"}

    base_url: str = field(default=DEFAULT_BASE_URL, converter=_trim_url)
    """An origin with an optional prefix, without the version."""
    api_version: str = field(default="v2.2")
    """`v2.2`, `v2.1` or `v2.0`."""
    max_concurrency: int = field(
        default=_ADVISED_CONCURRENCY, validator=_validate_concurrency
    )
    """The most requests in flight at once, over everything that the client does. The
    API advises at most 10 per key; a larger number warns once."""
    max_downloads: int = field(default=4, validator=_validate_integer(1))
    """The most chunks of files in flight at once. They are not part of
    `max_concurrency`, because files come from another host."""
    attempt_timeout: float | None = field(default=30.0, validator=_validate_timeout)
    """The limit of one attempt, from its permit to the last byte; None for no limit.
    For an upload, the limit of the time without progress."""
    deadline: float | None = field(default=None, validator=_validate_timeout)
    """The limit of one request with its queueing, attempts and back-off; None for no
    limit. Limit the time of a whole list with `anyio.fail_after`."""
    retry: RetryPolicy = field(
        factory=RetryPolicy, validator=_validate_type(RetryPolicy)
    )
    """When a failed request is sent again."""
    max_body_bytes: int = field(
        default=64 * 1024 * 1024, validator=_validate_integer(1)
    )
    """The largest answer that is read, compressed and decompressed."""
    strict: bool = field(default=False, validator=_validate_type(bool))
    """Whether an answer that does not fit its model is an error. By default, unknown
    keys and values that do not fit are kept in `.extra`."""
    operations: Mapping[str, Operation] = field(
        factory=dict, validator=_validate_mapping(Operation)
    )
    """Corrections by operation id, see `Operation`."""

    def __repr__(self) -> str:
        return format_record(self)

    @operations.validator
    def _check_operations(self, _: object, value: Mapping[str, Operation]) -> None:
        for name in value:
            if (suggestion := find_close_operation(name)) is not None:
                raise ConfigurationError(
                    f"there is no operation {name!r}; did you mean {suggestion!r}?"
                )

    @base_url.validator
    def _check_base_url(self, _: object, value: str) -> None:
        parts = _split_base_url(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                f"base_url must be an origin, as {DEFAULT_BASE_URL!r},"
                f" not {parts.geturl()!r}"
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
                f"api_version must be one of {', '.join(_SEGMENTS)}, not {value!r}"
            )

    @property
    def api_url(self) -> str:
        """The address of the API: the base URL with the segment of the version."""
        return f"{self.base_url}/{_SEGMENTS[self.api_version]}"

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        **changes: Unpack[SettingsChanges],
    ) -> Self:
        """Read settings from the environment.

        The variables are `NECTAR_BASE_URL`, `NECTAR_API_VERSION` and
        `NECTAR_MAX_CONCURRENCY`. One that is unset or empty leaves the default.
        `changes` override the variables.

        Raises:
            ConfigurationError: a variable is not valid; its name is in the message.
        """
        environ = os.environ if environ is None else environ
        defaults = cls()
        chosen: dict[str, Any] = {**changes}
        for variable, (name, parse) in _VARIABLES.items():
            text = environ.get(variable, "").strip()
            if not text or name in chosen:
                continue
            change: dict[str, Any] = {name: _parse(parse, text)}
            try:
                evolve(defaults, **change)
            except ConfigurationError as error:
                raise ConfigurationError(f"{variable}: {error.message}") from None
            chosen |= change
        return cls(**chosen)


def _parse(parse: Callable[[str], object], text: str) -> object:
    """Parse the text of a variable; one that does not fit is left to the validator."""
    try:
        return parse(text)
    except ValueError:
        return text


def change_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Copy settings with single ones changed.

    Raises:
        ConfigurationError: a setting is unknown or invalid.
    """
    try:
        return evolve(settings, **changes)
    except TypeError as error:
        raise ConfigurationError(str(error)) from None
