"""Visit every text of an exchange once, and replace it by the result of the visitor.

A `Visitor` receives sensitive values, free texts and parts of paths by different
methods. Ids, dates, numbers and enum values are skipped. JSON is also read where it is
not well-formed: truncated, one document per line, inside a script or another string.
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

__all__ = ["ExchangeWalk", "Location", "Visitor", "format_location"]

Location = tuple[Any, Any]
"""The location of a value: the location of the object or list around it, and its key.
The outermost location is None with the id of an object or the name of an exchange."""


class Visitor(Protocol):
    """Receives the texts of an exchange and returns their replacements."""

    def visit_sensitive(self, kind: Kind, text: str, location: Location, /) -> str:
        """Replace a text that is sensitive by its field; it is never blank."""
        ...

    def visit_text(self, text: str, location: Location, /) -> str:
        """Replace any other text."""
        ...

    def visit_path_part(self, text: str, /) -> str:
        """Replace the sensitive parts of a path, of one segment of it, or of an id."""
        ...


def format_location(location: Location) -> str:
    """Format a location as text: `3b1e…/identifiers/0/value`."""
    keys: list[str] = []
    around: Any = location
    while around is not None:
        around, key = around
        keys.append(str(key))
    return "/".join(reversed(keys))


_FieldsByKey = Mapping[str, FieldNode]

_FORM_TEXT: Final = re.compile(r"[\w.%+-]+=[^&\s<>\"]*(?:&[\w.%+-]+=[^&\s<>\"]*)*")
_FIRST_ERROR: Final = 400
_MAX_CACHED_KEYS: Final = 4_096  # keys come from a server
_SKIPPED_HEADERS: Final = frozenset({"content-type", "location"})


class ExchangeWalk:
    """Walks over questions and answers.

    Args:
        rules: the kinds of keys in the user's rules, by normalized key.
    """

    def __init__(self, rules: Mapping[str, Kind]) -> None:
        self._rules = rules
        self._caches: dict[OperationFields, _FieldCache] = {}

    def question(self, question: Question, visitor: Visitor, root: str) -> Question:
        """Replace the texts of a question, except those in its `url`."""
        location = (None, root)
        cache = self._find_cache(question.operation)
        query = self._walk_pairs(
            question.query, cache, cache.fields.query, visitor, location
        )
        return evolve(
            question,
            path=_walk_path(question.path, visitor),
            owner=visitor.visit_path_part(question.owner),
            query=tuple(sorted(query)),
            body=self._walk_body(
                question.body, cache, cache.fields.request, visitor, location
            ),
        )

    def answer(
        self, answer: RecordedAnswer, operation: str, visitor: Visitor, root: str
    ) -> RecordedAnswer:
        """Replace the texts of an answer, except its `Location` header."""
        location = (None, root)
        cache = self._find_cache(operation)
        headers = {
            name: text
            if name in _SKIPPED_HEADERS
            else visitor.visit_text(text, (location, name))
            for name, text in answer.headers.items()
        }
        body = self._walk_body(
            answer.body,
            cache,
            cache.fields.response,
            visitor,
            location,
            is_error=answer.status >= _FIRST_ERROR,
        )
        return evolve(answer, headers=headers, body=body)

    def _find_cache(self, operation: str) -> _FieldCache:
        fields = find_operation_fields(operation)
        if fields not in self._caches:
            self._caches[fields] = _FieldCache(fields, self._rules)
        return self._caches[fields]

    def _walk_body(
        self,
        body: Body | None,
        cache: _FieldCache,
        field: FieldNode,
        visitor: Visitor,
        location: Location,
        *,
        is_error: bool = False,
    ) -> Body | None:
        match body:
            case Json():
                walk = _JsonWalk(cache, visitor, is_error=is_error)
                value = walk.run(body.value, field, location)
                return Json.of(value) if walk.is_changed else body
            case Text() if _FORM_TEXT.fullmatch(body.text):
                pairs = tuple(parse_qsl(body.text, keep_blank_values=True))
                new = self._walk_pairs(pairs, cache, field, visitor, location)
                return body if new == pairs else Text(urlencode(new))
            case Text():
                text = _walk_json_text(body.text, field, cache, visitor, location)
                return Text(visitor.visit_text(text, location))
            case FormData():
                parts = (
                    self._walk_part(part, cache, field, visitor, location)
                    for part in body.parts
                )
                return FormData(tuple(parts))
            case Blob() | None:
                return body

    def _walk_pairs(
        self,
        pairs: Pairs,
        cache: _FieldCache,
        field: FieldNode,
        visitor: Visitor,
        location: Location,
    ) -> Pairs:
        new_pairs, walk = [], _JsonWalk(cache, visitor)
        for key, text in pairs:
            below = cache[field][key]
            if below.kind is None and is_signature_key(key):
                below = SIGNATURE_FIELD
            new_pairs.append((key, walk.visit_leaf(text, below, None, (location, key))))
        return tuple(new_pairs)

    def _walk_part(
        self,
        part: FormPart,
        cache: _FieldCache,
        field: FieldNode,
        visitor: Visitor,
        location: Location,
    ) -> FormPart:
        below, inner = cache[field][part.name], (location, part.name)
        text, walk = part.text, _JsonWalk(cache, visitor)
        return evolve(
            part,
            text=None if text is None else walk.visit_leaf(text, below, None, inner),
            file=None if part.file is None else visitor.visit_text(part.file, inner),
        )


def _walk_path(path: str, visitor: Visitor) -> str:
    if "%" not in path and visitor.visit_path_part(path) == path:
        return path
    parts = [unquote(part) for part in path.split("/")]
    new_parts = [visitor.visit_path_part(part) for part in parts]
    if new_parts == parts:
        return path
    return "/".join(quote(part, safe="") for part in new_parts)


class _KeyCache(dict[str, FieldNode]):
    """The fields of the keys below a field, found on first use."""

    def __init__(
        self, fields: OperationFields, field: FieldNode, rules: Mapping[str, Kind]
    ) -> None:
        super().__init__()
        self._fields = fields
        self._field = field
        self._rules = rules

    def __missing__(self, key: str) -> FieldNode:
        kind = self._rules.get(normalize_key(key))
        if kind is None:
            field = self._fields.below(self._field, key)
        else:
            field = build_field(kind)
        if len(self) < _MAX_CACHED_KEYS:
            self[key] = field
        return field


class _FieldCache(dict[FieldNode, _KeyCache]):
    """A cache of the fields below each field of an operation, with the user's rules."""

    def __init__(self, fields: OperationFields, rules: Mapping[str, Kind]) -> None:
        super().__init__()
        self.fields = fields
        self._rules = rules

    def __missing__(self, field: FieldNode) -> _KeyCache:
        cache = self[field] = _KeyCache(self.fields, field, self._rules)
        return cache


