"""The fast path of decoding: JSON into C structs, and structs into models.

Each model gets a `msgspec.Struct` with the same fields: text, booleans, days and
decimals are checked and converted in C, without a dict in between. A generated function
then copies the fields into a frozen instance. It fills a mutable class with the same
slots and changes the class of the instance at the end, because a frozen `__init__`
costs a C call for each field.

Equal parts of the records of one list become one model: a site or a bill is repeated
with each of its records, and it is frozen, so the records can share it.

A struct refuses unknown keys and any other odd value; such a record is read field by
field (`field_by_field`). The unknown keys of that record are then learned: new structs
have a field for them. So a new key of the API costs one slow record, not all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import ceil
from types import GenericAlias, UnionType
from typing import Any, Final, NoReturn

import attrs
import msgspec

from nectar_async._json.cooperative import PIECE_SIZE, Steps
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
    SecretObject,
    build_enum_table,
    parse_flag,
)
from nectar_async._types import OpenEnum, Secret, TextFlag
from nectar_async.models._extra import NO_EXTRA, Extra

__all__ = ["StructDecoders", "TableHook"]

Hook = Callable[[Any, Any], Any]
Copier = Callable[[Any, dict[Any, Any]], Any]
"""Takes a struct and the parts already built for its list; returns a model."""

RecordDecoder = Callable[[Any], Any]
ListDecoder = Callable[[Any], Steps[list[Any]]]
PageDecoder = Callable[[Any], Steps[tuple[list[Any], dict[str, Any]]]]

# Learned keys come from a server, so their number is limited, and keys with unusual
# characters are ignored.
_MAX_LEARNED_KEYS = 64
_LEARNABLE_KEY = re.compile(r"[\w.$@: -]{1,100}")

# Building the models of a JSON text takes twice as long as decoding it.
_COPY_SIZE: Final = PIECE_SIZE // 3

# For parts with more texts, a lookup costs as much as building the part again.
_MAX_KEY_TEXTS: Final = 4

_WIRE_TYPES: Final[Mapping[Any, type | UnionType]] = {
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
"""The type of a struct's field for each kind of value."""

_MUTABLE_TYPES: Final[frozenset[Any]] = frozenset({dict, object})
"""Types of struct fields whose values can be changed, or come from a user's hook."""

_EXPRESSIONS: Final[Mapping[Any, str]] = {
    # The struct does not parse datetimes: it would round the digits 7 to 9 of a second
    # instead of cutting them.
    datetime: "(t if (t := instant({0})).tzinfo else t.replace(tzinfo=UTC))",
    Decimal: "({0} if {0}.is_finite() else not_finite({0}))",
    Secret: "Secret({0})",
    SecretObject: "Secret({0})",
    TextFlag: "parse_flag({0})",
}
"""Expressions that convert `{0}`, for the kinds that the struct does not convert."""


def _raise_not_finite(value: Decimal) -> NoReturn:
    raise MisfitError.of("a finite decimal", value)


_SCOPE: Final[Mapping[str, Any]] = {
    "Extra": Extra,
    "NO_EXTRA": NO_EXTRA,
    "Secret": Secret,
    "UNSET": msgspec.UNSET,
    "UTC": UTC,
    "instant": datetime.fromisoformat,
    "not_finite": _raise_not_finite,
    "parse_flag": parse_flag,
}
"""The names in the expressions."""


class TableHook:
    """A cattrs hook that looks up the member of an open enum by its text."""

    __slots__ = ("table",)

    def __init__(self, kind: type[OpenEnum], *, is_exact: bool) -> None:
        self.table = build_enum_table(kind, is_exact=is_exact)

    def __call__(self, value: Any, _: object = None) -> Any:
        """Return the member; for an unknown text, return a new unlisted member."""
        if value.__class__ is not str:
            raise MisfitError.of("text", value)
        return self.table[value]


