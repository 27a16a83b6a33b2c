"""Traversals: when a list ends, which records it delivers, and its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from doubles import Row
from hypothesis import given, strategies as st

from nectar_async import (
    Listing,
    NotFoundError,
    Page,
    PaginationError,
    Receipt,
    Request,
    ServerTimeoutError,
    Verdict,
)
from nectar_async._http.executor import attach_request
from nectar_async._paging.traversal import Traversal

LIST: Request[Any] = Request.get(
    "list", "/{owner}", Page[Row], listing=Listing(items="rows"), owner="x"
)


def page(number: int, ids: str, pages: int = 1, total: int = 0, **changes: Any) -> Any:
    """Build a page whose records are the letters of `ids`."""
    facts: dict[str, Any] = {
        "number": number,
        "current_page": number,
        "total": total,
        "total_pages": pages,
        "per_page": 2,
        "has_next": number < pages,
    }
    return Page(items=tuple(map(Row, ids)), **(facts | changes))


def begin(first: int = 1) -> Traversal[Row]:
    """Begin to read a list at a page."""
    return Traversal(LIST.at(first))


def add(traversal: Traversal[Row], page: Page[Row]) -> str:
    """Add a page, and get the ids that it delivers."""
    new = traversal.add_page(page)
    return "" if new is None else "".join(row.id for row in new.items)


def add_all(traversal: Traversal[Row], *pages: Page[Row]) -> str:
    """Add pages, finish, and get the ids that they deliver."""
    ids = "".join(add(traversal, page) for page in pages)
    traversal.finish()
    return ids


def test_the_pages_of_a_list_are_planned_by_their_number() -> None:
    traversal = begin()
    assert traversal.current_pass.last_page == 1
    traversal.add_page(page(1, "ab", 7, 14))
    assert (traversal.current_pass.last_page, traversal.is_finished) == (7, False)


def test_the_page_without_a_next_one_is_the_last() -> None:
    traversal = begin()
    assert add_all(traversal, page(1, "ab", 2, 3), page(2, "c", 2, 3)) == "abc"
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
    traversal = begin()
    traversal.add_page(page(1, "ab", 1, 3, has_next=True))
    assert (traversal.current_pass.last_page, traversal.is_finished) == (2, False)


def test_a_page_may_announce_more_pages_but_not_fewer() -> None:
    traversal = begin()
    traversal.add_page(page(1, "ab", 3, 6))
    traversal.add_page(page(2, "cd", 5, 10))
    assert traversal.current_pass.last_page == 5
    traversal.add_page(page(3, "ef", 4, 8))
    assert traversal.current_pass.last_page == 5


def test_a_page_with_another_number_is_past_the_end() -> None:
    traversal = begin()
    first, second = page(1, "ab", 3, 6), page(2, "cd", 2, 4)
    clamped = page(3, "cd", 2, 4, current_page=2)
    assert add_all(traversal, first, second, clamped) == "abcd"
    assert traversal.is_finished
    assert traversal.build_receipt().repeats == 0


def test_new_records_of_a_page_past_the_end_are_delivered() -> None:
    traversal = begin()
    clamped = page(3, "de", 2, 4, current_page=2)
    pages = page(1, "ab", 3, 6), page(2, "cd", 3, 6), clamped
    assert add_all(traversal, *pages) == "abcde"


def test_a_page_past_the_end_is_the_end_whatever_it_announces() -> None:
    traversal = begin()
    clamped = page(3, "ab", 2, 4, current_page=1, has_next=True)
    add_all(traversal, page(1, "ab", 3, 6), page(2, "cd", 3, 6), clamped)
    assert traversal.is_finished


def test_an_empty_page_is_not_the_end() -> None:
    traversal = begin()
    pages = page(1, "", 4, 3), page(2, "", 4, 3), page(3, "ab", 4, 3), page(4, "c", 4)
    assert add_all(traversal, *pages[:3]) == "ab"
    assert not traversal.is_finished
    assert add_all(traversal, pages[3]) == "c"
    assert traversal.is_finished


def test_an_empty_list_is_complete() -> None:
    for pages in (0, 1):
        traversal = begin()
        assert not add_all(traversal, page(1, "", pages, 0))
        assert traversal.build_receipt().verdict is Verdict.COMPLETE


def test_the_same_page_twice_with_a_next_one_is_an_error() -> None:
    traversal = begin()
    traversal.add_page(page(1, "ab", 9, 18))
    with pytest.raises(PaginationError, match="page 2 repeats page 1"):
        traversal.add_page(page(2, "ab", 9, 18))


def test_the_same_page_twice_without_a_next_one_is_the_end() -> None:
    traversal = begin()
    assert add_all(traversal, page(1, "ab", 2, 4), page(2, "ab", 2, 4)) == "ab"
    assert traversal.is_finished
    assert traversal.build_receipt().repeats == 2
    assert traversal.build_receipt().verdict is Verdict.SHORT


def test_a_page_that_repeats_because_rows_were_inserted_before_it_is_drift() -> None:
    traversal = begin()
    pages = page(1, "cd", 2, 4), page(2, "cd", 3, 6), page(3, "ef", 3, 6)
    assert add_all(traversal, *pages) == "cdef"
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


def test_a_server_that_repeats_and_announces_more_for_ever_is_an_error() -> None:
    with pytest.raises(PaginationError):
        add_all(begin(), *(page(n, "ab", n + 1, 2 * n + 2) for n in range(1, 9)))


@pytest.mark.parametrize("ids", ["", "ab"])
def test_a_server_that_announces_more_for_ever_is_an_error(ids: str) -> None:
    endless = [page(number, ids, 2, 4, has_next=True) for number in range(1, 10)]
    with pytest.raises(PaginationError):
        add_all(begin(), *endless)


def test_a_server_that_repeats_pages_past_its_end_is_an_error() -> None:
    circle = [
        page(number, "ab" if number % 2 else "cd", 2, 4, has_next=True)
        for number in range(1, 1000)
    ]
    with pytest.raises(PaginationError):
        add_all(begin(), *circle)


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
    traversal = begin()
    add_all(traversal, page(1, ids[0], 2, totals[0]), page(2, ids[1], 2, totals[1]))
    receipt = traversal.build_receipt()
    assert receipt.verdict is verdict
    assert (receipt.total_first, receipt.total_last) == totals


def test_a_total_that_changed_and_changed_back_is_drift() -> None:
    traversal = begin()
    totals = enumerate((6, 5, 6), 1)
    add_all(traversal, *(page(n, "abcdef"[2 * n - 2 : 2 * n], 3, t) for n, t in totals))
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


def test_a_list_is_unfinished_until_the_caller_asks_for_more() -> None:
    traversal = begin()
    assert traversal.build_receipt() == Receipt(verdict=Verdict.UNFINISHED)
    traversal.add_page(page(1, "ab", 1, 2))
    assert traversal.is_finished
    assert traversal.build_receipt().verdict is Verdict.UNFINISHED
    traversal.finish()
    assert traversal.build_receipt().verdict is Verdict.COMPLETE


def test_a_list_with_pages_left_cannot_be_finished() -> None:
    traversal = begin()
    traversal.add_page(page(1, "ab", 2, 4))
    traversal.finish()
    assert traversal.build_receipt().verdict is Verdict.UNFINISHED


def test_a_finished_traversal_frees_the_ids_and_keeps_its_receipt() -> None:
    traversal = begin()
    add_all(traversal, page(1, "ab", 1, 2))
    assert not traversal._ids
    traversal.finish()
    assert traversal.build_receipt().distinct == 2


def test_a_bare_array_is_complete_when_it_is_read() -> None:
    traversal = begin()
    array = Page(items=(Row("a"), Row("b")))
    assert add_all(traversal, array) == "ab"
    assert traversal.build_receipt() == Receipt(
        records=2, distinct=2, pages=1, verdict=Verdict.COMPLETE
    )


def test_a_resumed_list_is_complete_without_the_pages_before() -> None:
    traversal = begin(3)
    assert traversal.current_pass.last_page == 3
    add_all(traversal, page(3, "ef", 4, 7), page(4, "g", 4, 7))
    assert traversal.build_receipt().verdict is Verdict.COMPLETE
    short = begin(3)
    add_all(short, page(3, "e", 4, 7), page(4, "g", 4, 7))
    assert short.build_receipt().verdict is Verdict.SHORT


@given(
    st.lists(st.text("abcdefghij", max_size=4), min_size=1, max_size=8),
    st.integers(0, 40),
)
def test_each_record_is_delivered_exactly_once(splits: list[str], total: int) -> None:
    traversal = begin()
    delivered = ""
    for number, ids in enumerate(splits, 1):
        try:
            delivered += add(traversal, page(number, ids, len(splits), total))
        except PaginationError:
            assert ids == splits[number - 2]
            assert ids
            return
    traversal.finish()
    assert sorted(delivered) == sorted(set("".join(splits)))
    receipt = traversal.build_receipt()
    repeats = sum(map(len, splits)) - len(delivered)
    assert (receipt.records, receipt.distinct) == (len(delivered), len(delivered))
    assert (receipt.repeats, receipt.pages) == (repeats, len(splits))
    assert (receipt.verdict is Verdict.COMPLETE) is (len(delivered) == total)


def test_a_page_without_repeats_is_returned_unchanged() -> None:
    first = page(1, "ab", 1, 2)
    assert begin().add_page(first) is first


# A list that changes while it is read, and is read again.


def read(
    traversal: Traversal[Row], serve: Callable[[Request[Any], int], Page[Row]]
) -> str:
    """Read a list page by page to its end, and get the ids that it delivers."""
    ids = ""
    while not traversal.is_finished:
        window_pass = traversal.current_pass
        number = window_pass.first_page
        while traversal.current_pass is window_pass and not traversal.is_finished:
            try:
                ids += add(traversal, serve(window_pass.request, number))
            except ServerTimeoutError as error:
                if not traversal.split_after(error):
                    raise
            number += 1
    traversal.finish()
    return ids


class ChangingList:
    """A list of letters, two on a page, that changes after some request."""

    def __init__(self, ids: str, *changes: tuple[int, str]) -> None:
        self.ids = ids
        self.changes = dict(changes)
        self.asked: list[int] = []

    def __call__(self, _: Request[Any], number: int) -> Page[Row]:
        self.asked.append(number)
        total = len(self.ids)
        answer: Page[Row] = page(
            number, self.ids[2 * number - 2 : 2 * number], max(1, -(-total // 2)), total
        )
        self.ids = self.changes.get(len(self.asked), self.ids)
        return answer


def test_a_list_that_announces_a_billion_empty_pages_is_an_error() -> None:
    traversal = begin()
    pages = [page(n, "ab" if n % 2 else "cd", 10**9, 4) for n in range(1, 400)]
    with pytest.raises(PaginationError, match="301th in a row without new records"):
        add_all(traversal, *pages)


def test_hundreds_of_empty_pages_do_not_end_a_list() -> None:
    traversal = begin()
    pages = [page(n, {1: "a", 300: "b"}.get(n, ""), 300, 2) for n in range(1, 301)]
    assert add_all(traversal, *pages) == "ab"
    assert traversal.build_receipt().verdict is Verdict.COMPLETE


def test_a_list_that_is_not_read_again_reports_its_drift() -> None:
    traversal = Traversal[Row](LIST)
    assert read(traversal, ChangingList("abcdef", (1, "cdef"))) == "abef"
    assert traversal.build_receipt().verdict is Verdict.DRIFTED


def test_a_list_that_lost_rows_is_read_again() -> None:
    traversal, server = (
        Traversal[Row](LIST, max_rewalks=2),
        ChangingList("abcdef", (1, "cdef")),
    )
    assert sorted(read(traversal, server)) == list("abcdef")
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
        ChangingList("cdef", (1, "abcdef")),
    )
    assert sorted(read(traversal, server)) == list("abcdef")
    receipt = traversal.build_receipt()
    assert (receipt.rewalked, receipt.repeats) == (3, 2)
    assert receipt.verdict is Verdict.COMPLETE


def test_a_list_is_read_again_twice_at_most() -> None:
    restless = [(n, "abcdef"[: 2 + n % 3]) for n in range(1, 40)]
    traversal, server = (
        Traversal[Row](LIST, max_rewalks=2),
        ChangingList("abcdef", *restless),
    )
    read(traversal, server)
    assert traversal.build_receipt().verdict is not Verdict.COMPLETE
    assert server.asked.count(1) == 3


def test_a_wrong_total_does_not_cause_a_third_pass() -> None:
    traversal = Traversal[Row](LIST, max_rewalks=2)
    assert read(traversal, lambda _, n: page(n, "ab", 1, 99)) == "ab"
    receipt = traversal.build_receipt()
    # Read again once, and not a third time, because the result was the same.
    assert (receipt.verdict, receipt.pages) == (Verdict.SHORT, 2)


def test_a_change_that_leaves_the_total_alone_is_found_by_verifying() -> None:
    blind = Traversal[Row](LIST)
    assert read(blind, ChangingList("abcdef", (1, "xabcde"))) == "abcde"
    assert blind.build_receipt().verdict is Verdict.SHORT

    # A row is deleted and another inserted, so pages and totals agree.
    change = (2, "bcdxef")
    fooled = Traversal[Row](LIST)
    assert read(fooled, ChangingList("abcdef", change)) == "abcdef"
    assert fooled.build_receipt().verdict is Verdict.COMPLETE
    verified = Traversal[Row](LIST, verify=True)
    read(verified, ChangingList("abcdef", change))
    assert verified.build_receipt().verdict is Verdict.DRIFTED
    repaired = Traversal[Row](LIST, verify=True, max_rewalks=2)
    assert sorted(read(repaired, ChangingList("abcdef", change))) == list("abcdefx")
    assert repaired.build_receipt().verdict is Verdict.COMPLETE


def test_a_verification_that_fails_has_no_cursor() -> None:
    traversal, server = Traversal[Row](LIST, verify=True), ChangingList("abcde")
    while not traversal.current_pass.is_verification:
        traversal.add_page(
            server(
                traversal.current_pass.request, traversal.current_pass.tracker.pages + 1
            )
        )
    failure = NotFoundError("gone")
    attach_request(failure, traversal.current_pass.request.at(1))
    traversal.set_cursor(failure)
    assert failure.cursor is None
    assert "that verifies the list failed" in failure.__notes__[0]


def test_verifying_costs_one_request_and_delivers_nothing_twice() -> None:
    traversal, server = Traversal[Row](LIST, verify=True), ChangingList("abcde")
    assert read(traversal, server) == "abcde"
    assert server.asked == [1, 2, 3, 1]
    receipt = traversal.build_receipt()
    assert (receipt.pages, receipt.rewalked, receipt.repeats) == (4, 0, 0)
    assert receipt.verdict is Verdict.COMPLETE


def test_a_row_that_only_the_verification_shows_is_delivered() -> None:
    traversal, server = (
        Traversal[Row](LIST, verify=True),
        ChangingList("abc", (2, "xabc")),
    )
    assert read(traversal, server) == "abcx"
    assert traversal.build_receipt().verdict is Verdict.DRIFTED
