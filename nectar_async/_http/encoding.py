"""Values as text: everything that goes on the wire becomes `str` or bytes here.

Nothing below turns a value into text: yarl would make a UUID a 128-bit integer,
`Decimal("1.50")` a `1`, and a member of an enum its class's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast
from uuid import UUID

import msgspec

from nectar_async._types import UNSET, Secret
from nectar_async.contract.wire_names import to_wire
from nectar_async.errors import InvalidArgumentError

__all__ = [
    "check_headers",
    "json_body",
    "json_fields",
    "query_pairs",
    "secrets_in",
    "segment",
]

# No amount is longer; a Decimal of ten characters can be one of a billion digits.
_MOST_DIGITS = 1_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# RFC 9110: the name of a field is a token.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def segment(name: str, value: str | UUID) -> str:
    """An id as one path segment; what a server would read otherwise is refused."""
    text = str(value) if isinstance(value, UUID) else value
    if not isinstance(text, str):
        raise InvalidArgumentError(f"{name} must be text, not {type(text).__name__}")
    if not text:
        raise InvalidArgumentError(f"{name} is empty")
    if text in {".", ".."} or _CONTROL.search(text):
        raise InvalidArgumentError(f"{name} is no id: {text!r}")
    return _whole_text(name, text)


def check_headers(headers: Mapping[Any, Any]) -> None:
    """Refuse a header of the caller's own that would not stay one header.

    The value is not shown: it may be a token.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or _TOKEN.fullmatch(name) is None:
            raise InvalidArgumentError(f"{name!r} is no name of a header")
        if not isinstance(value, str):
            raise InvalidArgumentError(
                f"the header {name} must be text, not {type(value).__name__}"
            )
        if _CONTROL.search(value.replace("\t", " ")):
            raise InvalidArgumentError(f"the header {name} has control characters")


def _is_whole(secret: Secret[Any]) -> bool:
    """Whether the secret is text that can be sent; asked where no error can show it."""
    try:
        secret.reveal().encode()
    except (AttributeError, UnicodeEncodeError):
        return False
    return True


def _whole_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name} is no valid text: {text!r}") from None
    return text


def _instant(name: str, value: datetime) -> str:
    if value.tzinfo is None:
        raise InvalidArgumentError(
            f"{name} has no time zone: write {value.isoformat()}+00:00, or"
            " datetime(..., tzinfo=UTC)"
        )
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise InvalidArgumentError(f"{name} is beyond the calendar: {value}") from None


def _decimal(name: str, value: Decimal) -> str:
    if not value.is_finite():
        raise InvalidArgumentError(f"{name} is no finite number: {value}")
    _, digits, exponent = value.as_tuple()
    if len(digits) + abs(int(exponent)) > _MOST_DIGITS:
        raise InvalidArgumentError(f"{name} has more than {_MOST_DIGITS:,} digits")
    return format(value, "f")


# In this order: a bool is an int, a datetime is a date, and an open enum is a str.
_TEXT: tuple[tuple[type, Callable[[str, Any], str]], ...] = (
    (bool, lambda _, value: "true" if value else "false"),
    (Enum, lambda name, value: _whole_text(name, str(value.value))),
    (str, _whole_text),
    (int, lambda _, value: str(value)),
    (Decimal, _decimal),
    (datetime, _instant),
    (date, lambda _, value: value.isoformat()),
    (UUID, lambda _, value: str(value)),
    (Secret, lambda name, value: _text(name, value.reveal())),
)


def _text(name: str, value: object) -> str:
    if value is UNSET:
        raise InvalidArgumentError(f"{name} has UNSET in a list; leave the item out")
    for kind, write in _TEXT:
        if isinstance(value, kind):
            return write(name, value)
    advice = "; write Decimal('...')" if isinstance(value, float) else ""
    raise InvalidArgumentError(f"{name} cannot be a {type(value).__name__}{advice}")


def query_pairs(query: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """Wire keys and text; None and UNSET stay at home, a list repeats its key."""
    for name, value in query.items():
        if value is None or value is UNSET:
            continue
        several = isinstance(value, list | tuple | set | frozenset)
        values = cast("Iterable[object]", value) if several else (value,)
        for one in values:
            yield to_wire(name), _text(name, one)


def json_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """A body by its wire keys; what is UNSET stays at home, what is a secret one."""
    body: dict[str, object] = {}
    for name, value in fields.items():
        if not isinstance(name, str):
            raise InvalidArgumentError(f"a key of a body must be text, not {name!r}")
        if value is UNSET:
            continue
        if to_wire(name) in body:
            raise InvalidArgumentError(f"{name} is there twice, in two spellings")
        body[to_wire(name)] = _to_json(name, value)
    return body


def json_body(fields: Mapping[str, object]) -> bytes:
    """A body as it goes on the wire; only here are secrets plain."""
    return msgspec.json.encode(fields, enc_hook=Secret.reveal)


def secrets_in(value: object) -> Iterator[str]:
    """The secrets among the fields of a body."""
    if isinstance(value, Secret):
        yield str(value.reveal())
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_in(inner)


def _to_json(name: str, value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool | int) and not isinstance(value, Enum):
        return value
    if isinstance(value, Secret):
        if not _is_whole(value):
            raise InvalidArgumentError(f"{name} is no valid text")
        return value
    if isinstance(value, Mapping):
        return json_fields(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_json(name, inner) for inner in value]
    return _text(name, value)
