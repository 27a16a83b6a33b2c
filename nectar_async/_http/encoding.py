"""Encode Python values as text: path segments, query values and JSON bodies.

Nothing after this module turns a value into text. yarl would write a UUID as a 128-bit
integer and `Decimal("1.50")` as `1`, and `str` writes an enum member with its class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from nectar_async._types import UNSET, Secret
from nectar_async.contract.wire_names import to_wire
from nectar_async.errors import InvalidArgumentError

__all__ = ["encode_json", "encode_query", "encode_segment", "to_json_fields"]

# No amount has more digits, but `Decimal("1e999999999")` would be written with a
# billion.
_MAX_DIGITS: Final = 1_000

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def encode_segment(name: str, value: str | UUID) -> str:
    """Check that an id can be one segment of a path; return it as text.

    Raises:
        InvalidArgumentError: the value is not an id; `name` is in the message.
    """
    text = str(value) if isinstance(value, UUID) else value
    if not isinstance(text, str):
        raise InvalidArgumentError(f"{name} must be text, not {type(text).__name__}")
    if not text:
        raise InvalidArgumentError(f"{name} is empty")
    if text in {".", ".."} or _CONTROL.search(text):
        raise InvalidArgumentError(f"{name} is not an id: {text!r}")
    return _check_text(name, text)


def encode_query(query: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Encode a query as pairs of wire keys and text.

    None and `UNSET` are left out; a list repeats its key.
    """
    for name, value in query.items():
        if value is None or value is UNSET:
            continue
        is_list = isinstance(value, list | tuple | set | frozenset)
        for item in cast("Iterable[object]", value) if is_list else (value,):
            yield to_wire(name), _to_text(name, item)


def to_json_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """Convert a body to wire keys and JSON values; secrets stay `Secret`.

    `UNSET` is left out.
    """
    body: dict[str, object] = {}
    for name, value in fields.items():
        if not isinstance(name, str):
            raise InvalidArgumentError(f"a key of a body must be text, not {name!r}")
        if value is UNSET:
            continue
        if to_wire(name) in body:
            raise InvalidArgumentError(f"{name} is given twice, in two spellings")
        body[to_wire(name)] = _to_json(name, value)
    return body


def encode_json(fields: Mapping[str, object]) -> bytes:
    """Encode a body as JSON. Only here secrets become plain text."""
    return msgspec.json.encode(fields, enc_hook=Secret.reveal)


def _to_json(name: str, value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool | int) and not isinstance(value, Enum):
        return value
    if isinstance(value, Secret):
        if not _is_encodable(value):
            raise InvalidArgumentError(f"{name} is not valid text")
        return value
    if isinstance(value, Mapping):
        return to_json_fields(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_json(name, item) for item in value]
    return _to_text(name, value)


def _to_text(name: str, value: object) -> str:
    if value is UNSET:
        raise InvalidArgumentError(f"{name} has UNSET in a list; leave the item out")
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(name, value)
    advice = "; write Decimal('...')" if isinstance(value, float) else ""
    raise InvalidArgumentError(f"{name} cannot be a {type(value).__name__}{advice}")


def _check_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name} is not valid text: {text!r}") from None
    return text


def _is_encodable(secret: Secret[Any]) -> bool:
    """Whether a secret is text that can be sent; no error of this function shows it."""
    try:
        secret.reveal().encode()
    except (AttributeError, UnicodeEncodeError):
        return False
    return True


def _write_instant(name: str, value: datetime) -> str:
    if value.tzinfo is None:
        raise InvalidArgumentError(
            f"{name} has no time zone: write {value.isoformat()}+00:00, or"
            " datetime(..., tzinfo=UTC)"
        )
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise InvalidArgumentError(f"{name} is beyond the calendar: {value}") from None


def _write_decimal(name: str, value: Decimal) -> str:
    if not value.is_finite():
        raise InvalidArgumentError(f"{name} is not a finite number: {value}")
    _, digits, exponent = value.as_tuple()
    if len(digits) + abs(int(exponent)) > _MAX_DIGITS:
        raise InvalidArgumentError(f"{name} has more than {_MAX_DIGITS:,} digits")
    return format(value, "f")


# The order matters: a bool is an int, a datetime is a date, and an open enum is a str.
_WRITERS: Final[tuple[tuple[type, Callable[[str, Any], str]], ...]] = (
    (bool, lambda _, value: "true" if value else "false"),
    (Enum, lambda name, value: _check_text(name, str(value.value))),
    (str, _check_text),
    (int, lambda _, value: str(value)),
    (Decimal, _write_decimal),
    (datetime, _write_instant),
    (date, lambda _, value: value.isoformat()),
    (UUID, lambda _, value: str(value)),
    (Secret, lambda name, value: _to_text(name, value.reveal())),
)
