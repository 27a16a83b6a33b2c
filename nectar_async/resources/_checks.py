"""Checks of the arguments of a query or a body.

A check is a function of an argument's name and value. It returns the value to send, or
raises an `InvalidArgumentError` that names the argument; nothing is sent then.
`check_x` is such a function; `x_check(...)` builds one.
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
    "check_anything",
    "check_bool",
    "check_country",
    "check_date",
    "check_datetime",
    "check_email",
    "check_https_link",
    "check_id",
    "check_secret",
    "closed_enum_check",
    "decimal_check",
    "int_check",
    "list_check",
    "one_or_many_check",
    "open_enum_check",
    "text_check",
]

E = TypeVar("E", bound=OpenEnum)

Check = Callable[[str, Any], object]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_MAX_EMAIL_LENGTH = 254
_COUNTRY = re.compile(r"[A-Za-z]{2}")


@frozen
class Nullable:
    """A check for a field that None clears: None passes, other values are checked."""

    check: Check

    def __call__(self, name: str, value: object) -> object:
        """Return None as it is, and any other value checked."""
        return None if value is None else self.check(name, value)


def check_anything(_: str, value: object) -> object:
    """Accept any value; the JSON encoder refuses what it cannot write."""
    return value


def check_bool(name: str, value: object) -> bool:
    """Accept True or False only; a text or a number is most likely a mistake."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} must be True or False, not {value!r}")
    return value


