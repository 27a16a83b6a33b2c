"""Links to files in generated answers: marks, until it is known where the server is.

Lines of usage are made once and sent often, and what a link says (the server's address,
the hour at which it expires) is known only when it is sent.
"""

from __future__ import annotations

__all__ = ["FILES_PATH", "file_link", "with_links"]

FILES_PATH = "/_files"
"""Below which a server has its files."""

# Long on purpose: the search in a page of 200 kB skips as many bytes at a time.
_MARK = f"{{{'@' * 22}}}"
_MARK_BYTES = _MARK.encode()


def file_link(document_id: str) -> str:
    """The mark for a link to a document's file: one on each side of its name."""
    return f"{_MARK}{document_id}.pdf{_MARK}"


def with_links(body: bytes, address: str, stamp: str) -> bytes:
    """The body with links for marks; `stamp` is the query that signs them."""
    parts = body.split(_MARK_BYTES)
    pieces = [b""] * (2 * len(parts) - 1)
    pieces[::2] = parts
    links = len(parts) // 2
    pieces[1::4] = [f"{address}{FILES_PATH}/".encode()] * links
    pieces[3::4] = [f"?{stamp}".encode()] * links
    return b"".join(pieces)
