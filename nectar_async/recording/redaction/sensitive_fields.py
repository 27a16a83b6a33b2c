"""Where in the bodies of an operation something is secret or personal.

It is read from the contract (`x-sensitive`), with every guess at a key
(`x-key-candidates`), through references, lists and alternatives. Where the contract
knows nothing of a place, every name counts that is sensitive somewhere in the same
operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from attrs import define, field, frozen

from nectar_async.contract import alternatives, operations, resolved
from nectar_async.recording.redaction.kinds import (
    BELOW,
    KINDS,
    SECRET,
    Kind,
    bare,
    is_id,
    kind_of,
    sensitive,
)

__all__ = [
    "ANYTHING",
    "LEFT",
    "SIGNATURE",
    "Plan",
    "Spot",
    "items_of",
    "kinds",
    "of_kind",
    "plan",
]

Schema = Mapping[str, Any]

_TYPED_FORMATS: Final = frozenset({"date", "date-time", "uuid"})
_TYPED_TYPES: Final = frozenset({"boolean", "integer", "number"})

_MOST_TEXTS: Final = 4_096

# Dates, instants, decimals and ids: what a place of another type has as text.
_TYPED: Final = re.compile(
    r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
    r"|\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[-+]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE | re.ASCII,
)


@define(eq=False)
class Spot:
    """A place in JSON, and those below it."""

    kind: Kind | None = None
    keys: dict[str, Spot] = field(factory=dict)
    items: Spot | None = None
    is_left: bool = False
    """Whether it holds ids, which nobody looks at."""
    is_known: bool = False
    """Whether the contract has it."""
    has_type: bool = False
    """Whether dates, numbers, ids or known values stand there, and no free text."""
    texts: set[str] = field(factory=set)
    """Some of those."""

    def is_typed(self, text: str) -> bool:
        """Whether a text is a date, a number, an id or a known value as it should."""
        if not self.has_type:
            return False
        if text in self.texts:
            return True
        is_typed = _TYPED.fullmatch(text) is not None
        if is_typed and len(self.texts) < _MOST_TEXTS:
            self.texts.add(text)
        return is_typed


@frozen(eq=False)
class Plan:
    """What one operation sends and gets."""

    query: Spot
    asked: Spot
    answered: Spot
    names: Mapping[str, Kind]
    """What is sensitive somewhere in it, by bare key."""

    def below(self, spot: Spot, key: str) -> Spot:
        """The place of a key."""
        known = spot.keys.get(key)
        if known is not None:
            return known
        if (kind := self.names.get(bare(key))) is not None:
            return of_kind(kind, bare(key))
        return _unknown(key)


@cache
def plan(operation: str) -> Plan:
    """The plan of an operation; one that the contract does not have has no places."""
    row = operations().get(operation)
    if row is None:
        return _NO_PLAN
    answers = row.description.get("responses", {}).values()
    query = Spot()
    for one in map(resolved, row.description.get("parameters", ())):
        if one["in"] == "query":
            made = _spot([one["schema"]], one["name"], "")
            query.keys |= dict.fromkeys(
                (one["name"], *one.get("x-key-candidates", ())), made
            )
    asked = _spot(_schemas([row.description.get("requestBody", {})]), "", "")
    answered = _spot(_schemas(answers), "", "")
    names = {
        bare(key): kind for spot in (asked, answered) for key, kind in _marked(spot, {})
    }
    return Plan(query, asked, answered, names)


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds: those that are built in, and those that only the contract has."""
    found = dict.fromkeys(KINDS)
    for operation in operations():
        found |= dict.fromkeys(plan(operation).names.values())
    return tuple(found)


def _schemas(holders: Any) -> list[Schema]:
    """The schemas of bodies, of whatever media type."""
    return [
        media["schema"]
        for holder in map(resolved, holders)
        for media in holder.get("content", {}).values()
        if "schema" in media
    ]


_made: dict[tuple[str, ...], Spot] = {}


