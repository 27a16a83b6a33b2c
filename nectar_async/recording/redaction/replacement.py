"""What is done with the texts of a recording: they are noted, then replaced."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from nectar_async.recording.redaction.known_values import (
    KnownValues,
    Span,
    replace_spans,
)
from nectar_async.recording.redaction.patterns import (
    PatternSearch,
    is_link,
    is_signed_link,
)
from nectar_async.recording.redaction.placeholders import (
    LinkTable,
    PlaceholderTable,
    build_form,
    build_link_placeholder,
    build_volatile_placeholder,
    normalize_value,
    parse_form,
)
from nectar_async.recording.redaction.sensitive_fields import LINK, Kind
from nectar_async.recording.redaction.walk import Location, format_location

__all__ = ["PlaceholderCollector", "PlaceholderWriter", "ValueCollector"]


class ValueCollector:
    """Notes what there is; changes nothing."""

    def __init__(
        self, marks: PatternSearch, book: PlaceholderTable, links: LinkTable
    ) -> None:
        self._marks = marks
        self._book = book
        self._links = links
        self._noted: set[tuple[Kind, str]] = set()
        self._clean: set[str] = set()
        self.volatile: dict[str, str] = {}
        """Stand-ins of what differs each time and is no link, by folded text."""
        self.is_sent: bool = False
        """Whether the texts are those of a question."""

    def own(self, kind: Kind, text: str, where: Location) -> str:
        """Note a value."""
        if (kind, text) in self._noted:
            self._book.vote(text, where)
        elif self._marks.is_standin(text):
            self._book.keep(text)
        elif not _is_volatile(kind, text):
            self._noted.add((kind, text))
            self._book.note(kind, text, where)
        elif is_link(text):
            self._links.note(text, format_location(where), is_sent=self.is_sent)
        else:
            standin = _volatile(kind, text, format_location(where))
            self.volatile.setdefault(normalize_value(text), standin)
        return text

    def free(self, text: str, where: Location) -> str:
        """Note what is in a text."""
        if text in self._clean:
            return text
        if is_signed_link(text):
            return self.own(LINK, text, where)
        if not self._note(text, where):
            self._clean.add(text)
        return text

    def part(self, text: str) -> str:
        """Note what is in a part of a path."""
        self._note(text, (None, ""))
        return text

    def _note(self, text: str, where: Location) -> bool:
        """Whether there is anything."""
        counts: dict[str, int] = {}
        marks = [*self._marks.found(text)]
        for mark in marks:
            if mark.kind.is_volatile:
                standin = build_volatile_placeholder(mark.kind, format_location(where))
                self.volatile.setdefault(normalize_value(mark.text), standin)
                continue
            name = build_form(mark.kind, mark.text)
            counts[name] = at = counts.get(name, 0) + 1
            self._book.note(mark.kind, mark.text, (where, f"{name}#{at}"))
        standins = [*self._marks.found_standins(text)]
        for one in standins:
            self._book.keep(one[0])
        return bool(marks or standins)


class PlaceholderCollector:
    """Notes which stand-ins a recording has, and where; changes nothing."""

    def __init__(self, marks: PatternSearch) -> None:
        self._marks = marks
        self.found: dict[str, set[str]] = {}
        """By place: an object that is changed has one after the other at the same."""

    def own(self, _: Kind, text: str, where: Location) -> str:
        """Note a stand-in."""
        if self._marks.is_standin(text):
            self.found.setdefault(format_location(where), set()).add(text)
        return text

    def free(self, text: str, where: Location) -> str:
        """Note the stand-ins in a text."""
        counts: dict[str, int] = {}
        for one in self._marks.found_standins(text):
            name = parse_form(one[0])
            counts[name] = at = counts.get(name, 0) + 1
            place = format_location((where, f"{name}#{at}"))
            self.found.setdefault(place, set()).add(one[0])
        return text

    def part(self, text: str) -> str:
        """Nothing: a part has no place of its own."""
        return text


@frozen
class PlaceholderWriter:
    """Puts stand-ins in place of what was noted.

    Args:
        marks: finds what has its looks.
        links: the stand-ins of links.
        given: those of other values, by folded text.
        volatile: those of what differs each time.
        finder: finds values that are quoted.
        is_sent: whether the texts are those of a question.
    """

    marks: PatternSearch
    links: LinkTable
    given: Mapping[str, str]
    volatile: Mapping[str, str]
    finder: KnownValues
    is_sent: bool = False
    _seen: dict[str, str] = field(factory=dict)
    _owned: dict[str, str] = field(factory=dict)

    def own(self, kind: Kind, text: str, where: Location) -> str:
        """The stand-in of a value."""
        if (known := self._owned.get(text)) is not None:
            return known
        if self.marks.is_standin(text):
            return text
        if not _is_volatile(kind, text):
            known = self._owned[text] = self.given[normalize_value(text)]
            return known
        if self.is_sent:
            name = normalize_value(text)
            known = self.given.get(name)  # an alias
            known = known or self.links.of(text) or self.volatile.get(name)
            if known is not None:
                return known
        return _volatile(kind, text, format_location(where))

    def free(self, text: str, where: Location) -> str:
        """The text with stand-ins for all that it quotes."""
        if is_signed_link(text):
            return self.own(LINK, text, where)
        found = self._seen.get(text)
        if found is None:
            spans = [*self._spans(text), *self.finder.spans(text)]
            if spans:
                spans += [(*one.span(), one[0]) for one in self.marks.standins(text)]
            found = replace_spans(text, spans) if spans else text
            found = self._seen[text] = text if found == text else found
        return found

    def part(self, text: str) -> str:
        """The part of a path, which quotes nothing; it may be an address."""
        return replace_spans(text, self._spans(text))

    def _spans(self, text: str) -> list[Span]:
        spans: list[Span] = []
        for one in self.marks.found(text):
            known = self.volatile if one.kind.is_volatile else self.given
            # A pattern may match what stands there by now, which nobody noted.
            if (standin := known.get(normalize_value(one.text))) is not None:
                spans.append((one.start, one.end, standin))
        return spans


def _is_volatile(kind: Kind, text: str) -> bool:
    """Whether a value is named by its place; links that open something always are."""
    return kind.is_volatile or (kind.is_secret and not kind.is_rule and is_link(text))


def _volatile(kind: Kind, text: str, place: str) -> str:
    return (
        build_link_placeholder(place)
        if kind == LINK or is_link(text)
        else build_volatile_placeholder(kind, place)
    )
