"""How answers are built: which keys, of which types, in how many of them.

Values are not looked at, but for those of enums, so data may change as it likes. A
stand-in is a type of its own: nobody knows whether it stands for text or for a number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from attrs import define, field

from nectar_async.recording.bodies import Body, Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.places import Place, place_of

__all__ = ["NUMBER", "STANDIN", "TEXT", "Outline", "outline"]

NUMBER: Final = "number"
STANDIN: Final = "stand-in"
TEXT: Final = "text"
_LIST: Final = "list"
_OBJECT: Final = "object"


@define
class Outline:
    """What stood at one place, in all answers together."""

    place: Place
    standins: re.Pattern[str]
    """What a stand-in looks like."""
    seen: int = 0
    """How often there was something."""
    types: Counter[str] = field(factory=Counter)
    """How often it was null, text, a stand-in, a number, a bool, an object or a
    list."""
    keys: dict[str, Outline] = field(factory=dict)
    """Below it, where it was an object."""
    items: Outline | None = None
    """Below it, where it was a list that held something."""
    values: set[str] = field(factory=set)
    """What stood there, where the contract has an enum."""

    @property
    def objects(self) -> int:
        """How often it was an object."""
        return self.types[_OBJECT]

    def add(self, value: Any) -> None:
        """There is such a value."""
        self.seen += 1
        name = _type_of(value)
        if name == TEXT and self.standins.fullmatch(value):
            name = STANDIN
        self.types[name] += 1
        if name == _OBJECT and not self.place.is_free:
            for key, one in value.items():
                if key not in self.keys:
                    self.keys[key] = Outline(self.place.key(key), self.standins)
                self.keys[key].add(one)
        elif name == _LIST:
            for one in value:
                items = self.items or Outline(self.place.items(), self.standins)
                self.items = items
                items.add(one)
        elif name == TEXT and self.place.values:
            self.values.add(value)

    def add_body(self, body: Body | None) -> None:
        """There is such a body; of one that is no JSON only that."""
        if isinstance(body, Json):
            self.add(body.value)
            return
        self.seen += 1
        self.types[_body_type(body)] += 1


def outline(
    operation: str, exchanges: Iterable[Exchange], standins: re.Pattern[str]
) -> Outline:
    """The outline of the answers to an operation."""
    found = Outline(place_of(operation), standins)
    for one in exchanges:
        found.add_body(one.answer.body)
    return found


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():  # which is an int as well
            return "bool"
        case str():
            return TEXT
        case list():
            return _LIST
        case dict():
            return _OBJECT
        case _:
            return NUMBER


def _body_type(body: Body | None) -> str:
    if body is None:
        return "nothing"
    return "text that is no JSON" if isinstance(body, Text) else "bytes"
