"""The figures' own arithmetic: bounds, pages, and what a table says."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from benchmarks.support.figures import Figure, ratios, table
from benchmarks.support.results import Section, results
from benchmarks.support.scenario import COMPANY_LIST, Entry, Scenario, bound, skewed
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
        pytest.param([1], 2, id="the list, then a page"),
        pytest.param([11], 3, id="ten pages wait for the first"),
        pytest.param([12], 4, id="eleven need two rounds"),
        pytest.param([4] * 50, 21, id="nothing waits where first pages abound"),
        pytest.param([1] * 9 + [2], 3, id="the second page of the last"),
    ],
)
def test_the_bound_counts_rounds_of_ten(sizes: list[int], rounds: int) -> None:
    assert bound(log(*sizes)) == pytest.approx(rounds)


def test_the_bound_does_not_depend_on_the_order_of_the_log() -> None:
    entries = log(7, 3, 12)

    assert bound(reversed(entries)) == bound(entries)


def test_the_bound_costs_what_was_asked_for_and_not_what_it_took() -> None:
    entries = log(1, latency=0.5)
    slow = [Entry(one.owner, one.page, one.latency, 0.0, 9.0) for one in entries]

    assert bound(slow) == pytest.approx(1.0)


def test_the_skewed_portfolio_has_its_pages_with_few() -> None:
    sizes = skewed()

    assert sizes[:3] == [68, 19, 12]
    assert (sum(sizes), len(sizes), sizes[-1]) == (200, 50, 1)


def test_a_page_takes_as_long_whoever_asks_for_it() -> None:
    one, other = (Scenario([3], 0.05, 0.5) for _ in range(2))

    assert one.latency_of(0, 2) == other.latency_of(0, 2) != one.latency_of(0, 1)


def test_latencies_have_the_mean_that_was_asked_for() -> None:
    scenario = Scenario([4000], 0.05, 0.5)
    latencies = [scenario.latency_of(0, number) for number in range(4000)]

    assert sum(latencies) / len(latencies) == pytest.approx(0.05, rel=0.05)


def test_pages_of_a_template_differ_in_the_ids_of_their_records_alone() -> None:
    one, other = (json.loads(template(3).body(0, number, 9)) for number in (1, 2))
    ids = {record.pop("id") for each in (one, other) for record in each["usageData"]}

    assert len(ids) == 2 * PER_PAGE
    assert one["usageData"] == other["usageData"]
    assert (other["currentPage"], other["totalUsageData"]) == (2, 900)


def test_pages_have_what_hurts_a_decoder() -> None:
    records = page()["usageData"]

    assert {type(record["usage"]) for record in records} == {str, float}
    assert "DEMAND" in {record["electricityType"] for record in records}
    assert all(UNKNOWN_KEY in record for record in records)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        pytest.param([0.9, 0.96, 0.97], "met", id="the median counts"),
        pytest.param([0.99, 0.9, 0.9], "**missed**", id="not the best"),
    ],
)
def test_a_figure_is_held_against_its_bound(values: list[float], verdict: str) -> None:
    figure = Figure(question="bound / wall", values=values, at_least=0.95)

    assert f"| at least 0.95 | {verdict}" in table([figure])


def test_peers_stand_below_the_table() -> None:
    figure = Figure(question="speed", values=[2.0], peers={"others": [1.0]}, note="so")

    assert table([figure]).splitlines()[-1] == "- speed: others 1; so"


def test_ratios_are_taken_inside_a_round() -> None:
    assert ratios([1.0, 20.0], [2.0, 40.0]) == [0.5, 0.5]


def test_results_say_what_was_missed_and_with_what() -> None:
    missed = Figure(question="CPU a page", values=[2.5], at_most=2.0)
    met = Figure(question="stall", values=[4.0], unit="ms", at_most=5.0)
    text = results([Section("cpu", "a table", [missed, met], 9.0)])

    assert "1 of 2 bounds are met." in text
    assert "- missed: CPU a page\n" in text
    assert "what does a page cost the client's processor" in text
    assert f"aiohttp {version('aiohttp')}" in text
