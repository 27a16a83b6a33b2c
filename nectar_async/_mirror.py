"""The quick path: JSON straight into C structs, and from those into models.

For each model a `msgspec.Struct` with the same fields is made: text, booleans, days
and decimals are checked and converted in C, without a dict in between. A generated
function then copies slot to slot into a frozen instance, through a mutable twin of the
same slots whose class is swapped at the end (a frozen `__init__` pays one C call a
field).

A struct refuses keys that it does not know, and whatever else is odd; such a record
goes the careful way. What that put into `.extra` is learned: from then on the struct
has the key as well. So a key that is new in the API costs one slow record, not all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from types import GenericAlias, UnionType
from typing import Any

import attrs
import msgspec
from attrs import frozen

from nectar_async._enums import OpenEnum
from nectar_async._flag import TextFlag
from nectar_async._leaves import (
    LEAVES,
    LENIENT,
    MisfitError,
    SecretObject,
    enum_table,
    flag,
)
from nectar_async._plan import Plan, PlanField, compiled, plan_of
from nectar_async._secret import Secret
from nectar_async.models._extra import Extra

__all__ = ["Mirrors", "TableHook"]

Hook = Callable[[Any, Any], Any]

# Learned keys come from a server: so many for each model, and only ordinary ones.
_MOST_LEARNED = 64
_LEARNABLE = re.compile(r"[\w.$@: -]{1,100}")


class TableHook:
    """The hook of an open enum: a look-up, and a member of its own for what is new."""

    __slots__ = ("table",)

    def __init__(self, kind: type[OpenEnum], *, is_exact: bool) -> None:
        self.table = enum_table(kind, is_exact=is_exact)

    def __call__(self, value: Any, _: object = None) -> Any:
        """The member of a text."""
        if value.__class__ is not str:
            raise MisfitError.of("text", value)
        return self.table[value]


@frozen
class _Mirror:
    struct: type
    copy: Callable[[Any], Any]


class Mirrors:
    """The quick decoders of a converter, made when they are first asked for.

    Args:
        hook_of: for a type, the function that makes one value of it.
        is_own: whether a model is made in our own way, and not by a user's hook.
    """

    def __init__(
        self, hook_of: Callable[[Any], Hook], is_own: Callable[[type], bool]
    ) -> None:
        self._hook_of = hook_of
        self._is_own = is_own
        self._learned: dict[type, list[str]] = {}
        self._made: dict[type, _Mirror] = {}
        self._decoders: dict[type, Callable[[Any], Any]] = {}
        self._list_decoders: dict[type, Callable[[Any], list[Any]]] = {}

    def decoder(self, model: type) -> Callable[[Any], Any]:
        """A function from the JSON of one record to an instance; what is odd raises."""
        if model not in self._decoders:
            mirror = self._mirror(model)
            parser: Any = msgspec.json.Decoder(mirror.struct, float_hook=Decimal)
            decode, copy = parser.decode, mirror.copy
            self._decoders[model] = lambda record: copy(decode(record))
        return self._decoders[model]

    def list_decoder(self, model: type) -> Callable[[Any], list[Any]]:
        """The same for a list of records: one that is odd spoils it for all."""
        if model not in self._list_decoders:
            mirror = self._mirror(model)
            kind: Any = GenericAlias(list, (mirror.struct,))
            decode: Any = msgspec.json.Decoder(kind, float_hook=Decimal).decode
            copy = mirror.copy
            self._list_decoders[model] = lambda records: [
                copy(record) for record in decode(records)
            ]
        return self._list_decoders[model]

    def learn(self, instance: Any) -> None:
        """Have the keys that an instance keeps in `extra`, and those of its parts."""
        is_new = False
        todo = [instance]
        while todo:
            one = todo.pop()
            model: type = type(one)
            plan = plan_of(model)
            keys = self._learned.setdefault(model, [])
            for key in one.extra:
                if key in plan.wires or key in keys or len(keys) >= _MOST_LEARNED:
                    continue
                if _LEARNABLE.fullmatch(key):
                    keys.append(key)
                    is_new = True
            for field in plan.fields:
                part = getattr(one, field.name)
                if attrs.has(field.kind) and part is not None:
                    todo += part if field.is_sequence else [part]
        if is_new:
            self._made.clear()
            self._decoders.clear()
            self._list_decoders.clear()

    def _mirror(self, model: type) -> _Mirror:
        if model not in self._made:
            plan = plan_of(model)
            learned = self._learned.get(model, [])
            names = {f"learned_{number}": key for number, key in enumerate(learned)}
            self._made[model] = _Mirror(
                self._struct(plan, names), self._copier(plan, names)
            )
        return self._made[model]

    def _struct(self, plan: Plan, learned: dict[str, str]) -> type:
        required = [
            (field.name, self._wire_type(field))
            for field in plan.fields
            if field.is_required
        ]
        others = [
            (field.name, self._wire_type(field) | None, None)
            for field in plan.fields
            if not field.is_required
        ]
        return msgspec.defstruct(
            plan.model.__name__,
            [*required, *others, *((name, Any, msgspec.UNSET) for name in learned)],
            rename={field.name: field.wire for field in plan.fields} | learned,
            forbid_unknown_fields=True,
            gc=False,
        )

    def _wire_type(self, field: PlanField) -> Any:
        """What the struct takes for a field; `object` for what a user's hook makes."""
        one: Any = self._mirror(field.kind).struct if self._is_model(field) else None
        if one is None:
            hook = self._hook_of(field.kind)
            is_table = isinstance(hook, TableHook)
            is_leaf = _is_leaf(hook, field.kind)
            one = str if is_table else _WIRE_TYPES[field.kind] if is_leaf else object
        return list[one] if field.is_sequence else one

    def _is_model(self, field: PlanField) -> bool:
        return attrs.has(field.kind) and self._is_own(field.kind)

    def _copier(self, plan: Plan, learned: dict[str, str]) -> Callable[[Any], Any]:
        scope: dict[str, Any] = {
            "Extra": Extra,
            "model": plan.model,
            "Twin": _twin(plan.model),
            "UNSET": msgspec.UNSET,
        }
        lines = ["def copy(o):", "  s = Twin()"]
        for number, field in enumerate(plan.fields):
            scope[f"make{number}"] = self._maker(field)
            lines.append(f"  s.{field.name} = {_copy(field, number, scope)}")
        lines.append(f"  s.extra = extra = {'Extra()' if learned else '{}'}")
        for name, key in learned.items():
            scope[f"key_{name}"] = key
            lines.append(f"  if (v := o.{name}) is not UNSET: extra[key_{name}] = v")
        lines += ["  s.__class__ = model", "  return s"]
        return compiled(f"copy {plan.model.__name__}", lines, scope, "copy")

    def _maker(self, field: PlanField) -> Callable[[Any], Any] | None:
        """What makes a value of what the struct holds; None for one that is right."""
        if self._is_model(field):
            return self._mirror(field.kind).copy
        hook = self._hook_of(field.kind)
        if isinstance(hook, TableHook):
            return hook.table.__getitem__
        if _is_leaf(hook, field.kind):
            return _MAKERS[field.kind]
        return lambda value: hook(value, field.kind)