class StructDecoders:
    """The fast decoders of a converter: for one record, a list, or a page.

    They are built on first use. A decoder raises for anything odd in the JSON. The keys
    that they know never change: for further keys there are new decoders. So several
    threads can use them, and none gets a struct of one state with a copier of another.

    Args:
        find_hook: returns the function that converts one value of a type.
        is_own: whether a model is built by this package, and not by a user's hook.
        learned_keys: the keys by model that structs have besides the model's own.
    """

    def __init__(
        self,
        find_hook: Callable[[Any], Hook],
        is_own: Callable[[type], bool],
        learned_keys: Mapping[type, tuple[str, ...]] | None = None,
    ) -> None:
        self._find_hook = find_hook
        self._is_own = is_own
        self._learned_keys = learned_keys or {}
        self._builder = _StructBuilder(find_hook, is_own, self._learned_keys)
        self._record_decoders: dict[type, RecordDecoder] = {}
        self._list_decoders: dict[type, ListDecoder] = {}
        self._page_decoders: dict[object, PageDecoder] = {}

    def for_record(self, model: type) -> RecordDecoder:
        """Return the function that decodes the JSON of one record."""
        if model not in self._record_decoders:
            decode = _build_decode(self._builder.get_struct(model))
            copy = self._builder.get_copier(model)
            self._record_decoders[model] = lambda record: copy(decode(record), {})
        return self._record_decoders[model]

    def for_list(self, model: type) -> ListDecoder:
        """Return the function that decodes the JSON of a list of records."""
        if model not in self._list_decoders:
            struct = self._builder.get_struct(model)
            decode = _build_decode(GenericAlias(list, (struct,)))
            copy = self._builder.get_copier(model)
            self._list_decoders[model] = lambda text: _copy_in_steps(
                copy, decode(text), len(memoryview(text))
            )
        return self._list_decoders[model]

    def for_page(
        self, model: type, items: str, other_keys: tuple[str, ...]
    ) -> PageDecoder:
        """Return the function that decodes an envelope to records and other values.

        Args:
            model: the model of the records.
            items: the key of the list.
            other_keys: the other keys of the envelope; further keys are refused.
        """
        if (model, items, other_keys) not in self._page_decoders:
            names = {f"key_{number}": key for number, key in enumerate(other_keys)}
            fields: list[Any] = [
                ("items", GenericAlias(list, (self._builder.get_struct(model),))),
                *((name, Any, msgspec.UNSET) for name in names),
            ]
            envelope_struct = msgspec.defstruct(
                "Envelope",
                fields,
                rename={"items": items, **names},
                forbid_unknown_fields=True,
                gc=False,
            )
            decode = _build_decode(envelope_struct)
            copy = self._builder.get_copier(model)

            def decode_page(body: Any) -> Steps[tuple[list[Any], dict[str, Any]]]:
                envelope = decode(body)
                values = {key: getattr(envelope, name) for name, key in names.items()}
                present = {
                    key: value
                    for key, value in values.items()
                    if value is not msgspec.UNSET
                }
                records = yield from _copy_in_steps(copy, envelope.items, len(body))
                return records, present

            self._page_decoders[model, items, other_keys] = decode_page
        return self._page_decoders[model, items, other_keys]

    def learn_extra_keys(self, instance: Any) -> StructDecoders:
        """Return decoders that know the keys in the `extra` of an instance, too.

        The keys of its parts count as well. Returns these decoders if no key is new.
        """
        learned_keys = dict(self._learned_keys)
        pending = [instance]
        while pending:
            instance = pending.pop()
            model: type = type(instance)
            spec = describe_model(model)
            keys = learned_keys.get(model, ())
            new_keys = [
                key
                for key in instance.extra
                if key not in spec.wires and key not in keys
                if _LEARNABLE_KEY.fullmatch(key)
            ]
            if new_keys:
                learned_keys[model] = (*keys, *new_keys)[:_MAX_LEARNED_KEYS]
            for field in spec.fields:
                part = getattr(instance, field.name)
                if attrs.has(field.kind) and part is not None:
                    pending += part if field.is_sequence else [part]
        if learned_keys == self._learned_keys:
            return self
        return StructDecoders(self._find_hook, self._is_own, learned_keys)


def _build_decode(kind: Any) -> Callable[[Any], Any]:
    return msgspec.json.Decoder(kind, float_hook=Decimal).decode


def _copy_in_steps(copy: Copier, structs: list[Any], size: int) -> Steps[list[Any]]:
    """Copy a list of structs into models, and remove each struct from the list.

    If all structs stayed alive to the end, each page would start the garbage collector.

    Args:
        copy: copies one struct into a model.
        structs: the decoded records.
        size: of the JSON, in bytes.
    """
    parts: dict[Any, Any] = {}
    models: list[Any] = []
    structs.reverse()
    take = structs.pop
    count = ceil(len(structs) * _COPY_SIZE / size)
    while structs:
        if size > _COPY_SIZE:
            yield
        models += [copy(take(), parts) for _ in range(min(count, len(structs)))]
    return models


