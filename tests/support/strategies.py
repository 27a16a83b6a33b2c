"""Hypothesis strategies for models, and for randomly changed JSON of models."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from nectar_async._json.converter import Converter
from nectar_async._types import OpenEnum, Secret
from nectar_async.contract.wire_names import to_wire

__all__ = [
    "damaged_json",
    "finite_decimals",
    "json_objects",
    "json_values",
    "models",
    "read_fields",
    "words",
]

M = TypeVar("M")

words = st.text(st.characters(codec="utf-8"), max_size=12)
"""Any text that can be encoded in UTF-8."""

finite_decimals = st.decimals(allow_nan=False, allow_infinity=False)
"""Any finite decimal."""

_minutes = st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | finite_decimals | words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
    ),
    max_leaves=6,
)
"""Any parsed JSON value, with decimals and without floats."""

json_objects = st.dictionaries(words, json_values, max_size=3)

_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    bool: st.booleans(),
    date: st.dates(),
    datetime: st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001  the time zone is a separate argument
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC) | _minutes,
    ),
    Decimal: finite_decimals,
    int: st.integers(-(2**60), 2**60),
    Secret[str]: words.map(Secret),
    Secret[Mapping[str, Any]]: json_objects.map(Secret),
    dict: json_objects,
    Any: json_values,
}

# Values that few fields accept, or none.
_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -7,
    10**30,
    Decimal("1.50"),
    "",
    "odd",
    "NaN",
    "2025-01-31",
    "2025-01-31T12:00:00.123456789",
    [],
    [None],
    ["odd"],
    {},
    {"id": 5},
    {"id": "1", "name": "x"},
    [{"id": "1"}],
)


class Field(NamedTuple):
    """One field of a model, read from its annotation."""

    name: str
    wire: str
    kind: Any
    """The type of the value, or of each item of a sequence."""
    is_optional: bool
    is_sequence: bool
    is_required: bool


def read_fields(model: type) -> list[Field]:
    """Return the fields of a model without `extra`, independently of the package."""
    types = get_type_hints(model)
    return [
        _read_field(
            attribute.name,
            types[attribute.name],
            is_required=attribute.default is attrs.NOTHING,
        )
        for attribute in attrs.fields(model)
        if attribute.name != "extra"
    ]


def _read_field(name: str, kind: Any, *, is_required: bool) -> Field:
    is_optional = NoneType in get_args(kind)
    if is_optional:
        (kind,) = (member for member in get_args(kind) if member is not NoneType)
    is_sequence = get_origin(kind) is tuple
    if is_sequence:
        kind = get_args(kind)[0]
    kind = dict if get_origin(kind) is Mapping else kind
    return Field(name, to_wire(name), kind, is_optional, is_sequence, is_required)


def models(model: type[M], *, with_extra: bool = True) -> st.SearchStrategy[M]:
    """Build a strategy for instances of a model; optional fields may be missing."""
    specs = read_fields(model)
    wires = {field.wire for field in specs}
    unknown = words.filter(lambda key: key not in wires)
    extra = st.dictionaries(unknown, json_values, max_size=2)
    fields = {field.name: _build_field_strategy(field, with_extra) for field in specs}
    required = {field.name for field in specs if field.is_required}
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={
            **{name: fields[name] for name in fields.keys() - required},
            **({"extra": extra} if with_extra else {}),
        },
    ).map(lambda values: model(**values))


def _build_field_strategy(field: Field, with_extra: bool) -> st.SearchStrategy[Any]:
    strategy = _build_value_strategy(field.kind, with_extra)
    if field.is_sequence:
        return st.lists(strategy, max_size=2).map(tuple)
    return st.none() | strategy if field.is_optional else strategy


def _build_value_strategy(kind: Any, with_extra: bool) -> st.SearchStrategy[Any]:
    if kind in _LEAVES:
        return _LEAVES[kind]
    if attrs.has(kind):
        return models(kind, with_extra=with_extra)
    assert issubclass(kind, OpenEnum)
    # A known value in another case is read as that member.
    known = {str(member).upper() for member in kind}
    new = words.filter(lambda text: text.upper() not in known)
    return st.sampled_from(list(kind)) | new.map(kind)


_converter = Converter()


@st.composite
def damaged_json(draw: st.DrawFn, model: type) -> dict[str, Any]:
    """Return the JSON of an instance with up to four random changes, at any depth."""
    value = _converter.decode(_converter.encode(draw(models(model))), dict)
    for _ in range(draw(st.integers(0, 4))):
        _change_json(draw, value, model)
    return value


def _change_json(draw: st.DrawFn, value: dict[str, Any], model: type) -> None:
    """Remove a key, replace a value or add an unknown key, at a random depth."""
    nested: list[tuple[dict[str, Any], type]] = [
        (inner, field.kind)
        for field in read_fields(model)
        if attrs.has(field.kind)
        for inner in _find_objects(value.get(field.wire))
    ]
    is_nested: bool = draw(st.booleans())
    if nested and is_nested:
        inner, kind = nested[draw(st.integers(0, len(nested) - 1))]
        _change_json(draw, inner, kind)
        return
    wires = [field.wire for field in read_fields(model)]
    key = draw(st.sampled_from([*wires, "unheardOf"]))
    if draw(st.integers(0, 3)):
        value[key] = deepcopy(draw(st.sampled_from(_ODD_VALUES)))
    else:
        value.pop(key, None)


def _find_objects(value: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
