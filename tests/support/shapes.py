"""What a value of a schema of the contract is, references and alternatives resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from nectar_async import contract

__all__ = ["Shape", "resolved", "shape_of"]


@frozen
class Shape:
    """What a value of a schema is, with references and alternatives worked out."""

    kind: str
    schema: Mapping[str, Any]
    is_nullable: bool = False
    is_open: bool = False
    name: str = ""
    """The component that the schema refers to, if it is one."""

    @property
    def item(self) -> Shape:
        """What a list holds."""
        return shape_of(self.schema["items"])

    @property
    def fields(self) -> dict[str, Shape]:
        """What an object holds, by wire keys."""
        properties = self.schema.get("properties", {})
        return {wire: shape_of(schema) for wire, schema in properties.items()}


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """A node of the contract without a reference."""
    while "$ref" in node:
        found = contract.load()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = {**found, **{key: node[key] for key in node if key != "$ref"}}
    return node


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """The shape of a schema; alternatives other than `null` and open enums fail."""
    name, is_nullable, is_open = "", False, False
    while True:
        name = schema.get("$ref", name).rpartition("/")[2]
        schema = resolved(schema)
        if "allOf" in schema:
            (inner,) = schema["allOf"]
        elif "anyOf" in schema:
            branches = [one for one in schema["anyOf"] if one != {"type": "null"}]
            is_nullable |= len(branches) < len(schema["anyOf"])
            is_open = is_open or schema.get("x-open-enum", False)
            inner = branches[0]
            assert is_open or len(branches) == 1, schema
        else:
            break
        schema = {**without(schema, "allOf", "anyOf"), **inner}
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    kind = _kind(name, schema, [one for one in types if one != "null"])
    return Shape(kind, schema, is_nullable or "null" in types, is_open, name)


def without(schema: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A mapping less some keys."""
    return {key: value for key, value in schema.items() if key not in keys}


_MARKS = {"contentMediaType": "file", "x-decimal": "decimal", "enum": "enum"}
_FORMATS = {"date": "date", "email": "email", "uuid": "id", "uri": "link"}
_TYPES = {"integer": "whole", "array": "list", "string": "text"}


def _kind(name: str, schema: Mapping[str, Any], types: list[str]) -> str:
    if name == "Timestamp":
        return "instant"
    for mark, kind in _MARKS.items():
        if mark in schema:
            return kind
    if not types:
        return "anything"
    (type_,) = types
    return _FORMATS.get(schema.get("format", "")) or _TYPES.get(type_, type_)