_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# Shorter numbers are counts, prices and years.
_MIN_NUMBER_LENGTH: Final = 6

_Task = tuple[Any, FieldNode, Location, Kind | None]
"""A list or an object that is still to be walked, and the kind of what is below it."""


class _JsonWalk:
    """One walk over JSON, which it changes in place; it does not recurse.

    Args:
        fields: the fields below each field.
        visitor: receives the texts.
        is_error: whether the JSON is the body of an error: there, a list below the key
            of a field describes what is wrong with that field.
    """

    def __init__(
        self,
        fields: Mapping[FieldNode, _FieldsByKey],
        visitor: Visitor,
        *,
        is_error: bool = False,
    ) -> None:
        self._fields = fields
        self._visitor = visitor
        self._is_error = is_error
        self._tasks: list[_Task] = []
        self.is_changed: bool = False
        """Whether any value was replaced."""

    def run(self, value: Any, field: FieldNode, location: Location) -> Any:
        """Walk over a value and return it, changed."""
        if value.__class__ is not dict and value.__class__ is not list:
            new = self.visit_leaf(value, field, None, location)
            self.is_changed = new is not value
            return new
        self._tasks.append((value, field, location, field.kind))
        while self._tasks:
            container, below, inner, kind = self._tasks.pop()
            walk = self._walk_object if container.__class__ is dict else self._walk_list
            self._tasks += reversed(walk(container, below, inner, kind))
        return value

    def visit_leaf(
        self, value: Any, field: FieldNode, above: Kind | None, location: Location
    ) -> Any:
        """Replace a text or a number; unchanged values stay the same object."""
        kind = field.kind or above
        if value.__class__ is str:
            new = self._visit_text(value, field, kind, location)
            return value if new == value else new
        if value.__class__ in {int, Decimal}:
            text = str(value)
            if kind is not None:
                new = self._visitor.visit_sensitive(kind, text, location)
            elif field.is_known or field.is_id or len(text) < _MIN_NUMBER_LENGTH:
                return value
            else:  # another answer may have the same number as a sensitive text
                new = self._visitor.visit_text(text, location)
            return value if new == text else new
        return value

    def _visit_text(
        self, text: str, field: FieldNode, kind: Kind | None, location: Location
    ) -> str:
        if kind is not None:
            if not text.strip() or (not kind.is_secret and _UUID.fullmatch(text)):
                return text
            return self._visitor.visit_sensitive(kind, text, location)
        if _is_plain_id(text, field) or field.is_typed(text):
            return text
        if field.is_id:
            return self._visitor.visit_path_part(text)
        if _may_contain_json(text):
            text = _walk_json_text(
                text, FREE_FIELD, self._fields, self._visitor, location
            )
        return self._visitor.visit_text(text, location)

    def _walk_object(
        self,
        container: dict[str, Any],
        field: FieldNode,
        location: Location,
        kind: Kind | None,
    ) -> list[_Task]:
        fields, tasks = self._fields[field], []
        has_unknown_keys = False
        identifier = container.get("id")
        if identifier.__class__ is str and identifier and "@" not in identifier:
            location = (None, identifier)
        above = kind if kind is not None and kind.is_secret else None
        for key, value in container.items():
            below = fields[key]
            has_unknown_keys |= not below.is_known
            if value.__class__ is str:
                if above is None and (
                    _is_plain_id(value, below) or value in below.texts
                ):
                    continue
            elif value.__class__ is dict or value.__class__ is list:
                tasks.append((value, below, (location, key), below.kind or above))
                continue
            elif above is None and below.kind is None and below.is_known:
                continue
            new = self.visit_leaf(value, below, above, (location, key))
            if new is not value:
                container[key] = new
                self.is_changed = True
        if has_unknown_keys:
            self._visit_keys(container, location)
        return tasks

    def _visit_keys(self, container: dict[str, Any], location: Location) -> None:
        """Replace the keys of an object, which may be data."""
        visit = self._visitor.visit_text
        new_keys = {key: visit(key, (location, key)) for key in container}
        if any(key != new for key, new in new_keys.items()):
            self.is_changed = True
            renamed = {new_keys[key]: value for key, value in container.items()}
            container.clear()
            container.update(renamed)

    def _walk_list(
        self,
        container: list[Any],
        field: FieldNode,
        location: Location,
        kind: Kind | None,
    ) -> list[_Task]:
        tasks: list[_Task] = []
        items = find_item_field(field)
        if self._is_error and kind is not None:
            kind, items = None, FREE_FIELD
        kind = items.kind or kind
        below = kind if kind is not None and kind.is_secret else items.kind
        scalars = ID_FIELD if field.is_id and kind is None else items
        for index, value in enumerate(container):
            if value.__class__ is dict:
                tasks.append((value, items, (location, index), below))
            elif value.__class__ is list:
                tasks.append((value, items, (location, index), kind))
            elif value is not None:
                new = self.visit_leaf(value, scalars, kind, (location, index))
                if new is not value:
                    container[index] = new
                    self.is_changed = True
        return tasks


