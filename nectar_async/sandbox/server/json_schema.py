"""Checks values against the contract's own schemas, as far as requests need it.

The words that requests use are few, and a table has them all; a word that is not in it
(a description, an example, an `x-` mark) asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from nectar_async import contract

__all__ = ["MAX_DIGITS", "Schema", "coerced", "problem", "resolved"]

Schema = Mapping[str, Any]

MAX_DIGITS = 4_000
"""Digits that a whole number may have; Python itself reads no more than 4,300."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/]\S*", re.IGNORECASE)
_INTEGER = re.compile(rf"[+-]?\d{{1,{MAX_DIGITS}}}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def resolved(schema: Schema) -> Schema:
    """The schema itself, where it only names another one."""
    while "$ref" in schema:
        schema = _component(schema["$ref"])
    return schema


def problem(schema: Schema, value: Any, path: str = "") -> str | None:
    """The first thing that is wrong, as `path: text`; None when the value is valid."""
    schema = resolved(schema)
    for word, check in _CHECKS.items():
        if word in schema:
            found = check(schema[word], value)
            if found is not None:
                return f"{path}: {found}" if path else found
    for step, inner, part in _inside(schema, value, path):
        found = problem(inner, part, step)
        if found is not None:
            return found
    return _of_alternatives(schema, value, path)


def coerced(schema: Schema, texts: Sequence[str]) -> Any:
    """What texts of a query or a form mean; what means nothing stays text, and fails.

    Of a key that was repeated the last value counts, unless it is a list.
    """
    schema = resolved(schema)
    types = _types(schema)
    if "array" in types:
        items = schema.get("items", {})
        return [coerced(items, (text,)) for text in texts]
    text = texts[-1]
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "boolean" in types:
        return _BOOLEANS.get(text.lower(), text)
    return text


def _inside(schema: Schema, value: Any, path: str) -> list[tuple[str, Schema, Any]]:
    """What is in an object or a list, each with its path and schema."""
    dot = f"{path}." if path else ""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return [
            (f"{dot}{key}", known[key], part)
            for key, part in value.items()
            if key in known
        ]
    if isinstance(value, list) and "items" in schema:
        return [
            (f"{dot}{place}", schema["items"], part) for place, part in enumerate(value)
        ]
    return []


def _of_alternatives(schema: Schema, value: Any, path: str) -> str | None:
    for part in schema.get("allOf", ()):
        found = problem(part, value, path)
        if found is not None:
            return found
    found = None
    for alternative in schema.get("anyOf", ()):
        found = problem(alternative, value, path)
        if found is None:
            return None
    return found


def _types(schema: Schema) -> Sequence[str]:
    types: str | Sequence[str] = schema.get("type", ())
    if isinstance(types, str):
        return (types,)
    if types:
        return types
    merged = schema.get("allOf", ())
    return [name for part in merged for name in _types(resolved(part))]


def _component(reference: str) -> Schema:
    found: Any = contract.load()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    schema: Schema = found
    return schema


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: _is_number(value) and value % 1 == 0),
    "number": ("a number", _is_number),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "null": ("null", lambda value: value is None),
}


def _check_type(types: str | Sequence[str], value: Any) -> str | None:
    names = (types,) if isinstance(types, str) else types
    if any(_KINDS[name][1](value) for name in names):
        return None
    if value is None:
        return "This field may not be null."
    return f"This must be {' or '.join(_KINDS[name][0] for name in names)}."


def _check_required(keys: Sequence[str], value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    missing = next((key for key in keys if key not in value), None)
    return None if missing is None else f"{missing}: This field is required."


def _check_min_length(bound: int, value: Any) -> str | None:
    if not isinstance(value, str) or len(value) >= bound:
        return None
    return (
        f"This needs at least {bound} characters."
        if value
        else "This field may not be empty."
    )


def _check_max_length(bound: int, value: Any) -> str | None:
    if not isinstance(value, str) or len(value) <= bound:
        return None
    return f"This may have at most {bound} characters."


def _check_max_items(bound: int, value: Any) -> str | None:
    if not isinstance(value, list) or len(value) <= bound:
        return None
    return f"This may have at most {bound} entries."


def _check_minimum(bound: int, value: Any) -> str | None:
    if not _is_number(value) or value >= bound:
        return None
    return f"This must be {bound} or more."


def _check_maximum(bound: int, value: Any) -> str | None:
    if not _is_number(value) or value <= bound:
        return None
    return f"This must be {bound} or less."


def _check_enum(members: Sequence[Any], value: Any) -> str | None:
    return None if value in members else f"{value!r} is not a valid choice."


def _check_pattern(pattern: str, value: Any) -> str | None:
    if not isinstance(value, str) or re.search(pattern, value):
        return None
    return f"This must match {pattern}."


def _check_format(name: str, value: Any) -> str | None:
    known = _FORMATS.get(name)
    if known is None or not isinstance(value, str) or known[1](value):
        return None
    return f"This must be {known[0]}."


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


_FORMATS: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "email": ("an e-mail address", lambda text: bool(_EMAIL.fullmatch(text))),
    "uuid": ("a UUID", lambda text: bool(_UUID.fullmatch(text))),
    "date": ("a day as YYYY-MM-DD", _is_date),
    "uri": ("a URL", lambda text: bool(_URI.fullmatch(text))),
}

_CHECKS: Mapping[str, Callable[[Any, Any], str | None]] = {
    "type": _check_type,
    "required": _check_required,
    "enum": _check_enum,
    "minLength": _check_min_length,
    "maxLength": _check_max_length,
    "maxItems": _check_max_items,
    "minimum": _check_minimum,
    "maximum": _check_maximum,
    "format": _check_format,
    "pattern": _check_pattern,
}
