"""Random records of any model: every type of value, and nulls. The seed decides."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from nectar_async._json.fields import FieldSpec, describe_model
from nectar_async._types import TextFlag

__all__ = ["build_records"]

Build = Callable[[random.Random], Any]


def build_records(model: Any, count: int, seed: int = 1) -> list[Any]:
    """Build records; their secrets are None, and some numbers are very long."""
    source = random.Random(seed)  # noqa: S311 - test data
    return [_build_record(model, source) for _ in range(count)]


def _build_record(model: Any, source: random.Random) -> Any:
    fields: dict[str, Any] = {}
    for spec in describe_model(model).fields:
        if spec.is_secret or (source.random() < 0.3 and not spec.is_required):
            continue
        if spec.is_sequence:
            count = source.randrange(4)
            fields[spec.name] = tuple(_build(spec, source) for _ in range(count))
        else:
            fields[spec.name] = _build(spec, source)
    for attribute in attrs.fields(model):
        if attribute.metadata.get("is_on_wire") is False:
            fields[attribute.name] = _build_text(source)
    if source.random() < 0.2:
        fields["extra"] = _build_json(source)
    return model(**fields)


def _build(spec: FieldSpec, source: random.Random) -> Any:
    if attrs.has(spec.kind):
        return _build_record(spec.kind, source)
    if spec.kind in _BUILDERS:
        return _BUILDERS[spec.kind](source)
    return source.choice([*spec.kind, spec.kind("NEW_VALUE")])


def _build_text(source: random.Random) -> str:
    return "".join(source.choices('ab é"\\\0\U0001f600,\n', k=source.randrange(12)))


def _build_decimal(source: random.Random) -> Decimal:
    digits = source.choice([1, 3, 6, 18, 30])
    return Decimal(source.randrange(-(10**digits), 10**digits)).scaleb(
        -source.randrange(14)
    )


def _build_instant(source: random.Random) -> datetime:
    microseconds = source.randrange(10**17)
    return datetime(1900, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _build_json(source: random.Random) -> dict[str, Any]:
    values = [_build_decimal(source), _build_text(source), 2**70, True, None, [{}]]
    return {f"key {number}": source.choice(values) for number in range(3)}


_BUILDERS: Mapping[Any, Build] = {
    Any: lambda source: source.choice([*_build_json(source).values()]),
    bool: lambda source: source.random() < 0.5,
    date: lambda source: date.fromordinal(source.randrange(1, 3_652_059)),
    datetime: _build_instant,
    Decimal: _build_decimal,
    dict: _build_json,
    int: lambda source: source.choice([0, -1, 7, 2**40, 2**80]),
    str: _build_text,
    TextFlag: lambda source: source.random() < 0.5,
}
