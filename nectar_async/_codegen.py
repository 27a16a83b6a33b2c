"""Straight-line functions made from a model's fields: one in, one out, per class.

What makes them quick: no call for a field that is null; frozen instances are filled
through a mutable twin of the same slots, whose class is then swapped (a frozen
`__init__` pays one C call a field); enums and days come from tables. The source that is
compiled holds attribute names of our own models and nothing that came over the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

import attrs
from attrs import frozen

from nectar_async._enums import OpenEnum
from nectar_async._leaves import LEAVES, Misfit, days, enum_table
from nectar_async._names import to_wire
from nectar_async._secret import Secret

__all__ = ["Plan", "PlanField", "dumper", "plan_of", "structurer", "table_hook"]

Hook = Callable[[Any, Any], Any]


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
    if is_sequence:
        kind = get_args(kind)[0]
    return PlanField(
        name=attribute.name,
        wire=to_wire(attribute.name),
        kind=dict if get_origin(kind) is Mapping else kind,
        is_optional=is_optional,
        is_sequence=is_sequence,
        is_required=attribute.default is attrs.NOTHING,
    )


def structurer(
    plan: Plan, hooks: Mapping[str, Hook], careful: Callable[[Any], Any]
) -> Hook:
    """A function from a decoded object to an instance of the plan's model.

    Args:
        plan: the model.
        hooks: for each field, the function that makes one value of its kind.
        careful: what to ask about an object in which anything is odd.
    """
    scope: dict[str, Any] = {
        "model": plan.model,
        "Twin": type("Twin", (), {"__slots__": plan.model.__slots__}),  # type: ignore[attr-defined]
        "wires": plan.wires,
        "days": days,
        "careful": careful,
    }
    lines = ["def structure(o, _=None):", "  try:", "    get = o.get", "    s = Twin()"]
    for number, field in enumerate(plan.fields):
        scope[f"kind{number}"], scope[f"hook{number}"] = field.kind, hooks[field.name]
        lines += [f"    {line}" for line in _read(field, number, hooks[field.name])]
    lines += [
        "    if o.keys() <= wires: s.extra = {}",
        "    else: s.extra = {key: o[key] for key in o if key not in wires}",
        "    s.__class__ = model",
        "    return s",
        "  except Exception:",
        "    return careful(o)",
    ]
    return _compiled(f"structure {plan.model.__name__}", lines, scope, "structure")


def _read(field: PlanField, number: int, hook: Hook) -> list[str]:
    """The lines that fill one slot; what raises leads to the careful path."""
    slot, one = f"s.{field.name}", _expression(field, number, hook)
    if field.is_required:
        return [
            f"v = o[{field.wire!r}]",
            *_guard(field, hook, "v"),
            f"{slot} = {one('v')}",
        ]
    fetch = f"v = get({field.wire!r})"
    if field.is_sequence:
        return [
            fetch,
            "if v is not None and v.__class__ is not list: raise TypeError",
            f"{slot} = tuple([{one('x')} for x in v]) if v else ()",
        ]
    if _is_plain(field, hook):
        return [fetch, *_guard(field, hook, "v"), f"{slot} = v"]
    return [fetch, f"{slot} = None if v is None else {one('v')}"]


def _is_plain(field: PlanField, hook: Hook) -> bool:
    """Whether a test of the class is all that a value needs."""
    return field.kind in {str, bool} and hook is LEAVES[field.kind]


def _guard(field: PlanField, hook: Hook, name: str) -> list[str]:
    if not _is_plain(field, hook) or field.is_sequence:
        return []
    null = "" if field.is_required else f"{name} is not None and "
    return [f"if {null}{name}.__class__ is not {field.kind.__name__}: raise TypeError"]


def _expression(field: PlanField, number: int, hook: Hook) -> Callable[[str], str]:
    if not field.is_sequence and _is_plain(field, hook):
        return lambda name: name
    if field.kind is date and hook is LEAVES[date]:
        return lambda name: f"days[{name}]"
    if isinstance(hook, _Table):
        return lambda name: f"hook{number}.table[{name}]"
    return lambda name: f"hook{number}({name}, kind{number})"


class _Table:
    """A hook that is a table; the generated function asks the table itself."""

    __slots__ = ("table",)

    def __init__(self, table: Mapping[Any, Any]) -> None:
        self.table = table

    def __call__(self, value: Any, _: object = None) -> Any:
        try:
            return self.table[value]
        except TypeError:
            raise Misfit.of("text", value) from None


def table_hook(kind: type[OpenEnum]) -> Hook:
    """The hook of an open enum."""
    return _Table(enum_table(kind))


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
    return _compiled(f"dump {plan.model.__name__}", lines, scope, "dump")


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


def _compiled(
    name: str, lines: list[str], scope: dict[str, Any], function: str
) -> Callable[..., Any]:
    source = "\n".join(lines)
    exec(compile(source, f"<{name}>", "exec"), scope)  # noqa: S102 - our own field names, as attrs and cattrs do
    return cast("Callable[..., Any]", scope[function])