def _is_plain_id(text: str, field: FieldNode) -> bool:
    """Whether a text is an id and not an e-mail address that serves as one."""
    return field.is_id and "@" not in text


_KEY_END: Final = re.compile(r"""["']\s*:""")

_DOUBLE_QUOTED: Final = r'"(?P<{}>(?:[^"\\]|\\.){}+)'
_SINGLE_QUOTED: Final = r"'(?P<{}>(?:[^'\\]|\\.){}+)"  # in dicts that Python printed
# At every quote a key is searched. The limit of its length bounds that work.
_KEY_LENGTH: Final = "{0,100}"

# A bracket, a comma or a key. A quote that ends no key is skipped.
_TOKEN: Final = re.compile(
    rf"[{{}}\[\],]|{_DOUBLE_QUOTED.format('key', _KEY_LENGTH)}\"\s*:"
    rf"|{_SINGLE_QUOTED.format('other', _KEY_LENGTH)}'\s*:",
    re.DOTALL,
)
_VALUE: Final = re.compile(
    rf"\s*(?:{_DOUBLE_QUOTED.format('text', '*')}(?!\"\s*:)"
    rf"|{_SINGLE_QUOTED.format('other', '*')}(?!'\s*:)"
    r"|(?P<number>-?[0-9][0-9.]*))",
    re.DOTALL,
)


