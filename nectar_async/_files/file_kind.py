"""The kind of a file, found by its first bytes: a bill, or a page in place of one."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

__all__ = ["HEAD", "MEDIA_TYPES", "describe_page", "find_media_type"]

HEAD: Final = 1024
"""How many of the first bytes tell the kind: a PDF may begin with as many others."""

MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
"""The media types of the files that the API accepts, by extension."""

# Files that may begin like a page.
_MARKUP: Final = frozenset({".htm", ".html", ".mht", ".svg", ".xhtml", ".xml"})

# A name in XML may begin with any letter, here in UTF-8.
_TAG: Final = re.compile(rb"<([a-z_:!?/]|[\xc3-\xf4][\x80-\xbf])")
_JSON: Final = re.compile(
    rb"""\{\s*["}]|\[\s*["{\[\]\d-]|"|"""
    rb"""(true|false|null|-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?)\s*\Z"""
)


def find_media_type(head: bytes) -> str | None:
    """Find the media type of a bill; None if it is no PDF, PNG or JPEG."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MEDIA_TYPES[".png"]
    if head.startswith(b"\xff\xd8\xff"):
        return MEDIA_TYPES[".jpg"]
    return MEDIA_TYPES[".pdf"] if b"%PDF-" in head[:HEAD] else None


def describe_page(head: bytes, file_name: str | None) -> str | None:
    """Describe a page that a host sent in place of a file, such as a login page.

    Args:
        head: the first bytes of the file, all of them if it is short.
        file_name: its name; some files are allowed to be HTML, XML or JSON, or empty.
            A file without a name or a suffix is saved as a PDF.

    Returns:
        None if it may be the file.
    """
    suffix = PurePath(file_name or "").suffix.lower()
    is_bill = not suffix or suffix in MEDIA_TYPES
    head = head.lstrip()[:HEAD]
    # Without the NUL bytes of UTF-16, and without a byte order mark.
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").lower()
    # A page may have the mark of a PDF in its text, so its beginning counts.
    if _TAG.match(text) and suffix not in _MARKUP:
        return "an HTML page" if b"html" in text else "an XML text"
    if is_bill and _JSON.match(text):
        return "a JSON text"
    return "an empty file" if is_bill and not head else None
