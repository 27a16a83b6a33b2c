"""The books of a walk: when it ends, what it gives, and what it is worth."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from doubles import Row
from hypothesis import given, strategies as st

from nectar_async import (
    InvalidArgumentError,
    Listing,
    Page,
    PaginationError,
    Receipt,
    Request,
    Verdict,
)
from nectar_async._pages import Ledger, cursor_of, describe, note, page_of
from nectar_async.errors import ConnectionFailedError, NotFoundError


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


def given_by(ledger: Ledger[Row], *pages: Page[Row]) -> str:
    """What a ledger gives of pages; the walk is taken to its end if there is one."""
    shown = "".join(row.id for one in pages for row in ledger.admit(one).items)
    ledger.finish()
    return shown


def test_a_walk_is_planned_by_the_number_of_pages() -> None:
    ledger = Ledger[Row]()
    assert ledger.planned == 1
    ledger.admit(page(1, "ab", 7, 14))
    assert (ledger.planned, ledger.is_done) == (7, False)


def test_the_page_that_has_no_next_is_the_last() -> None:
    ledger = Ledger[Row]()
    assert given_by(ledger, page(1, "ab", 2, 3), page(2, "c", 2, 3)) == "abc"
    assert ledger.is_done
    assert ledger.receipt() == Receipt(
        total_first=3,
        total_last=3,
        records=3,
        distinct=3,
        pages=2,
        verdict=Verdict.COMPLETE,
    )


def test_a_next_page_is_believed_over_the_number_of_pages() -> None:
    ledger = Ledger[Row]()
    ledger.admit(page(1, "ab", 1, 3, has_next=True))
    assert (ledger.planned, ledger.is_done) == (2, False)


def test_a_page_may_extend_the_plan_and_does_not_shrink_it() -> None:
    ledger = Ledger[Row]()
    ledger.admit(page(1, "ab", 3, 6))
    ledger.admit(page(2, "cd", 5, 10))
    assert ledger.planned == 5
    ledger.admit(page(3, "ef", 4, 8))
    assert ledger.planned == 5


def test_a_page_that_is_not_the_one_asked_for_is_behind_the_end() -> None:
    ledger = Ledger[Row]()
    first, second = page(1, "ab", 3, 6), page(2, "cd", 2, 4)
    clamped = page(3, "cd", 2, 4, current_page=2)
    assert given_by(ledger, first, second, clamped) == "abcd"
    assert ledger.is_done
    assert ledger.receipt().repeats == 0


def test_records_that_a_clamped_page_has_for_the_first_time_are_given() -> None:
    ledger = Ledger[Row]()
    clamped = page(3, "de", 2, 4, current_page=2)
    pages = page(1, "ab", 3, 6), page(2, "cd", 3, 6), clamped
    assert given_by(ledger, *pages) == "abcde"


def test_a_clamped_page_that_promises_more_is_the_end_all_the_same() -> None:
    ledger = Ledger[Row]()
    clamped = page(3, "ab", 2, 4, current_page=1, has_next=True)
    given_by(ledger, page(1, "ab", 3, 6), page(2, "cd", 3, 6), clamped)
    assert ledger.is_done


def test_an_empty_page_is_not_the_end() -> None:
    ledger = Ledger[Row]()
    pages = page(1, "", 4, 3), page(2, "", 4, 3), page(3, "ab", 4, 3), page(4, "c", 4)
    assert given_by(ledger, *pages[:3]) == "ab"
    assert not ledger.is_done
    assert given_by(ledger, pages[3]) == "c"
    assert ledger.is_done


def test_an_empty_list_is_complete() -> None:
    for pages in (0, 1):
        ledger = Ledger[Row]()
        assert not given_by(ledger, page(1, "", pages, 0))
        assert ledger.receipt().verdict is Verdict.COMPLETE


def test_the_same_page_twice_with_a_next_one_is_an_error() -> None:
    ledger = Ledger[Row]()
    ledger.admit(page(1, "ab", 9, 18))
    with pytest.raises(PaginationError, match="page 2 is page 1 once more"):
        ledger.admit(page(2, "ab", 9, 18))


def test_the_same_page_twice_without_a_next_one_is_the_end() -> None:
    ledger = Ledger[Row]()
    assert given_by(ledger, page(1, "ab", 2, 4), page(2, "ab", 2, 4)) == "ab"
    assert ledger.is_done
    assert ledger.receipt().repeats == 2
    assert ledger.receipt().verdict is Verdict.SHORT


@pytest.mark.parametrize("ids", ["", "ab"])
def test_a_server_that_promises_more_for_ever_is_found_out(ids: str) -> None:
    endless = [page(number, ids, 2, 4, has_next=True) for number in range(1, 10)]
    with pytest.raises(PaginationError):
        given_by(Ledger[Row](), *endless)


def test_a_server_that_turns_in_circles_behind_its_end_is_found_out() -> None:
    circle = [
        page(number, "ab" if number % 2 else "cd", 2, 4, has_next=True)
        for number in range(1, 1000)
    ]
    with pytest.raises(PaginationError):
        given_by(Ledger[Row](), *circle)


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
def test_what_a_walk_is_worth(
    totals: tuple[int, int], ids: tuple[str, str], verdict: Verdict
) -> None:
    ledger = Ledger[Row]()
    given_by(ledger, page(1, ids[0], 2, totals[0]), page(2, ids[1], 2, totals[1]))
    receipt = ledger.receipt()
    assert receipt.verdict is verdict
    assert (receipt.total_first, receipt.total_last) == totals


def test_a_total_that_changed_and_changed_back_is_drift() -> None:
    ledger = Ledger[Row]()
    totals = enumerate((6, 5, 6), 1)
    given_by(ledger, *(page(n, "abcdef"[2 * n - 2 : 2 * n], 3, t) for n, t in totals))
    assert ledger.receipt().verdict is Verdict.DRIFTED


def test_a_walk_that_nobody_came_back_to_is_unfinished() -> None:
    ledger = Ledger[Row]()
    assert ledger.receipt() == Receipt(verdict=Verdict.UNFINISHED)
    ledger.admit(page(1, "ab", 1, 2))
    assert ledger.is_done
    assert ledger.receipt().verdict is Verdict.UNFINISHED
    ledger.finish()
    assert ledger.receipt().verdict is Verdict.COMPLETE


def test_a_walk_that_is_not_done_cannot_be_finished() -> None:
    ledger = Ledger[Row]()
    ledger.admit(page(1, "ab", 2, 4))
    ledger.finish()
    assert ledger.receipt().verdict is Verdict.UNFINISHED


def test_a_finished_walk_forgets_the_ids_and_keeps_its_receipt() -> None:
    ledger = Ledger[Row]()
    given_by(ledger, page(1, "ab", 1, 2))
    assert not ledger._seen
    ledger.finish()
    assert ledger.receipt().distinct == 2


def test_a_bare_array_is_complete_when_it_is_read() -> None:
    ledger = Ledger[Row]()
    array = Page(items=(Row("a"), Row("b")))
    assert given_by(ledger, array) == "ab"
    assert ledger.receipt() == Receipt(
        records=2, distinct=2, pages=1, verdict=Verdict.COMPLETE
    )


def test_a_walk_that_was_taken_up_again_is_complete_without_the_pages_before() -> None:
    ledger = Ledger[Row](3)
    assert ledger.planned == 3
    given_by(ledger, page(3, "ef", 4, 7), page(4, "g", 4, 7))
    assert ledger.receipt().verdict is Verdict.COMPLETE
    short = Ledger[Row](3)
    given_by(short, page(3, "e", 4, 7), page(4, "g", 4, 7))
    assert short.receipt().verdict is Verdict.SHORT


@given(
    st.lists(st.text("abcdefghij", max_size=4), min_size=1, max_size=8),
    st.integers(0, 40),
)
def test_each_record_is_given_exactly_once(splits: list[str], total: int) -> None:
    ledger = Ledger[Row]()
    shown = ""
    for number, ids in enumerate(splits, 1):
        try:
            one = page(number, ids, len(splits), total)
            shown += "".join(row.id for row in ledger.admit(one).items)
        except PaginationError:
            before = splits[number - 2]
            assert ids == before
            assert ids
            return
    ledger.finish()
    assert sorted(shown) == sorted(set("".join(splits)))
    receipt = ledger.receipt()
    came = sum(map(len, splits))
    assert (receipt.records, receipt.distinct) == (len(shown), len(shown))
    assert (receipt.repeats, receipt.pages) == (came - len(shown), len(splits))
    assert (receipt.verdict is Verdict.COMPLETE) is (len(shown) == total)


def test_a_page_without_repeats_is_passed_on_as_it_is() -> None:
    one = page(1, "ab", 1, 2)
    assert Ledger[Row]().admit(one) is one


# Receipts together.


def test_a_sum_of_receipts_has_the_worst_verdict() -> None:
    verdicts = list(Verdict)
    for number, verdict in enumerate(verdicts):
        parts = [Receipt(verdict=one) for one in verdicts[: number + 1]]
        assert Receipt.sum(parts).verdict is verdict
        assert Receipt.sum(reversed(parts)).verdict is verdict


def test_a_sum_of_receipts_adds_up() -> None:
    one = Receipt(
        total_first=1,
        total_last=2,
        records=3,
        distinct=4,
        repeats=5,
        pages=6,
        rewalked=7,
        verdict=Verdict.COMPLETE,
    )
    assert Receipt.sum([one, one]) == Receipt(
        total_first=2,
        total_last=4,
        records=6,
        distinct=8,
        repeats=10,
        pages=12,
        rewalked=14,
        verdict=Verdict.COMPLETE,
    )
    finished = Receipt.sum([one], is_finished=False)
    assert finished == evolve(one, verdict=Verdict.UNFINISHED)


def test_a_sum_of_bare_arrays_has_no_total_either() -> None:
    parts = [Receipt(records=2, verdict=Verdict.COMPLETE)] * 2
    assert Receipt.sum(parts).total_first is None


# Cursors.

LIST: Request[Any] = Request.get(
    "usage_list_by_company",
    "/usage/company/{company_id}",
    Page[Any],
    query={"start_date": "2025-01-01", "datasource_type": ["GAS", "WATER"]},
    listing=Listing(items="usage_data"),
    company_id="c1",
)


@given(st.integers(1, 10**9))
def test_a_cursor_leads_back_to_its_page(number: int) -> None:
    assert page_of(cursor_of(LIST.at(number)), LIST) == number
    assert page_of(cursor_of(LIST.at(number)), LIST.at(7)) == number


def test_a_cursor_of_another_list_is_refused() -> None:
    others = [
        evolve(LIST, operation="usage_list_by_site"),
        evolve(LIST, parts={"company_id": "c2"}),
        evolve(LIST, query=LIST.query[:-1]),
        evolve(LIST, query=(*LIST.query, ("identifier", "1"))),
    ]
    for other in others:
        with pytest.raises(InvalidArgumentError, match="another list"):
            page_of(cursor_of(other.at(2)), LIST)


@pytest.mark.parametrize(
    "cursor", ["", ":", "::", "x", "a:b:0", "a:b:-1", "a:b:1.5", "a:b:²", "a:b:c:1"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArgumentError):
        page_of(cursor, LIST)


def test_a_cursor_with_a_page_beyond_reason_is_refused_as_one() -> None:
    with pytest.raises(InvalidArgumentError):
        page_of(cursor_of(LIST) + "0" * 5000, LIST)


@given(st.text())
def test_no_text_makes_a_cursor_fail_otherwise(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        page_of(text, LIST)


def test_an_error_is_told_where_it_happened_once() -> None:
    error = NotFoundError("gone")
    describe(error, LIST.at(3))
    assert (error.operation, error.page) == ("usage_list_by_company", 3)
    assert error.target == "company c1, page 3"
    assert error.cursor is not None
    assert page_of(error.cursor, LIST) == 3
    describe(error, LIST.at(9))
    assert error.page == 3


def test_other_errors_become_notes() -> None:
    error = NotFoundError("gone")
    note(error, [ConnectionFailedError("reset"), ValueError("odd")])
    assert error.__notes__ == [
        "also: ConnectionFailedError: reset",
        "also: ValueError: odd",
    ]
