"""Goes over all that a question or an answer says, and knows what each text is.

A `Visitor` sees every text once: under `own` what is secret or personal by its place,
under `free` any other. It gives what is to stand there. Ids, dates, numbers and known
values are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlencode

import msgspec
from attrs import define, evolve

from nectar_async.recording.bodies import Blob, Body, FormData, FormPart, Json, Text
from nectar_async.recording.exchange import Pairs, Question, RecordedAnswer
from nectar_async.recording.redaction.patterns import is_signature_key
from nectar_async.recording.redaction.sensitive_fields import (
    FREE_FIELD,
    ID_FIELD,
    SIGNATURE_FIELD,
    FieldNode,
    Kind,
    OperationFields,
    build_field,
    find_item_field,
    find_operation_fields,
    normalize_key,
)

__all__ = [
    "ExchangeWalk",
    "JsonWalk",
    "Keys",
    "Location",
    "Visitor",
    "format_location",
    "may_have_json",
    "redact_json_text",
]

Location = tuple[Any, Any]
"""Where something stands: where the thing around it does, and its key in that. The
outermost has None and the id of an object, or the name of an exchange."""


class Visitor(Protocol):
    """What is done with the texts."""

    def own(self, kind: Kind, text: str, where: Location, /) -> str:
        """What stands for a text that is of a kind by its place; never a blank one."""
        ...

    def free(self, text: str, where: Location, /) -> str:
        """What stands for any other text."""
        ...

    def part(self, text: str, /) -> str:
        """What stands for a part of a path, which is an id or a fixed word."""
        ...


def format_location(where: Location) -> str:
    """A place in words: `3b1e…/identifiers/0/value`."""
    words: list[str] = []
    inner: Any = where
    while inner is not None:
        inner, word = inner
        words.append(str(word))
    return "/".join(reversed(words))


Keys = Mapping[str, FieldNode]
"""The places of the keys of an object."""


_ENCODED: Final = re.compile(r"[\w.%+-]+=[^&\s<>\"]*(?:&[\w.%+-]+=[^&\s<>\"]*)*")

_FAILED: Final = 400
_MOST_KEYS: Final = 4_096  # they come from a server
_KEPT_HEADERS: Final = frozenset({"content-type", "location"})


class ExchangeWalk:
    """Goes over questions and answers.

    Args:
        rules: the kinds of further keys, by `bare` key.
    """

    def __init__(self, rules: Mapping[str, Kind]) -> None:
        self._rules = rules
        self._keys: dict[OperationFields, _Keys] = {}

    def question(self, question: Question, visitor: Visitor, root: str) -> Question:
        """The question with what the visitor gives; its `url` is left to others."""
        where = (None, root)
        keys = self._of(question.operation)
        query = self._pairs(question.query, keys, keys.its.query, visitor, where)
        return evolve(
            question,
            path=_path(question.path, visitor),
            owner=visitor.part(question.owner),
            query=tuple(sorted(query)),
            body=self._body(question.body, keys, keys.its.asked, visitor, where),
        )

    def answer(
        self, answer: RecordedAnswer, operation: str, visitor: Visitor, root: str
    ) -> RecordedAnswer:
        """The answer with what the visitor gives; a `Location` is left to others."""
        where = (None, root)
        keys = self._of(operation)
        headers = {
            name: text if name in _KEPT_HEADERS else visitor.free(text, (where, name))
            for name, text in answer.headers.items()
        }
        is_error = answer.status >= _FAILED
        body = self._body(
            answer.body, keys, keys.its.answered, visitor, where, is_error=is_error
        )
        return evolve(answer, headers=headers, body=body)

    def _of(self, operation: str) -> _Keys:
        its = find_operation_fields(operation)
        if its not in self._keys:
            self._keys[its] = _Keys(its, self._rules)
        return self._keys[its]

    def _body(
        self,
        body: Body | None,
        keys: _Keys,
        spot: FieldNode,
        visitor: Visitor,
        where: Location,
        *,
        is_error: bool = False,
    ) -> Body | None:
        match body:
            case Json():
                tree = JsonWalk(keys, visitor, is_error=is_error)
                value = tree.over(body.value, spot, where)
                return Json.of(value) if tree.is_changed else body
            case Text() if _ENCODED.fullmatch(body.text):
                pairs = tuple(parse_qsl(body.text, keep_blank_values=True))
                new = self._pairs(pairs, keys, spot, visitor, where)
                return body if new == pairs else Text(urlencode(new))
            case Text():
                text = redact_json_text(body.text, spot, keys, visitor, where)
                return Text(visitor.free(text, where))
            case FormData():
                parts = (
                    self._part(one, keys, spot, visitor, where) for one in body.parts
                )
                return FormData(tuple(parts))
            case Blob() | None:
                return body

    def _pairs(
        self,
        pairs: Pairs,
        keys: _Keys,
        spot: FieldNode,
        visitor: Visitor,
        where: Location,
    ) -> Pairs:
        found, tree = [], JsonWalk(keys, visitor)
        for key, text in pairs:
            below = keys[spot][key]
            if below.kind is None and is_signature_key(key):
                below = SIGNATURE_FIELD
            found.append((key, tree.leaf(text, below, None, (where, key))))
        return tuple(found)

    def _part(
        self,
        part: FormPart,
        keys: _Keys,
        spot: FieldNode,
        visitor: Visitor,
        where: Location,
    ) -> FormPart:
        below, here = keys[spot][part.name], (where, part.name)
        text, tree = part.text, JsonWalk(keys, visitor)
        return evolve(
            part,
            text=None if text is None else tree.leaf(text, below, None, here),
            file=None if part.file is None else visitor.free(part.file, here),
        )


class _Below(dict[str, FieldNode]):
    """The places of the keys of an object, found when they are asked for."""

    def __init__(
        self, its: OperationFields, spot: FieldNode, rules: Mapping[str, Kind]
    ) -> None:
        super().__init__()
        self._its = its
        self._spot = spot
        self._rules = rules

    def __missing__(self, key: str) -> FieldNode:
        rule = self._rules.get(normalize_key(key))
        found = self._its.below(self._spot, key) if rule is None else build_field(rule)
        if len(self) < _MOST_KEYS:
            self[key] = found
        return found


class _Keys(dict[FieldNode, _Below]):
    """The keys of every place of a plan."""

    def __init__(self, its: OperationFields, rules: Mapping[str, Kind]) -> None:
        super().__init__()
        self.its = its
        self._rules = rules

    def __missing__(self, spot: FieldNode) -> _Below:
        found = self[spot] = _Below(self.its, spot, self._rules)
        return found


def _path(path: str, visitor: Visitor) -> str:
    if "%" not in path and visitor.part(path) == path:
        return path
    parts = path.split("/")
    new = [visitor.part(unquote(part)) for part in parts]
    if new == [unquote(part) for part in parts]:
        return path
    return "/".join(quote(part, safe="") for part in new)


_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


# Shorter ones are counts, prices and years.
_SHORTEST_NUMBER: Final = 6

_Task = tuple[Any, FieldNode, Location, Kind | None]
"""A list or an object that is still to be gone over, and what is below it."""


class JsonWalk:
    """One walk over JSON, which it changes in place; deep nesting needs no stack.

    Args:
        keys: the places below each place.
        visitor: sees the texts.
        is_error: whether it is a refusal: under the key of a field there stands, in a
            list, what is wrong with it.
    """

    def __init__(
        self,
        keys: Mapping[FieldNode, Keys],
        visitor: Visitor,
        *,
        is_error: bool = False,
    ) -> None:
        self._keys = keys
        self._visitor = visitor
        self._is_error = is_error
        self._todo: list[_Task] = []
        self.is_changed: bool = False
        """Whether anything was."""

    def over(self, value: Any, spot: FieldNode, where: Location) -> Any:
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

    def leaf(
        self, one: Any, spot: FieldNode, above: Kind | None, where: Location
    ) -> Any:
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

    def _text(
        self, text: str, spot: FieldNode, kind: Kind | None, where: Location
    ) -> str:
        if kind is not None:
            if not text.strip() or (not kind.is_secret and _UUID.fullmatch(text)):
                return text
            return self._visitor.own(kind, text, where)
        if _stays(text, spot) or spot.is_typed(text):
            return text
        if spot.is_left:
            return self._visitor.part(text)
        if may_have_json(text):
            text = redact_json_text(text, FREE_FIELD, self._keys, self._visitor, where)
        return self._visitor.free(text, where)

    def _object(
        self,
        inside: dict[str, Any],
        spot: FieldNode,
        where: Location,
        kind: Kind | None,
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

    def _rename(self, inside: dict[str, Any], where: Location) -> None:
        """Have the visitor see the keys that the contract does not have."""
        free = self._visitor.free
        new = {key: free(key, (where, key)) for key in inside}
        if any(key != one for key, one in new.items()):
            self.is_changed = True
            renamed = {new[key]: one for key, one in inside.items()}
            inside.clear()
            inside.update(renamed)

    def _list(
        self, inside: list[Any], spot: FieldNode, where: Location, kind: Kind | None
    ) -> list[_Task]:
        inner: list[_Task] = []
        items = find_item_field(spot)
        if self._is_error and kind is not None:
            kind, items = None, FREE_FIELD
        kind = items.kind or kind
        below = kind if kind is not None and kind.is_secret else items.kind
        scalars = ID_FIELD if spot.is_left and kind is None else items
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


def _stays(text: str, spot: FieldNode) -> bool:
    """Whether a text is an id; an address is looked at although it is one as well."""
    return spot.is_left and "@" not in text


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


def redact_json_text(
    text: str,
    spot: FieldNode,
    keys: Mapping[FieldNode, Keys],
    visitor: Visitor,
    where: Location,
) -> str:
    """The text, with what the visitor gives for each value that is of a kind."""
    return _Reader(text, keys, visitor).over(spot, where)


@define
class _Around:
    """An object or a list that is open, and what the next value in it is."""

    spot: FieldNode
    kind: Kind | None
    where: Location
    is_list: bool = False

    def inner(self, keys: Mapping[FieldNode, Keys], key: str) -> _Around:
        """The value of a key."""
        below = keys[self.spot][key]
        above = self.kind if self.kind is not None and self.kind.is_secret else None
        return _Around(below, below.kind or above, (self.where, key))


class _Reader:
    """Reads one text."""

    def __init__(
        self, text: str, keys: Mapping[FieldNode, Keys], visitor: Visitor
    ) -> None:
        self._text = text
        self._keys = keys
        self._visitor = visitor
        self._kept: list[str] = []
        self._done = 0

    def over(self, spot: FieldNode, where: Location) -> str:
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
                    items = find_item_field(next_one.spot)
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
            given = redact_json_text(
                text, FREE_FIELD, self._keys, self._visitor, its.where
            )
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
