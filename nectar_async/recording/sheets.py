"""Recorded pages, cut anew: with other rows, or an envelope that says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self

import msgspec
from attrs import evolve, frozen

from nectar_async._http.response import Response
from nectar_async._json.json import (
    encoded,
    is_list_of_objects,
    parse,
    split_list,
    split_object,
)
from nectar_async._json.scalars import MisfitError
from nectar_async.contract.wire_names import to_wire
from nectar_async.errors import RecordingError
from nectar_async.models.page import Listing
from nectar_async.recording.scene import Scene

__all__ = ["Sheet", "Sheets"]

_PAGES = "totalPages"


@frozen
class Sheet:
    """One page by the keys of its envelope, each value still JSON text."""

    response: Response
    values: Mapping[str, msgspec.Raw]
    items_key: str
    total_key: str | None

    @classmethod
    def of(cls, response: Response | None, listing: Listing | None) -> Self | None:
        """The page that an answer is; None for a bare array, and for what is no page.

        The keys are those of the operation, or else the first list and the first total,
        as the client reads them.
        """
        if response is None or response.status != HTTPStatus.OK:
            return None
        try:
            values = split_object(response.inflated())
        except MisfitError:
            return None
        lists = [key for key, raw in values.items() if is_list_of_objects(raw)]
        totals = [key for key in values if key.startswith("total") and key != _PAGES]
        if _PAGES not in values or not lists:
            return None
        items = "" if listing is None else to_wire(listing.items)
        total = "" if listing is None else to_wire(listing.total)
        return cls(
            response,
            values,
            items if items in lists else lists[0],
            total if total in totals else next(iter(totals), None),
        )

    @property
    def rows(self) -> Sequence[msgspec.Raw]:
        """What is on it."""
        return split_list(self.values[self.items_key])

    @property
    def pages(self) -> int:
        """How many pages the list has, by what this one says."""
        return max(1, self.number(_PAGES) or 1)

    def number(self, key: str | None) -> int | None:
        """A value that is a whole number; None where it is none."""
        raw = None if key is None else self.values.get(key)
        value = None if raw is None else parse(raw)
        return value if isinstance(value, int) else None

    def changed(self, **values: Any) -> Response:
        """The answer with some values of its envelope changed; it gets no new keys."""
        known = {key: value for key, value in values.items() if key in self.values}
        return evolve(self.response, body=encoded({**self.values, **known}))


@frozen
class Sheets:
    """All rows of a recorded list, to be cut into pages anew."""

    first: Sheet
    rows: Sequence[msgspec.Raw]
    asked: int
    """The page that is to be given."""

    @classmethod
    def of(cls, scene: Scene) -> Self | None:
        """The list that a request belongs to; None for what has no pages.

        Raises:
            RecordingError: one of its pages is not recorded.
        """
        listing = scene.request.listing
        first = Sheet.of(scene.peek_page(1), listing)
        if first is None or scene.page is None:
            return None
        rows = [*first.rows]
        for number in range(2, first.pages + 1):
            sheet = Sheet.of(scene.peek_page(number), listing)
            if sheet is None:
                raise RecordingError(
                    f"an overlay that moves the rows of {scene.whole} needs all of its"
                    f" pages, and page {number} is not recorded"
                )
            rows += sheet.rows
        return cls(first, rows, scene.page)

    def moved(self, change: Callable[[list[msgspec.Raw]], object]) -> Response:
        """The page after a change of the rows: past the end, the last one."""
        rows = [*self.rows]
        change(rows)
        first = self.first
        size = max(1, first.number("perPage") or len(first.rows))
        pages = max(1, -(-len(rows) // size))
        current = min(self.asked, pages)
        start = (current - 1) * size
        values: dict[str, Any] = {
            first.items_key: rows[start : start + size],
            _PAGES: pages,
            "currentPage": current,
            "hasNext": current < pages,
            "hasPrevious": current > 1,
        }
        if first.total_key is not None:
            # As many more or fewer as there are now; what it said before may be a lie.
            total = first.number(first.total_key) or 0
            values[first.total_key] = total + len(rows) - len(self.rows)
        return first.changed(**values)
