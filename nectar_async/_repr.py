"""Short texts of records and other values, for `repr` and for tables on a screen.

A field without a value is left out, a long text is cut, an inner record shows its first
fields, and a list of records shows their number. A mapping shows its keys only, because
the API may send a secret under any key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, Final, TypeAlias

import attrs

from nectar_async._text import make_one_line

__all__ = [
    "VALUE_SIZE",
    "cut",
    "format_keys",
    "format_record",
    "format_value",
    "iterate_fields",
]

VALUE_SIZE: Final = 80
"""The most characters of a value."""

_RECORD_SIZE: Final = 480
_TEXT_SIZE: Final = 60
_KEY_SIZE: Final = 30
_MAX_ITEMS: Final = 3
_MAX_KEYS: Final = 8

_PLAIN: Final = (str, bool, int, float, Decimal, date)

Format: TypeAlias = Callable[[Any], str]


def format_record(record: Any, size: int = _RECORD_SIZE) -> str:
    """Format an attrs object with its first fields that have a value.

    Args:
        record: the object.
        size: the most characters; the fields that do not fit are counted.
    """
    name = type(record).__name__
    left = size - len(name) - len("(, 100 more)")
    parts: list[str] = []
    fields = iterate_fields(record)
    for field, format_field, value in fields:
        part = f"{field}={format_field(value)}"
        left -= len(part) + 2
        if left < 0:
            parts.append(f"{1 + sum(1 for _ in fields)} more")
            break
        parts.append(part)
    return f"{name}({', '.join(parts)})"


def iterate_fields(record: Any) -> Iterator[tuple[str, Format, Any]]:
    """Iterate over an object's fields that have a value: name, format and value."""
    kind: Any = type(record)
    for name, format_field in _list_fields(kind):
        value = getattr(record, name)
        if value is None or (isinstance(value, Sequence | Mapping) and not value):
            continue
        yield name, format_field, value


@cache
def _list_fields(kind: Any) -> tuple[tuple[str, Format], ...]:
    return tuple(
        (field.name, field.repr if callable(field.repr) else format_value)
        for field in attrs.fields(kind)
        if field.repr
    )


def format_value(value: Any) -> str:
    """Format a value on one line of at most `VALUE_SIZE` characters."""
    if isinstance(value, str):
        text = repr(cut(str(value), _TEXT_SIZE))
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, Decimal):
        text = str(value)
    elif isinstance(value, Mapping):
        text = format_keys(value)
    elif isinstance(value, list | tuple):
        text = _format_items(value)
    elif attrs.has(type(value)):
        text = format_record(value, VALUE_SIZE)
    else:
        text = repr(value)
    return cut(make_one_line(text), VALUE_SIZE)


def _format_items(items: Sequence[Any]) -> str:
    """Format the first items of a list of plain values, or the number of others."""
    first = items[:_MAX_ITEMS]
    if not all(isinstance(item, _PLAIN) for item in first):
        kinds = {type(item).__name__ for item in first}
        return f"<{len(items)} {kinds.pop() if len(kinds) == 1 else 'items'}>"
    more = [f"{len(items) - len(first)} more"] if len(items) > len(first) else []
    return f"[{', '.join([*map(format_value, first), *more])}]"


def format_keys(values: Mapping[str, Any]) -> str:
    """Format a mapping with its first keys only, because a value may be a secret."""
    parts = [f"{cut(str(key), _KEY_SIZE)!r}: ..." for key in islice(values, _MAX_KEYS)]
    if len(values) > len(parts):
        parts.append(f"{len(values) - len(parts)} more")
    return f"{{{', '.join(parts)}}}"


def cut(text: str, size: int) -> str:
    """Cut a text that is longer than `size` characters, and mark the place."""
    return text if len(text) <= size else f"{text[: size - 1]}…"
