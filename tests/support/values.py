"""Values for a shape: one that fits, those at its boundaries, and wrong ones.

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

__all__ = ["PNG", "Pair", "borders", "lifted", "sample", "wrong"]

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


def sample(shape: Shape) -> Any:
    """Return a value on the wire that fits."""
    if "examples" in shape.schema:
        return shape.schema["examples"][0]
    if shape.kind == "enum":
        return shape.schema["enum"][0]
    if shape.kind == "whole":
        return shape.schema["minimum"] + 1
    if shape.kind == "list":
        several = [pair.wire for pair in _plain_borders(shape.item)]
        return [sample(shape.item), *several][:2]
    if shape.kind == "object":
        return {wire: sample(inner) for wire, inner in shape.fields.items()}
    return _SAMPLES[shape.kind]


_LIFTS: Mapping[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "decimal": Decimal,
    "instant": datetime.fromisoformat,
}


def lifted(shape: Shape, wire: Any) -> Any:
    """Convert a value on the wire to the value that a caller passes."""
    if wire is None:
        return None
    if shape.kind == "enum":
        return getattr(models, shape.name.removesuffix("Strict"))(wire)
    if shape.kind == "list":
        return [lifted(shape.item, one) for one in wire]
    if shape.kind == "object":
        given = {
            to_python(key): lifted(shape.fields[key], one) for key, one in wire.items()
        }
        return getattr(models, shape.name)(**given)
    return _LIFTS.get(shape.kind, _same)(wire)


def _same(wire: Any) -> Any:
    return wire


def borders(shape: Shape) -> list[Pair]:
    """Return values at the boundaries, of every type that a caller may pass."""
    pairs = [Pair(lifted(shape, sample(shape)), sample(shape)), *_plain_borders(shape)]
    if shape.schema.get("x-sensitive") and isinstance(pairs[0].python, str):
        pairs += [Pair(Secret(pair.python), pair.wire) for pair in pairs]
    if shape.is_nullable:
        pairs.append(Pair(None, None))
    return pairs


def _plain_borders(shape: Shape) -> Iterator[Pair]:
    if shape.kind in _BORDERS:
        yield from _BORDERS[shape.kind](shape)


def _texts(shape: Shape) -> Iterator[Pair]:
    sizes = (shape.schema.get(key) for key in ("minLength", "maxLength"))
    for text in [*("X" * size for size in sizes if size), 'Zoë "&=\\/"']:
        if len(text) <= shape.schema.get("maxLength", len(text)):
            yield Pair(text, text)


def _wholes(shape: Shape) -> Iterator[Pair]:
    least = shape.schema["minimum"]
    for number in (least, shape.schema.get("maximum", least + 10**9)):
        yield Pair(number, number)


def _decimals(shape: Shape) -> Iterator[Pair]:
    low, high, places = limits(shape)
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


def limits(shape: Shape) -> tuple[int | None, int | None, int | None]:
    """Return minimum and maximum, also from "0 to 1" in a description, and places."""
    said = re.search(r"\b(\d+) to (\d+)", shape.schema.get("description", ""))
    digits = re.search(r"\\d\{0,\d\}.*\\d\{0,(\d)\}", shape.schema.get("pattern", ""))
    low, high = (int(said[1]), int(said[2])) if said else (None, None)
    return low, high, int(digits[1]) if digits else None


def _members(shape: Shape) -> Iterator[Pair]:
    for text in shape.schema["enum"]:
        yield Pair(text, text)
        yield Pair(lifted(shape, text), text)
    if shape.is_open and shape.schema.get("x-enum-complete") != "yes":
        yield Pair(_novelty(shape), _novelty(shape))


def _novelty(shape: Shape) -> str:
    text: str = shape.schema["enum"][0][::-1]
    assert text not in shape.schema["enum"]
    return text


def _instants(shape: Shape) -> Iterator[Pair]:
    del shape
    east = timezone(timedelta(hours=2))
    yield Pair(datetime(2024, 1, 1, 1, tzinfo=east), "2023-12-31T23:00:00Z")
    exact = datetime(2024, 1, 1, 0, 0, 0, 43073, tzinfo=UTC)
    yield Pair(exact, "2024-01-01T00:00:00.043073Z")


def _lists(shape: Shape) -> Iterator[Pair]:
    items = borders(shape.item)
    for pair in items:
        yield Pair([pair.python], [pair.wire])
    yield Pair(
        tuple(pair.python for pair in items[:2]), [pair.wire for pair in items[:2]]
    )
    most = shape.schema.get("maxItems")
    if most:
        yield Pair([items[0].python] * most, [items[0].wire] * most)


def _objects(shape: Shape) -> Iterator[Pair]:
    model = getattr(models, shape.name)
    required = shape.schema.get("required", ())
    least = {key: sample(shape.fields[key]) for key in required}
    for key, inner in shape.fields.items():
        for pair in borders(inner):
            if pair.python is None:  # in a model, None is a missing value
                continue
            given = {to_python(one): least[one] for one in least}
            python = model(**{**given, to_python(key): pair.python})
            yield Pair(python, {**least, key: pair.wire})


_BORDERS: Mapping[str, Callable[[Shape], Iterator[Pair]]] = {
    "boolean": lambda _: iter((Pair(True, True), Pair(False, False))),
    "decimal": _decimals,
    "enum": _members,
    "id": lambda _: iter(
        (Pair(UUID(_SAMPLES["id"]), _SAMPLES["id"]), Pair("opaque id", "opaque id"))
    ),
    "instant": _instants,
    "list": _lists,
    "object": _objects,
    "text": _texts,
    "whole": _wholes,
}


def wrong(shape: Shape) -> list[Any]:
    """Return values that the API would refuse or misread, except None."""
    beyond = _BEYOND[shape.kind](shape) if shape.kind in _BEYOND else []
    return [*_WRONG.get(shape.kind, ()), *beyond]


_NAIVE = datetime(2024, 1, 1)  # noqa: DTZ001 - that it has no zone is what is wrong

_WRONG: Mapping[str, tuple[Any, ...]] = {
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


def _beyond_text(shape: Shape) -> list[Any]:
    least, most = shape.schema.get("minLength", 0), shape.schema.get("maxLength")
    long = [] if most is None else ["x" * (most + 1)]
    return long + ["x" * (least - 1)] * bool(least)


def _beyond_whole(shape: Shape) -> list[Any]:
    most = shape.schema.get("maximum")
    return [shape.schema["minimum"] - 1, *([] if most is None else [most + 1])]


def _beyond_decimal(shape: Shape) -> list[Any]:
    low, high, places = limits(shape)
    if low is None or high is None:
        return []
    step = Decimal(1).scaleb(-(places or 0))
    return [low - step, high + step, low + step / 2]


def _beyond_list(shape: Shape) -> list[Any]:
    good = lifted(shape.item, sample(shape.item))
    most = shape.schema.get("maxItems")
    nothing = [] if shape.item.kind == "anything" else [None]
    items = [[good, one] for one in [*nothing, *wrong(shape.item)]]
    return [*items, *([] if most is None else [[good] * (most + 1)])]


def _beyond_object(shape: Shape) -> list[Any]:
    fits = lifted(shape, {key: sample(one) for key, one in shape.fields.items()})
    return [
        evolve(fits, **{to_python(key): one})
        for key, inner in shape.fields.items()
        for one in wrong(inner)
    ]


def _most_bytes() -> int:
    bodies = contract.load()["components"]["schemas"]
    most: int = bodies["JobSubmitDocument"]["x-limits"]["bytesPerFile"]
    return most


_BEYOND: Mapping[str, Callable[[Shape], list[Any]]] = {
    "decimal": _beyond_decimal,
    "enum": lambda shape: [7] if shape.is_open else [7, "", "NOVELTY"],
    "file": lambda _: [PNG + bytes(_most_bytes())],
    "list": _beyond_list,
    "object": _beyond_object,
    "text": _beyond_text,
    "whole": _beyond_whole,
}
