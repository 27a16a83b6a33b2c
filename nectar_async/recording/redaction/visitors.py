"""Visitors that collect, replace or mask the sensitive texts of exchanges.

Before a recording is saved, `ValueCollector` and `PlaceholderCollector` collect its
sensitive values, and `PlaceholderWriter` replaces them. In a replay, `MaskVisitor`
masks them in questions, and `SensitiveTexts` and `FreeTexts` collect texts to compare.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import field, frozen

from nectar_async._http.redact import MASK, Replacement, replace_spans
from nectar_async.recording.redaction.known_values import KnownValues
from nectar_async.recording.redaction.patterns import (
    PatternSearch,
    is_link,
    is_signed_link,
)
from nectar_async.recording.redaction.placeholders import (
    LinkTable,
    PlaceholderTable,
    build_link_placeholder,
    build_pattern,
    build_volatile_placeholder,
    is_quotable,
    normalize_value,
    strip_number,
)
from nectar_async.recording.redaction.sensitive_fields import LINK, Kind
from nectar_async.recording.redaction.walk import Location, format_location

__all__ = [
    "FreeTexts",
    "MaskVisitor",
    "PlaceholderCollector",
    "PlaceholderWriter",
    "SensitiveTexts",
    "ValueCollector",
]


class ValueCollector:
    """A visitor that collects all sensitive values and changes nothing."""

    def __init__(
        self, patterns: PatternSearch, table: PlaceholderTable, links: LinkTable
    ) -> None:
        self._patterns = patterns
        self._table = table
        self._links = links
        self._collected: set[tuple[Kind, str]] = set()
        self._clean: set[str] = set()
        """Texts without sensitive parts."""
        self.volatile: dict[str, str] = {}
        """The placeholders of volatile values that are not links, by normalized text.
        """
        self.is_sent: bool = False
        """Whether the current texts belong to a question."""

    def visit_sensitive(self, kind: Kind, text: str, location: Location) -> str:
        """Collect a sensitive value."""
        if (kind, text) in self._collected:
            self._table.vote(text, location)
        elif self._patterns.is_placeholder(text):
            self._table.reserve(text)
        elif not _is_volatile(kind, text):
            self._collected.add((kind, text))
            self._table.add(kind, text, location)
        elif is_link(text):
            place = format_location(location)
            self._links.add(text, place, is_sent=self.is_sent)
        else:
            placeholder = _build_by_place(kind, text, format_location(location))
            self.volatile.setdefault(normalize_value(text), placeholder)
        return text

    def visit_text(self, text: str, location: Location) -> str:
        """Collect the sensitive parts of a text."""
        if text in self._clean:
            return text
        if is_signed_link(text):
            return self.visit_sensitive(LINK, text, location)
        if not self._collect_parts(text, location):
            self._clean.add(text)
        return text

    def visit_path_part(self, text: str) -> str:
        """Collect the sensitive parts of a part of a path."""
        self._collect_parts(text, (None, ""))
        return text

    def _collect_parts(self, text: str, location: Location) -> bool:
        """Collect the sensitive parts of a text; returns whether there are any."""
        counts: dict[str, int] = {}
        matches = [*self._patterns.find(text)]
        for match in matches:
            if match.kind.is_volatile:
                place = format_location(location)
                placeholder = build_volatile_placeholder(match.kind, place)
                self.volatile.setdefault(normalize_value(match.text), placeholder)
                continue
            form = build_pattern(match.kind, match.text)
            counts[form] = number = counts.get(form, 0) + 1
            inner = (location, f"{form}#{number}")
            self._table.add(match.kind, match.text, inner)
        placeholders = [*self._patterns.find_matched_placeholders(text)]
        for placeholder_match in placeholders:
            self._table.reserve(placeholder_match[0])
        return bool(matches or placeholders)


class PlaceholderCollector:
    """A visitor that collects the placeholders of a recording by place."""

    def __init__(self, patterns: PatternSearch) -> None:
        self._patterns = patterns
        self.by_place: dict[str, set[str]] = {}
        """Objects with the same id share their places, so a place may have several."""

    def visit_sensitive(self, _: Kind, text: str, location: Location) -> str:
        """Collect a placeholder."""
        if self._patterns.is_placeholder(text):
            self.by_place.setdefault(format_location(location), set()).add(text)
        return text

    def visit_text(self, text: str, location: Location) -> str:
        """Collect the placeholders in a text."""
        counts: dict[str, int] = {}
        for match in self._patterns.find_matched_placeholders(text):
            form = strip_number(match[0])
            counts[form] = number = counts.get(form, 0) + 1
            place = format_location((location, f"{form}#{number}"))
            self.by_place.setdefault(place, set()).add(match[0])
        return text

    def visit_path_part(self, text: str) -> str:
        """Skip a part of a path, which has no place."""
        return text


@frozen
class PlaceholderWriter:
    """A visitor that replaces the collected values by their placeholders.

    Args:
        patterns: finds sensitive parts of a text by pattern.
        links: the placeholders of links.
        assigned: the placeholders of other values, by normalized text.
        volatile: the placeholders of volatile values, by normalized text.
        values: finds values that are quoted in other texts.
        is_sent: whether the texts belong to a question.
    """

    patterns: PatternSearch
    links: LinkTable
    assigned: Mapping[str, str]
    volatile: Mapping[str, str]
    values: KnownValues
    is_sent: bool = False
    _text_cache: dict[str, str] = field(factory=dict)
    _value_cache: dict[str, str] = field(factory=dict)

    def visit_sensitive(self, kind: Kind, text: str, location: Location) -> str:
        """Return the placeholder of a sensitive value."""
        if (known := self._value_cache.get(text)) is not None:
            return known
        if self.patterns.is_placeholder(text):
            return text
        if not _is_volatile(kind, text):
            known = self._value_cache[text] = self.assigned[normalize_value(text)]
            return known
        if self.is_sent:
            name = normalize_value(text)
            known = self.assigned.get(name)  # an alias
            known = known or self.links.find(text) or self.volatile.get(name)
            if known is not None:
                return known
        return _build_by_place(kind, text, format_location(location))

    def visit_text(self, text: str, location: Location) -> str:
        """Replace all sensitive parts of a text."""
        if is_signed_link(text):
            return self.visit_sensitive(LINK, text, location)
        new = self._text_cache.get(text)
        if new is None:
            spans = [*self._find_matches(text), *self.values.find(text)]
            if spans:
                # Existing placeholders are spans too: nothing inside them is replaced.
                spans += [
                    (*match.span(), match[0])
                    for match in self.patterns.find_placeholders(text)
                ]
            new = replace_spans(text, spans) if spans else text
            new = self._text_cache[text] = text if new == text else new
        return new

    def visit_path_part(self, text: str) -> str:
        """Replace e-mail addresses and matches of patterns in a part of a path."""
        return replace_spans(text, self._find_matches(text))

    def _find_matches(self, text: str) -> list[Replacement]:
        spans: list[Replacement] = []
        for match in self.patterns.find(text):
            known = self.volatile if match.kind.is_volatile else self.assigned
            # A pattern may match a replaced text that the collector did not see.
            if (placeholder := known.get(normalize_value(match.text))) is not None:
                spans.append((match.start, match.end, placeholder))
        return spans


class MaskVisitor:
    """A visitor that replaces sensitive values and placeholders by `MASK`.

    Args:
        patterns: finds sensitive parts of a text by pattern.
        values: finds known values, with their replacements.
        blank: the places of further texts to mask.
    """

    def __init__(
        self,
        patterns: PatternSearch,
        values: KnownValues,
        blank: Collection[str] = (),
    ) -> None:
        self._patterns = patterns
        self._values = values
        self._blank = blank
        self.masked: dict[str, str] = {}
        """The masked values that another text may quote, each with `MASK`."""
        self.has_free_text: bool = False
        """Whether there was a text that may quote a value."""

    def visit_sensitive(self, kind: Kind, text: str, _location: Location) -> str:
        """Mask a sensitive value."""
        if is_quotable(kind, text) and not self._patterns.is_placeholder(text):
            self.masked[text] = MASK
        return MASK

    def visit_text(self, text: str, location: Location) -> str:
        """Mask the sensitive parts of a text."""
        self.has_free_text = True
        if is_signed_link(text):
            return MASK
        if self._blank and format_location(location) in self._blank:
            return MASK
        spans = self._find_matches(text)
        for start, end, replacement in self._values.find(text):
            is_masked = replacement == MASK or self._patterns.is_placeholder(
                replacement
            )
            spans.append((start, end, MASK if is_masked else replacement))
        spans += [
            (*match.span(), MASK) for match in self._patterns.find_placeholders(text)
        ]
        return replace_spans(text, spans)

    def visit_path_part(self, text: str) -> str:
        """Mask e-mail addresses and matches of patterns in a part of a path."""
        spans = self._find_matches(text)
        spans += [
            (*match.span(), MASK)
            for match in self._patterns.find_matched_placeholders(text)
        ]
        return replace_spans(text, spans)

    def _find_matches(self, text: str) -> list[Replacement]:
        matches = [*self._patterns.find(text)]
        self.masked |= {match.text: MASK for match in matches}
        return [(match.start, match.end, MASK) for match in matches]


class SensitiveTexts:
    """A visitor that collects the sensitive texts of a question, by place.

    Args:
        patterns: finds sensitive parts of a text by pattern.
        values: finds known values.
    """

    def __init__(self, patterns: PatternSearch, values: KnownValues) -> None:
        self._patterns = patterns
        self._values = values
        self.by_place: dict[str, str] = {}

    def visit_sensitive(self, _: Kind, text: str, location: Location) -> str:
        """Collect a sensitive value."""
        self.by_place[format_location(location)] = text
        return text

    def visit_text(self, text: str, location: Location) -> str:
        """Collect the sensitive parts of a text."""
        if is_signed_link(text):
            return self.visit_sensitive(LINK, text, location)
        parts = {match.start: match.text for match in self._patterns.find(text)}
        parts |= {start: text[start:end] for start, end, _ in self._values.find(text)}
        parts |= {
            match.start(): match[0] for match in self._patterns.find_placeholders(text)
        }
        for index, start in enumerate(sorted(parts)):
            self.by_place[f"{format_location(location)}#{index}"] = parts[start]
        return text

    def visit_path_part(self, text: str) -> str:
        """Collect the sensitive parts of a part of a path."""
        self.visit_text(text, (None, f"part {len(self.by_place)}"))
        return text


class FreeTexts:
    """A visitor that collects the texts that are not sensitive by their field."""

    def __init__(self) -> None:
        self.by_place: dict[str, str] = {}

    def visit_sensitive(self, _kind: Kind, text: str, _location: Location) -> str:
        """Skip a sensitive value."""
        return text

    def visit_text(self, text: str, location: Location) -> str:
        """Collect a text."""
        self.by_place[format_location(location)] = text
        return text

    def visit_path_part(self, text: str) -> str:
        """Skip a part of a path."""
        return text


def _is_volatile(kind: Kind, text: str) -> bool:
    """Whether the placeholder of a value is named by its place.

    That is so for secret links, too, which differ each time.
    """
    return kind.is_volatile or (kind.is_secret and not kind.is_rule and is_link(text))


def _build_by_place(kind: Kind, text: str, place: str) -> str:
    if kind == LINK or is_link(text):
        return build_link_placeholder(place)
    return build_volatile_placeholder(kind, place)
