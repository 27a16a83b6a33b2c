"""The schemas with which pydantic, and so FastAPI, reads, writes and documents models.

Models have the names of Python there, decimals are text, and secrets are left out, as
in `to_json`. Only pydantic itself calls this.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from inspect import getdoc
from typing import Any, Final

import attrs
import cattrs

from nectar_async._json.fields import FieldSpec, describe_model
from nectar_async._json.scalars import MisfitError
from nectar_async._types import OpenEnum, TextFlag
from nectar_async.tables.cattrs_converter import make_converter
from nectar_async.tables.columns import read_field_docs
from nectar_async.tables.dicts import to_dict

__all__ = ["build_core_schema", "build_json_schema"]

JsonSchema = dict[str, Any]

_TYPES: Final[Mapping[Any, JsonSchema]] = {
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: {"type": "string", "format": "decimal"},
    dict: {"type": "object", "additionalProperties": True},
    int: {"type": "integer"},
    str: {"type": "string"},
    TextFlag: {"type": "boolean"},
}


@cache
def build_core_schema(model: Any) -> Any:
    """Build the schema that validates and serializes records, and dicts of them."""
    core_schema = import_module("pydantic_core.core_schema")

    def validate(value: Any) -> Any:
        if isinstance(value, model):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(  # noqa: TRY004 - pydantic reports a ValueError
                f"expected a {model.__name__} or a dict of one, not"
                f" {type(value).__name__}"
            )
        try:
            return _get_converter().structure(value, model)
        except MisfitError as misfit:
            raise ValueError(str(misfit)) from None

    return core_schema.no_info_plain_validator_function(
        validate,
        ref=f"{model.__module__}.{model.__qualname__}:{id(model)}",
        serialization=core_schema.plain_serializer_function_ser_schema(to_dict),
    )


def build_json_schema(model: Any) -> JsonSchema:
    """Build the JSON schema of a model, with the docstrings of its fields."""
    texts = read_field_docs(model)
    fields = [field for field in describe_model(model).fields if not field.is_secret]
    properties = {field.name: _describe(field) for field in fields}
    for attribute in attrs.fields(model):
        if not attribute.metadata.get("is_on_wire", True):
            properties[attribute.name] = _make_optional(_TYPES[str])
    properties["extra"] = _TYPES[dict]
    return {
        "title": model.__name__,
        "type": "object",
        "description": getdoc(model) or "",
        "properties": {
            name: {**schema, "description": texts[name]} if name in texts else schema
            for name, schema in properties.items()
        },
        "required": [field.name for field in fields if field.is_required],
    }


def _describe(field: FieldSpec) -> JsonSchema:
    kind = field.kind
    if attrs.has(kind):
        schema = build_json_schema(kind)
    elif isinstance(kind, type) and issubclass(kind, OpenEnum):
        schema = {"type": "string", "examples": [str(member) for member in kind]}
    else:
        schema = _TYPES.get(kind, {})
    if field.is_sequence:
        return {"type": "array", "items": schema}
    return _make_optional(schema) if field.is_optional else schema


def _make_optional(schema: JsonSchema) -> JsonSchema:
    return {"anyOf": [schema, {"type": "null"}]}


@cache
def _get_converter() -> cattrs.Converter:
    return make_converter("python")
