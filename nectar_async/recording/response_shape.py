"""The shape of the answers to an operation: keys, types, and how often each occurs.

Values are ignored, except those of enums, so that data may change freely. Placeholders
are a type of their own, because they replace both text and numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from attrs import define, field

from nectar_async.contract import iterate_alternatives, operations, resolve_ref
from nectar_async.recording.bodies import Body, Json, Text
from nectar_async.recording.exchange import Exchange

__all__ = [
    "NUMBER",
    "PLACEHOLDER",
    "TEXT",
    "ResponseShape",
    "SchemaNode",
    "build_shape",
    "find_response_schema",
]

NUMBER: Final = "number"
PLACEHOLDER: Final = "placeholder"
TEXT: Final = "text"
_LIST: Final = "list"
_OBJECT: Final = "object"

Schema = Mapping[str, Any]

_SUCCESS: Final = "2"


class SchemaNode:
    """One node of a response, described by all schemas of the contract that apply.

    If the contract does not describe a node, it and the nodes below it have no schemas.

    Args:
        schemas: alternatives, as written in the contract.
    """

    def __init__(self, schemas: Sequence[Schema] = ()) -> None:
        self._schemas = [
            alternative
            for schema in schemas
            for alternative in iterate_alternatives(schema)
        ]
        self._keys: dict[str, SchemaNode] = {}
        self._items: SchemaNode | None = None

    @property
    def values(self) -> frozenset[str]:
        """The values of an enum and their aliases; empty if the node is not an enum."""
        known: set[str] = set()
        for schema in self._schemas:
            known |= {text for text in schema.get("enum", ()) if isinstance(text, str)}
            known |= set(schema.get("x-aliases", {}))
        return frozenset(known)

    @property
    def is_free(self) -> bool:
        """Whether the node is an object whose keys are data, not field names."""
        return any(_is_object(schema) for schema in self._schemas) and not any(
            schema.get("properties") for schema in self._schemas
        )

    def key(self, name: str) -> SchemaNode:
        """Find the node below a key, also under the contract's `x-key-candidates`."""
        if name not in self._keys:
            self._keys[name] = SchemaNode(
                [
                    inner
                    for schema in self._schemas
                    for key, inner in schema.get("properties", {}).items()
                    if key == name or name in _list_key_candidates(inner)
                ]
            )
        return self._keys[name]

    def items(self) -> SchemaNode:
        """Find the node of the items of a list."""
        if self._items is None:
            self._items = SchemaNode(
                [schema["items"] for schema in self._schemas if "items" in schema]
            )
        return self._items


@cache
def find_response_schema(operation: str) -> SchemaNode:
    """Find the root node of the successful responses of an operation."""
    row = operations().get(operation)
    responses = {} if row is None else row.description.get("responses", {})
    return SchemaNode(
        [
            media["schema"]
            for status, response in responses.items()
            if status.startswith(_SUCCESS)
            for media in resolve_ref(response).get("content", {}).values()
            if "schema" in media
        ]
    )


@define
class ResponseShape:
    """The keys and types that were seen at one node of a response, in all answers."""

    node: SchemaNode
    placeholders: re.Pattern[str]
    """Matches a placeholder."""
    seen: int = 0
    """How often the node was present."""
    types: Counter[str] = field(factory=Counter)
    """How often it was null, text, a placeholder, a number, a bool, an object, a
    list."""
    keys: dict[str, ResponseShape] = field(factory=dict)
    """The shapes of the values below its keys, if the node was an object."""
    items: ResponseShape | None = None
    """The shape of its items, if the node was a list with items."""
    values: set[str] = field(factory=set)
    """The values that were seen, if the node is an enum in the contract."""

    @property
    def objects(self) -> int:
        """How often the node was an object."""
        return self.types[_OBJECT]

    def add(self, value: Any) -> None:
        """Count a value at this node and all values inside it."""
        self.seen += 1
        name = _name_type(value)
        if name == TEXT and self.placeholders.fullmatch(value):
            name = PLACEHOLDER
        self.types[name] += 1
        if name == _OBJECT and not self.node.is_free:
            for key, inner in value.items():
                if key not in self.keys:
                    self.keys[key] = ResponseShape(
                        self.node.key(key), self.placeholders
                    )
                self.keys[key].add(inner)
        elif name == _LIST:
            for inner in value:
                items = self.items or ResponseShape(
                    self.node.items(), self.placeholders
                )
                self.items = items
                items.add(inner)
        elif name == TEXT and self.node.values:
            self.values.add(value)

    def add_body(self, body: Body | None) -> None:
        """Count a body: its keys and types if it is JSON, otherwise only its kind."""
        if isinstance(body, Json):
            self.add(body.value)
            return
        self.seen += 1
        self.types[_name_body_type(body)] += 1


def build_shape(
    operation: str, exchanges: Iterable[Exchange], placeholders: re.Pattern[str]
) -> ResponseShape:
    """Build the shape of the answers in exchanges of one operation."""
    shape = ResponseShape(find_response_schema(operation), placeholders)
    for exchange in exchanges:
        shape.add_body(exchange.answer.body)
    return shape


def _name_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():  # before numbers: a bool is an int
            return "bool"
        case str():
            return TEXT
        case list():
            return _LIST
        case dict():
            return _OBJECT
        case _:
            return NUMBER


def _name_body_type(body: Body | None) -> str:
    if body is None:
        return "nothing"
    return "text that is not JSON" if isinstance(body, Text) else "bytes"


def _is_object(schema: Schema) -> bool:
    types = schema.get("type", ())
    return "object" in ((types,) if isinstance(types, str) else types)


def _list_key_candidates(schema: Schema) -> Sequence[str]:
    candidates = schema.get("x-key-candidates", ())
    return candidates if isinstance(candidates, list) else ()
