"""Make text fit to be shown: without characters that a terminal or a log obeys.

Servers choose names, units and messages. An escape sequence among them could rewrite
the screen, and a bidirectional control could show a text in another order than it has.
Everything that is shown passes here; attributes and data keep the original.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["escape_json", "make_one_line", "make_printable"]

# C0 except tab and line feed, DEL and C1; controls of direction; line and paragraph
# separators; invisible tags and the byte order mark; halves of surrogate pairs, which
# no stream can encode.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

# The same characters in UTF-8, as far as JSON allows them unescaped.
_UNSAFE_JSON: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xaf]"
    rb"|\xef\xbb\xbf|\xf3\xa0[\x80\x81][\x80-\xbf]"
)


def make_printable(text: str) -> str:
    r"""Write control and direction characters as escapes: `\x1b`, `\u202e`.

    Tabs and line feeds stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def make_one_line(text: str) -> str:
    """Make a text printable, with a space for each line break."""
    return make_printable(" ".join(text.splitlines()))


def escape_json(data: bytes) -> bytes:
    r"""Write the same characters in JSON as `\u` escapes; the values stay equal."""
    if data.isascii() and b"\x7f" not in data:
        return data
    return _UNSAFE_JSON.sub(_escape_in_json, data)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _escape_in_json(match: re.Match[bytes]) -> bytes:
    units = match[0].decode().encode("utf-16-be").hex()
    pairs = (units[at : at + 4] for at in range(0, len(units), 4))
    return "".join(f"\\u{unit}" for unit in pairs).encode()
