"""The pull with faults fails for wrong records, growing memory and missing faults."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from nectar_async import MemoryTransport, NectarClient, Statistics

SOAK: dict[str, Any] = runpy.run_path(
    str(Path(__file__).parent.parent / "benchmarks" / "pull_with_faults.py")
)
COMPANIES: int = SOAK["COMPANIES"]
STEADY = [100] * 40


def statistics(attempts: int = 0, retries: int = 0) -> Statistics:
    nothing = NectarClient(transport=MemoryTransport({})).statistics()
    return evolve(nothing, attempts=attempts, retries=retries)


def pull(**changes: Any) -> Any:
    """Build the result of a pull of the default size."""
    return SOAK["Pull"](
        **{
            "sums": {"c": (2, 17), "d": (3, 4)},
            "memory": STEADY,
            "records": SOAK["RECORDS"],
            "statistics": statistics(2_500, 125),
            **changes,
        }
    )


def test_two_equal_pulls_have_no_problem() -> None:
    assert SOAK["problems"](pull(), pull(), COMPANIES) == []


@pytest.mark.parametrize(
    "sums",
    [{"c": (2, 17)}, {"c": (2, 17), "d": (3, 5)}, {"c": (1, 17), "d": (3, 4)}],
    ids=["lost", "changed", "fewer"],
)
def test_a_record_that_differs_is_a_problem(sums: dict[str, tuple[int, int]]) -> None:
    for pulls in ((pull(), pull(sums=sums)), (pull(sums=sums), pull())):
        (problem,) = SOAK["problems"](*pulls, COMPANIES)
        assert problem.startswith("the records of company ")


def test_memory_that_grows_is_a_problem() -> None:
    grown = pull(memory=[100] * 30 + [121] * 10)
    assert (
        SOAK["problems"](pull(), pull(memory=[100] * 30 + [119] * 10), COMPANIES) == []
    )
    for pulls, name in (((grown, pull()), "faultless"), ((pull(), grown), "faulted")):
        (problem,) = SOAK["problems"](*pulls, COMPANIES)
        assert problem.startswith(f"{name}: memory grew 1.21 times")


def test_too_few_records_are_a_problem_only_at_the_default_size() -> None:
    few = pull(records=SOAK["RECORDS"] - 1)
    (problem,) = SOAK["problems"](few, few, COMPANIES)
    assert problem == "199,999 records are too few, 200,000 are to be seen"
    assert SOAK["problems"](few, few, COMPANIES - 1) == []


@pytest.mark.parametrize(
    ("attempts", "repeats", "is_well"),
    [(2_500, 125, True), (2_500, 95, True), (2_500, 60, False), (250, 0, False)],
)
def test_missing_faults_are_a_problem(
    attempts: int, repeats: int, is_well: bool
) -> None:
    rough = pull(statistics=statistics(attempts, repeats))
    problems = SOAK["problems"](pull(), rough, COMPANIES)
    assert [problem.partition(" ")[0] for problem in problems] == [str(repeats)] * (
        not is_well
    )
