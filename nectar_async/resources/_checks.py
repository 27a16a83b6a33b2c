"""What an argument may be: checked before anything is sent, and named if it is wrong.

A check takes the argument's name and value, and gives what goes on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, DecimalException
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from attrs import frozen

from nectar_async._types import OpenEnum, Secret
from nectar_async.errors import InvalidArgumentError

__all__ = [
    "Check",
    "Nullable",
    "anything",
    "boolean",
    "country",
    "day",
    "decimal",
    "email",
    "identity",
    "instant",
    "link",
    "many",
    "one_of",
    "one_of_known",
    "secret",
    "several",
    "text",
    "whole",
]

E = TypeVar("E", bound=OpenEnum)

Check = Callable[[str, Any], object]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_LONGEST_EMAIL = 254
_COUNTRY = re.compile(r"[A-Za-z]{2}")


@frozen
class Nullable:
    """The same check for a value that None clears."""

    check: Check

    def __call__(self, name: str, value: object) -> object:
        """None as it is, anything else checked."""
        return None if value is None else self.check(name, value)


def anything(_: str, value: object) -> object:
    """Whatever JSON can carry."""
    return value


def boolean(name: str, value: object) -> bool:
    """True or False; a text or a number is most likely a mistake."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} must be True or False, not {value!r}")
    return value