class _StructBuilder:
    """Builds the structs of models, and the functions that copy structs into models."""

    def __init__(
        self,
        find_hook: Callable[[Any], Hook],
        is_own: Callable[[type], bool],
        learned_keys: Mapping[type, tuple[str, ...]],
    ) -> None:
        self._find_hook = find_hook
        self._is_own = is_own
        self._learned_keys = learned_keys
        self._structs: dict[type, type] = {}
        self._copiers: dict[type, Copier] = {}
        """Copiers of records, which are never shared."""
        self._part_copiers: dict[type, Copier] = {}
        """Copiers of parts of records, which may be repeated."""

    def get_struct(self, model: type) -> type:
        """Return the struct that the JSON of a model is decoded to."""
        if model not in self._structs:
            self._structs[model] = self._build_struct(describe_model(model))
        return self._structs[model]

    def get_copier(self, model: type) -> Copier:
        """Return the function that copies a struct into a record."""
        if model not in self._copiers:
            spec = describe_model(model)
            self._copiers[model] = self._build_copier(spec, is_part=False)
        return self._copiers[model]

    def _get_part_copier(self, model: type) -> Copier:
        if model not in self._part_copiers:
            spec = describe_model(model)
            self._part_copiers[model] = self._build_copier(spec, is_part=True)
        return self._part_copiers[model]

    def _name_learned_keys(self, spec: ModelSpec) -> dict[str, str]:
        """Return the learned keys by the names of their fields in the struct."""
        keys = self._learned_keys.get(spec.model, ())
        return {f"learned_{number}": key for number, key in enumerate(keys)}

    def _build_struct(self, spec: ModelSpec) -> type:
        learned = self._name_learned_keys(spec)
        required = [
            (field.name, self._find_wire_type(field))
            for field in spec.fields
            if field.is_required
        ]
        optional = [
            (field.name, self._find_wire_type(field) | None, None)
            for field in spec.fields
            if not field.is_required
        ]
        return msgspec.defstruct(
            spec.model.__name__,
            [*required, *optional, *((name, Any, msgspec.UNSET) for name in learned)],
            rename={field.name: field.wire for field in spec.fields} | learned,
            forbid_unknown_fields=True,
            frozen=_is_text_key(self._find_shareable_types(spec)),  # frozen: hashable
            gc=False,
        )

    def _find_wire_type(self, field: FieldSpec) -> Any:
        """Return the type of a struct's field; `object` for values of a user's hook."""
        is_model = self._is_own_model(field)
        kind = self.get_struct(field.kind) if is_model else self._find_leaf_type(field)
        return GenericAlias(list, (kind,)) if field.is_sequence else kind

    def _find_leaf_type(self, field: FieldSpec) -> Any:
        hook = self._find_hook(field.kind)
        if isinstance(hook, TableHook):
            return str
        return _WIRE_TYPES[field.kind] if _is_own_hook(hook, field.kind) else object

    def _is_own_model(self, field: FieldSpec) -> bool:
        return attrs.has(field.kind) and self._is_own(field.kind)

    def _build_copier(self, spec: ModelSpec, *, is_part: bool) -> Copier:
        """Generate the function that copies a struct's fields into a model's slots.

        The function for a part reuses the model of an equal part earlier in the list.
        """
        learned = self._name_learned_keys(spec)
        scope = {
            **_SCOPE,
            "model": spec.model,
            "Twin": _build_mutable_twin(spec.model),
        }
        lines = ["  s = Twin()"]
        for number, field in enumerate(spec.fields):
            expression = self._build_expression(field, f"make{number}", scope)
            lines.append(f"  s.{field.name} = {_build_slot_value(field, expression)}")
        lines.append("  extra = NO_EXTRA")
        for name, key in learned.items():
            scope[f"key_{name}"] = key
            lines += [
                f"  if (v := o.{name}) is not UNSET:",
                "    if extra is NO_EXTRA: extra = Extra()",
                f"    extra[key_{name}] = v",
            ]
        absent = [
            attribute.name
            for attribute in attrs.fields(spec.model)
            if not attribute.metadata.get("is_on_wire", True)
        ]
        lines += [f"  s.{name} = None" for name in absent]
        lines += ["  s.extra = extra", "  s.__class__ = model"]
        if is_part:
            types = self._find_shareable_types(spec)
            before, after = _build_sharing_lines(types, learned) or ([], [])
            lines = [*before, *lines, *after]
        lines = ["def copy(o, parts):", *lines, "  return s"]
        return compile_function(f"copy {spec.model.__name__}", lines, scope, "copy")

    def _find_shareable_types(self, spec: ModelSpec) -> dict[str, Any]:
        """Return the types of a struct's fields; None where the value is mutable."""
        types: dict[str, Any] = {}
        for field in spec.fields:
            is_immutable = (
                not self._is_own_model(field)
                and self._find_leaf_type(field) not in _MUTABLE_TYPES
            )
            types[field.name] = self._find_wire_type(field) if is_immutable else None
        return types

    def _build_expression(
        self, field: FieldSpec, name: str, scope: dict[str, Any]
    ) -> str:
        """Return the expression that converts `{0}` from the struct for the model.

        A function that the expression calls is added to the scope under `name`.
        """
        if self._is_own_model(field):
            scope[name] = self._get_part_copier(field.kind)
            return f"{name}({{0}}, parts)"
        hook = self._find_hook(field.kind)
        if isinstance(hook, TableHook):
            scope[name] = hook.table
            return f"{name}[{{0}}]"
        if _is_own_hook(hook, field.kind):
            return _EXPRESSIONS.get(field.kind, "{0}")
        scope[name] = lambda value: hook(value, field.kind)
        return f"{name}({{0}})"