def _spot(schemas: Sequence[Schema], key: str, above: str) -> Spot:
    """The place that all of these describe, under a key that is below another."""
    refs = [str(one.get("$ref") or id(one)) for one in schemas]
    mark = (key, above, *refs)
    if mark in _made:
        return _made[mark]  # as well while it is being made: schemas may be circular
    spot = _made[mark] = Spot(is_known=True)
    flat = [one for schema in schemas for one in alternatives(schema)]
    if any(one.get("x-sensitive") for one in flat):
        spot.kind = sensitive(key or "url")
    elif (kind := BELOW.get(above, {}).get(key) or kind_of(key)) is not None:
        spot.kind = kind
    elif is_id(key) and not any("properties" in one for one in flat):
        spot.is_left = True
    if spot.kind is None and any(map(_is_typed, flat)):
        spot.has_type = True
        spot.texts |= {text for one in flat for text in one.get("enum", ())}
    inner = bare(key) or above
    items = [one["items"] for one in flat if "items" in one]
    if items:
        spot.items = _spot(items, "", inner)
    for name, found in _properties(flat).items():
        spot.keys[name] = _spot(found, name, inner)
    for name, kind in BELOW.get(inner, {}).items():
        spot.keys.setdefault(name, Spot(kind))
    for one in flat:
        _add_candidates(spot, one)
    return spot


def _is_typed(schema: Schema) -> bool:
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    return (
        "enum" in schema
        or "pattern" in schema
        or bool(schema.get("x-decimal"))
        or schema.get("format") in _TYPED_FORMATS
        or bool(types & _TYPED_TYPES)
    )


def _properties(flat: Sequence[Schema]) -> Mapping[str, list[Schema]]:
    found: dict[str, list[Schema]] = {}
    for one in flat:
        for name, schema in one.get("properties", {}).items():
            found.setdefault(name, []).append(schema)
    return found


def _add_candidates(spot: Spot, schema: Schema) -> None:
    """Have every guess at a key lead to the same place."""
    guesses = [
        one["x-key-candidates"]
        for one in schema.get("properties", {}).values()
        if isinstance(one.get("x-key-candidates"), list)
    ]
    lists = schema.get("x-key-candidates", {})
    guesses += lists.values() if isinstance(lists, Mapping) else ()
    for names in guesses:
        known = next((spot.keys[name] for name in names if name in spot.keys), None)
        if known is not None:
            spot.keys |= {name: known for name in names if name not in spot.keys}


def _marked(spot: Spot, seen: dict[int, Spot]) -> Iterator[tuple[str, Kind]]:
    """What is secret below a place, by key."""
    if id(spot) in seen:
        return
    seen[id(spot)] = spot
    for key, one in spot.keys.items():
        if one.kind is not None and one.kind.is_secret:
            yield key, one.kind
        yield from _marked(one, seen)
    if spot.items is not None:
        yield from _marked(spot.items, seen)


def _unknown(key: str) -> Spot:
    """The place of a key that the contract does not have there."""
    kind = kind_of(key)
    if kind is None and bare(key) not in BELOW:
        return LEFT if is_id(key) else ANYTHING
    return of_kind(kind, bare(key))


@cache
def of_kind(kind: Kind | None, name: str = "") -> Spot:
    """A place of a kind, whatever is there; `name` is its bare key."""
    keys = {key: Spot(one) for key, one in BELOW.get(name, {}).items()}
    return Spot(kind, keys, Spot(kind, keys))


ANYTHING: Final = Spot()
"""Where anything may stand."""

LEFT: Final = Spot(is_left=True)
"""Where ids stand."""

SIGNATURE: Final = Spot(SECRET)
"""Where the parameter of a link stands that opens it."""

_NO_PLAN: Final = Plan(ANYTHING, ANYTHING, ANYTHING, {})


def items_of(spot: Spot) -> Spot:
    """The place of what a list has, wherever it stands."""
    return spot.items or (LEFT if spot.is_left else ANYTHING)
