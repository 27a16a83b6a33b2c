"""Convert single JSON values to Python values, and name the type that was expected.

The tables for enums are dicts with a `__missing__`: values repeat, so most conversions
are one lookup. The tables are bounded, because their content comes from a server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from nectar_async._types import OpenEnum, Secret, TextFlag

__all__ = [
    "LENIENT_HOOKS",
    "STRICT_HOOKS",
    "MisfitError",
    "SecretObject",
    "build_enum_table",
    "describe_json_type",
    "parse_flag",
]

_MAX_TABLE_SIZE = 4_096

# 24:00, the end of a day, is allowed by ISO 8601 and refused by Python before 3.14.
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2}T)24:00(:00(\.0+)?)?(?=Z|[-+]|$)")
_WHOLE = re.compile(r"-?[0-9]{1,18}")

_FLAGS = {"true": True, "false": False}

_JSON_NAMES: dict[type, str] = {
    str: "text",
    bool: "a boolean",
    int: "a number",
    Decimal: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def describe_json_type(value: object) -> str:
    """Name the JSON type of a value, such as "a number", without the value."""
    return _JSON_NAMES.get(type(value), type(value).__name__)


class MisfitError(ValueError):
    """A value has the wrong type; the message names the expected and the actual one.

    The value itself may be a secret, so the message never shows it.
    """

    @classmethod
    def of(cls, expected: str, value: object) -> MisfitError:
        """Build an error such as "expected a day as 2025-01-31, got a number"."""
        return cls(f"expected {expected}, got {describe_json_type(value)}")


class _EnumTable(dict[str, OpenEnum]):
    def __init__(self, kind: type[OpenEnum], *, is_exact: bool) -> None:
        super().__init__({str(member): member for member in kind})
        self._kind = kind
        # The case is ignored if no value has small letters. In units it matters: a Cal
        # is a thousand cal.
        self._ignores_case = not is_exact and all(member.isupper() for member in kind)

    def __missing__(self, text: str) -> OpenEnum:
        member = self._kind(text)
        if self._ignores_case and not member.is_known:
            capitals = self._kind(text.upper())
            member = capitals if capitals.is_known else member
        if len(self) < _MAX_TABLE_SIZE:
            self[text] = member
        return member


def build_enum_table(
    kind: type[OpenEnum], *, is_exact: bool = False
) -> Mapping[str, OpenEnum]:
    """Build a table from texts to members; an unknown text becomes a new member.

    If all known values are in capitals, the case of a text is ignored unless
    `is_exact`.
    """
    return _EnumTable(kind, is_exact=is_exact)


def _parse_date(value: Any, _: object = None) -> date:
    if value.__class__ is date:  # from a dict of a user's
        day: date = value
        return day
    if value.__class__ is not str:
        raise MisfitError.of("a day as 2025-01-31", value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise MisfitError.of("a day as 2025-01-31", value) from None


def _parse_datetime(value: Any, _: object = None) -> datetime:
    """Parse an ISO 8601 text; without a time zone it is UTC.

    A second keeps six decimal places. `t` and `z` may be small letters, and 24:00 is
    the end of a day.
    """
    if value.__class__ is datetime:  # from a dict of a user's
        value = value.isoformat()
    if value.__class__ is not str:
        raise MisfitError.of("an instant as 2025-01-31T12:00:00Z", value)
    text, days = _MIDNIGHT.subn(r"\g<1>00:00:00", value.upper(), count=1)
    try:
        instant = datetime.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise MisfitError.of("an instant as 2025-01-31T12:00:00Z", value) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _parse_decimal(value: Any, _: object = None) -> Decimal:
    """Parse an exact decimal from text, or from a number that was never a float."""
    if value.__class__ is not str and value.__class__ not in {int, Decimal}:
        raise MisfitError.of("a decimal", value)
    try:
        number = Decimal(value)
    except DecimalException:
        raise MisfitError.of("a decimal", value) from None
    if not number.is_finite():
        raise MisfitError.of("a finite decimal", value)
    return number


def _type_check(kind: type, expected: str) -> Callable[..., Any]:
    """Build a hook that returns values of one type and refuses others."""

    def check(value: Any, _: object = None) -> Any:
        if value.__class__ is not kind:
            raise MisfitError.of(expected, value)
        return value

    return check


class SecretObject:
    """A marker for `Secret[Mapping[str, Any]]`, a secret that is a JSON object."""


def _parse_secret(value: Any, _: object = None) -> Secret[str]:
    if value.__class__ is not str:
        raise MisfitError.of("text", value)
    return Secret(value)


def _parse_secret_object(value: Any, _: object = None) -> Secret[Mapping[str, Any]]:
    if value.__class__ is not dict:
        raise MisfitError.of("an object", value)
    return Secret(value)


def parse_flag(value: Any, _: object = None) -> bool:
    """Return a boolean, also from the text "true" or "false" in any case.

    Raises:
        MisfitError: it is another value.
    """
    if value.__class__ is str:
        value = _FLAGS.get(value.lower(), value)
    if value.__class__ is not bool:
        raise MisfitError.of("a boolean", value)
    return bool(value)


STRICT_HOOKS: dict[type, Callable[..., Any]] = {
    str: _type_check(str, "text"),
    bool: _type_check(bool, "a boolean"),
    int: _type_check(int, "a whole number"),
    date: _parse_date,
    datetime: _parse_datetime,
    Decimal: _parse_decimal,
    Secret: _parse_secret,
    SecretObject: _parse_secret_object,
    TextFlag: parse_flag,
    dict: _type_check(dict, "an object"),
}
"""The hook of each type; it raises `MisfitError` for a value that does not fit."""


def _parse_text(value: Any, _: object = None) -> str:
    """Return text, also from a number: an id may be either."""
    if value.__class__ is int or value.__class__ is Decimal:
        return str(value)
    text: str = STRICT_HOOKS[str](value)
    return text


def _parse_int(value: Any, _: object = None) -> int:
    if value.__class__ is str and _WHOLE.fullmatch(value):
        return int(value)
    number: int = STRICT_HOOKS[int](value)
    return number


def _parse_lenient_date(value: Any, _: object = None) -> date:
    """Parse a date, also from a datetime that is midnight in its own time zone."""
    try:
        return _parse_date(value)
    except MisfitError as misfit:
        with suppress(MisfitError):
            instant = _parse_datetime(value)
            if instant.time() == time():
                return instant.date()
        raise misfit from None


def _parse_lenient_secret(value: Any, _: object = None) -> Secret[str]:
    return Secret(_parse_text(value))


LENIENT_HOOKS: dict[type, Callable[..., Any]] = {
    **STRICT_HOOKS,
    str: _parse_text,
    int: _parse_int,
    date: _parse_lenient_date,
    Secret: _parse_lenient_secret,
}
"""Hooks that also accept other spellings of a value."""
