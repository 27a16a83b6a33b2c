"""Build values for a shape: valid ones, boundary values and invalid ones.

They are derived from the schema only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from attrs import evolve
from shapes import Shape

from nectar_async import Secret, contract, models
from nectar_async.contract.wire_names import to_python

__all__ = [
    "PNG",
    "Pair",
    "build_boundary_values",
    "build_invalid_values",
    "build_valid_value",
    "to_argument",
]

PNG = b"\x89PNG\r\n\x1a\n"


class Pair(NamedTuple):
    """A value in Python, and the same value on the wire."""

    python: Any
    wire: Any


_SAMPLES: Mapping[str, Any] = {
    "anything": {"deep": [1, None]},
    "boolean": True,
    "date": "2024-02-29",
    "decimal": "0.25",
    "email": "ops@example.com",
    "id": "a94c2d57-1f3e-4b68-8c0d-2e7f9b5a6c01",
    "instant": "2024-02-29T08:30:00Z",
    "link": "https://files.example.com/a.pdf?signature=invented",
    "text": "Harbor",
}


def build_valid_value(shape: Shape) -> Any:
    """Return a valid value as it is on the wire."""
    if "examples" in shape.schema:
        return shape.schema["examples"][0]
    if shape.kind == "enum":
        return shape.schema["enum"][0]
    if shape.kind == "whole":
        return shape.schema["minimum"] + 1
    if shape.kind == "list":
        several = [pair.wire for pair in _iterate_boundary_values(shape.item)]
        return [build_valid_value(shape.item), *several][:2]
    if shape.kind == "object":
        return {wire: build_valid_value(inner) for wire, inner in shape.fields.items()}
    return _SAMPLES[shape.kind]


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "decimal": Decimal,
    "instant": datetime.fromisoformat,
}


def to_argument(shape: Shape, wire: Any) -> Any:
    """Convert a value on the wire to the Python value that a caller passes."""
    if wire is None:
        return None
    if shape.kind == "enum":
        return getattr(models, shape.name.removesuffix("Strict"))(wire)
    if shape.kind == "list":
        return [to_argument(shape.item, item) for item in wire]
    if shape.kind == "object":
        arguments = {
            to_python(key): to_argument(shape.fields[key], item)
            for key, item in wire.items()
        }
        return getattr(models, shape.name)(**arguments)
    return _PARSERS.get(shape.kind, _return_unchanged)(wire)


def _return_unchanged(wire: Any) -> Any:
    return wire


def build_boundary_values(shape: Shape) -> list[Pair]:
    """Return valid boundary values, of every type that a caller may pass."""
    pairs = [
        Pair(to_argument(shape, build_valid_value(shape)), build_valid_value(shape)),
        *_iterate_boundary_values(shape),
    ]
    if shape.schema.get("x-sensitive") and isinstance(pairs[0].python, str):
        pairs += [Pair(Secret(pair.python), pair.wire) for pair in pairs]
    if shape.is_nullable:
        pairs.append(Pair(None, None))
    return pairs


def _iterate_boundary_values(shape: Shape) -> Iterator[Pair]:
    if shape.kind in _BOUNDARY_BUILDERS:
        yield from _BOUNDARY_BUILDERS[shape.kind](shape)


def _iterate_texts(shape: Shape) -> Iterator[Pair]:
    sizes = (shape.schema.get(key) for key in ("minLength", "maxLength"))
    for text in [*("X" * size for size in sizes if size), 'Zoë "&=\\/"']:
        if len(text) <= shape.schema.get("maxLength", len(text)):
            yield Pair(text, text)


def _iterate_integers(shape: Shape) -> Iterator[Pair]:
    least = shape.schema["minimum"]
    for number in (least, shape.schema.get("maximum", least + 10**9)):
        yield Pair(number, number)


def _iterate_decimals(shape: Shape) -> Iterator[Pair]:
    low, high, places = read_limits(shape)
    if high is None:
        for text in ("0", "-12.50", "12345678901234567890.0123456789"):
            yield Pair(Decimal(text), text)
        yield Pair(Decimal("1E+2"), "100")
    else:
        step = Decimal(1).scaleb(-(places or 0))
        for number in (Decimal(low or 0), Decimal(high), high - step):
            yield Pair(number, format(number, "f"))
    yield Pair(1, "1")
    yield Pair("0.5", "0.5")


def read_limits(shape: Shape) -> tuple[int | None, int | None, int | None]:
    """Return the minimum, maximum and decimal places of a number; None for no limit.

    Minimum and maximum come from a description such as "0 to 1".
    """
    bounds = re.search(r"\b(\d+) to (\d+)", shape.schema.get("description", ""))
    digits = re.search(r"\\d\{0,\d\}.*\\d\{0,(\d)\}", shape.schema.get("pattern", ""))
    low, high = (int(bounds[1]), int(bounds[2])) if bounds else (None, None)
    return low, high, int(digits[1]) if digits else None


def _iterate_members(shape: Shape) -> Iterator[Pair]:
    for text in shape.schema["enum"]:
        yield Pair(text, text)
        yield Pair(to_argument(shape, text), text)
    if shape.is_open and shape.schema.get("x-enum-complete") != "yes":
        yield Pair(_invent_member(shape), _invent_member(shape))


def _invent_member(shape: Shape) -> str:
    text: str = shape.schema["enum"][0][::-1]
    assert text not in shape.schema["enum"]
    return text


def _iterate_instants(shape: Shape) -> Iterator[Pair]:
    del shape
    east = timezone(timedelta(hours=2))
    yield Pair(datetime(2024, 1, 1, 1, tzinfo=east), "2023-12-31T23:00:00Z")
    exact = datetime(2024, 1, 1, 0, 0, 0, 43073, tzinfo=UTC)
    yield Pair(exact, "2024-01-01T00:00:00.043073Z")


def _iterate_lists(shape: Shape) -> Iterator[Pair]:
    items = build_boundary_values(shape.item)
    for pair in items:
        yield Pair([pair.python], [pair.wire])
    yield Pair(
        tuple(pair.python for pair in items[:2]), [pair.wire for pair in items[:2]]
    )
    most = shape.schema.get("maxItems")
    if most:
        yield Pair([items[0].python] * most, [items[0].wire] * most)


def _iterate_objects(shape: Shape) -> Iterator[Pair]:
    model = getattr(models, shape.name)
    required = shape.schema.get("required", ())
    least = {key: build_valid_value(shape.fields[key]) for key in required}
    for key, inner in shape.fields.items():
        for pair in build_boundary_values(inner):
            if pair.python is None:  # in a model, None is a missing value
                continue
            arguments = {to_python(name): least[name] for name in least}
            python = model(**{**arguments, to_python(key): pair.python})
            yield Pair(python, {**least, key: pair.wire})


_BOUNDARY_BUILDERS: Mapping[str, Callable[[Shape], Iterator[Pair]]] = {
    "boolean": lambda _: iter((Pair(True, True), Pair(False, False))),
    "decimal": _iterate_decimals,
    "enum": _iterate_members,
    "id": lambda _: iter(
        (Pair(UUID(_SAMPLES["id"]), _SAMPLES["id"]), Pair("opaque id", "opaque id"))
    ),
    "instant": _iterate_instants,
    "list": _iterate_lists,
    "object": _iterate_objects,
    "text": _iterate_texts,
    "whole": _iterate_integers,
}


def build_invalid_values(shape: Shape) -> list[Any]:
    """Return values that the API would refuse or misread, except None."""
    built = (
        _INVALID_BUILDERS[shape.kind](shape) if shape.kind in _INVALID_BUILDERS else []
    )
    return [*_INVALID.get(shape.kind, ()), *built]


_NAIVE = datetime(2024, 1, 1)  # noqa: DTZ001 - the missing time zone makes it invalid

_INVALID: Mapping[str, tuple[Any, ...]] = {
    "boolean": (1, "true"),
    "date": ("2024-01-15", 20240115, datetime(2024, 1, 1, tzinfo=UTC)),
    "decimal": (0.5, True, "much", Decimal("NaN"), Decimal("Infinity")),
    "email": ("nobody", "two words@example.com", "@example.com", "", 7),
    "file": (7, b""),
    "id": ("", 7),
    "instant": ("2024-01-15T00:00:00Z", date(2024, 1, 15), _NAIVE),
    "link": ("http://files.example.com/a.pdf", "a.pdf", "https://", "", 7),
    "list": (7,),
    "object": ("x", {}),
    "text": (7, b"x"),
    "whole": (1.5, "7", True),
}


def _build_invalid_texts(shape: Shape) -> list[Any]:
    least, most = shape.schema.get("minLength", 0), shape.schema.get("maxLength")
    long = [] if most is None else ["x" * (most + 1)]
    return long + ["x" * (least - 1)] * bool(least)


def _build_invalid_integers(shape: Shape) -> list[Any]:
    most = shape.schema.get("maximum")
    return [shape.schema["minimum"] - 1, *([] if most is None else [most + 1])]


def _build_invalid_decimals(shape: Shape) -> list[Any]:
    low, high, places = read_limits(shape)
    if low is None or high is None:
        return []
    step = Decimal(1).scaleb(-(places or 0))
    return [low - step, high + step, low + step / 2]


def _build_invalid_lists(shape: Shape) -> list[Any]:
    valid = to_argument(shape.item, build_valid_value(shape.item))
    most = shape.schema.get("maxItems")
    nothing = [] if shape.item.kind == "anything" else [None]
    items = [
        [valid, invalid] for invalid in [*nothing, *build_invalid_values(shape.item)]
    ]
    return [*items, *([] if most is None else [[valid] * (most + 1)])]


def _build_invalid_objects(shape: Shape) -> list[Any]:
    valid = to_argument(
        shape, {key: build_valid_value(inner) for key, inner in shape.fields.items()}
    )
    return [
        evolve(valid, **{to_python(key): invalid})
        for key, inner in shape.fields.items()
        for invalid in build_invalid_values(inner)
    ]


def _read_max_bytes() -> int:
    bodies = contract.load()["components"]["schemas"]
    most: int = bodies["JobSubmitDocument"]["x-limits"]["bytesPerFile"]
    return most


_INVALID_BUILDERS: Mapping[str, Callable[[Shape], list[Any]]] = {
    "decimal": _build_invalid_decimals,
    "enum": lambda shape: [7] if shape.is_open else [7, "", "NOVELTY"],
    "file": lambda _: [PNG + bytes(_read_max_bytes())],
    "list": _build_invalid_lists,
    "object": _build_invalid_objects,
    "text": _build_invalid_texts,
    "whole": _build_invalid_integers,
}
