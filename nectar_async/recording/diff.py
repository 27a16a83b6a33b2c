"""Compare two recordings and list how the API changed between them.

Changes are listed by operation: exchanges that appeared, vanished or have another
status; in the answers, keys that appeared or vanished, types, optional keys, and enum
values. Other values are not compared, so a placeholder is not a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus

from attrs import evolve, frozen

from nectar_async.recording.contents import build_placeholder_pattern
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.response_shape import (
    NUMBER,
    PLACEHOLDER,
    TEXT,
    ResponseShape,
    build_shape,
)

__all__ = ["ChangeKind", "Comparison", "RecordingChange", "compare"]


class ChangeKind(StrEnum):
    """The kind of a change between two recordings."""

    VERSION = "version"
    """The recordings are of different API versions."""
    EXCHANGE_APPEARED = "exchange appeared"
    EXCHANGE_VANISHED = "exchange vanished"
    STATUS = "status"
    """The answer to the same question has another status."""
    KEY_APPEARED = "key appeared"
    KEY_VANISHED = "key vanished"
    TYPE = "type"
    """A value has a JSON type that it never had before."""
    NARROWED = "narrowed"
    """A value no longer has one of its former JSON types."""
    OPTIONAL = "optional"
    """A key that was in every object is only in some."""
    ALWAYS = "always"
    """A key that was in some objects is in every one."""
    VALUE = "value"
    """An enum has a new value, which the contract lists."""
    UNKNOWN_VALUE = "unknown value"
    """An enum has a new value, which the contract does not list."""


@frozen(kw_only=True)
class RecordingChange:
    """One change between two recordings."""

    kind: ChangeKind
    operation: str = ""
    """The contract's operation id; empty if the change concerns all operations."""
    place: str = ""
    """The name of an exchange, or a path in answers: `usageData[].document.url`; empty
    for the whole body."""
    status: int | None = None
    """The status of the answers, if they are errors."""
    before: str = ""
    """The old state as text: types, share of objects, or status."""
    after: str = ""
    """The new state as text."""

    def __str__(self) -> str:
        return _MESSAGES[self.kind](self)


