"""The books of a walk: when it ends, what it gives, and what it is worth."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
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
    PaginationError,
    Receipt,
    Request,
    ServerTimeoutError,
    Verdict,
)
from nectar_async._http.executor import describe
from nectar_async._paging.cursor import Cursor
from nectar_async._paging.date_windows import read_window, split_window
from nectar_async._paging.traversal import Traversal

LIST: Request[Any] = Request.get(
    "list", "/{owner}", Page[Row], listing=Listing(items="rows"), owner="x"
)


def page(number: int, ids: str, pages: int = 1, total: int = 0, **changes: Any) -> Any:
    """A page whose records are the letters of `ids`."""
    facts: dict[str, Any] = {
        "number": number,
        "current_page": number,
        "total": total,
        "total_pages": pages,
        "per_page": 2,
        "has_next": number < pages,
    }
    return Page(items=tuple(map(Row, ids)), **(facts | changes))


def walk(first: int = 1) -> Traversal[Row]:
    """A list to walk, from a page on."""
    return Traversal(LIST.at(first))


def admit(traversal: Traversal[Row], one: Page[Row]) -> str:
    """The ids that are given of a page."""
    given = traversal.add_page(one)
    return "" if given is None else "".join(row.id for row in given.items)


def given_by(traversal: Traversal[Row], *pages: Page[Row]) -> str:
    """What a walk gives of pages; the walk is taken to its end if there is one."""
    shown = "".join(admit(traversal, one) for one in pages)
    traversal.finish()
    return shown


def test_the_pages_of_a_list_are_planned_by_their_number() -> None:
    traversal = walk()
    assert traversal.current_pass.last_page == 1
    traversal.add_page(page(1, "ab", 7, 14))
    assert (traversal.current_pass.last_page, traversal.is_finished) == (7, False)


def test_the_page_without_a_next_one_is_the_last() -> None:
    traversal = walk()
    assert given_by(traversal, page(1, "ab", 2, 3), page(2, "c", 2, 3)) == "abc"
    assert traversal.is_finished
    assert traversal.build_receipt() == Receipt(
        total_first=3,
        total_last=3,
        records=3,
        distinct=3,
        pages=2,
        verdict=Verdict.COMPLETE,
    )


def test_a_next_page_counts_more_than_the_number_of_pages() -> None:
    traversal = walk()
    traversal.add_page(page(1, "ab", 1, 3, has_next=True))
    assert (traversal.current_pass.last_page, traversal.is_finished) == (2, False)


def test_a_page_may_announce_more_pages_but_not_fewer() -> None:
    traversal = walk()
    traversal.add_page(page(1, "ab", 3, 6))
    traversal.add_page(page(2, "cd", 5, 10))
    assert traversal.current_pass.last_page == 5
    traversal.add_page(page(3, "ef", 4, 8))
    assert traversal.current_pass.last_page == 5


def test_a_page_with_another_number_is_past_the_end() -> None:
    traversal = walk()
    first, second = page(1, "ab", 3, 6), page(2, "cd", 2, 4)
    clamped = page(3, "cd", 2, 4, current_page=2)
    assert given_by(traversal, first, second, clamped) == "abcd"
    assert traversal.is_finished
    assert traversal.build_receipt().repeats == 0


def test_new_records_of_a_page_past_the_end_are_delivered() -> None:
    traversal = walk()
    clamped = page(3, "de", 2, 4, current_page=2)
    pages = page(1, "ab", 3, 6), page(2, "cd", 3, 6), clamped
    assert given_by(traversal, *pages) == "abcde"


def test_a_page_past_the_end_is_the_end_whatever_it_announces() -> None:
    traversal = walk()
    clamped = page(3, "ab", 2, 4, current_page=1, has_next=True)
    given_by(traversal, page(1, "ab", 3, 6), page(2, "cd", 3, 6), clamped)
    assert traversal.is_finished


def test_an_empty_page_is_not_the_end() -> None:
    traversal = walk()
    pages = page(1, "", 4, 3), page(2, "", 4, 3), page(3, "ab", 4, 3), page(4, "c", 4)
    assert given_by(traversal, *pages[:3]) == "ab"
    assert not traversal.is_finished
    assert given_by(traversal, pages[3]) == "c"
    assert traversal.is_finished


def test_an_empty_list_is_complete() -> None:
    for pages in (0, 1):
        traversal = walk()
        assert not given_by(traversal, page(1, "", pages, 0))
        assert traversal.build_receipt().verdict is Verdict.COMPLETE


def test_the_same_page_twice_with_a_next_one_is_an_error() -> None:
    traversal = walk()
    traversal.add_page(page(1, "ab", 9, 18))
    with pytest.raises(PaginationError, match="page 2 repeats page 1"):
        traversal.add_page(page(2, "ab", 9, 18))


def test_the_same_page_twice_without_a_next_one_is_the_end() -> None:
    traversal = walk()
    assert given_by(traversal, page(1, "ab", 2, 4), page(2, "ab", 2, 4)) == "ab"
    assert traversal.is_finished
    assert traversal.build_receipt().repeats == 2
    assert traversal.build_receipt().verdict is Verdict.SHORT


def test_a_page_that_repeats_because_rows_were_inserted_before_it_is_drift() -> None:
    traversal = walk()
    pages = page(1, "cd", 2, 4), page(2, "cd", 3, 6), page(3, "ef", 3, 6)
    assert given_by(traversal, *pages) == "cdef"
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


def test_a_server_that_repeats_and_announces_more_for_ever_is_an_error() -> None:
    with pytest.raises(PaginationError):
        given_by(walk(), *(page(n, "ab", n + 1, 2 * n + 2) for n in range(1, 9)))


@pytest.mark.parametrize("ids", ["", "ab"])
def test_a_server_that_announces_more_for_ever_is_an_error(ids: str) -> None:
    endless = [page(number, ids, 2, 4, has_next=True) for number in range(1, 10)]
    with pytest.raises(PaginationError):
        given_by(walk(), *endless)


def test_a_server_that_repeats_pages_past_its_end_is_an_error() -> None:
    circle = [
        page(number, "ab" if number % 2 else "cd", 2, 4, has_next=True)
        for number in range(1, 1000)
    ]
    with pytest.raises(PaginationError):
        given_by(walk(), *circle)


@pytest.mark.parametrize(
    ("totals", "ids", "verdict"),
    [
        ((3, 3), ("ab", "c"), Verdict.COMPLETE),
        ((3, 4), ("ab", "cd"), Verdict.DRIFTED),
        ((4, 3), ("ab", "c"), Verdict.DRIFTED),
        ((3, 3), ("ab", "b"), Verdict.SHORT),
        ((4, 4), ("ab", "c"), Verdict.SHORT),
        ((3, 3), ("ab", "cd"), Verdict.DRIFTED),
    ],
)
def test_the_verdict_of_a_list(
    totals: tuple[int, int], ids: tuple[str, str], verdict: Verdict
) -> None:
    traversal = walk()
    given_by(traversal, page(1, ids[0], 2, totals[0]), page(2, ids[1], 2, totals[1]))
    receipt = traversal.build_receipt()
    assert receipt.verdict is verdict
    assert (receipt.total_first, receipt.total_last) == totals


def test_a_total_that_changed_and_changed_back_is_drift() -> None:
    traversal = walk()
    totals = enumerate((6, 5, 6), 1)
    given_by(
        traversal, *(page(n, "abcdef"[2 * n - 2 : 2 * n], 3, t) for n, t in totals)
    )
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


def test_a_list_is_unfinished_until_the_caller_asks_for_more() -> None:
    traversal = walk()
    assert traversal.build_receipt() == Receipt(verdict=Verdict.UNFINISHED)
    traversal.add_page(page(1, "ab", 1, 2))
    assert traversal.is_finished
    assert traversal.build_receipt().verdict is Verdict.UNFINISHED
    traversal.finish()
    assert traversal.build_receipt().verdict is Verdict.COMPLETE


def test_a_list_with_pages_left_cannot_be_finished() -> None:
    traversal = walk()
    traversal.add_page(page(1, "ab", 2, 4))
    traversal.finish()
    assert traversal.build_receipt().verdict is Verdict.UNFINISHED


def test_a_finished_traversal_frees_the_ids_and_keeps_its_receipt() -> None:
    traversal = walk()
    given_by(traversal, page(1, "ab", 1, 2))
    assert not traversal._ids
    traversal.finish()
    assert traversal.build_receipt().distinct == 2


def test_a_bare_array_is_complete_when_it_is_read() -> None:
    traversal = walk()
    array = Page(items=(Row("a"), Row("b")))
    assert given_by(traversal, array) == "ab"
    assert traversal.build_receipt() == Receipt(
        records=2, distinct=2, pages=1, verdict=Verdict.COMPLETE
    )


def test_a_resumed_list_is_complete_without_the_pages_before() -> None:
    traversal = walk(3)
    assert traversal.current_pass.last_page == 3
    given_by(traversal, page(3, "ef", 4, 7), page(4, "g", 4, 7))
    assert traversal.build_receipt().verdict is Verdict.COMPLETE
    short = walk(3)
    given_by(short, page(3, "e", 4, 7), page(4, "g", 4, 7))
    assert short.build_receipt().verdict is Verdict.SHORT


@given(
    st.lists(st.text("abcdefghij", max_size=4), min_size=1, max_size=8),
    st.integers(0, 40),
)
def test_each_record_is_delivered_exactly_once(splits: list[str], total: int) -> None:
    traversal = walk()
    shown = ""
    for number, ids in enumerate(splits, 1):
        try:
            one = page(number, ids, len(splits), total)
            shown += admit(traversal, one)
        except PaginationError:
            before = splits[number - 2]
            assert ids == before
            assert ids
            return
    traversal.finish()
    assert sorted(shown) == sorted(set("".join(splits)))
    receipt = traversal.build_receipt()
    came = sum(map(len, splits))
    assert (receipt.records, receipt.distinct) == (len(shown), len(shown))
    assert (receipt.repeats, receipt.pages) == (came - len(shown), len(splits))
    assert (receipt.verdict is Verdict.COMPLETE) is (len(shown) == total)


def test_a_page_without_repeats_is_returned_unchanged() -> None:
    one = page(1, "ab", 1, 2)
    assert walk().add_page(one) is one


# A list that changes in mid-walk, walked again.


def walked(
    traversal: Traversal[Row], serve: Callable[[Request[Any], int], Page[Row]]
) -> str:
    """What is given when the pages are asked for one after the other, to the end."""
    shown = ""
    while not traversal.is_finished:
        window_pass = traversal.current_pass
        number = window_pass.first_page
        while traversal.current_pass is window_pass and not traversal.is_finished:
            try:
                shown += admit(traversal, serve(window_pass.request, number))
            except ServerTimeoutError as error:
                if not traversal.split_after(error):
                    raise
            number += 1
    traversal.finish()
    return shown


class Moving:
    """A list of letters, two on a page, that becomes another one after some page."""

    def __init__(self, ids: str, *changes: tuple[int, str]) -> None:
        self.ids = ids
        self.changes = dict(changes)
        self.asked: list[int] = []

    def __call__(self, _: Request[Any], number: int) -> Page[Row]:
        self.asked.append(number)
        total = len(self.ids)
        one: Page[Row] = page(
            number, self.ids[2 * number - 2 : 2 * number], max(1, -(-total // 2)), total
        )
        self.ids = self.changes.get(len(self.asked), self.ids)
        return one


def test_a_list_that_announces_a_billion_empty_pages_is_an_error() -> None:
    traversal = walk()
    pages = [page(n, "ab" if n % 2 else "cd", 10**9, 4) for n in range(1, 400)]
    with pytest.raises(PaginationError, match="301th in a row that brings nothing new"):
        given_by(traversal, *pages)


def test_hundreds_of_empty_pages_do_not_end_a_list() -> None:
    traversal = walk()
    pages = [page(n, {1: "a", 300: "b"}.get(n, ""), 300, 2) for n in range(1, 301)]
    assert given_by(traversal, *pages) == "ab"
    assert traversal.build_receipt().verdict is Verdict.COMPLETE


def test_a_list_that_is_not_read_again_reports_its_drift() -> None:
    traversal = Traversal[Row](LIST)
    assert walked(traversal, Moving("abcdef", (1, "cdef"))) == "abef"
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


def test_a_list_that_lost_rows_is_read_again() -> None:
    traversal, server = (
        Traversal[Row](LIST, max_rewalks=2),
        Moving("abcdef", (1, "cdef")),
    )
    assert sorted(walked(traversal, server)) == list("abcdef")
    assert server.asked == [1, 2, 1, 2]
    assert traversal.build_receipt() == Receipt(
        total_first=6,
        total_last=4,
        records=6,
        distinct=6,
        pages=4,
        rewalked=2,
        verdict=Verdict.COMPLETE,
    )


def test_a_list_that_gained_rows_is_read_again() -> None:
    traversal, server = (
        Traversal[Row](LIST, max_rewalks=2),
        Moving("cdef", (1, "abcdef")),
    )
    assert sorted(walked(traversal, server)) == list("abcdef")
    receipt = traversal.build_receipt()
    assert (receipt.rewalked, receipt.repeats) == (3, 2)
    assert receipt.verdict is Verdict.COMPLETE


def test_a_list_is_read_again_twice_at_most() -> None:
    restless = [(n, "abcdef"[: 2 + n % 3]) for n in range(1, 40)]
    traversal, server = Traversal[Row](LIST, max_rewalks=2), Moving("abcdef", *restless)
    walked(traversal, server)
    assert traversal.build_receipt().verdict is not Verdict.COMPLETE
    assert server.asked.count(1) == 3


def test_a_wrong_total_does_not_cause_a_third_pass() -> None:
    traversal = Traversal[Row](LIST, max_rewalks=2)
    assert walked(traversal, lambda _, n: page(n, "ab", 1, 99)) == "ab"
    receipt = traversal.build_receipt()
    # Once more, and no third time: it was the same.
    assert (receipt.verdict, receipt.pages) == (Verdict.SHORT, 2)


def test_a_change_that_leaves_the_total_alone_is_found_by_verifying() -> None:
    blind = Traversal[Row](LIST)
    assert walked(blind, Moving("abcdef", (1, "xabcde"))) == "abcde"
    assert blind.build_receipt().verdict is Verdict.SHORT

    # One row goes and another comes: each page fits, and so do all totals.
    change = (2, "bcdxef")
    fooled = Traversal[Row](LIST)
    assert walked(fooled, Moving("abcdef", change)) == "abcdef"
    assert fooled.build_receipt().verdict is Verdict.COMPLETE
    verified = Traversal[Row](LIST, verify=True)
    walked(verified, Moving("abcdef", change))
    assert verified.build_receipt().verdict is Verdict.DRIFTED
    repaired = Traversal[Row](LIST, verify=True, max_rewalks=2)
    assert sorted(walked(repaired, Moving("abcdef", change))) == list("abcdefx")
    assert repaired.build_receipt().verdict is Verdict.COMPLETE


def test_a_verification_that_fails_has_no_cursor() -> None:
    traversal, server = Traversal[Row](LIST, verify=True), Moving("abcde")
    while not traversal.current_pass.is_verification:
        traversal.add_page(
            server(
                traversal.current_pass.request, traversal.current_pass.tracker.pages + 1
            )
        )
    gone = NotFoundError("gone")
    describe(gone, traversal.current_pass.request.at(1))
    traversal.set_cursor(gone)
    assert gone.cursor is None
    assert "that verifies the list failed" in gone.__notes__[0]


def test_verifying_costs_one_request_and_delivers_nothing_twice() -> None:
    traversal, server = Traversal[Row](LIST, verify=True), Moving("abcde")
    assert walked(traversal, server) == "abcde"
    assert server.asked == [1, 2, 3, 1]
    receipt = traversal.build_receipt()
    assert (receipt.pages, receipt.rewalked, receipt.repeats) == (4, 0, 0)
    assert receipt.verdict is Verdict.COMPLETE


def test_a_row_that_only_the_verification_shows_is_delivered() -> None:
    traversal, server = Traversal[Row](LIST, verify=True), Moving("abc", (2, "xabc"))
    assert walked(traversal, server) == "abcx"
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


# A window that is too much for the server, walked in halves.


@frozen
class Bill:
    """A record with what the filters compare."""

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
    """What is too much: a window with more than `most` bills fails at that page."""

    most: int
    page: int = 1


class Overloaded:
    """Bills, three on a page; what is too much is a 502."""

    def __init__(self, bills: Sequence[Bill], limits: Limits) -> None:
        self.bills = bills
        self.limits = limits
        self.windows: list[tuple[str, str]] = []

    def __call__(self, request: Request[Any], number: int) -> Page[Any]:
        query = dict(request.query)
        first, last = query["startDate"], query["endDate"]
        kind = query.get("dateType", "BILL_DATE")
        bounds = date.fromisoformat(first), date.fromisoformat(last)
        found = [bill for bill in self.bills if bill.is_in(kind, *bounds)]
        pages = max(1, -(-len(found) // 3))
        if number == 1:
            self.windows.append((first, last))
        if len(found) > self.limits.most and number == min(self.limits.page, pages):
            raise ServerTimeoutError("502", status=502)
        items = tuple(found[3 * number - 3 : 3 * number])
        return Page(
            items=items,
            number=number,
            current_page=number,
            total=len(found),
            total_pages=pages,
            per_page=3,
            has_next=number < pages,
        )


JANUARY = date(2025, 1, 1)
days = st.integers(0, 40).map(lambda n: JANUARY + timedelta(days=n))


@st.composite
def bills(draw: st.DrawFn) -> list[Bill]:
    count = draw(st.integers(0, 25))
    made = []
    for number in range(count):
        start = draw(days)
        end = start + timedelta(days=draw(st.integers(0, 35)))
        hour = timedelta(hours=draw(st.sampled_from([0, 0, 1, 23])))
        made.append(Bill(number, start, end, draw(days), midnight(draw(days)) + hour))
    return made


def dated(first: date, last: date, kind: str | None) -> Request[Any]:
    return Request.get(
        "list",
        "/{owner}",
        Page[Any],
        query={"start_date": first, "end_date": last, "date_type": kind or UNSET},
        listing=Listing(items="rows"),
        owner="x",
    )


def ids_given(traversal: Traversal[Any], server: Overloaded) -> list[int]:
    shown: list[int] = []
    while not traversal.is_finished:
        window_pass, number = traversal.current_pass, traversal.current_pass.first_page
        while traversal.current_pass is window_pass and not traversal.is_finished:
            try:
                given = traversal.add_page(server(window_pass.request, number))
                shown += [] if given is None else [bill.id for bill in given.items]
            except ServerTimeoutError as error:
                if not traversal.split_after(error):
                    raise
            number += 1
    traversal.finish()
    return shown


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
    server = Overloaded(some, limits)
    traversal = Traversal[Any](dated(first, last, kind))
    try:
        shown = ids_given(traversal, server)
    except ServerTimeoutError:
        # Even the shortest window is too much: that is an error, and a true one.
        start, end = (date.fromisoformat(day) for day in server.windows[-1])
        assert (end - start).days <= (0 if kind in {None, *DISJOINT} else 1)
        return
    wanted = {bill.id for bill in some if bill.is_in(kind or "BILL_DATE", first, last)}
    assert sorted(shown) == sorted(wanted)
    receipt = traversal.build_receipt()
    assert receipt.verdict is Verdict.COMPLETE
    totals = receipt.total_first, receipt.total_last, receipt.records, receipt.distinct
    assert totals == (len(wanted),) * 4


DISJOINT = {"BILL_DATE", "USAGE_PERIOD"}


def test_halves_by_days_share_no_day_and_halves_by_midnight_share_one() -> None:
    request = dated(JANUARY, date(2025, 1, 4), "BILL_DATE")
    assert [read_window(half) for half in split_window(request) or ()] == [
        ("2025-01-01", "2025-01-02"),
        ("2025-01-03", "2025-01-04"),
    ]
    request = dated(JANUARY, date(2025, 1, 4), "CREATED_DATE")
    assert [read_window(half) for half in split_window(request) or ()] == [
        ("2025-01-01", "2025-01-02"),
        ("2025-01-02", "2025-01-04"),
    ]


@pytest.mark.parametrize(
    ("kind", "shortest"), [("BILL_DATE", 0), ("USAGE_PERIOD", 0), ("CREATED_DATE", 1)]
)
def test_no_window_is_split_below_the_shortest(kind: str, shortest: int) -> None:
    request = dated(JANUARY, JANUARY + timedelta(days=shortest), kind)
    assert split_window(request) is None
    assert split_window(dated(JANUARY, JANUARY + timedelta(days=shortest + 1), kind))


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
    left, right = split_window(
        between(midnight, midnight + timedelta(days=1))
    ) or pytest.fail("a day can be halved")
    assert read_window(left) == ("2025-01-01T00:00:00Z", "2025-01-01T13:00:00Z")
    assert read_window(right) == ("2025-01-01T12:00:00Z", "2025-01-02T00:00:00Z")
    while (parts := split_window(left)) is not None:
        left, _ = parts
    assert read_window(left) == ("2025-01-01T00:00:00Z", "2025-01-01T02:00:00Z")


def test_halves_of_long_windows_of_intervals_overlap_by_a_day() -> None:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    left, right = split_window(
        between(first, first + timedelta(days=30))
    ) or pytest.fail("no")
    assert read_window(left) == ("2025-01-01T00:00:00Z", "2025-01-17T00:00:00Z")
    assert read_window(right) == ("2025-01-16T00:00:00Z", "2025-01-31T00:00:00Z")


Window = tuple[datetime, datetime]
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def leaves(window: Window, longest: timedelta) -> Iterator[Window]:
    """The windows that are walked when the server can do with `longest`."""
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
    starts = [one.timestamp() for one, _ in windows]
    begin = first.replace(minute=0, second=0) + timedelta(minutes=shift)
    begins = [begin + step * n for n in range(int(span / step) + 1)]
    for start in begins:
        end = start + step
        if not (first <= start and end <= last):
            continue
        # The windows come in order, so only the last ones that begin before it count.
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
    server = Overloaded(some, Limits(12))
    traversal = Traversal[Any](dated(first, last, None))
    shown: list[int] = []
    for _ in range(7):
        window_pass = traversal.current_pass
        number = window_pass.tracker.pages + 1
        try:
            given = traversal.add_page(server(window_pass.request, number))
        except ServerTimeoutError as error:
            traversal.split_after(error)
        else:
            shown += [] if given is None else [bill.id for bill in given.items]
    gone = NotFoundError("gone")
    describe(
        gone,
        traversal.current_pass.request.at(traversal.current_pass.tracker.pages + 1),
    )
    traversal.set_cursor(gone)
    cursor = Cursor.parse(str(gone.cursor))
    rest = Traversal[Any](dated(first, last, None), cursor=cursor)
    assert len(cursor.windows) > 1
    assert sorted(shown + ids_given(rest, server)) == list(range(40))
    assert rest.build_receipt().verdict is Verdict.COMPLETE
