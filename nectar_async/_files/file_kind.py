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

_TAG: Final = re.compile(rb"<[a-z!?]")
_OBJECT: Final = re.compile(rb"\{\s*[\"}]")


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
        head: the first bytes of the file.
        file_name: its name; some files are allowed to be HTML, XML or JSON.

    Returns:
        None if it may be the file.
    """
    if find_media_type(head) is not None:
        return None
    suffix = PurePath(file_name or "").suffix.lower()
    # Without the NUL bytes of UTF-16, and without a byte order mark.
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").lower()
    if _TAG.match(text) and suffix not in _MARKUP:
        return "an HTML page" if b"html" in text else "an XML text"
    if _OBJECT.match(text) and (not suffix or suffix in MEDIA_TYPES):
        return "a JSON text"
    return None
