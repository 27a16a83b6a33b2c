"""A text in another one, however that spells it.

Who quotes a text in JSON, in an address, in HTML or as Python does spells some of its
characters differently, and once more where that stands inside such a text again. So
both are compared as they read without any escapes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Self

from attrs import frozen

__all__ = ["HIDDEN", "Plain", "cut_out", "hiding"]

HIDDEN: Final = "***"

Span = tuple[int, int]

# Of shorter texts most are part of ordinary words.
_SHORTEST = 4
# An error keeps no more of a text: one that is hidden may be cut at its end.
_KEPT_CHARACTERS = 2_000

_ESCAPE = re.compile(
    r"(?:\\+u[0-9a-f]{4})+|(?:\\+x[0-9a-f]{2})+|(?:%[0-9a-f]{2})+"
    r"|&(#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{1,8});",
    re.IGNORECASE | re.ASCII,
)
_CODE = re.compile(r"(?:\\+[ux]|%)([0-9a-f]{2,4})", re.IGNORECASE | re.ASCII)
_DEEPEST = 6

# What forms write for a space, and JSON behind a backslash.
_ALIKE = str.maketrans({"+": " ", "\n": "n", "\r": "r", "\t": "t"})


def hiding(texts: Iterable[str]) -> Callable[[str], str]:
    """What replaces these in a text, those of four characters and more.

    Capitals do not count. One that the end of a long text cuts is found as well.
    """
    known = sorted({one for one in texts if len(one) >= _SHORTEST}, key=len)[::-1]
    plain = [Plain.of(one).text for one in known]
    plain = [one for one in plain if len(one) >= _SHORTEST]

    def hide(text: str) -> str:
        bare = Plain.of(text)
        spans = [span for one in plain for span in bare.spans(one)]
        if len(text) >= _KEPT_CHARACTERS:
            spans += [span for one in plain for span in bare.rest(one)]
        text = cut_out(text, spans)
        # What is behind one may look like the rest of an escape that begins in it.
        for one in known:
            if one in text:
                text = text.replace(one, HIDDEN)
        return text

    return hide if known else _same


def cut_out(text: str, spans: Sequence[Span]) -> str:
    """The text with each span replaced, and those that overlap as one."""
    kept: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            kept += (text[at:start], HIDDEN)
        at = max(at, end)
    return "".join((*kept, text[at:]))


def _same(text: str) -> str:
    return text


@frozen
class Plain:
    """A text as it reads without escapes, and where each character stands in it."""

    text: str
    places: Sequence[int]

    @classmethod
    def of(cls, text: str) -> Self:
        """A text, in small letters."""
        places: Sequence[int] = range(len(text) + 1)
        for _ in range(_DEEPEST):
            if _ESCAPE.search(text) is None:
                break
            text, inner = _unescaped(text)
            places = [places[one] for one in inner]
        if "\\" in text:
            text, inner = _without_backslashes(text)
            places = [places[one] for one in inner]
        return cls(_folded(text), places)

    def spans(self, known: str) -> Iterator[Span]:
        """Where a text stands that has no escapes itself."""
        at = self.text.find(known)
        while at >= 0:
            end = at + len(known)
            yield self.places[at], self.places[end]
            at = self.text.find(known, end)

    def rest(self, known: str) -> Iterator[Span]:
        """Where the beginning of a text stands, if the end of this one cuts it."""
        beginning = known[:_SHORTEST]
        at = self.text.find(beginning, max(0, len(self.text) - len(known)))
        while at >= 0 and not known.startswith(self.text[at:]):
            at = self.text.find(beginning, at + 1)
        if at >= 0:
            yield self.places[at], self.places[-1]


def _folded(text: str) -> str:
    """Small letters, as many as there were."""
    lowered = text.lower()
    return (lowered if len(lowered) == len(text) else text).translate(_ALIKE)


def _unescaped(text: str) -> tuple[str, list[int]]:
    """The text with its escapes read, once, and where each character stood."""
    chars: list[str] = []
    places: list[int] = []
    at = 0
    for found in _ESCAPE.finditer(text):
        chars.append(text[at : found.start()])
        places += range(at, found.start())
        for char, place in _read(found):
            chars.append(char)
            places.append(place)
        at = found.end()
    chars.append(text[at:])
    places += range(at, len(text) + 1)
    return "".join(chars), places


def _read(found: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The characters that a run of escapes stands for, each with its place."""
    if found[1] is not None:
        yield from ((one, found.start()) for one in html.unescape(f"&{found[1]};"))
        return
    codes = [*_CODE.finditer(found[0])]
    raw = bytes.fromhex("".join(code[1] for code in codes))
    encoding = "utf-16-be" if len(codes[0][1]) > len("ff") else "utf-8"
    try:
        chars = raw.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        chars = raw.decode(encoding)
    size = len(raw) // len(codes)
    at = 0
    for char in chars:
        yield char, found.start() + codes[at // size].start()
        at += len(char.encode(encoding))


def _without_backslashes(text: str) -> tuple[str, list[int]]:
    """The rest, and its places: a character's is where its backslashes begin."""
    kept = [*re.finditer(r"\\*([^\\])", text)]
    places = [one.start() for one in kept]
    end = len(text.rstrip("\\"))
    return "".join(one[1] for one in kept), [*places, end]
