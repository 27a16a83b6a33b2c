"""Date windows: lists that time out are read in halves, and no record is lost."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from attrs import evolve, frozen
from doubles import Row
from hypothesis import given, strategies as st
from profiles import max_examples

from nectar_async import (
    UNSET,
    Listing,
    NotFoundError,
    Page,
    Request,
    ServerTimeoutError,
    Verdict,
)
from nectar_async._http.executor import attach_request
from nectar_async._paging.cursor import Cursor
from nectar_async._paging.date_windows import read_window, split_window
from nectar_async._paging.traversal import Traversal

LIST: Request[Any] = Request.get(
    "list", "/{owner}", Page[Row], listing=Listing(items="rows"), owner="x"
)


@frozen
class Bill:
    """A record with the dates that the filters compare."""

    id: int
    start: date
    end: date
    billed: date
    created: datetime

    def is_in(self, kind: str, first: date, last: date) -> bool:
        match kind:
            case "USAGE_PERIOD":
                return self.start <= last and self.end >= first
            case "BILL_DATE":
                return first <= self.billed <= last
            case _:
                return midnight(first) <= self.created <= midnight(last)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@frozen
class Limits:
    """A window with more than `most` bills times out at page `page`."""

    most: int
    page: int = 1


class SlowServer:
    """A server of bills, three on a page, with a 502 for windows over its limits."""

    def __init__(self, bills: Sequence[Bill], limits: Limits) -> None:
        self.bills = bills
        self.limits = limits
        self.windows: list[tuple[str, str]] = []

    def __call__(self, request: Request[Any], number: int) -> Page[Any]:
        query = dict(request.query)
        first, last = query["startDate"], query["endDate"]
        kind = query.get("dateType", "BILL_DATE")
        bounds = date.fromisoformat(first), date.fromisoformat(last)
        matching = [bill for bill in self.bills if bill.is_in(kind, *bounds)]
        pages = max(1, -(-len(matching) // 3))
        if number == 1:
            self.windows.append((first, last))
        if len(matching) > self.limits.most and number == min(self.limits.page, pages):
            raise ServerTimeoutError("502", status=502)
        items = tuple(matching[3 * number - 3 : 3 * number])
        return Page(
            items=items,
            number=number,
            current_page=number,
            total=len(matching),
            total_pages=pages,
            per_page=3,
            has_next=number < pages,
        )


JANUARY = date(2025, 1, 1)
days = st.integers(0, 40).map(lambda n: JANUARY + timedelta(days=n))


@st.composite
def bills(draw: st.DrawFn) -> list[Bill]:
    count = draw(st.integers(0, 25))
    bills_so_far = []
    for number in range(count):
        start = draw(days)
        end = start + timedelta(days=draw(st.integers(0, 35)))
        hour = timedelta(hours=draw(st.sampled_from([0, 0, 1, 23])))
        bills_so_far.append(
            Bill(number, start, end, draw(days), midnight(draw(days)) + hour)
        )
    return bills_so_far


def build_request(first: date, last: date, kind: str | None) -> Request[Any]:
    return Request.get(
        "list",
        "/{owner}",
        Page[Any],
        query={"start_date": first, "end_date": last, "date_type": kind or UNSET},
        listing=Listing(items="rows"),
        owner="x",
    )


def read_ids(traversal: Traversal[Any], server: SlowServer) -> list[int]:
    ids: list[int] = []
    while not traversal.is_finished:
        window_pass, number = traversal.current_pass, traversal.current_pass.first_page
        while traversal.current_pass is window_pass and not traversal.is_finished:
            try:
                delivered = traversal.add_page(server(window_pass.request, number))
                ids += (
                    [] if delivered is None else [bill.id for bill in delivered.items]
                )
            except ServerTimeoutError as error:
                if not traversal.split_after(error):
                    raise
            number += 1
    traversal.finish()
    return ids


KINDS = [None, "BILL_DATE", "USAGE_PERIOD", "CREATED_DATE", "UPDATED_DATE"]


@max_examples(300)
@given(
    bills(),
    st.tuples(days, days).map(sorted),
    st.sampled_from(KINDS),
    st.builds(Limits, st.integers(1, 12), st.integers(1, 3)),
)
def test_halves_lose_and_repeat_no_record(
    some: list[Bill], bounds: list[date], kind: str | None, limits: Limits
) -> None:
    first, last = bounds
    server = SlowServer(some, limits)
    traversal = Traversal[Any](build_request(first, last, kind))
    try:
        ids = read_ids(traversal, server)
    except ServerTimeoutError:
        # Even the shortest window is over the limits, so the error is right.
        start, end = (date.fromisoformat(day) for day in server.windows[-1])
        assert (end - start).days <= (0 if kind in {None, *DISJOINT} else 1)
        return
    wanted = {bill.id for bill in some if bill.is_in(kind or "BILL_DATE", first, last)}
    assert sorted(ids) == sorted(wanted)
    receipt = traversal.build_receipt()
    assert receipt.verdict is Verdict.COMPLETE
    totals = receipt.total_first, receipt.total_last, receipt.records, receipt.distinct
    assert totals == (len(wanted),) * 4


DISJOINT = {"BILL_DATE", "USAGE_PERIOD"}


def test_halves_by_days_share_no_day_and_halves_by_midnight_share_one() -> None:
    request = build_request(JANUARY, date(2025, 1, 4), "BILL_DATE")
    assert [read_window(half) for half in split_window(request) or ()] == [
        ("2025-01-01", "2025-01-02"),
        ("2025-01-03", "2025-01-04"),
    ]
    request = build_request(JANUARY, date(2025, 1, 4), "CREATED_DATE")
    assert [read_window(half) for half in split_window(request) or ()] == [
        ("2025-01-01", "2025-01-02"),
        ("2025-01-02", "2025-01-04"),
    ]


@pytest.mark.parametrize(
    ("kind", "shortest"), [("BILL_DATE", 0), ("USAGE_PERIOD", 0), ("CREATED_DATE", 1)]
)
def test_no_window_is_split_below_the_shortest(kind: str, shortest: int) -> None:
    request = build_request(JANUARY, JANUARY + timedelta(days=shortest), kind)
    assert split_window(request) is None
    assert split_window(
        build_request(JANUARY, JANUARY + timedelta(days=shortest + 1), kind)
    )


def between(first: datetime, last: datetime) -> Request[Any]:
    return Request.get(
        "intervals_list_by_connection",
        "/x",
        Page[Any],
        query={"start_date": first, "end_date": last},
        listing=Listing(items="rows"),
    )


def test_halves_of_intervals_overlap_by_an_hour() -> None:
    midnight = datetime(2025, 1, 1, tzinfo=UTC)
    earlier, later = split_window(
        between(midnight, midnight + timedelta(days=1))
    ) or pytest.fail("a day can be halved")
    assert read_window(earlier) == ("2025-01-01T00:00:00Z", "2025-01-01T13:00:00Z")
    assert read_window(later) == ("2025-01-01T12:00:00Z", "2025-01-02T00:00:00Z")
    while (parts := split_window(earlier)) is not None:
        earlier, _ = parts
    assert read_window(earlier) == ("2025-01-01T00:00:00Z", "2025-01-01T02:00:00Z")


def test_halves_of_long_windows_of_intervals_overlap_by_a_day() -> None:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    earlier, later = split_window(
        between(first, first + timedelta(days=30))
    ) or pytest.fail("no")
    assert read_window(earlier) == ("2025-01-01T00:00:00Z", "2025-01-17T00:00:00Z")
    assert read_window(later) == ("2025-01-16T00:00:00Z", "2025-01-31T00:00:00Z")


Window = tuple[datetime, datetime]
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def leaves(window: Window, longest: timedelta) -> Iterator[Window]:
    """List the windows that are read if the server allows windows up to `longest`."""
    request = between(*window)
    parts = None if window[1] - window[0] <= longest else split_window(request)
    if parts is None:
        yield window
        return
    for part in parts:
        start, end = map(datetime.fromisoformat, read_window(part) or ())
        yield from leaves((start, end), longest)


@max_examples(200)
@given(
    st.integers(0, 366 * 24 * 60).map(lambda n: NEW_YEAR + timedelta(minutes=n)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=60)),
    st.sampled_from([15, 30, 60]),
    st.integers(0, 59),
    st.sampled_from([2, 5, 24, 100]),
)
def test_every_interval_is_within_one_of_the_windows(
    first: datetime, span: timedelta, minutes: int, shift: int, longest: int
) -> None:
    last, step = first + span, timedelta(minutes=minutes)
    windows = [*leaves((first, last), timedelta(hours=longest))]
    starts = [start.timestamp() for start, _ in windows]
    begin = first.replace(minute=0, second=0) + timedelta(minutes=shift)
    begins = [begin + step * n for n in range(int(span / step) + 1)]
    for start in begins:
        end = start + step
        if not (first <= start and end <= last):
            continue
        # The windows are in order, so only the last ones that begin before it count.
        at = bisect_right(starts, start.timestamp())
        assert any(a <= start and end <= b for a, b in windows[max(0, at - 4) : at])


def test_a_list_without_both_bounds_cannot_be_split() -> None:
    for query in ({}, {"start_date": JANUARY}, {"end_date": JANUARY}):
        request = Request.get("list", "/x", Page[Any], query=query)
        assert split_window(request) is None
        assert not Traversal[Any](evolve(request, listing=LIST.listing)).split_after(
            ServerTimeoutError("502", status=502)
        )


def test_splitting_keeps_the_other_filters() -> None:
    request = Request.get(
        "list",
        "/x",
        Page[Any],
        query={"start_date": JANUARY, "end_date": date(2025, 2, 1), "identifier": "1"},
        listing=LIST.listing,
    )
    for half in split_window(request.at(7)) or pytest.fail("a month can be halved"):
        assert ("identifier", "1") in half.query
        assert half.page == 1


def test_a_list_in_halves_is_resumed_where_it_failed() -> None:
    first, last = JANUARY, date(2025, 2, 9)
    some = [
        Bill(n, day, day, day, midnight(day))
        for n, day in enumerate(first + timedelta(days=n) for n in range(40))
    ]
    server = SlowServer(some, Limits(12))
    traversal = Traversal[Any](build_request(first, last, None))
    ids: list[int] = []
    for _ in range(7):
        window_pass = traversal.current_pass
        number = window_pass.tracker.pages + 1
        try:
            delivered = traversal.add_page(server(window_pass.request, number))
        except ServerTimeoutError as error:
            traversal.split_after(error)
        else:
            ids += [] if delivered is None else [bill.id for bill in delivered.items]
    failure = NotFoundError("gone")
    attach_request(
        failure,
        traversal.current_pass.request.at(traversal.current_pass.tracker.pages + 1),
    )
    traversal.set_cursor(failure)
    cursor = Cursor.parse(str(failure.cursor))
    resumed = Traversal[Any](build_request(first, last, None), cursor=cursor)
    assert len(cursor.windows) > 1
    assert sorted(ids + read_ids(resumed, server)) == list(range(40))
    assert resumed.build_receipt().verdict is Verdict.COMPLETE
