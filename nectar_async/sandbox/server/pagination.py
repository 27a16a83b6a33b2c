"""Cutting a list into pages, with the envelope around each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nectar_async.sandbox.server.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PER_PAGE", "array", "page_of", "written_page"]

PER_PAGE = 100

_ItemT = TypeVar("_ItemT")


def array(lines: Sequence[bytes]) -> Reply:
    """A list without an envelope."""
    return Reply(body=b"[" + b",".join(lines) + b"]")


def page_of(lines: Sequence[bytes], *, page: int, items: str, total: str) -> Reply:
    """One page; past the end it is the last one again, which says its own number."""
    head, cut = _head_and_cut(len(lines), page, PER_PAGE, items=items, total=total)
    return Reply(body=b"".join((head, b",".join(lines[cut]), b"]}")))


def written_page(
    things: Sequence[_ItemT],
    write: Callable[[_ItemT], bytes],
    *,
    page: int,
    items: str,
    total: str,
    per_page: int = PER_PAGE,
) -> Reply:
    """One page of things of which only those on it are written."""
    head, cut = _head_and_cut(len(things), page, per_page, items=items, total=total)
    lines = map(write, things[cut])
    return Reply(body=b"".join((head, b",".join(lines), b"]}")))


def _head_and_cut(
    count: int, page: int, per_page: int, *, items: str, total: str
) -> tuple[bytes, slice]:
    """The envelope up to its items, and where these stand in the whole list."""
    pages = max(1, -(-count // per_page))
    current = min(page, pages)
    start = (current - 1) * per_page
    head = (
        f'{{"{total}":{count},"perPage":{per_page},"totalPages":{pages},'
        f'"currentPage":{current},"hasNext":{_json(current < pages)},'
        f'"hasPrevious":{_json(current > 1)},"{items}":['
    )
    return head.encode(), slice(start, start + per_page)


def _json(value: bool) -> str:
    return "true" if value else "false"
