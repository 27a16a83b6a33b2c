"""The single values of a query: pages, days and switches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from nectar_async.sandbox.server.json_schema import MAX_DIGITS
from nectar_async.sandbox.server.messages import RefusalError
from nectar_async.sandbox.server.pagination import PER_PAGE

__all__ = ["Query", "day", "is_set", "page_number", "page_size", "single"]

_BAD_REQUEST = 400
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MAX_PER_PAGE = 500
_SWITCH = {"true": True, "1": True, "false": False, "0": False}

Query = Mapping[str, tuple[str, ...]]


def single(query: Query, key: str) -> str | None:
    """The value of a key that has but one: the last, where it is repeated."""
    values = query.get(key)
    return values[-1] if values else None


def page_number(query: Query) -> int:
    """The page asked for, from 1; anything else is refused."""
    number = _number(query, "page", default=1)
    if number < 1:
        raise RefusalError(_BAD_REQUEST, "page: pages start at 1.")
    return number


def page_size(query: Query) -> int:
    """How many things a page is to hold, where an operation lets its caller say so."""
    size = _number(query, "limit", default=PER_PAGE)
    if not 1 <= size <= _MAX_PER_PAGE:
        detail = f"limit: between 1 and {_MAX_PER_PAGE} are allowed."
        raise RefusalError(_BAD_REQUEST, detail)
    return size


def is_set(query: Query, key: str) -> bool:
    """Whether a switch is on; without a word of it, it is off."""
    text = single(query, key)
    if text is None:
        return False
    if text.lower() not in _SWITCH:
        raise RefusalError(_BAD_REQUEST, f"{key}: true or false is required.")
    return _SWITCH[text.lower()]


def day(query: Query, key: str) -> int | None:
    """A day as an ordinal."""
    text = single(query, key)
    if text is None:
        return None
    if _DATE.fullmatch(text) is None:
        raise RefusalError(_BAD_REQUEST, f"{key}: a date as YYYY-MM-DD is required.")
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise RefusalError(_BAD_REQUEST, f"{key}: there is no such day.") from None


def _number(query: Query, key: str, *, default: int) -> int:
    text = single(query, key)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise RefusalError(_BAD_REQUEST, f"{key}: a whole number is required.")
    return int(text)
