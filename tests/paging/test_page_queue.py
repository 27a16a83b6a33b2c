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
    """How many pages an owner has, says it has, and at which one it fails."""

    pages: int
    page_bytes: int = field(default=0, kw_only=True)
    announced: int = field(kw_only=True)
    fails_at: int | None = field(default=None, kw_only=True)

    @announced.default
    def _all_of_them(self) -> int:
        return self.pages


def build_queue(
    sizes: Sequence[Size],
    *,
    lead: int = 10,
    look_ahead: int = 10**9,
    first: int = 1,
    max_bytes: int | None = None,
) -> PageQueue[Row]:
    """A queue whose owners are named by their place in `sizes`."""
    jobs = (
        (str(number), Traversal[Row](LIST.at(first))) for number in range(len(sizes))
    )
    return PageQueue(jobs, lead=lead, look_ahead=look_ahead, max_bytes=max_bytes)


class Simulation:
    """A queue with what is in flight, what was asked for and what was given."""

    def __init__(self, sizes: Sequence[Size], queue: PageQueue[Row]) -> None:
        self.sizes = sizes
        self.queue = queue
        self.flying: list[tuple[QueuedPass[Row], int]] = []
        self.asked: list[tuple[str, int]] = []
        self.given: list[tuple[str, int]] = []

    def ask(self) -> bool:
        job = self.queue.take_request()
        if job is None:
            return False
        self.flying.append(job)
        self.asked.append((job[0].name, job[1]))
        return True

    def land(self, place: int = 0) -> None:
        queued, number = self.flying.pop(place % len(self.flying))
        size = self.sizes[int(queued.name)]
        is_failure = number == size.fails_at
        outcome = (
            RuntimeError() if is_failure else Response(200, body=bytes(size.page_bytes))
        )
        announced = 1 if is_failure else size.announced
        self.queue.put(queued, number, outcome, announced)

    def give(self) -> bool:
        ready = self.queue.peek_delivery()
        if ready is None:
            return False
        queued, number, outcome = ready
        self.queue.pop_delivery()
        size = self.sizes[int(queued.name)]
        self.given.append((queued.name, number))
        if isinstance(outcome, Exception) or number >= size.pages:
            self.queue.close(queued)
        else:
            self.queue.extend(queued, max(size.announced, number + 1))
        return True

    def expected(self) -> list[tuple[str, int]]:
        """What is given when all is over."""
        return [
            (str(name), number)
            for name, size in enumerate(self.sizes)
            for number in range(1, min(size.pages, size.fails_at or 10**9) + 1)
        ]


sizes_of = st.lists(
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
    sizes_of,
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
    walk = Simulation(sizes, build_queue(sizes, lead=permits, look_ahead=look_ahead))

    def act(step: int, pick: int) -> bool:
        match step:
            case 0 if len(walk.flying) < permits:
                return walk.ask()
            case 1 if walk.flying:
                walk.land(pick)
                return True
            case 2:
                return walk.give()
            case _:
                return False

    for step, pick in steps:
        act(step, pick)
        assert 0 <= walk.queue.undelivered <= look_ahead
    # From here on everybody does what there is to do: no deadlock.
    while any([act(0, 0), act(1, 0), act(2, 0)]):
        assert 0 <= walk.queue.undelivered <= look_ahead

    assert walk.queue.is_finished
    assert (walk.queue.undelivered, walk.flying) == (0, [])
    assert len(walk.asked) == len(set(walk.asked))
    assert sorted(walk.given) == walk.expected()
    for name in {name for name, _ in walk.given}:
        pages = [number for queued, number in walk.given if queued == name]
        assert pages == sorted(pages)


def rounds(sizes: Sequence[Size], permits: int) -> int:
    """How long a walk takes when each request takes one round."""
    walk = Simulation(sizes, build_queue(sizes, lead=permits, look_ahead=4 * permits))
    count = 0
    while not walk.queue.is_finished:
        while len(walk.flying) < permits and walk.ask():
            pass
        assert walk.flying, "nothing is asked for, and it is not over"
        while walk.flying:
            walk.land()
        while walk.give():
            pass
        count += 1
    return count


def bound(sizes: Sequence[Size], permits: int) -> int:
    """The least rounds that anybody could need who must see a first page first."""
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
    assert rounds(sizes, permits) <= bound(sizes, permits) + 1


@max_examples(200)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 10))
def test_no_set_of_lists_takes_more_than_two_rounds_over_the_bound(
    pages: list[int], permits: int
) -> None:
    sizes = [Size(count) for count in pages]
    assert rounds(sizes, permits) <= bound(sizes, permits) + 2


def test_first_pages_are_requested_early() -> None:
    walk = Simulation([Size(9)] * 5, build_queue([Size(9)] * 5, lead=3))
    for _ in range(3):
        walk.ask()
    assert walk.asked == [("0", 1), ("1", 1), ("2", 1)]


@pytest.mark.parametrize(
    ("pages", "then"),
    [
        ([5, 9], [("1", 2), ("1", 3), ("1", 4), ("1", 5), ("0", 2), ("1", 6)]),
        ([9, 5], [("0", 2), ("0", 3), ("0", 4), ("0", 5), ("0", 6), ("1", 2)]),
        ([4, 4], [("0", 2), ("1", 2), ("0", 3), ("1", 3), ("0", 4), ("1", 4)]),
    ],
    ids=["the second", "the first", "the older of two"],
)
def test_the_list_with_most_pages_left_goes_first(
    pages: list[int], then: list[tuple[str, int]]
) -> None:
    sizes = [Size(count) for count in pages]
    walk = Simulation(sizes, build_queue(sizes, lead=2, look_ahead=100))
    walk.ask()
    walk.ask()
    walk.land(1)
    walk.land(0)
    for _ in then:
        walk.ask()
    assert walk.asked[2:] == then


def test_a_consumer_that_stops_reading_stops_the_requests() -> None:
    walk = Simulation([Size(100)], build_queue([Size(100)], look_ahead=5))
    walk.ask()
    walk.land()
    while walk.ask():
        walk.land()
    assert walk.queue.undelivered == 5
    walk.give()
    assert walk.ask()
    assert not walk.ask()


@pytest.mark.parametrize(
    ("page_bytes", "held"), [(0, 8), (100, 8), (200, 5), (5_000, 2)]
)
def test_fewer_large_pages_are_held_but_at_least_one_for_each_permit(
    page_bytes: int, held: int
) -> None:
    sizes = [Size(100, page_bytes=page_bytes)]
    walk = Simulation(sizes, build_queue(sizes, lead=2, look_ahead=8, max_bytes=1_000))
    while walk.ask():
        walk.land()
    assert walk.queue.undelivered == held


def test_a_response_for_a_closed_list_is_dropped() -> None:
    sizes = [Size(9, fails_at=2)]
    walk = Simulation(sizes, build_queue(sizes))
    walk.ask()
    walk.land()
    for _ in range(8):
        walk.ask()
    walk.land(0)
    while walk.give():
        pass
    assert not walk.queue.is_finished or walk.flying
    while walk.flying:
        walk.land()
    assert not walk.give()
    assert (walk.queue.undelivered, walk.queue.is_finished) == (0, True)


def test_a_list_may_begin_at_a_later_page() -> None:
    sizes = [Size(6)]
    walk = Simulation(sizes, build_queue(sizes, first=4))
    while walk.ask():
        walk.land()
    while walk.give():
        pass
    assert walk.given == [("0", 4), ("0", 5), ("0", 6)]
    assert walk.queue.is_finished


def test_a_queue_without_lists_is_finished_at_once() -> None:
    assert build_queue([]).is_finished
