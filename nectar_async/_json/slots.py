"""How a value of a struct becomes that of a model's slot, as expressions of Python.

They stand in functions that are generated: what is called for each value costs more
than what it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Final, NoReturn

import msgspec

from nectar_async._json.fields import FieldSpec
from nectar_async._json.scalars import MisfitError, SecretObject, parse_flag
from nectar_async._types import Secret, TextFlag
from nectar_async.models._extra import NO_EXTRA, Extra

__all__ = ["CHANGEABLE", "EXPRESSIONS", "SCOPE", "WIRE_TYPES", "slot", "twin"]

WIRE_TYPES: Final[Mapping[Any, type | UnionType]] = {
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
"""What a struct takes for a value of each kind."""

CHANGEABLE: Final[frozenset[Any]] = frozenset({dict, object})
"""What a struct takes where the value can be changed, or be anything of a user's."""

EXPRESSIONS: Final[Mapping[Any, str]] = {
    # Not left to the struct: it would round the digits 7 to 9 of a second, not cut.
    datetime: "(t if (t := instant({0})).tzinfo else t.replace(tzinfo=UTC))",
    Decimal: "({0} if {0}.is_finite() else not_finite({0}))",
    Secret: "Secret({0})",
    SecretObject: "Secret({0})",
    TextFlag: "parse_flag({0})",
}
"""What makes of `{0}` a value of each kind; of others it is the value already."""


def _not_finite(value: Decimal) -> NoReturn:
    raise MisfitError.of("a finite decimal", value)


SCOPE: Final[Mapping[str, Any]] = {
    "Extra": Extra,
    "NO_EXTRA": NO_EXTRA,
    "Secret": Secret,
    "UNSET": msgspec.UNSET,
    "UTC": UTC,
    "parse_flag": parse_flag,
    "instant": datetime.fromisoformat,
    "not_finite": _not_finite,
}
"""The names in them."""


def slot(field: FieldSpec, one: str) -> str:
    """The expression for a slot, with the struct as `o`; `one` is that for a value."""
    value = f"o.{field.name}"
    if field.is_sequence:
        if one == "{0}":
            return f"tuple(v) if (v := {value}) else ()"
        # Mostly there is one, and a comprehension is a call.
        alone, made = f"({one.format('v[0]')},)", f"[{one.format('x')} for x in v]"
        return (
            f"() if not (v := {value}) else {alone} if len(v) == 1 else tuple({made})"
        )
    if one == "{0}":
        return value
    if field.is_required:
        return one.format(value)
    return f"None if (v := {value}) is None else {one.format('v')}"


def twin(model: type) -> type:
    """A class of the same layout that can be written to; instances change over to it.

    The layouts of two classes are the same only where their bases are. What a frozen
    base brings is undone: writing to a slot is one step only where nothing of it is
    left.
    """
    (base,) = model.__bases__
    free = ("__init__", "__setattr__", "__delattr__")
    slots = {"__slots__": vars(model)["__slots__"]}
    return type("Twin", (base,), slots | {name: getattr(object, name) for name in free})
