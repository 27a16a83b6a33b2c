"""How one value of the wire becomes one value of Python, and what it is called if not.

The tables for enums are dicts with a `__missing__`: values repeat, and a hit costs a
dict look-up. They are bounded, because what fills them comes from a server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException
from typing import Any

from nectar_async._enums import OpenEnum
from nectar_async._flag import TextFlag
from nectar_async._secret import Secret

__all__ = ["LEAVES", "MisfitError", "SecretObject", "enum_table", "flag", "json_name"]

_MOST_VALUES = 4_096

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


def json_name(value: object) -> str:
    """What JSON calls a value. The value itself may be a secret and is never shown."""
    return _JSON_NAMES.get(type(value), type(value).__name__)


class MisfitError(ValueError):
    """A value that does not fit; says what was expected and what came."""

    @classmethod
    def of(cls, expected: str, value: object) -> MisfitError:
        """`expected a day as 2025-01-31, got a number`."""
        return cls(f"expected {expected}, got {json_name(value)}")


class _EnumTable(dict[str, OpenEnum]):
    def __init__(self, kind: type[OpenEnum]) -> None:
        super().__init__({str(member): member for member in kind})
        self._kind = kind

    def __missing__(self, text: str) -> OpenEnum:
        member = self._kind(text)
        if len(self) < _MOST_VALUES:
            self[text] = member
        return member


def enum_table(kind: type[OpenEnum]) -> Mapping[str, OpenEnum]:
    """Text to member, the unknown ones that were seen included."""
    return _EnumTable(kind)


def _day(value: Any, _: object = None) -> date:
    if value.__class__ is not str:
        raise MisfitError.of("a day as 2025-01-31", value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise MisfitError.of("a day as 2025-01-31", value) from None


def _instant(value: Any, _: object = None) -> datetime:
    """An aware instant: no zone means UTC; of nine digits of a second six are kept."""
    if value.__class__ is not str:
        raise MisfitError.of("an instant as 2025-01-31T12:00:00Z", value)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
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


def flag(value: Any, _: object = None) -> bool:
    """A boolean from one, or from its text in any case.

    Raises:
        MisfitError: it is neither.
    """
    if value.__class__ is str:
        value = _FLAGS.get(value.lower(), value)
    if value.__class__ is not bool:
        raise MisfitError.of("a boolean", value)
    return bool(value)


LEAVES: dict[type, Callable[..., Any]] = {
    str: _exactly(str, "text"),
    bool: _exactly(bool, "a boolean"),
    int: _exactly(int, "a whole number"),
    date: _day,
    datetime: _instant,
    Decimal: _decimal,
    Secret: _secret,
    SecretObject: _secret_object,
    TextFlag: flag,
    dict: _exactly(dict, "an object"),
}
"""Type to the function that makes one; each raises `MisfitError`."""
