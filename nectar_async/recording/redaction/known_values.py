"""Find known values in a text: as whole words, and in any escaping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from attrs import frozen

from nectar_async._http.redact import Replacement, UnescapedText

__all__ = ["KnownValues"]

_MIN_LENGTH: Final = 4
"""Most shorter values are parts of ordinary words."""

# Everything that `UnescapedText` changes, except upper case.
_ESCAPED: Final = re.compile(r"[\\%+\n\r\t]|&[#\w]{1,8};")

_WORD: Final = re.compile(r"[^\W_]+")

# Servers truncate long texts only, and may cut off the end of a value.
_MIN_TRUNCATED_TEXT: Final = 500
_MIN_TRUNCATED_VALUE: Final = 6

_NUMBER_CONTINUES: Final = re.compile(r"[-./:,]\d")


@frozen
class _WordPosition:
    """The position of the first word in a value, and the length of the value."""

    offset: int
    size: int


class KnownValues:
    """Finds values in a text in one pass over its words, however many values there are.

    Args:
        known: values and their replacements. Values shorter than four characters are
            ignored.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known: dict[str, str] = {}
        positions: dict[str, set[_WordPosition]] = {}
        self._without_word: list[str] = []  # such as `??!!`
        for value, replacement in known.items():
            text, _ = _unescape(value.strip())
            if len(text) < _MIN_LENGTH:
                continue
            self._known[text] = replacement
            word = _WORD.search(text)
            if word is None:
                self._without_word.append(text)
            else:
                position = _WordPosition(word.start(), len(text))
                positions.setdefault(word[0], set()).add(position)
        self._positions = {
            word: sorted(group, key=lambda position: -position.size)
            for word, group in positions.items()
        }

    def find(self, text: str) -> Iterator[Replacement]:
        """Find the known values in a text, the longest at each position."""
        if not self._known:
            return
        plain, places = _unescape(text)
        if self._may_contain_any(plain):
            yield from self._find_whole(plain, places)
        if len(text) >= _MIN_TRUNCATED_TEXT:
            yield from self._find_truncated(plain, places)

    def _may_contain_any(self, plain: str) -> bool:
        words = self._positions.keys()
        return bool(self._without_word) or not words.isdisjoint(_WORD.findall(plain))

    def _find_whole(self, plain: str, places: Sequence[int]) -> Iterator[Replacement]:
        searched = 0
        for word in _WORD.finditer(plain):
            for position in self._positions.get(word[0], ()):
                start = word.start() - position.offset
                end = start + position.size
                if start < searched or end > len(plain):
                    continue
                replacement = self._known.get(plain[start:end])
                if replacement is not None and _is_whole_word(plain, start, end):
                    yield places[start], places[end], replacement
                    searched = end
                    break
        for value in self._without_word:
            for match in re.finditer(re.escape(value), plain):
                yield places[match.start()], places[match.end()], self._known[value]

    def _find_truncated(
        self, plain: str, places: Sequence[int]
    ) -> Iterator[Replacement]:
        """Find a value whose end is cut off at the end of the text."""
        first = max(0, len(plain) - self._max_length)
        for start in range(first, len(plain) - _MIN_TRUNCATED_VALUE + 1):
            beginning = plain[start : start + _MIN_TRUNCATED_VALUE]
            for value in self._by_beginning.get(beginning, ()):
                if value.startswith(plain[start:]):
                    yield places[start], places[-1], self._known[value]
                    return

    @cached_property
    def _max_length(self) -> int:
        return max(map(len, self._known), default=0)

    @cached_property
    def _by_beginning(self) -> Mapping[str, list[str]]:
        values: dict[str, list[str]] = {}
        for value in self._known:
            values.setdefault(value[:_MIN_TRUNCATED_VALUE], []).append(value)
        return values


def _unescape(text: str) -> tuple[str, Sequence[int]]:
    """Resolve escapes and case; also return the original place of each character."""
    if _ESCAPED.search(text) is None:
        lowered = text.lower()
        if len(lowered) == len(text):
            return lowered, range(len(text) + 1)
    unescaped = UnescapedText.from_text(text)
    return unescaped.text, unescaped.places


def _is_whole_word(text: str, start: int, end: int) -> bool:
    """Whether a part of a text is not inside a longer word or number."""
    if start and text[start - 1].isalnum() and text[start].isalnum():
        return False
    if end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        return False
    if not text[start:end].isdecimal():
        return True
    # A number may be the year of a date, or a part of a longer number.
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (
        _NUMBER_CONTINUES.fullmatch(before[::-1]) is None
        and _NUMBER_CONTINUES.fullmatch(after) is None
    )
