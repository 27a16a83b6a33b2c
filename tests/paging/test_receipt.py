"""What a walk comes to, and where an error of it happened."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from nectar_async import Listing, Page, Receipt, Request, Verdict
from nectar_async._http.executor import describe
from nectar_async._paging.sequential import add_notes
from nectar_async.errors import ConnectionFailedError, NotFoundError

LIST: Request[Any] = Request.get(
    "usage_list_by_company",
    "/usage/company/{company_id}",
    Page[Any],
    listing=Listing(items="usage_data"),
    company_id="c1",
)


def test_a_sum_of_receipts_has_the_worst_verdict() -> None:
    verdicts = list(Verdict)
    for number, verdict in enumerate(verdicts):
        parts = [Receipt(verdict=one) for one in verdicts[: number + 1]]
        assert Receipt.sum(parts).verdict is verdict
        assert Receipt.sum(reversed(parts)).verdict is verdict


def test_a_sum_of_receipts_adds_their_counts() -> None:
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


def test_the_sum_of_receipts_of_bare_arrays_has_no_total() -> None:
    parts = [Receipt(records=2, verdict=Verdict.COMPLETE)] * 2
    assert Receipt.sum(parts).total_first is None


def test_the_first_description_of_an_error_stays() -> None:
    error = NotFoundError("gone")
    describe(error, LIST.at(3))
    assert (error.operation, error.page) == ("usage_list_by_company", 3)
    assert error.target == "company c1, page 3"
    describe(error, LIST.at(9))
    assert error.page == 3


def test_other_errors_become_notes() -> None:
    error = NotFoundError("gone")
    add_notes(error, [ConnectionFailedError("reset"), ValueError("odd")])
    assert error.__notes__ == [
        "also: ConnectionFailedError: reset",
        "also: ValueError: odd",
    ]
