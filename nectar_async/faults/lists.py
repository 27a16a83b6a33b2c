"""Effects on lists: rows that move, repeated pages and wrong totals.

A response without pages, such as a bare array, is left unchanged. Use the effects that
move rows without `page=`, so that they apply to every page of a list.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Self
from uuid import UUID, uuid5

import msgspec
from attrs import evolve, field, frozen
from attrs.validators import optional

from nectar_async._http.compression import decompress_body
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._json.json_text import (
    encode_json,
    is_list_of_objects,
    parse_json,
    split_list,
    split_object,
)
from nectar_async._json.scalars import MisfitError
from nectar_async.contract.wire_names import to_wire
from nectar_async.faults.answers import Html
from nectar_async.faults.fault import Proceed, at_page, check_whole, find_page
from nectar_async.models.page import Listing

__all__ = [
    "READS_OTHER_PAGES",
    "ClampSilently",
    "DeleteRow",
    "Envelope",
    "InsertRow",
    "Miscount",
    "PromiseMore",
    "RepeatPage",
    "RunOutOfTime",
    "Shuffle",
    "StandStill",
]

_PAGES: Final = "totalPages"
_NAMESPACE_OF_NEW_ROWS: Final = UUID("c0a1f9d2-5f0e-4d6b-9d3f-6c1b7b1a2e40")
_BAD_GATEWAY: Final = 502
_DAY: Final = timedelta(days=1)
# With these date types, the list includes the whole last day.
_BY_DAYS: Final = frozenset({"BILL_DATE", "USAGE_PERIOD"})


@frozen
class Envelope:
    """A page of a list: its JSON object, with each value kept as JSON text.

    Attributes:
        response: the response with the page.
        values: the value of each key, not decoded.
        items_key: the key of the rows.
        total_key: the key of the number of records; None if there is none.
    """

    response: Response
    values: Mapping[str, msgspec.Raw]
    items_key: str
    total_key: str | None

    @classmethod
    def read(cls, response: Response, listing: Listing | None = None) -> Self | None:
        """Read the envelope of a response; None if it is not a page of a list.

        The keys of rows and total come from the listing. If the response lacks them,
        the first list of objects and the first total are used, as in the client.
        """
        if response.status != HTTPStatus.OK:
            return None
        try:
            values = split_object(decompress_body(response))
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
        """The rows on the page, each as JSON text."""
        return split_list(self.values[self.items_key])

    @property
    def pages(self) -> int:
        """How many pages the list has, at least 1."""
        return max(1, self.read_int(_PAGES) or 1)

    def read_int(self, key: str | None) -> int | None:
        """Read the whole number under a key; None if there is none."""
        raw = None if key is None else self.values.get(key)
        value = None if raw is None else parse_json(raw)
        return value if isinstance(value, int) else None

    def replace(self, **values: Any) -> Response:
        """Copy the response with other values; unknown keys are ignored."""
        known = {key: value for key, value in values.items() if key in self.values}
        return evolve(self.response, body=encode_json({**self.values, **known}))


@frozen
class _ListRows:
    """The rows of all pages of a list, to be divided into pages again."""

    first: Envelope
    rows: Sequence[msgspec.Raw]
    page: int
    """The requested page."""

    @classmethod
    async def read(cls, request: Request[Any], proceed: Proceed) -> Self | Response:
        """Read all pages of a list; return any other response as it is."""
        page = find_page(request)
        if page is None:
            return await proceed(request)
        response = await proceed(_change_page(request, 1))
        first = Envelope.read(response, request.listing)
        if first is None:
            return response if page == 1 else await proceed(request)
        rows = [*first.rows]
        for number in range(2, first.pages + 1):
            response = await proceed(_change_page(request, number))
            envelope = Envelope.read(response, request.listing)
            if envelope is None:
                return response  # an error, which the client receives too
            rows += envelope.rows
        return cls(first, rows, page)

    def build_page(self, move: Callable[[list[msgspec.Raw]], object]) -> Response:
        """Build the requested page, or the last one if the list has fewer pages.

        Args:
            move: changes the list of all rows in place, before it is divided.
        """
        rows = [*self.rows]
        move(rows)
        first = self.first
        size = max(1, first.read_int("perPage") or len(first.rows))
        pages = max(1, -(-len(rows) // size))
        current = min(self.page, pages)
        start = (current - 1) * size
        values: dict[str, Any] = {
            first.items_key: rows[start : start + size],
            _PAGES: pages,
            "currentPage": current,
            "hasNext": current < pages,
            "hasPrevious": current > 1,
        }
        if first.total_key is not None:
            # Relative to the total of the server, which may be wrong on purpose.
            total = first.read_int(first.total_key) or 0
            values[first.total_key] = total + len(rows) - len(self.rows)
        return first.replace(**values)


@frozen(kw_only=True)
class InsertRow:
    """Insert a row into the list after a page was delivered.

    If the new row is not after that page, the last row of the page is repeated at the
    beginning of the next page.
    """

    after: int = field(default=1, validator=check_whole(1))
    """The page that is delivered before the change."""
    at: int = field(default=1, validator=check_whole(1))
    """The number of the new row in the list, from 1."""
    row: Mapping[str, Any] | None = None
    """The new row, with the API's keys; None copies the first row under a new id."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the page of the list as it is now."""
        if not proceed.times_delivered(self.after):
            return await proceed(request)
        rows = await _ListRows.read(request, proceed)
        return rows if isinstance(rows, Response) else rows.build_page(self._insert)

    def _insert(self, rows: list[msgspec.Raw]) -> None:
        row = self.row
        if row is None:
            row = dict(parse_json(rows[0])) if rows else {"id": ""}
            row["id"] = str(uuid5(_NAMESPACE_OF_NEW_ROWS, str(row.get("id"))))
        rows.insert(self.at - 1, msgspec.Raw(encode_json(row)))


