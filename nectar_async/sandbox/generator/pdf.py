"""Small valid PDF files of any size, the same for the same name."""

from __future__ import annotations

import re
from hashlib import blake2b, shake_256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["count_pages", "draw_file_size", "make_pdf"]

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_MAX_PAGES = 6
_LEAST_BYTES = 20_000
_DOUBLINGS = 7
_HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
_CATALOG, _PAGES, _FONT, _FILL, _FIRST_PAGE = range(1, 6)


def count_pages(data: bytes) -> int:
    """Count the pages of a PDF whose page objects are not compressed."""
    return len(_PAGE.findall(data))


def draw_file_size(name: str) -> int:
    """Draw a size between 20 kB and 2.5 MB; most are small, like those of bills."""
    return int(_LEAST_BYTES * 2 ** (_DOUBLINGS * _draw(name, "size") / 2**32))


def make_pdf(name: str, *, size: int, revision: int = 0, pages: int = 0) -> bytes:
    """Make a PDF of exactly `size` bytes, or larger if its pages need more.

    It is filled up with noise, so that no two parts of the file are equal.
    """
    pages = pages or 1 + _draw(name, "pages") % _MAX_PAGES
    objects = list(_make_objects(name, revision, pages))
    least = len(_assemble(objects, b""))
    seed = f"{name}/{revision}".encode()
    return _assemble(objects, shake_256(seed).digest(max(0, size - least)))


def _make_objects(name: str, revision: int, pages: int) -> Iterator[bytes]:
    """Make all objects but the filler, in the order of their numbers."""
    kids = " ".join(f"{_FIRST_PAGE + 2 * page} 0 R" for page in range(pages))
    yield f"<< /Type /Catalog /Pages {_PAGES} 0 R >>".encode()
    yield f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode()
    yield b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    for page in range(pages):
        content = _FIRST_PAGE + 2 * page + 1
        yield (
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 595 842]"
            f" /Resources << /Font << /F1 {_FONT} 0 R >> >>"
            f" /Contents {content} 0 R >>"
        ).encode()
        yield _make_stream(
            f"BT /F1 12 Tf 56 770 Td 18 TL (Invented bill) Tj T* ({name}) Tj T*"
            f" (Page {page + 1} of {pages}, revision {revision}) Tj ET".encode()
        )


def _assemble(objects: list[bytes], noise: bytes) -> bytes:
    """Assemble the file; numbers have a fixed width, so only noise sets its size."""
    objects = [*objects[: _FILL - 1], _make_stream(noise), *objects[_FILL - 1 :]]
    parts = [_HEAD]
    offsets = []
    end = len(_HEAD)
    for number, body in enumerate(objects, start=1):
        offsets.append(end)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        end += len(parts[-1])
    size = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table))
    trailer = b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%010d\n%%%%EOF\n"
    parts.append(trailer % (size, _CATALOG, end))
    return b"".join(parts)


def _make_stream(data: bytes) -> bytes:
    return b"<< /Length %010d >>\nstream\n%b\nendstream" % (len(data), data)


def _draw(name: str, purpose: str) -> int:
    """Draw a whole number below 2 ** 32."""
    digest = blake2b(f"{purpose}/{name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest)