def text_check(
    min_length: int = 0, max_length: int | None = None
) -> Callable[[str, Any], str]:
    """Build a check for text whose length is within the bounds, both inclusive."""

    def check_text(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidArgumentError(
                f"{name} must be text, not {type(value).__name__}"
            )
        if len(value) < min_length:
            raise InvalidArgumentError(f"{name} is empty")
        if max_length is not None and len(value) > max_length:
            raise InvalidArgumentError(
                f"{name} has {len(value)} characters; the API takes {max_length} at"
                " most"
            )
        return value

    return check_text


def check_secret(name: str, value: object) -> Secret[str]:
    """Accept text that is not empty, plain or as a `Secret`; errors do not show it."""
    secret: Secret[Any] = value if isinstance(value, Secret) else Secret(value)
    if not isinstance(secret.reveal(), str):
        kind = type(secret.reveal()).__name__
        raise InvalidArgumentError(f"{name} must be text or a Secret, not {kind}")
    if not secret.reveal():
        raise InvalidArgumentError(f"{name} is empty")
    return secret


def check_https_link(name: str, value: object) -> Secret[str]:
    """Accept an `https` link, plain or as a `Secret`; errors do not show it.

    It is masked because most such links are pre-signed: they open a bill without a key.
    """
    secret = check_secret(name, value)
    try:
        parts = urlsplit(secret.reveal())
        is_link = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        is_link = False
    if not is_link:
        raise InvalidArgumentError(f"{name} is no https link (https://host/...)")
    return secret


def int_check(minimum: int, maximum: int | None = None) -> Check:
    """Build a check for an integer within the bounds, both inclusive."""
    bounds = f"from {minimum}" if maximum is None else f"from {minimum} to {maximum}"

    def check_int(name: str, value: Any) -> Any:
        is_int = isinstance(value, int) and not isinstance(value, bool)
        if not is_int or not minimum <= value <= (
            value if maximum is None else maximum
        ):
            raise InvalidArgumentError(
                f"{name} must be a whole number {bounds}, not {value!r}"
            )
        return value

    return check_int


def decimal_check(
    minimum: int | None = None,
    maximum: int | None = None,
    *,
    places: int | None = None,
) -> Check:
    """Build a check for an exact number.

    Args:
        minimum: the lower bound, inclusive; None for no bound.
        maximum: the upper bound, inclusive; None for no bound.
        places: how many decimal places the API takes; None for any number.
    """

    def check_decimal(name: str, value: object) -> Decimal:
        number = _parse_decimal(name, value)
        is_too_low = minimum is not None and number < minimum
        if is_too_low or (maximum is not None and number > maximum):
            raise InvalidArgumentError(
                f"{name} must be from {minimum} to {maximum}, not {number}"
            )
        if places is None:
            return number
        rounded = round(number, places)
        if rounded != number:
            raise InvalidArgumentError(
                f"{name} must have at most {places} decimal places, not {number}"
            )
        exponent = number.as_tuple().exponent
        has_more = isinstance(exponent, int) and -exponent > places
        return rounded if has_more else number

    return check_decimal


def _parse_decimal(name: str, value: object) -> Decimal:
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


def check_date(name: str, value: object) -> date:
    """Accept a `date`, and no `datetime`: the API takes days here."""
    if isinstance(value, datetime):
        raise InvalidArgumentError(f"{name} must be a day; pass {name}={name}.date()")
    if not isinstance(value, date):
        raise InvalidArgumentError(
            f"{name} must be a datetime.date, not {type(value).__name__}: {value!r}"
        )
    return value


def check_datetime(name: str, value: object) -> datetime:
    """Accept a `datetime` with a time zone."""
    if not isinstance(value, datetime):
        kind = type(value).__name__
        raise InvalidArgumentError(
            f"{name} must be an instant, such as datetime(..., tzinfo=UTC), not {kind}:"
            f" {value!r}"
        )
    if value.tzinfo is None:
        raise InvalidArgumentError(
            f"{name} has no time zone: write datetime(..., tzinfo=UTC)"
        )
    return value


def check_email(name: str, value: object) -> str:
    """Accept text that has the form of an e-mail address."""
    if not isinstance(value, str):
        raise InvalidArgumentError(
            f"{name} must be an e-mail address, not {type(value).__name__}"
        )
    if len(value) > _MAX_EMAIL_LENGTH or _EMAIL.fullmatch(value) is None:
        raise InvalidArgumentError(f"{name} is no e-mail address: {value!r}")
    return value


def check_country(name: str, value: object) -> str:
    """Accept a country code of two letters in any case; return it in capitals."""
    if not isinstance(value, str) or _COUNTRY.fullmatch(value) is None:
        raise InvalidArgumentError(
            f"{name} must be an ISO 3166 code of two letters, such as 'US', not"
            f" {value!r}"
        )
    return value.upper()


def check_id(name: str, value: object) -> str:
    """Accept an id as text or as a `UUID`, and return its text."""
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be an id, not {type(value).__name__}")
    if not value.strip():
        raise InvalidArgumentError(f"{name} is empty")
    return value


def closed_enum_check(kind: type[E]) -> Check:
    """Build a check for a known member of an enum, or its text.

    It is for requests where the API takes the listed values only.
    """

    def check_known_member(name: str, value: object) -> E:
        member = kind(value) if isinstance(value, str) else None
        if member is None or not member.is_known:
            raise InvalidArgumentError(
                f"{name} must be one of {', '.join(kind)}, not"
                f" {value!r}{_spelling_advice(kind, value)}"
            )
        return member

    return check_known_member


def open_enum_check(kind: type[E]) -> Check:
    """Build a check for a member of an enum or any other text.

    It is for requests where the API may take values that are not listed. A listed value
    in another case is refused, because it is most likely a mistake.
    """

    def check_member(name: str, value: object) -> E:
        if not isinstance(value, str) or not value:
            raise InvalidArgumentError(
                f"{name} must be text, such as one of {', '.join(kind)}, not {value!r}"
            )
        member = kind(value)
        if not member.is_known and (advice := _spelling_advice(kind, value)):
            raise InvalidArgumentError(f"{name} cannot be {value!r}{advice}")
        return member

    return check_member


def _spelling_advice(kind: type[E], value: object) -> str:
    """Return "; write 'kWh'" if the value is a member in another case, or ""."""
    text = str(value).casefold()
    return "".join(
        f"; write {str(member)!r}" for member in kind if member.casefold() == text
    )


def list_check(check: Check, min_length: int = 0) -> Callable[[str, Any], list[object]]:
    """Build a check for a list; errors name an item by its index, as in `users[2]`."""

    def check_list(name: str, value: object) -> list[object]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise InvalidArgumentError(
                f"{name} must be a list; write {name}=[...], not {type(value).__name__}"
            )
        items = [check(f"{name}[{index}]", item) for index, item in enumerate(value)]
        if len(items) < min_length:
            raise InvalidArgumentError(
                f"{name} is empty; it takes {min_length} at least"
            )
        return items

    return check_list


def one_or_many_check(check: Check) -> Check:
    """Build a check for a filter that takes one value or several."""

    def check_one_or_many(name: str, value: object) -> object:
        values: tuple[object, ...] = (value,)
        if isinstance(value, Iterable) and not isinstance(value, str):
            values = tuple(value)
        if not values:
            raise InvalidArgumentError(
                f"{name} is empty, which the API would read as every value; leave it"
                " out for all of them"
            )
        return tuple(check(name, item) for item in values)

    return check_one_or_many