@frozen(kw_only=True)
class DeleteRow:
    """Delete a row from the list after a page was delivered.

    If the deleted row is not after that page, a client that reads page after page
    misses the first row of the next page.
    """

    after: int = field(default=1, validator=check_whole(1))
    """The page that is delivered before the change."""
    at: int = field(default=1, validator=check_whole(1))
    """The number of the deleted row in the list, from 1."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the page of the list as it is now."""
        if not proceed.times_delivered(self.after):
            return await proceed(request)
        rows = await _ListRows.read(request, proceed)
        return rows if isinstance(rows, Response) else rows.build_page(self._delete)

    def _delete(self, rows: list[msgspec.Raw]) -> None:
        del rows[self.at - 1 : self.at]


@frozen(kw_only=True)
class Shuffle:
    """Sort the rows of the list into another order, across all of its pages."""

    seed: int = 1
    """Decides the order, which is the same for all pages of a list."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the requested page of the sorted list."""
        rows = await _ListRows.read(request, proceed)
        return rows if isinstance(rows, Response) else rows.build_page(self._shuffle)

    def _shuffle(self, rows: list[msgspec.Raw]) -> None:
        # Sorted by digest, for the same order on every machine and every Python.
        rows.sort(key=self._rank)

    def _rank(self, row: msgspec.Raw) -> bytes:
        return hashlib.sha256(b"%d/%b" % (self.seed, bytes(row))).digest()


@frozen
class RepeatPage:
    """Answer page n with the rows of page n - 1, and announce another page."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the rows of the previous page, under the requested page number."""
        page = find_page(request)
        if page is None:
            return await proceed(request)
        response = await proceed(_change_page(request, max(1, page - 1)))
        return _replace_values(response, request, currentPage=page, hasNext=True)


@frozen(kw_only=True)
class StandStill:
    """Answer every page request with page `at`, including its `currentPage`."""

    at: int = field(default=1, validator=check_whole(1))
    """The number of the page that is always returned."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return page `at`."""
        is_list = find_page(request) is not None
        return await proceed(_change_page(request, self.at) if is_list else request)


@frozen
class ClampSilently:
    """Answer pages past the end with the last page, under the requested number."""

    last: int | None = field(default=None, validator=optional(check_whole(1)))
    """The number of the last page; None for the last page of the list."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the normal response, or the last page with the requested number."""
        last_page = await _find_last_page(request, proceed)
        page = find_page(request)
        if last_page is None or page is None:
            return await proceed(request)
        last = self.last or last_page
        if page <= last:
            return await proceed(request)
        return _replace_values(
            await proceed(_change_page(request, last)), request, currentPage=page
        )


