"""Goes over JSON, and knows of each text in it what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

from nectar_async.redaction.kinds import Kind
from nectar_async.redaction.spots import ANYTHING, LEFT, Spot

__all__ = ["Keys", "Tree", "Visitor", "Where", "leaf", "place_of"]

Where = tuple[Any, Any]
"""Where something stands: where the thing around it does, and its key in that. The
outermost has None and the id of an object, or the name of an exchange."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Visitor(Protocol):
    """What is done with the texts."""

    def own(self, kind: Kind, text: str, where: Where, /) -> str:
        """What stands for a text that is of a kind by its place; never a blank one."""
        ...

    def free(self, text: str, where: Where, /) -> str:
        """What stands for any other text."""
        ...

    def part(self, text: str, /) -> str:
        """What stands for a part of a path, which is an id or a fixed word."""
        ...


def place_of(where: Where) -> str:
    """A place in words: `3b1e…/identifiers/0/value`."""
    words: list[str] = []
    inner: Any = where
    while inner is not None:
        inner, word = inner
        words.append(str(word))
    return "/".join(reversed(words))


Keys = Mapping[str, Spot]
"""The places of the keys of an object."""

_Task = tuple[Any, Spot, Where, Kind | None]
"""A list or an object that is still to be gone over, and what is below it."""


class Tree:
    """One walk over JSON, which it changes in place; deep nesting needs no stack.

    Args:
        keys: the places below each place.
        visitor: sees the texts.
        is_error: whether it is a refusal: under the key of a field there stands, in a
            list, what is wrong with it.
    """

    def __init__(
        self, keys: Mapping[Spot, Keys], visitor: Visitor, *, is_error: bool
    ) -> None:
        self._keys = keys
        self._visitor = visitor
        self._is_error = is_error
        self._todo: list[_Task] = []
        self.is_changed: bool = False
        """Whether anything was."""

    def over(self, value: Any, spot: Spot, where: Where) -> Any:
        """The value, changed."""
        if value.__class__ is not dict and value.__class__ is not list:
            new = leaf(value, spot, None, self._visitor, where)
            self.is_changed = new is not value
            return new
        self._todo.append((value, spot, where, spot.kind))
        while self._todo:
            inside, below, here, kind = self._todo.pop()
            over = self._object if inside.__class__ is dict else self._list
            self._todo += reversed(over(inside, below, here, kind))
        return value

    def _object(
        self, inside: dict[str, Any], spot: Spot, where: Where, kind: Kind | None
    ) -> list[_Task]:
        keys, inner = self._keys[spot], []
        has_new_keys = False
        anchor = inside.get("id")
        if anchor.__class__ is str and anchor and "@" not in anchor:
            where = (None, anchor)
        above = kind if kind is not None and kind.is_secret else None
        for key, one in inside.items():
            below = keys[key]
            has_new_keys |= not below.is_known
            if one.__class__ is str:
                if above is None and (_stays(one, below) or one in below.texts):
                    continue
            elif one.__class__ is dict or one.__class__ is list:
                inner.append((one, below, (where, key), below.kind or above))
                continue
            elif above is None and below.kind is None:
                continue
            new = leaf(one, below, above, self._visitor, (where, key))
            if new is not one:
                inside[key] = new
                self.is_changed = True
        if has_new_keys:
            self._rename(inside, where)
        return inner

    def _rename(self, inside: dict[str, Any], where: Where) -> None:
        """Have the visitor see the keys that the contract does not have."""
        free = self._visitor.free
        new = {key: free(key, (where, key)) for key in inside}
        if any(key != one for key, one in new.items()):
            self.is_changed = True
            renamed = {new[key]: one for key, one in inside.items()}
            inside.clear()
            inside.update(renamed)

    def _list(
        self, inside: list[Any], spot: Spot, where: Where, kind: Kind | None
    ) -> list[_Task]:
        inner: list[_Task] = []
        items = spot.items or (LEFT if spot.is_left else ANYTHING)
        if self._is_error and kind is not None:
            kind, items = None, ANYTHING
        kind = items.kind or kind
        below = kind if kind is not None and kind.is_secret else items.kind
        scalars = LEFT if spot.is_left and kind is None else items
        for at, one in enumerate(inside):
            if one.__class__ is dict:
                inner.append((one, items, (where, at), below))
            elif one.__class__ is list:
                inner.append((one, items, (where, at), kind))
            elif one is not None:
                new = leaf(one, scalars, kind, self._visitor, (where, at))
                if new is not one:
                    inside[at] = new
                    self.is_changed = True
        return inner


def leaf(
    one: Any, spot: Spot, above: Kind | None, visitor: Visitor, where: Where
) -> Any:
    """What stands for a text or a number; the very same for what stays."""
    kind = spot.kind or above
    if one.__class__ is str:
        if kind is not None:
            if not one.strip() or (not kind.is_secret and _UUID.fullmatch(one)):
                return one
            text = visitor.own(kind, one, where)
        elif _stays(one, spot) or spot.is_typed(one):
            return one
        elif spot.is_left:
            text = visitor.part(one)
        else:
            text = visitor.free(one, where)
        return one if text == one else text
    if kind is not None and one.__class__ in {int, Decimal}:
        text = visitor.own(kind, str(one), where)
        return one if text == str(one) else text
    return one


def _stays(text: str, spot: Spot) -> bool:
    """Whether a text is an id; an address is looked at although it is one as well."""
    return spot.is_left and "@" not in text
