"""Goes over JSON, and knows of each text in it what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from nectar_async.recording.redaction.kinds import Kind
from nectar_async.recording.redaction.loose import may_have_json, redacted
from nectar_async.recording.redaction.sensitive_fields import (
    ANYTHING,
    LEFT,
    Spot,
    items_of,
)
from nectar_async.recording.redaction.visit import Keys, Visitor, Where

__all__ = ["Tree"]

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


# Shorter ones are counts, prices and years.
_SHORTEST_NUMBER: Final = 6

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
        self, keys: Mapping[Spot, Keys], visitor: Visitor, *, is_error: bool = False
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
            new = self.leaf(value, spot, None, where)
            self.is_changed = new is not value
            return new
        self._todo.append((value, spot, where, spot.kind))
        while self._todo:
            inside, below, here, kind = self._todo.pop()
            over = self._object if inside.__class__ is dict else self._list
            self._todo += reversed(over(inside, below, here, kind))
        return value

    def leaf(self, one: Any, spot: Spot, above: Kind | None, where: Where) -> Any:
        """What stands for a text or a number; the very same for what stays."""
        kind = spot.kind or above
        if one.__class__ is str:
            new = self._text(one, spot, kind, where)
            return one if new == one else new
        if one.__class__ in {int, Decimal}:
            text = str(one)
            if kind is not None:
                new = self._visitor.own(kind, text, where)
            elif spot.is_known or spot.is_left or len(text) < _SHORTEST_NUMBER:
                return one
            else:  # it may be a number that stands as text elsewhere
                new = self._visitor.free(text, where)
            return one if new == text else new
        return one

    def _text(self, text: str, spot: Spot, kind: Kind | None, where: Where) -> str:
        if kind is not None:
            if not text.strip() or (not kind.is_secret and _UUID.fullmatch(text)):
                return text
            return self._visitor.own(kind, text, where)
        if _stays(text, spot) or spot.is_typed(text):
            return text
        if spot.is_left:
            return self._visitor.part(text)
        if may_have_json(text):
            text = redacted(text, ANYTHING, self._keys, self._visitor, where)
        return self._visitor.free(text, where)

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
            elif above is None and below.kind is None and below.is_known:
                continue
            new = self.leaf(one, below, above, (where, key))
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
        items = items_of(spot)
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
                new = self.leaf(one, scalars, kind, (where, at))
                if new is not one:
                    inside[at] = new
                    self.is_changed = True
        return inner


def _stays(text: str, spot: Spot) -> bool:
    """Whether a text is an id; an address is looked at although it is one as well."""
    return spot.is_left and "@" not in text
