"""Shapes: the types of the contract's schemas, with references resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from nectar_async.contract import resolve_ref

__all__ = ["Shape", "read_shape"]


@frozen
class Shape:
    """The type of a schema's values, with references and alternatives resolved."""

    kind: str
    schema: Mapping[str, Any]
    is_nullable: bool = False
    is_open: bool = False
    name: str = ""
    """The component that the schema refers to, or ""."""

    @property
    def item(self) -> Shape:
        """The shape of a list's items."""
        return read_shape(self.schema["items"])

    @property
    def fields(self) -> dict[str, Shape]:
        """The shapes of an object's properties, by wire name."""
        properties = self.schema.get("properties", {})
        return {wire: read_shape(schema) for wire, schema in properties.items()}


def read_shape(schema: Mapping[str, Any]) -> Shape:
    """Return the shape of a schema. Alternatives must be null or an open enum."""
    name, is_nullable, is_open = "", False, False
    while True:
        name = schema.get("$ref", name).rpartition("/")[2]
        schema = resolve_ref(schema)
        if "allOf" in schema:
            (inner,) = schema["allOf"]
        elif "anyOf" in schema:
            branches = [
                branch for branch in schema["anyOf"] if branch != {"type": "null"}
            ]
            is_nullable |= len(branches) < len(schema["anyOf"])
            is_open = is_open or schema.get("x-open-enum", False)
            inner = branches[0]
            assert is_open or len(branches) == 1, schema
        else:
            break
        schema = {**remove_keys(schema, "allOf", "anyOf"), **inner}
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    kind = _find_kind(name, schema, [type_ for type_ in types if type_ != "null"])
    return Shape(kind, schema, is_nullable or "null" in types, is_open, name)


def remove_keys(schema: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return a copy of a mapping without the given keys."""
    return {key: value for key, value in schema.items() if key not in keys}


_MARKS = {"contentMediaType": "file", "x-decimal": "decimal", "enum": "enum"}
_FORMATS = {"date": "date", "email": "email", "uuid": "id", "uri": "link"}
_TYPES = {"integer": "whole", "array": "list", "string": "text"}


def _find_kind(name: str, schema: Mapping[str, Any], types: list[str]) -> str:
    if name == "Timestamp":
        return "instant"
    for mark, kind in _MARKS.items():
        if mark in schema:
            return kind
    if not types:
        return "anything"
    (type_,) = types
    return _FORMATS.get(schema.get("format", "")) or _TYPES.get(type_, type_)
