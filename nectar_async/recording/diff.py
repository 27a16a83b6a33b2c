"""What changed between two recordings, as an account of the API and not of the text.

It is told by operation: exchanges that came, went or have another status; and in the
answers keys that came and went, types, what is always there, values of enums. What
data says is not compared (that is `git diff`'s affair), so a stand-in is no change.
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
    STANDIN,
    TEXT,
    ResponseShape,
    build_shape,
)

__all__ = ["Change", "ChangeKind", "Comparison", "compare"]


class ChangeKind(StrEnum):
    """What sort of change it is."""

    VERSION = "version"
    """The recordings are of two versions of the API."""
    EXCHANGE_APPEARED = "exchange appeared"
    EXCHANGE_VANISHED = "exchange vanished"
    STATUS = "status"
    """The same question has an answer with another status."""
    KEY_APPEARED = "key appeared"
    KEY_VANISHED = "key vanished"
    TYPE = "type"
    """What stands at a place is null, text, a number, ... and never was."""
    NARROWED = "narrowed"
    """What stood at a place was sometimes null, text, a number, ... and never is."""
    OPTIONAL = "optional"
    """A key that was in all objects is in some."""
    ALWAYS = "always"
    """A key that was in some objects is in all."""
    VALUE = "value"
    """An enum has a value that it did not have; the contract knows it."""
    UNKNOWN_VALUE = "unknown value"
    """The same, and the contract does not know it."""


@frozen(kw_only=True)
class Change:
    """One change."""

    kind: ChangeKind
    operation: str = ""
    """The contract's operation id; empty for what concerns all of them."""
    place: str = ""
    """The name of an exchange, or a place in answers: `usageData[].document.url`;
    empty for the whole body."""
    status: int | None = None
    """Of the answers that it is about, where they are errors."""
    before: str = ""
    """What was there, in words: types, how often, a status."""
    after: str = ""
    """What is there now."""

    def __str__(self) -> str:
        return _WORDS[self.kind](self)


