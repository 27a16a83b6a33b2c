"""JSON in text, which need not be well-formed.

It may break off, come line by line, stand in a script or in a string of other JSON, or
say `NaN`: keys and brackets tell what a text in it is, and nothing else is asked of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from attrs import define

from nectar_async.recording.redaction.kinds import Kind
from nectar_async.recording.redaction.sensitive_fields import ANYTHING, Spot, items_of
from nectar_async.recording.redaction.visit import Keys, Visitor, Where

__all__ = ["may_have_json", "redacted"]

_KEY_ENDS: Final = re.compile(r"""["']\s*:""")

_DOUBLE: Final = r'"(?P<{}>(?:[^"\\]|\\.)*+)'
_SINGLE: Final = r"'(?P<{}>(?:[^'\\]|\\.)*+)"  # of a dict that Python printed

# A quote that ends nothing is passed over, and the next one begins anew.
_MARK: Final = re.compile(
    rf"[{{}}\[\],]|{_DOUBLE.format('key')}\"\s*:|{_SINGLE.format('other')}'\s*:",
    re.DOTALL,
)
_VALUE: Final = re.compile(
    rf"\s*(?:{_DOUBLE.format('text')}(?!\"\s*:)|{_SINGLE.format('other')}(?!'\s*:)"
    r"|(?P<number>-?[0-9][0-9.]*))",
    re.DOTALL,
)


def may_have_json(text: str) -> bool:
    """Whether there may be a key in a text."""
    return _KEY_ENDS.search(text) is not None


def redacted(
    text: str, spot: Spot, keys: Mapping[Spot, Keys], visitor: Visitor, where: Where
) -> str:
    """The text, with what the visitor gives for each value that is of a kind."""
    return _Reader(text, keys, visitor).over(spot, where)


@define
class _Around:
    """An object or a list that is open, and what the next value in it is."""

    spot: Spot
    kind: Kind | None
    where: Where
    is_list: bool = False

    def inner(self, keys: Mapping[Spot, Keys], key: str) -> _Around:
        """The value of a key."""
        below = keys[self.spot][key]
        above = self.kind if self.kind is not None and self.kind.is_secret else None
        return _Around(below, below.kind or above, (self.where, key))


class _Reader:
    """Reads one text."""

    def __init__(self, text: str, keys: Mapping[Spot, Keys], visitor: Visitor) -> None:
        self._text = text
        self._keys = keys
        self._visitor = visitor
        self._kept: list[str] = []
        self._done = 0

    def over(self, spot: Spot, where: Where) -> str:
        """The text, with what stands in it now."""
        outside = _Around(spot, spot.kind, where)
        around, next_one, at = [outside], outside, 0
        while (mark := _MARK.search(self._text, at)) is not None:
            at = mark.end()
            here = around[-1]
            match mark[0]:
                case "{":
                    around.append(next_one)
                    continue
                case "[":
                    items = items_of(next_one.spot)
                    kind = items.kind or next_one.kind
                    next_one = _Around(items, kind, next_one.where, is_list=True)
                    around.append(next_one)
                case "}" | "]":
                    if len(around) > 1:
                        around.pop()
                    next_one = around[-1]
                    continue
                case "," if here.is_list:
                    next_one = _Around(here.spot, here.kind, here.where)
                case ",":
                    continue
                case _:
                    key = mark["key"] if mark["other"] is None else mark["other"]
                    next_one = here.inner(self._keys, _unescaped(key))
            at = self._value(at, next_one)
        return "".join((*self._kept, self._text[self._done :]))

    def _value(self, at: int, its: _Around) -> int:
        """Read the value that begins here, if one does; gives where to go on."""
        found = _VALUE.match(self._text, at)
        if found is None:
            return at
        group = str(found.lastgroup)
        raw, quote = found[group], '"' if group == "number" else ""
        text = _unescaped(raw)
        if its.kind is not None and text.strip():
            given = self._visitor.own(its.kind, text, its.where)
        elif not quote and may_have_json(text):
            given = redacted(text, ANYTHING, self._keys, self._visitor, its.where)
        else:
            return found.end()
        if given != text:
            start, end = found.span(group)
            written = given if quote else _escaped(given)
            self._kept += (self._text[self._done : start], quote, written, quote)
            self._done = end
        return found.end()


def _unescaped(text: str) -> str:
    try:
        return msgspec.json.decode(f'"{text}"', type=str)
    except (msgspec.DecodeError, UnicodeError):
        return text


def _escaped(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]
