"""A model as a plan of its fields, and functions made from such plans.

The source that is compiled here holds attribute names of our own models, and nothing
that came over the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

import attrs
from attrs import frozen

from nectar_async._names import to_wire
from nectar_async._secret import Secret

__all__ = ["Plan", "PlanField", "compiled", "dumper", "plan_of"]


@frozen(kw_only=True)
class PlanField:
    """One field of a model as the converter sees it."""

    name: str
    wire: str
    kind: Any
    """The type of the value, or of each item of a sequence."""
    is_optional: bool
    is_sequence: bool
    is_required: bool


@frozen(kw_only=True)
class Plan:
    """A model as the converter sees it."""

    model: type
    fields: tuple[PlanField, ...]
    wires: frozenset[str]
    """The wire keys that the model knows."""


@cache
def plan_of(model: type) -> Plan:
    """The fields of a model with their wire names and types; `extra` is no field."""
    attrs.resolve_types(model)
    fields = tuple(
        _field(attribute)
        for attribute in attrs.fields(model)
        if attribute.name != "extra"
    )
    return Plan(
        model=model, fields=fields, wires=frozenset(field.wire for field in fields)
    )


def _field(attribute: attrs.Attribute[Any]) -> PlanField:
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
    return PlanField(
        name=attribute.name,
        wire=to_wire(attribute.name),
        kind=dict if get_origin(kind) is Mapping else kind,
        is_optional=is_optional,
        is_sequence=is_sequence,
        is_required=is_required,
    )


def dumper(plan: Plan, dumpers: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """A function from an instance to an object of the wire, ready for a JSON encoder.

    Days and instants stay what they are: the encoder writes them. `dumpers` holds, for
    each field of a model's type, the function that does the same for it.
    """
    scope: dict[str, Any] = {f"dump_{name}": dump for name, dump in dumpers.items()}
    pairs = [
        f"{field.wire!r}: {_write(field)}"
        for field in plan.fields
        if field.kind is not Secret
    ]
    secrets = [
        f"    d[{field.wire!r}] = None if (v := m.{field.name}) is None else v.reveal()"
        for field in plan.fields
        if field.kind is Secret
    ]
    lines = [
        "def dump(m, secrets):",
        f"  d = {{{', '.join(pairs)}}}",
        *(["  if secrets:", *secrets] if secrets else []),
        "  if m.extra: d.update(m.extra)",
        "  return d",
    ]
    return compiled(f"dump {plan.model.__name__}", lines, scope, "dump")


def _write(field: PlanField) -> str:
    value = f"m.{field.name}"
    if attrs.has(field.kind):
        if field.is_sequence:
            return f"[dump_{field.name}(x, secrets) for x in {value}]"
        return f"None if (v := {value}) is None else dump_{field.name}(v, secrets)"
    if field.kind is Decimal:
        if field.is_sequence:
            return f"[str(x) for x in {value}]"
        return f"None if (v := {value}) is None else str(v)"
    return value


def compiled(
    name: str, lines: list[str], scope: dict[str, Any], function: str
) -> Callable[..., Any]:
    """The function of that name in the lines of source."""
    source = "\n".join(lines)
    exec(compile(source, f"<{name}>", "exec"), scope)  # noqa: S102 - our own field names, as attrs and cattrs do
    return cast("Callable[..., Any]", scope[function])
