"""The models of the package in other libraries: the same fields, names and types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import GenericAlias
from typing import Any, cast, get_args, get_origin

import attrs
import msgspec
import pydantic

from nectar_async import Company, Secret, UsageData
from nectar_async.contract.wire_names import to_wire

__all__ = ["companies_of", "pydantic_model", "pydantic_page", "struct", "struct_page"]

_ENVELOPE: Mapping[str, Any] = {
    "total_usage_data": int,
    "per_page": int,
    "total_pages": int,
    "current_page": int,
    "has_next": bool,
    "has_previous": bool,
}


@cache
def pydantic_model(kind: type) -> type[pydantic.BaseModel]:
    """Build a frozen pydantic model, which drops unknown keys, as by default."""
    fields: dict[str, Any] = {
        field.name: (
            _kind_of(field.type, pydantic_model),
            pydantic.Field(default=_default(field), alias=to_wire(field.name))
            if field.default is not attrs.NOTHING
            else pydantic.Field(alias=to_wire(field.name)),
        )
        for field in _fields(kind)
    }
    return _pydantic(kind.__name__, fields)


@cache
def pydantic_page() -> type[pydantic.BaseModel]:
    """Build the model of a page of usage in pydantic."""
    records = _tuple_of(pydantic_model(UsageData))
    types = {**_ENVELOPE, "usage_data": records}
    return _pydantic(
        "UsagePage",
        {
            name: (kind, pydantic.Field(alias=to_wire(name)))
            for name, kind in types.items()
        },
    )


@cache
def struct(kind: type) -> type[msgspec.Struct]:
    """Build a frozen msgspec Struct, which drops unknown keys, as by default."""
    fields: list[Any] = [
        (field.name, _kind_of(field.type, struct), _default(field))
        if field.default is not attrs.NOTHING
        else (field.name, _kind_of(field.type, struct))
        for field in _fields(kind)
    ]
    return _struct(kind.__name__, fields)


@cache
def struct_page() -> type[msgspec.Struct]:
    """Build the Struct of a page of usage."""
    records = _tuple_of(struct(UsageData))
    return _struct("UsagePage", [*_ENVELOPE.items(), ("usage_data", records)])


def companies_of(kind: Any) -> Any:
    """Build the type of the list of companies, with `struct` or `pydantic_model`."""
    return GenericAlias(list, (kind(Company),))


def _pydantic(name: str, fields: dict[str, Any]) -> type[pydantic.BaseModel]:
    config = pydantic.ConfigDict(frozen=True)
    made: Any = pydantic.create_model(name, __config__=config, **fields)
    return cast("type[pydantic.BaseModel]", made)


def _struct(name: str, fields: list[Any]) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, fields, frozen=True, kw_only=True, rename=to_wire)


def _fields(kind: type) -> list[Any]:
    attrs.resolve_types(kind)
    return [field for field in attrs.fields(kind) if field.name != "extra"]


def _default(field: Any) -> Any:
    """Choose the default of a field: None, () or an empty mapping."""
    return () if field.default == () else None


def _kind_of(kind: Any, model: Any) -> Any:
    """Replace the models in a type by those of the other library."""
    if get_origin(kind) is Secret:
        return str
    if isinstance(kind, type) and attrs.has(kind):
        return model(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _tuple_of(_kind_of(inner[0], model))
    if origin is Mapping:
        return dict[str, Any]
    if inner:  # a union
        union = _kind_of(inner[0], model)
        for argument in inner[1:]:
            union |= _kind_of(argument, model)
        return union
    return kind


def _tuple_of(kind: Any) -> Any:
    return GenericAlias(tuple, (kind, ...))