def _may_contain_json(text: str) -> bool:
    """Whether a text may contain a JSON key."""
    return _KEY_END.search(text) is not None


def _walk_json_text(
    text: str,
    field: FieldNode,
    fields: Mapping[FieldNode, _FieldsByKey],
    visitor: Visitor,
    location: Location,
) -> str:
    """Replace the sensitive values of JSON in a text, which may be malformed."""
    return _JsonTextWalk(text, fields, visitor).run(field, location)


@define
class _Container:
    """An open object or list, or the value that comes next."""

    field: FieldNode
    kind: Kind | None
    location: Location
    is_list: bool = False

    def enter_key(
        self, fields: Mapping[FieldNode, _FieldsByKey], key: str
    ) -> _Container:
        """Describe the value of a key."""
        below = fields[self.field][key]
        above = self.kind if self.kind is not None and self.kind.is_secret else None
        return _Container(below, below.kind or above, (self.location, key))


class _JsonTextWalk:
    """Walks over one text that contains JSON, using only its brackets and keys."""

    def __init__(
        self,
        text: str,
        fields: Mapping[FieldNode, _FieldsByKey],
        visitor: Visitor,
    ) -> None:
        self._text = text
        self._fields = fields
        self._visitor = visitor
        self._output: list[str] = []
        self._copied = 0

    def run(self, field: FieldNode, location: Location) -> str:
        """Walk over the text and return it with its sensitive values replaced."""
        root = _Container(field, field.kind, location)
        stack, next_value, position = [root], root, 0
        while (token := _TOKEN.search(self._text, position)) is not None:
            position = token.end()
            container = stack[-1]
            match token[0]:
                case "{":
                    stack.append(next_value)
                    continue
                case "[":
                    items = find_item_field(next_value.field)
                    next_value = _Container(
                        items,
                        items.kind or next_value.kind,
                        next_value.location,
                        is_list=True,
                    )
                    stack.append(next_value)
                case "}" | "]":
                    if len(stack) > 1:
                        stack.pop()
                    next_value = stack[-1]
                    continue
                case "," if container.is_list:
                    next_value = _Container(
                        container.field, container.kind, container.location
                    )
                case ",":
                    continue
                case _:
                    key = token["key"] if token["other"] is None else token["other"]
                    next_value = container.enter_key(
                        self._fields, _unescape_string(key)
                    )
            position = self._visit_value(position, next_value)
        return "".join((*self._output, self._text[self._copied :]))

    def _visit_value(self, position: int, container: _Container) -> int:
        """Visit the value at a position, if there is one; return where to continue."""
        match = _VALUE.match(self._text, position)
        if match is None:
            return position
        group = str(match.lastgroup)
        raw, quotes = match[group], '"' if group == "number" else ""
        text = _unescape_string(raw)
        if container.kind is not None and text.strip():
            new = self._visitor.visit_sensitive(
                container.kind, text, container.location
            )
        elif not quotes and _may_contain_json(text):
            new = _walk_json_text(
                text, FREE_FIELD, self._fields, self._visitor, container.location
            )
        else:
            return match.end()
        if new != text:
            start, end = match.span(group)
            written = new if quotes else _escape_string(new)
            self._output += (self._text[self._copied : start], quotes, written, quotes)
            self._copied = end
        return match.end()


def _unescape_string(text: str) -> str:
    try:
        return msgspec.json.decode(f'"{text}"', type=str)
    except (msgspec.DecodeError, UnicodeError):
        return text


def _escape_string(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]
