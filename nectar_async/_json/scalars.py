"""How one value of the wire becomes one value of Python, and what it is called if not.

The tables for enums are dicts with a `__missing__`: values repeat, and a hit costs a
dict look-up. They are bounded, because what fills them comes from a server.
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

_MOST_VALUES = 4_096

# The end of a day, which ISO 8601 allows and Python refuses before 3.14.
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
    """What JSON calls a value. The value itself may be a secret and is never shown."""
    return _JSON_NAMES.get(type(value), type(value).__name__)


class MisfitError(ValueError):
    """A value that does not fit; says what was expected and what came."""

    @classmethod
    def of(cls, expected: str, value: object) -> MisfitError:
        """`expected a day as 2025-01-31, got a number`."""
        return cls(f"expected {expected}, got {describe_json_type(value)}")


class _EnumTable(dict[str, OpenEnum]):
    def __init__(self, kind: type[OpenEnum], *, is_exact: bool) -> None:
        super().__init__({str(member): member for member in kind})
        self._kind = kind
        # Case means nothing where no value has small letters; in units it does: a Cal
        # is a thousand cal.
        self._in_any_case = not is_exact and all(member.isupper() for member in kind)

    def __missing__(self, text: str) -> OpenEnum:
        member = self._kind(text)
        if self._in_any_case and not member.is_known:
            capitals = self._kind(text.upper())
            member = capitals if capitals.is_known else member
        if len(self) < _MOST_VALUES:
            self[text] = member
        return member


def build_enum_table(
    kind: type[OpenEnum], *, is_exact: bool = False
) -> Mapping[str, OpenEnum]:
    """Text to member, the unknown ones that were seen included.

    Where all known values are in capitals, small letters mean the same unless
    `is_exact`.
    """
    return _EnumTable(kind, is_exact=is_exact)


def _day(value: Any, _: object = None) -> date:
    if value.__class__ is not str:
        raise MisfitError.of("a day as 2025-01-31", value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise MisfitError.of("a day as 2025-01-31", value) from None


def _instant(value: Any, _: object = None) -> datetime:
    """An aware instant: no zone means UTC; of nine digits of a second six are kept.

    As ISO 8601 has it, `t` and `z` may be small, and 24:00 is the end of a day.
    """
    if value.__class__ is not str:
        raise MisfitError.of("an instant as 2025-01-31T12:00:00Z", value)
    text, days = _MIDNIGHT.subn(r"\g<1>00:00:00", value.upper(), count=1)
    try:
        instant = datetime.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise MisfitError.of("an instant as 2025-01-31T12:00:00Z", value) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _decimal(value: Any, _: object = None) -> Decimal:
    """An exact decimal from text or from a JSON number, which was never a float."""
    if value.__class__ is not str and value.__class__ not in {int, Decimal}:
        raise MisfitError.of("a decimal", value)
    try:
        number = Decimal(value)
    except DecimalException:
        raise MisfitError.of("a decimal", value) from None
    if not number.is_finite():
        raise MisfitError.of("a finite decimal", value)
    return number


def _exactly(kind: type, expected: str) -> Callable[..., Any]:
    def leaf(value: Any, _: object = None) -> Any:
        if value.__class__ is not kind:
            raise MisfitError.of(expected, value)
        return value

    return leaf


class SecretObject:
    """Stands for `Secret[Mapping[str, Any]]`: a secret that is an object."""


def _secret(value: Any, _: object = None) -> Secret[str]:
    if value.__class__ is not str:
        raise MisfitError.of("text", value)
    return Secret(value)


def _secret_object(value: Any, _: object = None) -> Secret[Mapping[str, Any]]:
    if value.__class__ is not dict:
        raise MisfitError.of("an object", value)
    return Secret(value)


def parse_flag(value: Any, _: object = None) -> bool:
    """A boolean from one, or from its text in any case.

    Raises:
        MisfitError: it is neither.
    """
    if value.__class__ is str:
        value = _FLAGS.get(value.lower(), value)
    if value.__class__ is not bool:
        raise MisfitError.of("a boolean", value)
    return bool(value)


STRICT_HOOKS: dict[type, Callable[..., Any]] = {
    str: _exactly(str, "text"),
    bool: _exactly(bool, "a boolean"),
    int: _exactly(int, "a whole number"),
    date: _day,
    datetime: _instant,
    Decimal: _decimal,
    Secret: _secret,
    SecretObject: _secret_object,
    TextFlag: parse_flag,
    dict: _exactly(dict, "an object"),
}
"""Type to the function that makes one; each raises `MisfitError`."""


def _number_as_text(value: Any, _: object = None) -> str:
    """Text, or the digits of a number: ids are opaque, whatever they are made of."""
    if value.__class__ is int or value.__class__ is Decimal:
        return str(value)
    text: str = STRICT_HOOKS[str](value)
    return text


def _whole(value: Any, _: object = None) -> int:
    if value.__class__ is str and _WHOLE.fullmatch(value):
        return int(value)
    number: int = STRICT_HOOKS[int](value)
    return number


def _day_of_midnight(value: Any, _: object = None) -> date:
    """A day, or the day of an instant that is its midnight, wherever that is."""
    try:
        return _day(value)
    except MisfitError as misfit:
        with suppress(MisfitError):
            instant = _instant(value)
            if instant.time() == time():
                return instant.date()
        raise misfit from None


def _secret_of_number(value: Any, _: object = None) -> Secret[str]:
    return Secret(_number_as_text(value))


LENIENT_HOOKS: dict[type, Callable[..., Any]] = {
    **STRICT_HOOKS,
    str: _number_as_text,
    int: _whole,
    date: _day_of_midnight,
    Secret: _secret_of_number,
}
"""The same, for who takes a value in another spelling."""
