"""What is secret or personal in a text by its looks: addresses, users' patterns.

And which texts are stand-ins already: those stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from nectar_async.recording.redaction.kinds import PERSON, Kind
from nectar_async.recording.redaction.patterns import EMAIL, email_of, may_have_email
from nectar_async.recording.redaction.placeholders import MAIL, shape

__all__ = ["Mark", "Marks"]


@frozen
class Mark:
    """Something in a text."""

    start: int
    end: int
    kind: Kind
    text: str


class Marks:
    """Finds them.

    Args:
        patterns: the users' own, and what it is that they find.
        kinds: all kinds that there are.
    """

    def __init__(
        self, patterns: Sequence[tuple[re.Pattern[str], Kind]], kinds: Iterable[Kind]
    ) -> None:
        self._patterns = patterns
        self._shape = shape(kinds)
        self._found_shape = shape([PERSON, *(kind for _, kind in patterns)])

    def found(self, text: str) -> Iterator[Mark]:
        """Addresses, and what the patterns match; stand-ins are not among them."""
        if may_have_email(text):
            for one in EMAIL.finditer(text):
                mark = Mark(one.start(), one.end(), PERSON, email_of(one[0]))
                if not self.is_standin(mark.text):
                    yield mark
        for pattern, kind in self._patterns:
            for one in pattern.finditer(text):
                if one[0].strip() and not self.is_standin(one[0]):
                    yield Mark(one.start(), one.end(), kind, one[0])

    def standins(self, text: str) -> Iterator[re.Match[str]]:
        """The stand-ins in a text."""
        return self._shape.finditer(text)

    def found_standins(self, text: str) -> Iterator[re.Match[str]]:
        """Those that may stand for what `found` gives."""
        if not self._patterns and MAIL not in text:
            return iter(())
        return self._found_shape.finditer(text)

    def around(self, text: str) -> re.Pattern[str] | None:
        """What matches a text with anything for its stand-ins; None if it has none."""
        parts, at = [], 0
        for one in self.standins(text):
            parts.append(re.escape(text[at : one.start()]))
            at = one.end()
        if not parts:
            return None
        return re.compile(".+".join((*parts, re.escape(text[at:]))), re.DOTALL)

    def is_standin(self, text: str) -> bool:
        """Whether a text is one stand-in."""
        return self._shape.fullmatch(text) is not None
