"""Mask the questions that a replay looks for, and compare what they contain.

The visitors here leave the exchange as it is, except `MaskVisitor`.
"""

from __future__ import annotations

from collections.abc import Collection

from nectar_async._http.redact import MASK, Replacement, replace_spans
from nectar_async.recording.redaction.known_values import KnownValues
from nectar_async.recording.redaction.patterns import PatternSearch, is_signed_link
from nectar_async.recording.redaction.placeholders import is_quotable
from nectar_async.recording.redaction.sensitive_fields import LINK, Kind
from nectar_async.recording.redaction.walk import Location, format_location

__all__ = ["FreeTexts", "MaskVisitor", "SensitiveTexts"]


class MaskVisitor:
    """Replaces sensitive values and placeholders by `MASK`.

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
    """Collects the sensitive texts of a question, by place.

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
    """Collects the texts of a question that are not sensitive by their field."""

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
