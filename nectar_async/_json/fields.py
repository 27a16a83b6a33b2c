"""A model as a plan of its fields, and the way to make functions from such plans.

The source that is compiled here holds attribute names of our own models, and nothing
that came over the wire.
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

_PLAIN: Final[Mapping[Any, type]] = {
    Mapping[str, Any]: dict,
    Secret[str]: Secret,
    Secret[Mapping[str, Any]]: SecretObject,
}


# No record is nested deeper; whoever sends such a thing does not want it to be read.
_DEEPEST = 64


@frozen(kw_only=True)
class FieldSpec:
    """One field of a model as the converter sees it."""

    name: str
    wire: str
    kind: Any
    """The type of the value, or of each item of a sequence; its mark if it has one."""
    is_optional: bool
    is_sequence: bool
    is_required: bool
    is_secret: bool


@frozen(kw_only=True)
class ModelSpec:
    """A model as the converter sees it."""

    model: type
    fields: tuple[FieldSpec, ...]
    wires: frozenset[str]
    """The wire keys that the model knows."""


@cache
def describe_model(model: type) -> ModelSpec:
    """The fields of a model with their wire names and types; `extra` is no field."""
    attrs.resolve_types(model)
    fields = tuple(
        _field(attribute)
        for attribute in attrs.fields(model)
        if attribute.name != "extra"
    )
    return ModelSpec(
        model=model, fields=fields, wires=frozenset(field.wire for field in fields)
    )


def _field(attribute: attrs.Attribute[Any]) -> FieldSpec:
    kind: Any = attribute.type
    is_optional = get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind)
    if is_optional:
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
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
        kind=_plain(kind),
        is_optional=is_optional,
        is_sequence=is_sequence,
        is_required=is_required,
        is_secret=get_origin(kind) is Secret,
    )


def _plain(kind: Any) -> Any:
    """The kind by which hooks are found: no alias, which cattrs dispatches on."""
    if get_origin(kind) is Annotated:
        (mark,) = kind.__metadata__
        return mark
    return _PLAIN.get(kind, kind)


def remove_secrets(
    kind: Any,
    value: Any,
    unknown: frozenset[str] = frozenset(),
    levels: int = _DEEPEST,
) -> Any:
    """JSON of a kind less the keys that its model masks, at every level.

    Args:
        kind: the model whose JSON it is, or another type.
        value: as the parser gives it.
        unknown: what to leave out as well among the keys that no model knows.
        levels: how deep to look; what lies deeper is left out.
    """
    if levels == 0:
        return None
    if isinstance(value, list | tuple):
        return [remove_secrets(kind, one, unknown, levels - 1) for one in value]
    if not isinstance(value, Mapping):
        return value
    plan = describe_model(kind).fields if attrs.has(kind) else ()
    fields = {field.wire: field for field in plan}
    kept: dict[str, Any] = {}
    for key, one in value.items():
        field = fields.get(key)
        is_hidden = key in unknown if field is None else field.is_secret
        if one is None or not is_hidden:
            inner = None if field is None else field.kind
            kept[key] = remove_secrets(inner, one, unknown, levels - 1)
    return kept


def compile_function(
    name: str, lines: list[str], scope: dict[str, Any], function: str
) -> Callable[..., Any]:
    """The function of that name in the lines of source."""
    source = "\n".join(lines)
    exec(compile(source, f"<{name}>", "exec"), scope)  # noqa: S102 - our own field names, as attrs and cattrs do
    return cast("Callable[..., Any]", scope[function])