@frozen
class Comparison:
    """All changes from one recording to another, by operation."""

    changes: tuple[Change, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return not self.changes

    @property
    def by_operation(self) -> Mapping[str, Sequence[Change]]:
        """The changes of each operation that has some."""
        found: dict[str, list[Change]] = {}
        for one in self.changes:
            found.setdefault(one.operation, []).append(one)
        return found

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


def compare(old: Recording, new: Recording) -> Comparison:
    """What changed from one recording to another.

    Exchanges are held against each other by what is asked, whatever the rules of
    redaction of either are. Answers are held against each other all together, by
    operation: how a key fares says nothing about a single record.
    """
    key = _key_of(old, new)
    standins = build_placeholder_pattern(old, new)
    changes = [*_versions(old, new)]
    before, after = _by_operation(old), _by_operation(new)
    for operation in sorted({*before, *after}):
        theirs = before.get(operation, []), after.get(operation, [])
        changes += _exchanges(*(_paired(one, key) for one in theirs))
        changes += _answers(operation, *theirs, standins)
    return Comparison(tuple(changes))


def _key_of(old: Recording, new: Recording) -> Callable[[Exchange], str]:
    if old.redaction == new.redaction:
        return lambda exchange: exchange.key
    rules = [rule for one in (old, new) for rule in Redaction.of(one.redaction).rules]
    both = Redaction(rules=tuple(dict.fromkeys(rules)))
    return lambda exchange: both.key(exchange.question)


def _versions(old: Recording, new: Recording) -> Iterator[Change]:
    if old.api_version != new.api_version:
        yield Change(
            kind=ChangeKind.VERSION, before=old.api_version, after=new.api_version
        )


def _by_operation(recording: Recording) -> Mapping[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = {}
    for one in recording.exchanges:
        found.setdefault(one.question.operation, []).append(one)
    return found


def _paired(
    exchanges: Sequence[Exchange], key: Callable[[Exchange], str]
) -> Mapping[tuple[str, int], Exchange]:
    """Each exchange by its question, and by which answer to it it is."""
    found: dict[tuple[str, int], Exchange] = {}
    counts: dict[str, int] = {}
    for one in exchanges:
        name = key(one)
        counts[name] = counts.get(name, 0) + 1
        found[name, counts[name]] = one
    return found


def _exchanges(
    old: Mapping[tuple[str, int], Exchange], new: Mapping[tuple[str, int], Exchange]
) -> Iterator[Change]:
    for mark, one in old.items():
        was = Change(
            kind=ChangeKind.EXCHANGE_VANISHED,
            operation=one.question.operation,
            place=one.name,
            before=str(one.answer.status),
        )
        if mark not in new:
            yield was
        elif (status := new[mark].answer.status) != one.answer.status:
            yield evolve(was, kind=ChangeKind.STATUS, after=str(status))
    for mark, one in new.items():
        if mark not in old:
            yield Change(
                kind=ChangeKind.EXCHANGE_APPEARED,
                operation=one.question.operation,
                place=one.name,
                after=str(one.answer.status),
            )


def _answers(
    operation: str,
    old: Sequence[Exchange],
    new: Sequence[Exchange],
    standins: re.Pattern[str],
) -> Iterator[Change]:
    """How answers changed that are in both: those that went well, and each error."""
    before, after = _by_status(old), _by_status(new)
    for status in sorted({*before} & {*after}, key=lambda one: one or 0):
        base = Change(kind=ChangeKind.TYPE, operation=operation, status=status)
        yield from _differences(
            base,
            build_shape(operation, before[status], standins),
            build_shape(operation, after[status], standins),
        )


def _by_status(exchanges: Sequence[Exchange]) -> Mapping[int | None, list[Exchange]]:
    """Answers by their error; None for those that are none."""
    found: dict[int | None, list[Exchange]] = {}
    for one in exchanges:
        status = one.answer.status
        is_error = status >= HTTPStatus.MULTIPLE_CHOICES
        found.setdefault(status if is_error else None, []).append(one)
    return found


def _differences(
    base: Change, old: ResponseShape, new: ResponseShape
) -> Iterator[Change]:
    """The changes at a place, which is that of `base`, and below it."""
    was, now = _known_types(old, new), _known_types(new, old)
    if was != now:
        kind = ChangeKind.TYPE if now - was else ChangeKind.NARROWED
        yield evolve(base, kind=kind, before=_types(old), after=_types(new))
    known = new.place.values
    # Behind a stand-in may be any of them.
    values = new.values - old.values if STANDIN not in old.types else ()
    for value in sorted(values):
        kind = ChangeKind.VALUE if value in known else ChangeKind.UNKNOWN_VALUE
        yield evolve(base, kind=kind, after=value)
    if old.objects and new.objects:
        for key in sorted({*old.keys, *new.keys}):
            place = f"{base.place}.{key}" if base.place else key
            yield from _key_changes(evolve(base, place=place), key, old, new)
    if old.items is not None and new.items is not None:
        items = evolve(base, place=f"{base.place}[]")
        yield from _differences(items, old.items, new.items)


def _key_changes(
    base: Change, key: str, old: ResponseShape, new: ResponseShape
) -> Iterator[Change]:
    was, now = old.keys.get(key), new.keys.get(key)
    if was is None or now is None:
        if now is not None:
            after = f"{_types(now)}, {_share(now, new)}"
            yield evolve(base, kind=ChangeKind.KEY_APPEARED, after=after)
        if was is not None:
            before = f"{_types(was)}, {_share(was, old)}"
            yield evolve(base, kind=ChangeKind.KEY_VANISHED, before=before)
        return
    was_always, is_always = was.seen == old.objects, now.seen == new.objects
    if was_always != is_always:
        yield evolve(
            base,
            kind=ChangeKind.ALWAYS if is_always else ChangeKind.OPTIONAL,
            before=_share(was, old),
            after=_share(now, new),
        )
    yield from _differences(base, was, now)


def _known_types(one: ResponseShape, other: ResponseShape) -> set[str]:
    """Its types, but for those that a stand-in in either of them may be."""
    hidden = {NUMBER, STANDIN, TEXT} if STANDIN in {*one.types, *other.types} else set()
    return {*one.types} - hidden


def _types(one: ResponseShape) -> str:
    names = {TEXT if name == STANDIN else name for name in one.types}
    return " or ".join(sorted(names))


def _share(part: ResponseShape, whole: ResponseShape) -> str:
    if part.seen == whole.objects:
        return f"in all {whole.objects:,}" if whole.objects > 1 else "in the only one"
    return f"in {part.seen:,} of {whole.objects:,}"


_WORDS: Mapping[ChangeKind, Callable[[Change], str]] = {
    ChangeKind.VERSION: lambda one: (
        f"the API was {one.before or 'of no version'}, and is"
        f" {one.after or 'of no version'}"
    ),
    ChangeKind.EXCHANGE_APPEARED: lambda one: f"new exchange ({one.after})",
    ChangeKind.EXCHANGE_VANISHED: lambda one: f"no such exchange now ({one.before})",
    ChangeKind.STATUS: lambda one: f"status was {one.before}, is {one.after}",
    ChangeKind.KEY_APPEARED: lambda one: f"new key: {one.after}",
    ChangeKind.KEY_VANISHED: lambda one: f"no such key now; was {one.before}",
    ChangeKind.TYPE: lambda one: f"was {one.before}, is {one.after}",
    ChangeKind.NARROWED: lambda one: f"was {one.before}, is only {one.after}",
    ChangeKind.OPTIONAL: lambda one: (
        f"became optional: was {one.before}, is {one.after}"
    ),
    ChangeKind.ALWAYS: lambda one: f"is always there: was {one.before}, is {one.after}",
    ChangeKind.VALUE: lambda one: f"new value {one.after!r}",
    ChangeKind.UNKNOWN_VALUE: lambda one: (
        f"new value {one.after!r}, which the contract does not know"
    ),
}
