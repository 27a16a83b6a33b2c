"""How answers are built: which keys, of which types, in how many of them.

Values are not looked at, but for those of enums, so data may change as it likes. A
stand-in is a type of its own: nobody knows whether it stands for text or for a number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from attrs import define, field

from nectar_async.contract import alternatives, operations, resolved
from nectar_async.recording.bodies import Body, Json, Text
from nectar_async.recording.exchange import Exchange

__all__ = [
    "NUMBER",
    "STANDIN",
    "TEXT",
    "ResponseShape",
    "SchemaNode",
    "build_shape",
    "find_response_schema",
]

NUMBER: Final = "number"
STANDIN: Final = "stand-in"
TEXT: Final = "text"
_LIST: Final = "list"
_OBJECT: Final = "object"


@define
class ResponseShape:
    """What stood at one place, in all answers together."""

    place: SchemaNode
    standins: re.Pattern[str]
    """What a stand-in looks like."""
    seen: int = 0
    """How often there was something."""
    types: Counter[str] = field(factory=Counter)
    """How often it was null, text, a stand-in, a number, a bool, an object or a
    list."""
    keys: dict[str, ResponseShape] = field(factory=dict)
    """Below it, where it was an object."""
    items: ResponseShape | None = None
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
                    self.keys[key] = ResponseShape(self.place.key(key), self.standins)
                self.keys[key].add(one)
        elif name == _LIST:
            for one in value:
                items = self.items or ResponseShape(self.place.items(), self.standins)
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


def build_shape(
    operation: str, exchanges: Iterable[Exchange], standins: re.Pattern[str]
) -> ResponseShape:
    """The outline of the answers to an operation."""
    found = ResponseShape(find_response_schema(operation), standins)
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


Schema = Mapping[str, Any]

_SUCCESS: Final = "2"


class SchemaNode:
    """A place in JSON, by everything that the contract says of it.

    One that it does not know says nothing, and neither do the places below it.

    Args:
        schemas: alternatives, as they stand in the contract.
    """

    def __init__(self, schemas: Sequence[Schema] = ()) -> None:
        self._flat = [one for schema in schemas for one in alternatives(schema)]
        self._keys: dict[str, SchemaNode] = {}
        self._items: SchemaNode | None = None

    @property
    def values(self) -> frozenset[str]:
        """What an enum knows, aliases among it; empty for anything else."""
        known: set[str] = set()
        for one in self._flat:
            known |= {text for text in one.get("enum", ()) if isinstance(text, str)}
            known |= set(one.get("x-aliases", {}))
        return frozenset(known)

    @property
    def is_free(self) -> bool:
        """Whether its keys are data: an object of which the contract names none."""
        return any(_is_object(one) for one in self._flat) and not any(
            one.get("properties") for one in self._flat
        )

    def key(self, name: str) -> SchemaNode:
        """The place below a key, of which the contract may only guess the name."""
        if name not in self._keys:
            self._keys[name] = SchemaNode(
                [
                    schema
                    for one in self._flat
                    for key, schema in one.get("properties", {}).items()
                    if key == name or name in _guesses(schema)
                ]
            )
        return self._keys[name]

    def items(self) -> SchemaNode:
        """The place of the items of a list."""
        if self._items is None:
            self._items = SchemaNode(
                [one["items"] for one in self._flat if "items" in one]
            )
        return self._items


@cache
def find_response_schema(operation: str) -> SchemaNode:
    """The answer of an operation, when all went well."""
    row = operations().get(operation)
    answers = {} if row is None else row.description.get("responses", {})
    return SchemaNode(
        [
            media["schema"]
            for status, answer in answers.items()
            if status.startswith(_SUCCESS)
            for media in resolved(answer).get("content", {}).values()
            if "schema" in media
        ]
    )


def _is_object(schema: Schema) -> bool:
    types = schema.get("type", ())
    return "object" in ((types,) if isinstance(types, str) else types)


def _guesses(schema: Schema) -> Sequence[str]:
    found = schema.get("x-key-candidates", ())
    return found if isinstance(found, list) else ()
