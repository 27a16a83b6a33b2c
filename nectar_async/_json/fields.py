"""Describe the fields of a model for the converter, and compile generated functions.

The compiled source contains attribute names of this package's models, and nothing that
came from a server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

import attrs
from attrs import frozen

from nectar_async._json.scalars import SecretObject
from nectar_async._types import Secret
from nectar_async.contract.wire_names import to_wire

__all__ = [
    "FieldSpec",
    "ModelSpec",
    "compile_function",
    "describe_model",
    "remove_secrets",
]

_HOOK_TYPES: Final[Mapping[Any, type]] = {
    Mapping[str, Any]: dict,
    Secret[str]: Secret,
    Secret[Mapping[str, Any]]: SecretObject,
}


# No record is nested deeper than this, unless it is meant to exhaust the stack.
_MAX_DEPTH = 64


@frozen(kw_only=True)
class FieldSpec:
    """One field of a model, with its wire name and type."""

    name: str
    wire: str
    kind: Any
    """The type of the value, or of each item of a sequence; for `Annotated` its
    metadata."""
    is_optional: bool
    is_sequence: bool
    is_required: bool
    is_secret: bool


@frozen(kw_only=True)
class ModelSpec:
    """The fields of a model, without `extra` and those that the API does not have."""

    model: type
    fields: tuple[FieldSpec, ...]
    wires: frozenset[str]
    """The wire names of the fields."""


@cache
def describe_model(model: type) -> ModelSpec:
    """Return the fields of a model with their wire names and types."""
    attrs.resolve_types(model)
    fields = tuple(
        _describe_field(attribute)
        for attribute in attrs.fields(model)
        if attribute.name != "extra" and attribute.metadata.get("is_on_wire", True)
    )
    return ModelSpec(
        model=model, fields=fields, wires=frozenset(field.wire for field in fields)
    )


def _describe_field(attribute: attrs.Attribute[Any]) -> FieldSpec:
    kind: Any = attribute.type
    is_optional = get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind)
    if is_optional:
        (kind,) = (member for member in get_args(kind) if member is not NoneType)
    is_sequence = get_origin(kind) is tuple
    is_required = attribute.default is attrs.NOTHING
    if not (is_optional or is_sequence or is_required):
        raise TypeError(
            f"{attribute.name} of a model is required, optional or a sequence"
        )
    if is_sequence:
        kind = get_args(kind)[0]
    return FieldSpec(
        name=attribute.name,
        wire=to_wire(attribute.name),
        kind=_find_hook_type(kind),
        is_optional=is_optional,
        is_sequence=is_sequence,
        is_required=is_required,
        is_secret=get_origin(kind) is Secret,
    )


def _find_hook_type(kind: Any) -> Any:
    """Return the type for which hooks are registered; cattrs dispatches on no alias."""
    if get_origin(kind) is Annotated:
        (hook_type,) = kind.__metadata__
        return hook_type
    return _HOOK_TYPES.get(kind, kind)


def remove_secrets(
    kind: Any,
    value: Any,
    unknown: frozenset[str] = frozenset(),
    levels: int = _MAX_DEPTH,
) -> Any:
    """Return parsed JSON without the keys that its model masks, at every level.

    Args:
        kind: the model of the JSON, or another type.
        value: parsed JSON.
        unknown: further keys to remove, where the model has no field of that name.
        levels: how many levels to keep; deeper values become None.
    """
    if levels == 0:
        return None
    if isinstance(value, list | tuple):
        return [remove_secrets(kind, item, unknown, levels - 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    specs = describe_model(kind).fields if attrs.has(kind) else ()
    fields = {field.wire: field for field in specs}
    public: dict[str, Any] = {}
    for key, item in value.items():
        field = fields.get(key)
        is_secret = key in unknown if field is None else field.is_secret
        if item is None or not is_secret:
            item_kind = None if field is None else field.kind
            public[key] = remove_secrets(item_kind, item, unknown, levels - 1)
    return public


def compile_function(
    name: str, lines: list[str], scope: dict[str, Any], function: str
) -> Callable[..., Any]:
    """Compile lines of source and return the function of the given name."""
    source = "\n".join(lines)
    exec(compile(source, f"<{name}>", "exec"), scope)  # noqa: S102 - our own field names, as attrs and cattrs do
    return cast("Callable[..., Any]", scope[function])
