"""Restore the fields of a record from a row of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, DecimalException
from typing import Any, Final

import attrs

from nectar_async._json.fields import FieldSpec, ModelSpec, describe_model
from nectar_async._json.json_text import parse_json
from nectar_async._json.scalars import MisfitError
from nectar_async.tables.columns import fit_decimal, fit_integer

__all__ = ["restore_row"]

_PATH: Final = re.compile(r"(\w+)((?:\[\d+\])?)")


def restore_row(spec: ModelSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the columns that are JSON, and move numbers from `extra` to their fields.

    A dict of a record, which has no such columns, is only copied.
    """
    fields = dict(row)
    for each in spec.fields:
        is_text = each.kind not in {dict, Any} and not attrs.has(each.kind)
        if each.is_sequence or not is_text:
            fields[each.name] = _parse(fields.get(each.name))
    extra = _parse(fields.get("extra"))
    if isinstance(extra, dict) and isinstance(fields.get("extra"), str):
        extra = {
            key: value
            for key, value in extra.items()
            if not (isinstance(value, str) and _put_number(spec, fields, key, value))
        }
    fields["extra"] = extra
    return fields


def _parse(value: Any) -> Any:
    if isinstance(value, str):
        with suppress(MisfitError):
            return parse_json(value.encode())
    return value


def _put_number(spec: ModelSpec, fields: Any, path: str, text: str) -> bool:
    """Put a number that did not fit its column into its field.

    Returns:
        Whether it is such a number; otherwise it is an unknown key of the API.
    """
    *outer, last = path.split(".")
    for name in outer:
        field, fields, key = _enter(spec, fields, name)
        if field is None or not attrs.has(field.kind):
            return False
        spec, fields = describe_model(field.kind), fields[key]
    field, fields, key = _enter(spec, fields, last)
    if field is None or fields[key] is not None:
        return False
    fields[key] = _parse_long_number(field, text)
    return fields[key] is not None


def _enter(
    spec: ModelSpec, fields: Any, name: str
) -> tuple[FieldSpec | None, Any, Any]:
    """Find a field by its name in a path, such as `line_items[2]`.

    Returns:
        The field or None, the dict or list that has its value, and the key in it.
    """
    match = _PATH.fullmatch(name)
    field = next(
        (each for each in spec.fields if match and each.name == match[1]), None
    )
    if match is None or field is None or not isinstance(fields, dict):
        return None, None, None
    if not match[2]:
        return (field if field.name in fields else None), fields, field.name
    items, index = fields.get(field.name), int(match[2].strip("[]"))
    is_item = isinstance(items, list) and index < len(items)
    return (field if is_item else None), items, index


def _parse_long_number(field: FieldSpec, text: str) -> Decimal | int | None:
    """Parse a number that does not fit its column; None for any other text."""
    with suppress(DecimalException, ValueError):
        if field.kind is Decimal and fit_decimal(number := Decimal(text)) is None:
            return number
        if field.kind is int and fit_integer(whole := int(text)) is None:
            return whole
    return None