def text(least: int = 0, most: int | None = None) -> Callable[[str, Any], str]:
    """Text of so many characters."""

    def checked(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidArgumentError(
                f"{name} must be text, not {type(value).__name__}"
            )
        if len(value) < least:
            raise InvalidArgumentError(f"{name} is empty")
        if most is not None and len(value) > most:
            raise InvalidArgumentError(
                f"{name} has {len(value)} characters; the API takes {most} at most"
            )
        return value

    return checked


def secret(name: str, value: object) -> Secret[str]:
    """Text that is not to be seen, plain or as a `Secret`; no error shows it."""
    hidden: Secret[Any] = value if isinstance(value, Secret) else Secret(value)
    if not isinstance(hidden.reveal(), str):
        kind = type(hidden.reveal()).__name__
        raise InvalidArgumentError(f"{name} must be text or a Secret, not {kind}")
    if not hidden.reveal():
        raise InvalidArgumentError(f"{name} is empty")
    return hidden


def link(name: str, value: object) -> Secret[str]:
    """An `https` address, plain or as a `Secret`: most are signed, and open a bill."""
    hidden = secret(name, value)
    try:
        parts = urlsplit(hidden.reveal())
        is_link = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        is_link = False
    if not is_link:
        raise InvalidArgumentError(f"{name} is no https link (https://host/...)")
    return hidden


def whole(least: int, most: int | None = None) -> Check:
    """A whole number between two bounds, both included."""
    bounds = f"from {least}" if most is None else f"from {least} to {most}"

    def checked(name: str, value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        is_within = is_number and least <= value <= (value if most is None else most)
        if not is_within:
            raise InvalidArgumentError(
                f"{name} must be a whole number {bounds}, not {value!r}"
            )
        return value

    return checked


def decimal(
    low: int | None = None, high: int | None = None, *, places: int | None = None
) -> Check:
    """An exact number between two bounds, with so many decimal places at most."""

    def checked(name: str, value: object) -> Decimal:
        number = _exact(name, value)
        if (low is not None and number < low) or (high is not None and number > high):
            raise InvalidArgumentError(
                f"{name} must be from {low} to {high}, not {number}"
            )
        if places is None:
            return number
        rounded = round(number, places)
        if rounded != number:
            raise InvalidArgumentError(
                f"{name} must have {places} decimal places at most, not as {number}"
            )
        exponent = number.as_tuple().exponent
        has_more = isinstance(exponent, int) and -exponent > places
        return rounded if has_more else number

    return checked


def _exact(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        advice = f"; write Decimal('{value}')" if isinstance(value, float) else ""
        raise InvalidArgumentError(
            f"{name} must be a Decimal, not {type(value).__name__}{advice}"
        )
    try:
        number = Decimal(value)
    except DecimalException:
        raise InvalidArgumentError(f"{name} is no number: {value!r}") from None
    if not number.is_finite():
        raise InvalidArgumentError(f"{name} is no finite number: {number}")
    return number


def day(name: str, value: object) -> date:
    """A day without a time."""
    if isinstance(value, datetime):
        raise InvalidArgumentError(f"{name} must be a day; pass {name}={name}.date()")
    if not isinstance(value, date):
        raise InvalidArgumentError(
            f"{name} must be a datetime.date, not {type(value).__name__}: {value!r}"
        )
    return value


def instant(name: str, value: object) -> datetime:
    """An instant with its zone."""
    if not isinstance(value, datetime):
        kind = type(value).__name__
        raise InvalidArgumentError(
            f"{name} must be an instant, as datetime(..., tzinfo=UTC), not {kind}:"
            f" {value!r}"
        )
    if value.tzinfo is None:
        raise InvalidArgumentError(
            f"{name} has no time zone: write datetime(..., tzinfo=UTC)"
        )
    return value


def email(name: str, value: object) -> str:
    """An e-mail address, by its look."""
    if not isinstance(value, str):
        raise InvalidArgumentError(
            f"{name} must be an e-mail address, not {type(value).__name__}"
        )
    if len(value) > _LONGEST_EMAIL or _EMAIL.fullmatch(value) is None:
        raise InvalidArgumentError(f"{name} is no e-mail address: {value!r}")
    return value


def country(name: str, value: object) -> str:
    """An ISO 3166-1 alpha-2 code, in capitals on the wire."""
    if not isinstance(value, str) or _COUNTRY.fullmatch(value) is None:
        raise InvalidArgumentError(
            f"{name} must be an ISO 3166 code of two letters, as 'US', not {value!r}"
        )
    return value.upper()


def identity(name: str, value: object) -> str:
    """The id of something."""
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be an id, not {type(value).__name__}")
    if not value.strip():
        raise InvalidArgumentError(f"{name} is empty")
    return value


def one_of_known(kind: type[E]) -> Check:
    """A member that this version knows: for what the API keeps a closed list of."""

    def checked(name: str, value: object) -> E:
        member = kind(value) if isinstance(value, str) else None
        if member is None or not member.is_known:
            raise InvalidArgumentError(
                f"{name} must be one of {', '.join(kind)}, not"
                f" {value!r}{_right_spelling(kind, value)}"
            )
        return member

    return checked


def one_of(kind: type[E]) -> Check:
    """A member, known or not (but no known one in wrong case): an open list."""

    def checked(name: str, value: object) -> E:
        if not isinstance(value, str) or not value:
            raise InvalidArgumentError(
                f"{name} must be text, as one of {', '.join(kind)}, not {value!r}"
            )
        member = kind(value)
        if not member.is_known and (spelling := _right_spelling(kind, value)):
            raise InvalidArgumentError(f"{name} cannot be {value!r}{spelling}")
        return member

    return checked


def _right_spelling(kind: type[E], value: object) -> str:
    """What to write instead, where only the case is wrong."""
    text = str(value).casefold()
    return "".join(f"; write {str(one)!r}" for one in kind if one.casefold() == text)


def many(check: Check, least: int = 0) -> Callable[[str, Any], list[object]]:
    """A list whose items are checked, each named by its place: `users[2]`."""

    def checked(name: str, value: object) -> list[object]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise InvalidArgumentError(
                f"{name} must be a list; write {name}=[...], not {type(value).__name__}"
            )
        items = [check(f"{name}[{place}]", one) for place, one in enumerate(value)]
        if len(items) < least:
            raise InvalidArgumentError(f"{name} is empty; it takes {least} at least")
        return items

    return checked


def several(check: Check) -> Check:
    """One value or a list of them, as a filter takes it; an empty list is refused."""

    def checked(name: str, value: object) -> object:
        values: tuple[object, ...] = (value,)
        if isinstance(value, Iterable) and not isinstance(value, str):
            values = tuple(value)
        if not values:
            raise InvalidArgumentError(
                f"{name} is empty, which the API would read as every value; leave it"
                " out for all of them"
            )
        return tuple(check(name, one) for one in values)

    return checked
