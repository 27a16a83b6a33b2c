"""Validation of request values against the contract's schemas.

`_CHECKS` lists the JSON Schema keywords that the contract uses in requests. Other
keywords, such as `description`, `example` and the `x-` extensions, are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from nectar_async import contract

__all__ = ["MAX_DIGITS", "Schema", "coerce_texts", "find_problem", "resolve_reference"]

Schema = Mapping[str, Any]

MAX_DIGITS = 4_000
"""The maximum number of digits of a whole number; Python parses at most 4,300."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/]\S*", re.IGNORECASE)
_INTEGER = re.compile(rf"[+-]?\d{{1,{MAX_DIGITS}}}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def resolve_reference(schema: Schema) -> Schema:
    """Follow `$ref` to the schema itself."""
    while "$ref" in schema:
        schema = _find_component(schema["$ref"])
    return schema


def find_problem(schema: Schema, value: Any, path: str = "") -> str | None:
    """Find the first problem, as `path: text`; None if the value is valid."""
    schema = resolve_reference(schema)
    for keyword, check in _CHECKS.items():
        if keyword in schema:
            problem = check(schema[keyword], value)
            if problem is not None:
                return f"{path}: {problem}" if path else problem
    for inner_path, inner_schema, part in _list_parts(schema, value, path):
        problem = find_problem(inner_schema, part, inner_path)
        if problem is not None:
            return problem
    return _find_problem_in_alternatives(schema, value, path)


def coerce_texts(schema: Schema, texts: Sequence[str]) -> Any:
    """Convert the texts of a query parameter or a form field to the schema's type.

    A text that cannot be converted stays a text, which `find_problem` then reports.
    If a key is repeated, the last value counts, unless the schema is an array.
    """
    schema = resolve_reference(schema)
    types = _list_types(schema)
    if "array" in types:
        items = schema.get("items", {})
        return [coerce_texts(items, (text,)) for text in texts]
    text = texts[-1]
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "boolean" in types:
        return _BOOLEANS.get(text.lower(), text)
    return text


def _list_parts(schema: Schema, value: Any, path: str) -> list[tuple[str, Schema, Any]]:
    """List the parts of an object or a list, each with its path and schema."""
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
            (f"{dot}{index}", schema["items"], part) for index, part in enumerate(value)
        ]
    return []


def _find_problem_in_alternatives(schema: Schema, value: Any, path: str) -> str | None:
    for part in schema.get("allOf", ()):
        problem = find_problem(part, value, path)
        if problem is not None:
            return problem
    problem = None
    for alternative in schema.get("anyOf", ()):
        problem = find_problem(alternative, value, path)
        if problem is None:
            return None
    return problem


def _list_types(schema: Schema) -> Sequence[str]:
    types: str | Sequence[str] = schema.get("type", ())
    if isinstance(types, str):
        return (types,)
    if types:
        return types
    merged = schema.get("allOf", ())
    return [name for part in merged for name in _list_types(resolve_reference(part))]


def _find_component(reference: str) -> Schema:
    value: Any = contract.load()
    for step in reference.removeprefix("#/").split("/"):
        value = value[step]
    schema: Schema = value
    return schema


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: _is_number(value) and value % 1 == 0),
    "number": ("a number", _is_number),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "null": ("null", lambda value: value is None),
}


def _check_type(types: str | Sequence[str], value: Any) -> str | None:
    names = (types,) if isinstance(types, str) else types
    if any(_TYPES[name][1](value) for name in names):
        return None
    if value is None:
        return "This field may not be null."
    return f"This must be {' or '.join(_TYPES[name][0] for name in names)}."


def _check_required(keys: Sequence[str], value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    missing = next((key for key in keys if key not in value), None)
    return None if missing is None else f"{missing}: This field is required."


def _check_min_length(bound: int, value: Any) -> str | None:
    if not isinstance(value, str) or len(value) >= bound:
        return None
    return (
        f"This must have at least {bound} characters."
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
    "date": ("a date as YYYY-MM-DD", _is_date),
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
