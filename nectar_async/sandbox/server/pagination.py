"""Pages of lists: the query parameters that select one, and the envelope around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from nectar_async.sandbox.server.json_schema import MAX_DIGITS
from nectar_async.sandbox.server.messages import RefusalError, Reply

__all__ = [
    "PER_PAGE",
    "build_array",
    "build_page",
    "encode_page",
    "parse_page_number",
    "parse_page_size",
]

PER_PAGE = 100
_MAX_PER_PAGE = 500
_BAD_REQUEST = 400

_ItemT = TypeVar("_ItemT")


def parse_page_number(query: Mapping[str, Sequence[str]]) -> int:
    """Parse `page`, which starts at 1 and defaults to 1.

    Raises:
        RefusalError: 400 for any other value.
    """
    number = _parse_number(query, "page", default=1)
    if number < 1:
        raise RefusalError(_BAD_REQUEST, "page: This must be 1 or more.")
    return number


def parse_page_size(query: Mapping[str, Sequence[str]]) -> int:
    """Parse `limit`, the number of items in a page.

    Raises:
        RefusalError: 400 for a value that is not from 1 to 500.
    """
    size = _parse_number(query, "limit", default=PER_PAGE)
    if not 1 <= size <= _MAX_PER_PAGE:
        detail = f"limit: This must be between 1 and {_MAX_PER_PAGE}."
        raise RefusalError(_BAD_REQUEST, detail)
    return size


def build_array(lines: Sequence[bytes]) -> Reply:
    """Build a list without an envelope, from items as JSON."""
    return Reply(body=b"[" + b",".join(lines) + b"]")


def build_page(lines: Sequence[bytes], *, page: int, items: str, total: str) -> Reply:
    """Build one page from items as JSON.

    Args:
        lines: All items of the list.
        page: The number of the page; a number past the end gives the last page.
        items: The envelope's key of the items.
        total: The envelope's key of the number of all items.
    """
    head, cut = _build_head(len(lines), page, PER_PAGE, items=items, total=total)
    return Reply(body=b"".join((head, b",".join(lines[cut]), b"]}")))


def encode_page(
    entities: Sequence[_ItemT],
    encode: Callable[[_ItemT], bytes],
    *,
    page: int,
    items: str,
    total: str,
    per_page: int = PER_PAGE,
) -> Reply:
    """Build one page of a list, and encode only the entities on that page."""
    head, cut = _build_head(len(entities), page, per_page, items=items, total=total)
    lines = map(encode, entities[cut])
    return Reply(body=b"".join((head, b",".join(lines), b"]}")))


def _build_head(
    count: int, page: int, per_page: int, *, items: str, total: str
) -> tuple[bytes, slice]:
    """Build the envelope up to its items, and find the page's place in the list."""
    pages = max(1, -(-count // per_page))
    current = min(page, pages)
    start = (current - 1) * per_page
    head = (
        f'{{"{total}":{count},"perPage":{per_page},"totalPages":{pages},'
        f'"currentPage":{current},"hasNext":{_format_bool(current < pages)},'
        f'"hasPrevious":{_format_bool(current > 1)},"{items}":['
    )
    return head.encode(), slice(start, start + per_page)


def _format_bool(value: bool) -> str:
    return "true" if value else "false"


def _parse_number(query: Mapping[str, Sequence[str]], key: str, *, default: int) -> int:
    values = query.get(key)
    if not values:
        return default
    text = values[-1]
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise RefusalError(_BAD_REQUEST, f"{key}: This must be a whole number.")
    return int(text)
