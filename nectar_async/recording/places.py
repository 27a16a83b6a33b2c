"""What the contract says of a place in an answer: its known values, its free keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from nectar_async.contract import alternatives, operations, resolved

__all__ = ["Place", "place_of"]

Schema = Mapping[str, Any]

_SUCCESS: Final = "2"


class Place:
    """A place in JSON, by everything that the contract says of it.

    One that it does not know says nothing, and neither do the places below it.

    Args:
        schemas: alternatives, as they stand in the contract.
    """

    def __init__(self, schemas: Sequence[Schema] = ()) -> None:
        self._flat = [one for schema in schemas for one in alternatives(schema)]
        self._keys: dict[str, Place] = {}
        self._items: Place | None = None

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

    def key(self, name: str) -> Place:
        """The place below a key, of which the contract may only guess the name."""
        if name not in self._keys:
            self._keys[name] = Place(
                [
                    schema
                    for one in self._flat
                    for key, schema in one.get("properties", {}).items()
                    if key == name or name in _guesses(schema)
                ]
            )
        return self._keys[name]

    def items(self) -> Place:
        """The place of the items of a list."""
        if self._items is None:
            self._items = Place([one["items"] for one in self._flat if "items" in one])
        return self._items


@cache
def place_of(operation: str) -> Place:
    """The answer of an operation, when all went well."""
    row = operations().get(operation)
    answers = {} if row is None else row.description.get("responses", {})
    return Place(
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