def _is_leaf(hook: Hook, kind: Any) -> bool:
    """Whether a hook is our own; what only the lenient one takes, no struct does."""
    return hook is LEAVES.get(kind) or hook is LENIENT.get(kind)


def _twin(model: type) -> type:
    """A class of the same layout that can be written to; instances change over to it.

    The layouts of two classes are the same only where their bases are. What a frozen
    base brings is undone: writing to a slot is one step only where nothing of it is
    left.
    """
    (base,) = model.__bases__
    free = ("__init__", "__setattr__", "__delattr__")
    slots = {"__slots__": vars(model)["__slots__"]}
    return type("Twin", (base,), slots | {name: getattr(object, name) for name in free})


def _copy(field: PlanField, number: int, scope: dict[str, Any]) -> str:
    """The expression for one slot."""
    value, make = f"o.{field.name}", f"make{number}"
    if field.is_sequence:
        one = "v" if scope[make] is None else f"[{make}(x) for x in v]"
        return f"tuple({one}) if (v := {value}) else ()"
    if scope[make] is None:
        return value
    if field.is_required:
        return f"{make}({value})"
    return f"None if (v := {value}) is None else {make}(v)"


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise MisfitError.of("a finite decimal", value)
    return value


def _aware(value: str) -> datetime:
    # Not left to the struct: it would round the digits 7 to 9 of a second, not cut.
    instant = datetime.fromisoformat(value)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


_WIRE_TYPES: dict[Any, type | UnionType] = {
    str: str,
    bool: bool,
    int: int,
    date: date,
    datetime: str,
    Decimal: Decimal,
    Secret: str,
    SecretObject: dict,
    TextFlag: bool | str,
    dict: dict,
}

_MAKERS: dict[Any, Callable[[Any], Any] | None] = {
    str: None,
    bool: None,
    int: None,
    date: None,
    datetime: _aware,
    Decimal: _finite,
    Secret: Secret,
    SecretObject: Secret,
    TextFlag: flag,
    dict: None,
}
