"""One page of a list, and how the envelope around it is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from nectar_async.models._extra import names_of

__all__ = ["Listing", "Page"]

T = TypeVar("T")


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list, as the API's envelope tells it.

    Pages hold 100 records and count from 1. A list that comes as a bare array is one
    page without totals.
    """

    items: tuple[T, ...]
    """The records, in the server's order."""
    number: int = 1
    """The page that was asked for."""
    current_page: int = 1
    """The page that came; past the end the API gives the last one instead."""
    total: int | None = None
    """Records in the whole list, after filters; None for a bare array."""
    total_pages: int = 1
    """Pages in the whole list; an empty list has 0 or 1."""
    per_page: int | None = None
    """Records on a full page."""
    has_next: bool = False
    """Whether the server says that there is more."""
    has_previous: bool = False
    """Whether the server says that there is something before."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys of the envelope that this version does not know."""


@frozen(kw_only=True)
class Listing:
    """How a list comes: the key of its items, and whether it may be a bare array."""

    items: str
    """The key of the items, as Python spells it: `usage_data`."""
    is_array: bool = False
    """True where the API gives a bare array (and an envelope is accepted as well)."""

    total: str = field(init=False, repr=False, eq=False)
    """The key of the total, as Python spells it: `total_usage_data`."""

    @total.default
    def _build_total(self) -> str:
        return f"total_{self.items}"