def _is_own_hook(hook: Hook, kind: Any) -> bool:
    """Whether a hook is this package's own.

    Values that only the lenient hook accepts are refused by the struct.
    """
    return hook is STRICT_HOOKS.get(kind) or hook is LENIENT_HOOKS.get(kind)


def _build_mutable_twin(model: type) -> type:
    """Build a mutable class with the slots of a model.

    An instance can change its class only between classes with the same layout, and so
    with the same base. The methods of a frozen base are replaced by those of `object`,
    because only then is an assignment to a slot a single step.
    """
    (base,) = model.__bases__
    replaced = ("__init__", "__setattr__", "__delattr__")
    slots = {"__slots__": vars(model)["__slots__"]}
    methods = {name: getattr(object, name) for name in replaced}
    return type("Twin", (base,), slots | methods)


def _build_slot_value(field: FieldSpec, expression: str) -> str:
    """Build the expression that computes a slot's value from the struct `o`.

    It is written out in the generated function: a call for each value would cost more
    than the conversion.

    Args:
        field: the field of the model.
        expression: converts one value `{0}`.
    """
    value = f"o.{field.name}"
    is_plain = expression == "{0}"
    if field.is_sequence:
        if is_plain:
            return f"tuple(v) if (v := {value}) else ()"
        # Most lists have one item, and a comprehension costs a function call.
        single = f"({expression.format('v[0]')},)"
        several = f"[{expression.format('x')} for x in v]"
        return (
            f"() if not (v := {value}) else {single} if len(v) == 1 else"
            f" tuple({several})"
        )
    if is_plain:
        return value
    if field.is_required:
        return expression.format(value)
    return f"None if (v := {value}) is None else {expression.format('v')}"


def _is_text_key(types: Mapping[str, Any]) -> bool:
    """Whether a part is only a few texts, so that its struct can be a dict's key."""
    return set(types.values()) == {str} and len(types) <= _MAX_KEY_TEXTS


def _build_sharing_lines(
    types: Mapping[str, Any], learned: Iterable[str] = ()
) -> tuple[list[str], list[str]] | None:
    """Return the lines before and after a copier's body that share equal parts.

    In the lines `o` is the struct, `s` the model, and `parts` holds the parts that were
    made in this list: by struct if the part is only a few texts, otherwise by id.

    Args:
        types: the types of the struct's fields by name; None for a mutable value or
            another struct.
        learned: names of further fields, whose values may have no hash.

    Returns:
        None if parts of this kind cannot be shared.
    """
    if None in types.values():
        return None
    if _is_text_key(types):
        plain = "".join(f"o.{name} is UNSET and " for name in learned)
        return (
            [f"  if {plain}(s := parts.get(o)) is not None: return s"],
            ["  if extra is NO_EXTRA: parts[o] = s"],
        )
    if "id" not in types:
        return None
    # Decimals with different digits are equal, but 1.5 and 1.50 must both be kept.
    decimals = [name for name, kind in types.items() if kind is Decimal]
    same_digits = [
        f"((a := p.{name}) is (b := o.{name}) or str(a) == str(b))" for name in decimals
    ]
    return (
        [
            "  if (hit := parts.get(o.id)) is not None:",
            "    p, s = hit",
            f"    if {' and '.join(['p == o', *same_digits])}: return s",
        ],
        ["  if extra is NO_EXTRA: parts[o.id] = o, s"],
    )
