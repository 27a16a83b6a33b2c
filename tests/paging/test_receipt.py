"""Receipts: sums, verdicts, and the set of ids that they count with."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st
from profiles import max_examples

from nectar_async import Listing, Page, Receipt, Request, Verdict
from nectar_async._http.executor import attach_request
from nectar_async._paging.receipt import IdSet
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
    for number, expected in enumerate(verdicts):
        parts = [Receipt(verdict=verdict) for verdict in verdicts[: number + 1]]
        assert Receipt.sum(parts).verdict is expected
        assert Receipt.sum(reversed(parts)).verdict is expected


def test_a_sum_of_receipts_adds_their_counts() -> None:
    receipt = Receipt(
        total_first=1,
        total_last=2,
        records=3,
        distinct=4,
        repeats=5,
        pages=6,
        rewalked=7,
        verdict=Verdict.COMPLETE,
    )
    assert Receipt.sum([receipt, receipt]) == Receipt(
        total_first=2,
        total_last=4,
        records=6,
        distinct=8,
        repeats=10,
        pages=12,
        rewalked=14,
        verdict=Verdict.COMPLETE,
    )
    finished = Receipt.sum([receipt], is_finished=False)
    assert finished == evolve(receipt, verdict=Verdict.UNFINISHED)


def test_the_sum_of_receipts_of_bare_arrays_has_no_total() -> None:
    parts = [Receipt(records=2, verdict=Verdict.COMPLETE)] * 2
    assert Receipt.sum(parts).total_first is None


def test_the_first_description_of_an_error_stays() -> None:
    error = NotFoundError("gone")
    attach_request(error, LIST.at(3))
    assert (error.operation, error.page) == ("usage_list_by_company", 3)
    assert error.target == "company c1, page 3"
    attach_request(error, LIST.at(9))
    assert error.page == 3


def test_other_errors_become_notes() -> None:
    error = NotFoundError("gone")
    add_notes(error, [ConnectionFailedError("reset"), ValueError("odd")])
    assert error.__notes__ == [
        "also: ConnectionFailedError: reset",
        "also: ValueError: odd",
    ]


# The set of ids.

FEW = 3_000
MANY = 60_000


def numbers(count: int, seed: int = 1) -> Iterator[int]:
    """Iterate over different 64-bit integers, like hashes."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return iter({draw.randrange(-(2**63), 2**63): None for _ in range(count)})


def pages(count: int) -> list[tuple[int, ...]]:
    every = tuple(numbers(count))
    return [every[at : at + 100] for at in range(0, count, 100)]


@max_examples(100)
@given(
    st.lists(
        st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=40),
        max_size=20,
    ),
    st.integers(0, 6_000),
)
def test_an_id_set_agrees_with_a_set(batches: list[list[int]], before: int) -> None:
    ids, known = IdSet(), set(numbers(before))
    assert all(ids.add_all(tuple(known)))
    for batch in batches:
        expected = []
        for number in batch:
            expected.append(number not in known)
            known.add(number)
        assert ids.add_all(batch) == expected
    assert len(ids) == len(known)
    assert set(ids) == known
    assert all(number in ids for batch in batches for number in batch)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_an_id_set_has_exactly_the_ids_that_were_added(count: int) -> None:
    ids = IdSet()
    for page in pages(count):
        assert ids.add_all(page) == [True] * len(page)
    for page in pages(count):
        assert ids.add_all(page) == [False] * len(page)
    assert len(ids) == count
    assert not any(number in ids for number in numbers(1_000, seed=2))


@pytest.mark.parametrize("count", [FEW, MANY])
def test_common_ids_of_two_sets_are_counted(count: int) -> None:
    first, second = IdSet(), IdSet()
    every = tuple(numbers(count))
    first.add_all(every[: count // 2 + 10])
    second.add_all(every[count // 2 :])
    assert first.count_common(second) == second.count_common(first) == 10


def test_ids_with_equal_last_bits_are_told_apart() -> None:
    ids = IdSet()
    every = [number << 40 for number in range(MANY // 10)]
    assert all(ids.add_all(every))
    assert not any(ids.add_all(every))


@pytest.mark.slow
def test_an_id_takes_a_dozen_bytes() -> None:
    every = pages(MANY)
    tracemalloc.start()
    ids = IdSet()
    for page in every:
        ids.add_all(page)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 12 * MANY
