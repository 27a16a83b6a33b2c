"""Known values in any text, as whole words and however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from attrs import frozen

from nectar_async._http.redact import UnescapedText

__all__ = ["SHORTEST", "KnownValues", "Span", "replace_spans"]

SHORTEST: Final = 4
"""Of shorter values most are part of ordinary words."""

Span = tuple[int, int, str]
"""Where something stands, and what is to stand there."""

# All that `UnescapedText` reads otherwise than it stands there.
_ESCAPED: Final = re.compile(r"[\\%+\n\r\t]|&[#\w]{1,8};")

_WORD: Final = re.compile(r"[^\W_]+")

# Servers cut long texts only, and then the end of a value may be missing.
_LONG: Final = 500
_LEAST: Final = 6


@frozen
class _Word:
    """How a value stands around its first word."""

    offset: int
    size: int


class KnownValues:
    """Finds values in a text in one walk over its words, however many there are.

    Args:
        known: values of four characters and more, and what is to stand there. Shorter
            ones are passed over.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known: dict[str, str] = {}
        words: dict[str, set[_Word]] = {}
        self._odd: list[str] = []  # without a word, as `??!!`
        for value, standin in known.items():
            text = _plain(value.strip())[0]
            if len(text) < SHORTEST:
                continue
            self._known[text] = standin
            found = _WORD.search(text)
            if found is None:
                self._odd.append(text)
            else:
                word = _Word(found.start(), len(text))
                words.setdefault(found[0], set()).add(word)
        self._sizes = {
            word: sorted(found, key=lambda one: -one.size)
            for word, found in words.items()
        }

    def spans(self, text: str) -> Iterator[Span]:
        """Where known values stand, the longest at each place."""
        if not self._known:
            return
        plain, places = _plain(text)
        if self._may_have(plain):
            yield from self._whole(plain, places)
        if len(text) >= _LONG:
            yield from self._cut(plain, places)

    def _may_have(self, plain: str) -> bool:
        words = self._sizes.keys()
        return bool(self._odd) or not words.isdisjoint(_WORD.findall(plain))

    def _whole(self, plain: str, places: Sequence[int]) -> Iterator[Span]:
        at = 0
        for found in _WORD.finditer(plain):
            for word in self._sizes.get(found[0], ()):
                start = found.start() - word.offset
                end = start + word.size
                if start < at or end > len(plain):
                    continue
                standin = self._known.get(plain[start:end])
                if standin is not None and _is_whole(plain, start, end):
                    yield places[start], places[end], standin
                    at = end
                    break
        for value in self._odd:
            for one in re.finditer(re.escape(value), plain):
                yield places[one.start()], places[one.end()], self._known[value]

    def _cut(self, text: str, places: Sequence[int]) -> Iterator[Span]:
        """A value whose end is missing, as the text ends."""
        for at in range(max(0, len(text) - self._longest), len(text) - _LEAST + 1):
            for value in self._beginnings.get(text[at : at + _LEAST], ()):
                if value.startswith(text[at:]):
                    yield places[at], places[-1], self._known[value]
                    return

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._known), default=0)

    @cached_property
    def _beginnings(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for value in self._known:
            found.setdefault(value[:_LEAST], []).append(value)
        return found


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """A text as it reads, and where each character stands in it."""
    if _ESCAPED.search(text) is None:
        lowered = text.lower()
        if len(lowered) == len(text):
            return lowered, range(len(text) + 1)
    bare = UnescapedText.of(text)
    return bare.text, bare.places


def replace_spans(text: str, spans: list[Span]) -> str:
    """The text with each span replaced; those that overlap are one, of the first."""
    if not spans:
        return text
    kept: list[str] = []
    at = 0
    for start, end, standin in sorted(spans, key=lambda one: (one[0], -one[1])):
        if start >= at:
            kept += (text[at:start], standin)
        at = max(at, end)
    return "".join((*kept, text[at:]))


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether what stands there is no part of a longer word or number."""
    if start and text[start - 1].isalnum() and text[start].isalnum():
        return False
    if end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        return False
    if not text[start:end].isdecimal():
        return True
    # The year of a date, or the beginning of a longer number.
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return _JOINED.fullmatch(before[::-1]) is None and _JOINED.fullmatch(after) is None


_JOINED: Final = re.compile(r"[-./:,]\d")
