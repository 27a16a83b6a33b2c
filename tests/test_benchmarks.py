"""The calculations, pages and tables of the benchmarks."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from benchmarks.support.figures import Figure, ratios, table
from benchmarks.support.results import Section, build_results
from benchmarks.support.scenario import (
    COMPANY_LIST,
    Entry,
    Scenario,
    bound,
    build_skewed,
)
from benchmarks.support.usage_pages import PER_PAGE, UNKNOWN_KEY, page, template

pytestmark = pytest.mark.without_coverage


def log(*sizes: int, latency: float = 1.0) -> list[Entry]:
    pages = [(COMPANY_LIST, 1)]
    for owner, size in enumerate(sizes):
        pages += [(owner, number) for number in range(1, size + 1)]
    return [Entry(owner, number, latency, 0.0, 0.0) for owner, number in pages]


@pytest.mark.parametrize(
    ("sizes", "rounds"),
    [
        pytest.param([1], 2, id="the list and one page"),
        pytest.param([11], 3, id="ten pages after the first"),
        pytest.param([12], 4, id="eleven pages need two rounds"),
        pytest.param([4] * 50, 21, id="many first pages fill all rounds"),
        pytest.param([1] * 9 + [2], 3, id="the second page of the last company"),
    ],
)
def test_the_bound_counts_rounds_of_ten(sizes: list[int], rounds: int) -> None:
    assert bound(log(*sizes)) == pytest.approx(rounds)


def test_the_bound_does_not_depend_on_the_order_of_the_log() -> None:
    entries = log(7, 3, 12)

    assert bound(reversed(entries)) == bound(entries)


def test_the_bound_counts_the_given_latency_and_not_the_measured_time() -> None:
    entries = log(1, latency=0.5)
    slow = [
        Entry(entry.owner, entry.page, entry.latency, 0.0, 9.0) for entry in entries
    ]

    assert bound(slow) == pytest.approx(1.0)


def test_few_companies_of_the_skewed_portfolio_have_most_pages() -> None:
    sizes = build_skewed()

    assert sizes[:3] == [68, 19, 12]
    assert (sum(sizes), len(sizes), sizes[-1]) == (200, 50, 1)


def test_the_latency_of_a_page_is_always_the_same() -> None:
    first, second = (Scenario([3], 0.05, 0.5) for _ in range(2))

    assert (
        first.compute_latency(0, 2)
        == second.compute_latency(0, 2)
        != first.compute_latency(0, 1)
    )


def test_latencies_have_the_given_mean() -> None:
    scenario = Scenario([4000], 0.05, 0.5)
    latencies = [scenario.compute_latency(0, number) for number in range(4000)]

    assert sum(latencies) / len(latencies) == pytest.approx(0.05, rel=0.05)


def test_pages_of_a_template_differ_only_in_the_ids_of_records() -> None:
    first, second = (json.loads(template(3).body(0, number, 9)) for number in (1, 2))
    ids = {record.pop("id") for each in (first, second) for record in each["usageData"]}

    assert len(ids) == 2 * PER_PAGE
    assert first["usageData"] == second["usageData"]
    assert (second["currentPage"], second["totalUsageData"]) == (2, 900)


def test_pages_have_values_that_are_slow_to_decode() -> None:
    records = page()["usageData"]

    assert {type(record["usage"]) for record in records} == {str, float}
    assert "DEMAND" in {record["electricityType"] for record in records}
    assert all(UNKNOWN_KEY in record for record in records)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        pytest.param([0.9, 0.96, 0.97], "met", id="the median counts"),
        pytest.param([0.99, 0.9, 0.9], "**missed**", id="the best does not count"),
    ],
)
def test_a_figure_is_compared_with_its_bound(values: list[float], verdict: str) -> None:
    figure = Figure(question="bound / wall", values=values, at_least=0.95)

    assert f"| at least 0.95 | {verdict}" in table([figure])


def test_peers_are_listed_below_the_table() -> None:
    figure = Figure(question="speed", values=[2.0], peers={"others": [1.0]}, note="so")

    assert table([figure]).splitlines()[-1] == "- speed: others 1; so"


def test_ratios_are_computed_per_round() -> None:
    assert ratios([1.0, 20.0], [2.0, 40.0]) == [0.5, 0.5]


def test_results_list_missed_bounds_and_versions() -> None:
    missed = Figure(question="CPU a page", values=[2.5], at_most=2.0)
    met = Figure(question="stall", values=[4.0], unit="ms", at_most=5.0)
    text = build_results([Section("cpu", "a table", [missed, met], 9.0)])

    assert "1 of 2 bounds are met." in text
    assert "- missed: CPU a page\n" in text
    assert "how much processor time does a client need for a page" in text
    assert f"aiohttp {version('aiohttp')}" in text