@frozen
class PromiseMore:
    """Announce one more page on every page, for ever."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the requested rows; past the end, those of the last page."""
        last = await _find_last_page(request, proceed)
        page = find_page(request)
        if last is not None and page is not None and page > last:
            response = await proceed(_change_page(request, last))
        else:
            response = await proceed(request)
        values = {"currentPage": page, _PAGES: (page or 1) + 1, "hasNext": True}
        return _replace_values(response, request, **values)


@frozen(kw_only=True)
class Miscount:
    """Send wrong totals: off by the same number on each page, or by a growing one."""

    by: int = 0
    """This is added to the number of records; it may be negative."""
    each_page: int = 0
    """This is added to the number of records once for each page before this one."""
    pages: int = 0
    """This is added to the number of pages; it may be negative."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the normal rows with wrong totals."""
        response = await proceed(request)
        envelope = Envelope.read(response, request.listing)
        if envelope is None:
            return response
        pages = envelope.read_int(_PAGES) or 0
        values = {_PAGES: max(0, pages + self.pages)}
        if envelope.total_key is not None:
            more = self.by + self.each_page * ((find_page(request) or 1) - 1)
            total = envelope.read_int(envelope.total_key) or 0
            values[envelope.total_key] = max(0, total + more)
        return envelope.replace(**values)


@frozen(kw_only=True)
class RunOutOfTime:
    """Answer 502 with an HTML page if a list is too long, as the API does.

    The API gives up after 10 seconds. The length of a list depends on its filters and
    not on the page. A list without a start or an end covers all days.
    """

    above: int | None = None
    """The maximum number of records of a list, on all of its pages together."""
    days: float | None = None
    """The maximum number of days that a list covers."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Return the normal response, or 502 for a list that is too long."""
        response = await proceed(request)
        count = _count_records(response, request.listing)
        if count is None:
            return response
        is_too_large = self.above is not None and count > self.above
        is_too_long = self.days is not None and _count_days(request) > self.days
        if is_too_large or is_too_long:
            return await Html(_BAD_GATEWAY).apply(request, proceed)
        return response


READS_OTHER_PAGES: Final = (
    ClampSilently,
    DeleteRow,
    InsertRow,
    PromiseMore,
    RepeatPage,
    Shuffle,
    StandStill,
)
"""The effects that read other pages of a list than the requested one."""


def _change_page(request: Request[Any], page: int) -> Request[Any]:
    """Build the request for a page of the same list."""
    return request if find_page(request) == page else at_page(request, page)


def _replace_values(
    response: Response, request: Request[Any], **values: Any
) -> Response:
    """Replace values of a page; a response that is not a page is left unchanged."""
    envelope = Envelope.read(response, request.listing)
    return response if envelope is None else envelope.replace(**values)


async def _find_last_page(request: Request[Any], proceed: Proceed) -> int | None:
    """Read the number of the last page of a list from page 1.

    None if page 1 is requested or the request has no pages.
    """
    if find_page(request) in {None, 1}:
        return None  # page 1 always exists, so no extra request is needed
    first = Envelope.read(await proceed(at_page(request, 1)), request.listing)
    return None if first is None else first.pages


def _count_records(response: Response, listing: Listing | None) -> int | None:
    """Count the records on all pages of a list; None for any other response."""
    envelope = Envelope.read(response, listing)
    if envelope is not None:
        return envelope.read_int(envelope.total_key)
    try:
        return len(split_list(decompress_body(response)))
    except MisfitError:
        return None


def _count_days(request: Request[Any]) -> float:
    """Count the days between the date filters; infinite if one of them is missing."""
    query = dict(request.query)
    texts = [query[key] for key in ("startDate", "endDate") if key in query]
    try:
        start, end = (_parse_moment(text) for text in texts)
    except ValueError:  # one is missing, or is not a date
        return math.inf
    has_last_day = (
        "T" not in texts[0] and query.get("dateType", "BILL_DATE") in _BY_DAYS
    )
    return (end - start) / _DAY + has_last_day


def _parse_moment(text: str) -> datetime:
    """Parse an ISO date or time; a date is midnight, and the default zone is UTC."""
    if "T" not in text:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
