"""The quick path: JSON straight into C structs, and from those into models.

For each model a `msgspec.Struct` with the same fields is made: text, booleans, days
and decimals are checked and converted in C, without a dict in between. A generated
function then copies slot to slot into a frozen instance, through a mutable twin of the
same slots whose class is swapped at the end (a frozen `__init__` pays one C call a
field). Equal parts of the records of a list are one model in the end (`_shared`).

A struct refuses keys that it does not know, and whatever else is odd; such a record
goes the careful way. What that put into `.extra` is learned: from then on the struct
has the key as well. So a key that is new in the API costs one slow record, not all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import GenericAlias
from typing import Any

import attrs
import msgspec

from nectar_async._json.fields import (
    FieldSpec,
    ModelSpec,
    compile_function,
    describe_model,
)
from nectar_async._json.scalars import (
    LENIENT_HOOKS,
    STRICT_HOOKS,
    MisfitError,
    build_enum_table,
)
from nectar_async._json.shared import is_text, share_lines
from nectar_async._json.slots import (
    CHANGEABLE,
    EXPRESSIONS,
    SCOPE,
    WIRE_TYPES,
    slot,
    twin,
)
from nectar_async._types import OpenEnum

__all__ = ["CopyFunction", "StructBuilder", "TableHook"]

Hook = Callable[[Any, Any], Any]
CopyFunction = Callable[[Any, dict[Any, Any]], Any]
"""From a struct, and from the parts that were made before in its list, to a model."""

# Learned keys come from a server: so many for each model, and only ordinary ones.
_MOST_LEARNED = 64
_LEARNABLE = re.compile(r"[\w.$@: -]{1,100}")


class TableHook:
    """The hook of an open enum: a look-up, and a member of its own for what is new."""

    __slots__ = ("table",)

    def __init__(self, kind: type[OpenEnum], *, is_exact: bool) -> None:
        self.table = build_enum_table(kind, is_exact=is_exact)

    def __call__(self, value: Any, _: object = None) -> Any:
        """The member of a text."""
        if value.__class__ is not str:
            raise MisfitError.of("text", value)
        return self.table[value]


class StructBuilder:
    """The structs of a converter's models, made when they are first asked for.

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
        self._structs: dict[type, type] = {}
        self._copies: dict[type, CopyFunction] = {}
        """For records, which come once."""
        self._shares: dict[type, CopyFunction] = {}
        """For parts of them, which may come again."""

    def struct(self, model: type) -> type:
        """What JSON of a model is decoded to; it refuses what is odd."""
        if model not in self._structs:
            self._structs[model] = self._new_struct(describe_model(model))
        return self._structs[model]

    def copy(self, model: type) -> CopyFunction:
        """What makes a model of a struct, and of the parts that are alike one."""
        if model not in self._copies:
            self._copies[model] = self._new_copy(describe_model(model), is_part=False)
        return self._copies[model]

    def learn(self, instance: Any) -> bool:
        """Have the keys that an instance keeps in `extra`, and those of its parts.

        Returns:
            Whether one is new; what was made before does not have it.
        """
        is_new = False
        todo = [instance]
        while todo:
            one = todo.pop()
            model: type = type(one)
            plan = describe_model(model)
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
            for made in (self._structs, self._copies, self._shares):
                made.clear()
        return is_new

    def _share(self, model: type) -> CopyFunction:
        if model not in self._shares:
            self._shares[model] = self._new_copy(describe_model(model), is_part=True)
        return self._shares[model]

    def _names(self, plan: ModelSpec) -> dict[str, str]:
        """The keys that were learned, by the names that they have in the struct."""
        learned = self._learned.get(plan.model, [])
        return {f"learned_{number}": key for number, key in enumerate(learned)}

    def _new_struct(self, plan: ModelSpec) -> type:
        learned = self._names(plan)
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
            frozen=is_text(self._shareable(plan)),  # and so it has a hash
            gc=False,
        )

    def _wire_type(self, field: FieldSpec) -> Any:
        """What the struct takes for a field; `object` for what a user's hook makes."""
        is_part = self._is_model(field)
        one = self.struct(field.kind) if is_part else self._leaf_type(field)
        return GenericAlias(list, (one,)) if field.is_sequence else one

    def _leaf_type(self, field: FieldSpec) -> Any:
        hook = self._hook_of(field.kind)
        if isinstance(hook, TableHook):
            return str
        return WIRE_TYPES[field.kind] if _is_leaf(hook, field.kind) else object

    def _is_model(self, field: FieldSpec) -> bool:
        return attrs.has(field.kind) and self._is_own(field.kind)

    def _new_copy(self, plan: ModelSpec, *, is_part: bool) -> CopyFunction:
        """Slot to slot; a part that came before in the list is that one."""
        learned = self._names(plan)
        scope = {**SCOPE, "model": plan.model, "Twin": twin(plan.model)}
        lines = ["  s = Twin()"]
        for number, field in enumerate(plan.fields):
            make = f"make{number}"
            one = self._expression(field, make, scope)
            lines.append(f"  s.{field.name} = {slot(field, one)}")
        lines.append("  extra = NO_EXTRA")
        for name, key in learned.items():
            scope[f"key_{name}"] = key
            lines += [
                f"  if (v := o.{name}) is not UNSET:",
                "    if extra is NO_EXTRA: extra = Extra()",
                f"    extra[key_{name}] = v",
            ]
        lines += ["  s.extra = extra", "  s.__class__ = model"]
        if is_part:
            before, after = share_lines(self._shareable(plan), learned) or ([], [])
            lines = [*before, *lines, *after]
        lines = ["def copy(o, parts):", *lines, "  return s"]
        return compile_function(f"copy {plan.model.__name__}", lines, scope, "copy")

    def _shareable(self, plan: ModelSpec) -> dict[str, Any]:
        """The types of a struct's fields; None where what is made can be changed."""
        types: dict[str, Any] = {}
        for field in plan.fields:
            is_fixed = (
                not self._is_model(field) and self._leaf_type(field) not in CHANGEABLE
            )
            types[field.name] = self._wire_type(field) if is_fixed else None
        return types

    def _expression(self, field: FieldSpec, make: str, scope: dict[str, Any]) -> str:
        """What makes `{0}`, a value of the struct, into one of the model.

        What it needs is put into the scope, under the name `make`.
        """
        if self._is_model(field):
            scope[make] = self._share(field.kind)
            return f"{make}({{0}}, parts)"
        hook = self._hook_of(field.kind)
        if isinstance(hook, TableHook):
            scope[make] = hook.table
            return f"{make}[{{0}}]"
        if _is_leaf(hook, field.kind):
            return EXPRESSIONS.get(field.kind, "{0}")
        scope[make] = lambda value: hook(value, field.kind)
        return f"{make}({{0}})"


def _is_leaf(hook: Hook, kind: Any) -> bool:
    """Whether a hook is our own; what only the lenient one takes, no struct does."""
    return hook is STRICT_HOOKS.get(kind) or hook is LENIENT_HOOKS.get(kind)
