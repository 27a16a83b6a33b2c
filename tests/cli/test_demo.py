"""The lower bound of the time of a pull."""

from __future__ import annotations

import pytest

from nectar_async.cli.commands.demo import compute_bound, compute_makespan


@pytest.mark.parametrize(
    ("count", "rounds"), [(0, 0), (1, 1), (10, 1), (11, 2), (200, 20), (201, 21)]
)
def test_equal_durations_take_whole_rounds(count: int, rounds: int) -> None:
    assert compute_makespan([0.5] * count, 10) == rounds * 0.5


def test_a_free_permit_takes_the_next_request_at_once() -> None:
    assert compute_makespan([4, 1, 1, 1, 1], 2) == 4
    assert compute_makespan([1, 1, 1, 1, 4], 2) == 6


def test_one_permit_serves_one_request_at_a_time() -> None:
    assert compute_makespan([1, 2, 3], 1) == 6


def test_the_list_of_companies_precedes_all_other_requests() -> None:
    log = [
        {"operation": "companies_list"},
        *({"operation": "usage_list_by_company"} for _ in range(21)),
    ]
    assert compute_bound(log, 0.5, 10) == 0.5 + 3 * 0.5
