"""Pages of lists, and the keys of the envelope around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from nectar_async._repr import format_keys, format_record

__all__ = ["Listing", "Page"]

T = TypeVar("T")


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list, with the values of the API's envelope.

    Pages have 100 records and are numbered from 1. A list that comes as a bare array is
    one page without totals.
    """

    items: tuple[T, ...]
    """The records, in the server's order."""
    number: int = 1
    """The page that was requested."""
    current_page: int = 1
    """The page that was returned; past the end the API returns the last page."""
    total: int | None = None
    """Records in the whole filtered list; None for a bare array."""
    has_odd_total: bool = False
    """Whether the API sent a total that is no whole number; `total` is None then."""
    total_pages: int = 1
    """Pages in the whole list; an empty list has 0 or 1."""
    per_page: int | None = None
    """Records on a full page."""
    has_next: bool = False
    """Whether the server reports a next page."""
    has_previous: bool = False
    """Whether the server reports a previous page."""
    problems: tuple[str, ...] = ()
    """Why items were left out of `items`, one text for each: a null, or no id."""
    losses: tuple[str, ...] = ()
    """The values that are lost, because the JSON of the page was damaged: for example
    half of a surrogate pair became U+FFFD, or NaN became None. Not in `problems`."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys of the envelope that this version does not know."""

    def __repr__(self) -> str:
        return format_record(self)


@frozen(kw_only=True)
class Listing:
    """The envelope of a list: the key of its items, and whether it may be an array."""

    items: str
    """The key of the items in snake_case: `usage_data`."""
    is_array: bool = False
    """Whether the API sends a bare array; an envelope is accepted as well."""

    total: str = field(init=False, repr=False, eq=False)
    """The key of the total in snake_case: `total_usage_data`."""

    @total.default
    def _build_total(self) -> str:
        return f"total_{self.items}"
