"""Repair JSON that a strict parser refuses, so that at most the damaged value is lost.

Servers send bytes that are no UTF-8, half of a surrogate pair, NaN, raw control
characters, or a byte order mark. The parser refuses the whole text then. Here such a
text is written again as valid JSON: characters that do not exist become U+FFFD, numbers
that no parser reads become texts, and values that are nested too deeply become null.
Other damage, such as a text that is cut off, stays, and the parser refuses it.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import Final

from attrs import frozen

from nectar_async._json.cooperative import Steps

__all__ = ["RepairedJson", "repair_json"]

_MAX_DEPTH: Final = 100
_RECORD_DEPTH: Final = 3
"""The depth of a record in a list in an envelope."""
_MAX_NUMBER: Final = 1_000
"""Longer numbers become texts: Python refuses integers of more than 4,300 digits."""
_TOKENS_PER_STEP: Final = 2_000

_MARKS: Final = (
    # UTF-32 before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# JSON begins with two ASCII characters, so the NUL bytes show the encoding (RFC 4627).
_NUL_PATTERNS: Final = (
    (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0[^\0]"), "utf-16-be"),
    (re.compile(rb"[^\0]\0"), "utf-16-le"),
)

_TOKEN: Final = re.compile(
    # A text without an end reaches to the end, so that nothing is searched twice.
    r'(?P<text>"(?:[^"\\]|\\.)*+"?)'
    r"|(?P<open>[\[{])|(?P<close>[\]}])"
    r"|(?P<word>[-+]?(?:NaN|nan|Infinity|inf)\b)"
    # The lookbehind keeps the search in a long number linear.
    r"|(?<![\d.])(?P<number>-?\d"
    rf"(?:[\d.]{{{_MAX_NUMBER},}}+(?:[eE][-+]?\d+)?|[\d.]*+[eE][-+]?\d{{18,}}+))",
    re.DOTALL,
)
_ODD_TEXT: Final = re.compile("[\\\\\0-\x1f\ud800-\udfff]")
_ODD_PART: Final = re.compile(
    r"(?P<pair>\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2})"
    r"|(?P<half>\\u[dD][89a-fA-F][\da-fA-F]{2})"
    r'|(?P<escape>\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))'
    r"|(?P<backslash>\\)"
    "|(?P<control>[\0-\x1f])"
    "|(?P<unreadable>[\ud800-\udfff]+)"
)


@frozen
class RepairedJson:
    """A JSON text after its repair."""

    text: bytes
    losses: tuple[str, ...]
    """What is lost, and at which character of the text, one entry for each value."""


def repair_json(body: bytes, depth: int = _RECORD_DEPTH) -> Steps[RepairedJson]:
    """Write a JSON text again, so that a strict parser reads it.

    Args:
        body: the text.
        depth: how many lists and objects are around the values that may be lost.
    """
    text = _decode(body)
    repair = _Repair(text, depth)
    for number, match in enumerate(_TOKEN.finditer(text), 1):
        repair.add_token(match)
        if number % _TOKENS_PER_STEP == 0:
            yield
    return repair.finish()


@frozen
class _Replacement:
    start: int
    end: int
    text: str
    loss: str = ""
    """What is lost by it; empty if nothing is."""


class _Repair:
    """The repair of a text, token by token."""

    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._max_lost_depth = depth
        self._replacements: list[_Replacement] = []
        self._depth = 0
        self._outer: list[tuple[str, int]] = []
        """The outermost lists and objects around the token, and where they begin."""
        self._lost_depth: int | None = None
        """The depth of a value around the token that is nested too deeply."""

    def add_token(self, match: re.Match[str]) -> None:
        """Look at the next token, and replace it if it is damaged."""
        kind, token = match.lastgroup, match.group()
        if kind == "open":
            self._open(token, match.start())
        elif kind == "close":
            self._close(match.end())
        else:
            repaired = _repair_text(token) if kind == "text" else f'"{token}"'
            loss = ""
            if kind == "word":
                loss = "a number is not finite"
            elif "\ufffd" in repaired and "\ufffd" not in token:
                loss = "a text has invalid characters"
            if repaired != token:
                self._replacements.append(_Replacement(*match.span(), repaired, loss))

    def finish(self) -> RepairedJson:
        """Return the whole text."""
        parts: list[str] = []
        end = 0
        for replacement in self._replacements:
            parts += [self._text[end : replacement.start], replacement.text]
            end = replacement.end
        text = "".join([*parts, self._text[end:]])
        losses = [
            f"{replacement.loss}, at character {replacement.start:,}"
            for replacement in self._replacements
            if replacement.loss
        ]
        return RepairedJson(text.encode(errors="replace"), tuple(losses))

    def _open(self, bracket: str, start: int) -> None:
        self._depth += 1
        if self._depth <= self._max_lost_depth + 1:
            self._outer[self._depth - 1 :] = [(bracket, start)]
        if self._depth == _MAX_DEPTH + 1:
            # The value in the record is lost, or else the one in the envelope.
            objects = [
                depth
                for depth, (outer, _) in enumerate(
                    self._outer[: self._max_lost_depth], 1
                )
                if outer == "{"
            ]
            self._lost_depth = objects[-1] + 1 if objects else None

    def _close(self, end: int) -> None:
        if self._depth == self._lost_depth:
            self._lost_depth = None
            _, start = self._outer[self._depth - 1]
            while self._replacements and self._replacements[-1].start > start:
                self._replacements.pop()
            loss = "a value is nested too deeply"
            self._replacements.append(_Replacement(start, end, "null", loss))
        self._depth -= 1


def _decode(body: bytes) -> str:
    """Decode a body; bytes that are no characters become surrogates."""
    marked = [name for mark, name in _MARKS if body.startswith(mark)]
    names = [
        *marked,
        *(name for pattern, name in _NUL_PATTERNS if pattern.match(body)),
    ]
    for name in names:
        with suppress(UnicodeDecodeError):  # half of a character at the end
            return body.decode(name, "surrogatepass")
    if marked or (names and body.count(0) > len(body) // 3):
        return body.decode(names[0], "replace")
    return body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def _repair_text(token: str) -> str:
    if _ODD_TEXT.search(token) is None:
        return token
    return _ODD_PART.sub(_repair_part, token)


def _repair_part(match: re.Match[str]) -> str:
    kind, part = match.lastgroup, match.group()
    if kind in {"half", "unreadable"}:
        return "\ufffd"
    if kind == "backslash":
        return "\\\\"
    return f"\\u{ord(part):04x}" if kind == "control" else part
