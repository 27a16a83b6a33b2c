"""The page queue: which page is requested next, in whatever order responses arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import define, field
from doubles import Row
from hypothesis import given, strategies as st
from profiles import max_examples

from nectar_async import Listing, Page, Request, Response
from nectar_async._paging.page_queue import PageQueue, QueuedPass
from nectar_async._paging.traversal import Traversal

LIST: Request[Any] = Request.get(
    "list", "/{owner}", Page[Row], listing=Listing(items="rows"), owner="x"
)


@define
class Size:
    """How many pages a list has and announces, and the page that fails."""

    pages: int
    page_bytes: int = field(default=0, kw_only=True)
    announced: int = field(kw_only=True)
    fails_at: int | None = field(default=None, kw_only=True)

    @announced.default
    def _get_pages(self) -> int:
        return self.pages


def build_queue(
    sizes: Sequence[Size],
    *,
    lead: int = 10,
    look_ahead: int = 10**9,
    first: int = 1,
    max_bytes: int | None = None,
) -> PageQueue[Row]:
    """Build a queue of lists that are named by their place in `sizes`."""
    traversals = (
        (str(number), Traversal[Row](LIST.at(first))) for number in range(len(sizes))
    )
    return PageQueue(traversals, lead=lead, look_ahead=look_ahead, max_bytes=max_bytes)


class Simulation:
    """Drives a queue; keeps the pages in flight, requested and delivered."""

    def __init__(self, sizes: Sequence[Size], queue: PageQueue[Row]) -> None:
        self.sizes = sizes
        self.queue = queue
        self.in_flight: list[tuple[QueuedPass[Row], int]] = []
        self.requested: list[tuple[str, int]] = []
        self.delivered: list[tuple[str, int]] = []

    def request(self) -> bool:
        job = self.queue.take_request()
        if job is None:
            return False
        self.in_flight.append(job)
        self.requested.append((job[0].name, job[1]))
        return True

    def respond(self, place: int = 0) -> None:
        queued, number = self.in_flight.pop(place % len(self.in_flight))
        size = self.sizes[int(queued.name)]
        is_failure = number == size.fails_at
        outcome = (
            RuntimeError() if is_failure else Response(200, body=bytes(size.page_bytes))
        )
        announced = 1 if is_failure else size.announced
        self.queue.put(queued, number, outcome, announced)

    def deliver(self) -> bool:
        delivery = self.queue.peek_delivery()
        if delivery is None:
            return False
        queued, number, outcome = delivery
        self.queue.pop_delivery()
        size = self.sizes[int(queued.name)]
        self.delivered.append((queued.name, number))
        if isinstance(outcome, Exception) or number >= size.pages:
            self.queue.close(queued)
        else:
            self.queue.extend(queued, max(size.announced, number + 1))
        return True

    def expected(self) -> list[tuple[str, int]]:
        """List the pages that are delivered in the end."""
        return [
            (str(name), number)
            for name, size in enumerate(self.sizes)
            for number in range(1, min(size.pages, size.fails_at or 10**9) + 1)
        ]


size_lists = st.lists(
    st.builds(
        lambda pages, more, fails: Size(
            pages,
            announced=max(1, pages + more),
            fails_at=fails if fails and fails <= pages else None,
        ),
        st.integers(1, 8),
        st.integers(-4, 3),
        st.one_of(st.none(), st.integers(1, 8)),
    ),
    max_size=8,
)


@max_examples(300)
@given(
    size_lists,
    st.integers(1, 5),
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=120),
)
def test_every_page_is_requested_once_and_delivered_in_order(
    sizes: list[Size],
    permits: int,
    look_ahead: int,
    steps: list[tuple[int, int]],
) -> None:
    simulation = Simulation(
        sizes, build_queue(sizes, lead=permits, look_ahead=look_ahead)
    )

    def act(step: int, pick: int) -> bool:
        match step:
            case 0 if len(simulation.in_flight) < permits:
                return simulation.request()
            case 1 if simulation.in_flight:
                simulation.respond(pick)
                return True
            case 2:
                return simulation.deliver()
            case _:
                return False

    for step, pick in steps:
        act(step, pick)
        assert 0 <= simulation.queue.undelivered <= look_ahead
    # Then all steps that are possible are taken, which must not deadlock.
    while any([act(0, 0), act(1, 0), act(2, 0)]):
        assert 0 <= simulation.queue.undelivered <= look_ahead

    assert simulation.queue.is_finished
    assert (simulation.queue.undelivered, simulation.in_flight) == (0, [])
    assert len(simulation.requested) == len(set(simulation.requested))
    assert sorted(simulation.delivered) == simulation.expected()
    for name in {name for name, _ in simulation.delivered}:
        pages = [number for queued, number in simulation.delivered if queued == name]
        assert pages == sorted(pages)


def count_rounds(sizes: Sequence[Size], permits: int) -> int:
    """How many rounds a simulation takes if each request takes one round."""
    simulation = Simulation(
        sizes, build_queue(sizes, lead=permits, look_ahead=4 * permits)
    )
    count = 0
    while not simulation.queue.is_finished:
        while len(simulation.in_flight) < permits and simulation.request():
            pass
        assert simulation.in_flight, (
            "nothing is requested, and the queue is not finished"
        )
        while simulation.in_flight:
            simulation.respond()
        while simulation.deliver():
            pass
        count += 1
    return count


def find_min_rounds(sizes: Sequence[Size], permits: int) -> int:
    """The smallest number of rounds possible, with first pages before others."""
    total = sum(size.pages for size in sizes)
    longest = max(size.pages for size in sizes)
    return max(-(-total // permits), 1 + -(-(longest - 1) // permits))


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([200], id="one of 200"),
        pytest.param([4] * 50, id="50 of 4"),
        pytest.param([1] * 200, id="200 of 1"),
        pytest.param([100, *[1] * 99], id="largest first"),
        pytest.param([*[1] * 99, 100], id="largest last"),
        pytest.param([2**n for n in range(8)], id="skewed"),
        pytest.param([1, 50, 1, 50, 1, 1, 1, 20], id="mixed"),
    ],
)
@pytest.mark.parametrize("permits", [1, 3, 10])
def test_no_permit_is_idle_while_a_page_is_left(pages: list[int], permits: int) -> None:
    sizes = [Size(count) for count in pages]
    assert count_rounds(sizes, permits) <= find_min_rounds(sizes, permits) + 1


@max_examples(200)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 10))
def test_no_set_of_lists_takes_more_than_two_rounds_over_the_bound(
    pages: list[int], permits: int
) -> None:
    sizes = [Size(count) for count in pages]
    assert count_rounds(sizes, permits) <= find_min_rounds(sizes, permits) + 2


def test_first_pages_are_requested_early() -> None:
    simulation = Simulation([Size(9)] * 5, build_queue([Size(9)] * 5, lead=3))
    for _ in range(3):
        simulation.request()
    assert simulation.requested == [("0", 1), ("1", 1), ("2", 1)]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([5, 9], [("1", 2), ("1", 3), ("1", 4), ("1", 5), ("0", 2), ("1", 6)]),
        ([9, 5], [("0", 2), ("0", 3), ("0", 4), ("0", 5), ("0", 6), ("1", 2)]),
        ([4, 4], [("0", 2), ("1", 2), ("0", 3), ("1", 3), ("0", 4), ("1", 4)]),
    ],
    ids=["the second", "the first", "the older of two"],
)
def test_the_list_with_most_pages_left_goes_first(
    pages: list[int], expected: list[tuple[str, int]]
) -> None:
    sizes = [Size(count) for count in pages]
    simulation = Simulation(sizes, build_queue(sizes, lead=2, look_ahead=100))
    simulation.request()
    simulation.request()
    simulation.respond(1)
    simulation.respond(0)
    for _ in expected:
        simulation.request()
    assert simulation.requested[2:] == expected


def test_a_consumer_that_stops_reading_stops_the_requests() -> None:
    simulation = Simulation([Size(100)], build_queue([Size(100)], look_ahead=5))
    simulation.request()
    simulation.respond()
    while simulation.request():
        simulation.respond()
    assert simulation.queue.undelivered == 5
    simulation.deliver()
    assert simulation.request()
    assert not simulation.request()


@pytest.mark.parametrize(
    ("page_bytes", "held"), [(0, 8), (100, 8), (200, 5), (5_000, 2)]
)
def test_fewer_large_pages_are_held_but_at_least_one_for_each_permit(
    page_bytes: int, held: int
) -> None:
    sizes = [Size(100, page_bytes=page_bytes)]
    simulation = Simulation(
        sizes, build_queue(sizes, lead=2, look_ahead=8, max_bytes=1_000)
    )
    while simulation.request():
        simulation.respond()
    assert simulation.queue.undelivered == held


def test_a_response_for_a_closed_list_is_dropped() -> None:
    sizes = [Size(9, fails_at=2)]
    simulation = Simulation(sizes, build_queue(sizes))
    simulation.request()
    simulation.respond()
    for _ in range(8):
        simulation.request()
    simulation.respond(0)
    while simulation.deliver():
        pass
    assert not simulation.queue.is_finished or simulation.in_flight
    while simulation.in_flight:
        simulation.respond()
    assert not simulation.deliver()
    assert (simulation.queue.undelivered, simulation.queue.is_finished) == (0, True)


def test_a_list_may_begin_at_a_later_page() -> None:
    sizes = [Size(6)]
    simulation = Simulation(sizes, build_queue(sizes, first=4))
    while simulation.request():
        simulation.respond()
    while simulation.deliver():
        pass
    assert simulation.delivered == [("0", 4), ("0", 5), ("0", 6)]
    assert simulation.queue.is_finished


def test_a_queue_without_lists_is_finished_at_once() -> None:
    assert build_queue([]).is_finished
