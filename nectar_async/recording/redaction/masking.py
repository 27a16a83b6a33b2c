"""What is done with the texts of a question that is looked for: masked, compared."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from nectar_async.recording.redaction.known_values import (
    KnownValues,
    Span,
    replace_spans,
)
from nectar_async.recording.redaction.patterns import PatternSearch, is_signed_link
from nectar_async.recording.redaction.placeholders import is_quotable
from nectar_async.recording.redaction.sensitive_fields import LINK, Kind
from nectar_async.recording.redaction.walk import Location, format_location

__all__ = ["MASK", "FreeTexts", "MaskVisitor", "SensitiveTexts"]

MASK: Final = "***"
"""What stands in a masked question wherever something is redacted."""


class MaskVisitor:
    """Puts a constant in place of all that is redacted, and of its stand-ins.

    Args:
        marks: finds what has its looks.
        finder: finds what is known besides, and what is to stand there.
        blank: the places of further texts to put it in place of.
    """

    def __init__(
        self, marks: PatternSearch, finder: KnownValues, blank: Collection[str] = ()
    ) -> None:
        self._marks = marks
        self._finder = finder
        self._blank = blank
        self.known: dict[str, str] = {}
        """What was masked, which another text may quote."""
        self.has_free: bool = False
        """Whether there is such a text."""

    def own(self, kind: Kind, text: str, _where: Location) -> str:
        """The constant."""
        if is_quotable(kind, text) and not self._marks.is_standin(text):
            self.known[text] = MASK
        return MASK

    def free(self, text: str, where: Location) -> str:
        """The text with the constant for all that is redacted in it."""
        self.has_free = True
        if is_signed_link(text) or (
            self._blank and format_location(where) in self._blank
        ):
            return MASK
        spans = self._spans(text)
        for start, end, standin in self._finder.spans(text):
            is_masked = standin == MASK or self._marks.is_standin(standin)
            spans.append((start, end, MASK if is_masked else standin))
        spans += [(*one.span(), MASK) for one in self._marks.standins(text)]
        return replace_spans(text, spans)

    def part(self, text: str) -> str:
        """The part of a path with the constant for addresses and patterns."""
        spans = self._spans(text)
        spans += [(*one.span(), MASK) for one in self._marks.found_standins(text)]
        return replace_spans(text, spans)

    def _spans(self, text: str) -> list[Span]:
        marks = [*self._marks.found(text)]
        self.known |= {one.text: MASK for one in marks}
        return [(one.start, one.end, MASK) for one in marks]


class SensitiveTexts:
    """Lists what is redacted in a question, and where; changes nothing.

    Args:
        marks: finds what has its looks.
        finder: finds what is known besides.
    """

    def __init__(self, marks: PatternSearch, finder: KnownValues) -> None:
        self._marks = marks
        self._finder = finder
        self.found: dict[str, str] = {}
        """Text by place."""

    def own(self, _: Kind, text: str, where: Location) -> str:
        """List a value."""
        self.found[format_location(where)] = text
        return text

    def free(self, text: str, where: Location) -> str:
        """List what is in a text."""
        if is_signed_link(text):
            return self.own(LINK, text, where)
        hits = {one.start: one.text for one in self._marks.found(text)}
        hits |= {start: text[start:end] for start, end, _ in self._finder.spans(text)}
        hits |= {one.start(): one[0] for one in self._marks.standins(text)}
        for at, start in enumerate(sorted(hits)):
            self.found[f"{format_location(where)}#{at}"] = hits[start]
        return text

    def part(self, text: str) -> str:
        """List what is in a part of a path."""
        self.free(text, (None, f"part {len(self.found)}"))
        return text


class FreeTexts:
    """Lists the texts that are of no kind; changes nothing."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        """By place."""

    def own(self, _kind: Kind, text: str, _where: Location) -> str:
        """Nothing."""
        return text

    def free(self, text: str, where: Location) -> str:
        """List a text."""
        self.texts[format_location(where)] = text
        return text

    def part(self, text: str) -> str:
        """Nothing."""
        return text