@frozen
class Comparison:
    """All changes from one recording to another, by operation."""

    changes: tuple[RecordingChange, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return not self.changes

    @property
    def by_operation(self) -> Mapping[str, Sequence[RecordingChange]]:
        """The changes by operation id; operations without changes are left out."""
        grouped: dict[str, list[RecordingChange]] = {}
        for change in self.changes:
            grouped.setdefault(change.operation, []).append(change)
        return grouped

    def __iter__(self) -> Iterator[RecordingChange]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


def compare(old: Recording, new: Recording) -> Comparison:
    """List the changes from one recording to another.

    Exchanges are paired by their question, even if the recordings have different
    redaction rules. The answers to one operation are compared as a whole, because a
    single record says nothing about a key.
    """
    key = _build_key_function(old, new)
    placeholders = build_placeholder_pattern(old, new)
    changes = [*_compare_versions(old, new)]
    before, after = _group_by_operation(old), _group_by_operation(new)
    for operation in sorted({*before, *after}):
        exchanges = before.get(operation, []), after.get(operation, [])
        changes += _compare_exchanges(*(_index(group, key) for group in exchanges))
        changes += _compare_answers(operation, *exchanges, placeholders)
    return Comparison(tuple(changes))


def _build_key_function(old: Recording, new: Recording) -> Callable[[Exchange], str]:
    if old.redaction == new.redaction:
        return lambda exchange: exchange.key
    rules = [
        rule
        for recording in (old, new)
        for rule in Redaction.of(recording.redaction).rules
    ]
    redaction = Redaction(rules=tuple(dict.fromkeys(rules)))
    return lambda exchange: redaction.key(exchange.question)


def _compare_versions(old: Recording, new: Recording) -> Iterator[RecordingChange]:
    if old.api_version != new.api_version:
        yield RecordingChange(
            kind=ChangeKind.VERSION, before=old.api_version, after=new.api_version
        )


def _group_by_operation(recording: Recording) -> Mapping[str, list[Exchange]]:
    grouped: dict[str, list[Exchange]] = {}
    for exchange in recording.exchanges:
        grouped.setdefault(exchange.question.operation, []).append(exchange)
    return grouped


def _index(
    exchanges: Sequence[Exchange], key: Callable[[Exchange], str]
) -> Mapping[tuple[str, int], Exchange]:
    """Index exchanges by question key and number among equal questions."""
    indexed: dict[tuple[str, int], Exchange] = {}
    counts: dict[str, int] = {}
    for exchange in exchanges:
        name = key(exchange)
        counts[name] = counts.get(name, 0) + 1
        indexed[name, counts[name]] = exchange
    return indexed


def _compare_exchanges(
    old: Mapping[tuple[str, int], Exchange], new: Mapping[tuple[str, int], Exchange]
) -> Iterator[RecordingChange]:
    """List the exchanges that appeared, vanished or have another status.

    Both arguments are results of `_index`.
    """
    for index, exchange in old.items():
        vanished = RecordingChange(
            kind=ChangeKind.EXCHANGE_VANISHED,
            operation=exchange.question.operation,
            place=exchange.name,
            before=str(exchange.answer.status),
        )
        if index not in new:
            yield vanished
        elif (status := new[index].answer.status) != exchange.answer.status:
            yield evolve(vanished, kind=ChangeKind.STATUS, after=str(status))
    for index, exchange in new.items():
        if index not in old:
            yield RecordingChange(
                kind=ChangeKind.EXCHANGE_APPEARED,
                operation=exchange.question.operation,
                place=exchange.name,
                after=str(exchange.answer.status),
            )


def _compare_answers(
    operation: str,
    old: Sequence[Exchange],
    new: Sequence[Exchange],
    placeholders: re.Pattern[str],
) -> Iterator[RecordingChange]:
    """Compare the answers of one operation: successful ones, and each error status."""
    before, after = _group_by_status(old), _group_by_status(new)
    for status in sorted({*before} & {*after}, key=lambda status: status or 0):
        yield from _compare_shapes(
            RecordingChange(kind=ChangeKind.TYPE, operation=operation, status=status),
            build_shape(operation, before[status], placeholders),
            build_shape(operation, after[status], placeholders),
        )


def _group_by_status(
    exchanges: Sequence[Exchange],
) -> Mapping[int | None, list[Exchange]]:
    """Group exchanges by error status; None is the group of successful ones."""
    grouped: dict[int | None, list[Exchange]] = {}
    for exchange in exchanges:
        status = exchange.answer.status
        is_error = status >= HTTPStatus.MULTIPLE_CHOICES
        grouped.setdefault(status if is_error else None, []).append(exchange)
    return grouped


def _compare_shapes(
    base: RecordingChange, old: ResponseShape, new: ResponseShape
) -> Iterator[RecordingChange]:
    """List the changes at the place of `base` and below it."""
    was, now = _list_certain_types(old, new), _list_certain_types(new, old)
    if was != now:
        kind = ChangeKind.TYPE if now - was else ChangeKind.NARROWED
        yield evolve(
            base, kind=kind, before=_format_types(old), after=_format_types(new)
        )
    known = new.node.values
    # A placeholder may replace any value, so then no value is certainly new.
    values = new.values - old.values if PLACEHOLDER not in old.types else ()
    for value in sorted(values):
        kind = ChangeKind.VALUE if value in known else ChangeKind.UNKNOWN_VALUE
        yield evolve(base, kind=kind, after=value)
    if old.objects and new.objects:
        for key in sorted({*old.keys, *new.keys}):
            place = f"{base.place}.{key}" if base.place else key
            yield from _compare_key(evolve(base, place=place), key, old, new)
    if old.items is not None and new.items is not None:
        items = evolve(base, place=f"{base.place}[]")
        yield from _compare_shapes(items, old.items, new.items)


def _compare_key(
    base: RecordingChange, key: str, old: ResponseShape, new: ResponseShape
) -> Iterator[RecordingChange]:
    was, now = old.keys.get(key), new.keys.get(key)
    if was is None or now is None:
        if now is not None:
            after = f"{_format_types(now)}, {_format_share(now, new)}"
            yield evolve(base, kind=ChangeKind.KEY_APPEARED, after=after)
        if was is not None:
            before = f"{_format_types(was)}, {_format_share(was, old)}"
            yield evolve(base, kind=ChangeKind.KEY_VANISHED, before=before)
        return
    was_always, is_always = was.seen == old.objects, now.seen == new.objects
    if was_always != is_always:
        yield evolve(
            base,
            kind=ChangeKind.ALWAYS if is_always else ChangeKind.OPTIONAL,
            before=_format_share(was, old),
            after=_format_share(now, new),
        )
    yield from _compare_shapes(base, was, now)


def _list_certain_types(shape: ResponseShape, other: ResponseShape) -> set[str]:
    """List the JSON types of a shape that can be compared with those of `other`.

    If either has placeholders, text and numbers are left out: a placeholder may
    replace both.
    """
    has_placeholder = PLACEHOLDER in {*shape.types, *other.types}
    return {*shape.types} - ({NUMBER, PLACEHOLDER, TEXT} if has_placeholder else set())


def _format_types(shape: ResponseShape) -> str:
    names = {TEXT if name == PLACEHOLDER else name for name in shape.types}
    return " or ".join(sorted(names))


def _format_share(part: ResponseShape, whole: ResponseShape) -> str:
    if part.seen == whole.objects:
        return f"in all {whole.objects:,}" if whole.objects > 1 else "in the only one"
    return f"in {part.seen:,} of {whole.objects:,}"


_MESSAGES: Mapping[ChangeKind, Callable[[RecordingChange], str]] = {
    ChangeKind.VERSION: lambda change: (
        f"the API version was {change.before or 'unknown'}, is"
        f" {change.after or 'unknown'}"
    ),
    ChangeKind.EXCHANGE_APPEARED: lambda change: f"new exchange ({change.after})",
    ChangeKind.EXCHANGE_VANISHED: lambda change: f"exchange vanished ({change.before})",
    ChangeKind.STATUS: lambda change: f"status was {change.before}, is {change.after}",
    ChangeKind.KEY_APPEARED: lambda change: f"new key: {change.after}",
    ChangeKind.KEY_VANISHED: lambda change: f"key vanished; was {change.before}",
    ChangeKind.TYPE: lambda change: f"was {change.before}, is {change.after}",
    ChangeKind.NARROWED: lambda change: f"was {change.before}, is only {change.after}",
    ChangeKind.OPTIONAL: lambda change: (
        f"became optional: was {change.before}, is {change.after}"
    ),
    ChangeKind.ALWAYS: lambda change: (
        f"is always present: was {change.before}, is {change.after}"
    ),
    ChangeKind.VALUE: lambda change: f"new value {change.after!r}",
    ChangeKind.UNKNOWN_VALUE: lambda change: (
        f"new value {change.after!r}, which the contract does not list"
    ),
}
