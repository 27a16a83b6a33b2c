"""Cutting a list into pages of 100, with the envelope around each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_async.sandbox.calls import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PER_PAGE", "array", "page_of"]

PER_PAGE = 100


def array(lines: Sequence[bytes]) -> Reply:
    """A list without an envelope."""
    return Reply(body=b"[" + b",".join(lines) + b"]")


def page_of(lines: Sequence[bytes], *, page: int, items: str, total: str) -> Reply:
    """One page; past the end it is the last one again, which says its own number."""
    pages = max(1, -(-len(lines) // PER_PAGE))
    current = min(page, pages)
    start = (current - 1) * PER_PAGE
    head = (
        f'{{"{total}":{len(lines)},"perPage":{PER_PAGE},"totalPages":{pages},'
        f'"currentPage":{current},"hasNext":{_json(current < pages)},'
        f'"hasPrevious":{_json(current > 1)},"{items}":['
    )
    return Reply(
        body=b"".join(
            (head.encode(), b",".join(lines[start : start + PER_PAGE]), b"]}")
        )
    )


def _json(value: bool) -> str:
    return "true" if value else "false"
