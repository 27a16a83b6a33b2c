"""The limiter keeps to its limit and to the order, and loses no permit."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import anyio.lowlevel
import pytest
from doubles import ListServer, MakeClient, settle_down
from hypothesis import HealthCheck, given, strategies as st
from profiles import max_examples

from nectar_async import VirtualClock
from nectar_async._http.limiter import Limiter, Permit

pytestmark = pytest.mark.anyio


class HandClock(VirtualClock):
    """A clock that advances only when the test advances it."""

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while self.monotonic() < until:
            await anyio.lowlevel.checkpoint()


def build_limiter(limit: int, clock: VirtualClock | None = None) -> Limiter:
    return Limiter(limit, clock or VirtualClock())


class Visitor:
    """A task that holds a permit until the test releases it."""

    def __init__(self, name: int, log: list[int], queue_key: object = None) -> None:
        self.name = name
        self.log = log
        self.queue_key = queue_key
        self.permit: Permit | None = None
        self.scope = anyio.CancelScope()
        self.leave = anyio.Event()
        self.is_inside = False
        self.is_over = False

    async def visit(self, limiter: Limiter) -> None:
        try:
            with self.scope:
                async with limiter.permit(self.queue_key) as self.permit:
                    self.log.append(self.name)
                    self.is_inside = True
                    try:
                        await self.leave.wait()
                    finally:
                        self.is_inside = False
        finally:
            self.is_over = True


async def test_no_more_permits_are_held_than_the_limit_and_the_rest_wait() -> None:
    limiter, log = build_limiter(3), list[int]()
    visitors = [Visitor(name, log) for name in range(8)]
    async with anyio.create_task_group() as group:
        for visitor in visitors:
            group.start_soon(visitor.visit, limiter)
        await settle_down()
        assert (limiter.in_flight, limiter.waiting) == (3, 5)
        assert sum(visitor.is_inside for visitor in visitors) == 3
        for visitor in visitors:
            visitor.leave.set()
    assert (limiter.in_flight, limiter.waiting, limiter.peak_in_flight) == (0, 0, 3)


async def test_permits_are_granted_first_in_first_out() -> None:
    limiter, log = build_limiter(1), list[int]()
    visitors = [Visitor(name, log) for name in range(6)]
    async with anyio.create_task_group() as group:
        for visitor in visitors:
            group.start_soon(visitor.visit, limiter)
            await settle_down(5)  # trio starts tasks in no particular order
        for visitor in visitors:
            visitor.leave.set()
            await settle_down(5)
    assert log == [0, 1, 2, 3, 4, 5]


async def test_a_released_permit_goes_to_the_next_waiter_and_to_nobody_else() -> None:
    limiter, log = build_limiter(1), list[int]()
    first, second, late = (Visitor(name, log) for name in range(3))
    async with anyio.create_task_group() as group:
        async with limiter.permit():
            group.start_soon(first.visit, limiter)
            await settle_down()
        # The permit is granted already, although its task did not run yet.
        assert limiter.in_flight == 1
        group.start_soon(second.visit, limiter)
        group.start_soon(late.visit, limiter)
        await settle_down()
        assert log == [0]
        for visitor in (first, second, late):
            visitor.leave.set()
    assert limiter.peak_in_flight == 1


async def test_a_permit_is_released_after_an_error() -> None:
    limiter = build_limiter(1)
    with pytest.raises(ZeroDivisionError):
        async with limiter.permit():
            _ = 1 / 0
    assert limiter.in_flight == 0


async def test_a_permit_is_released_when_its_holder_is_cancelled() -> None:
    limiter, log = build_limiter(1), list[int]()
    holder, waiter = Visitor(0, log), Visitor(1, log)
    async with anyio.create_task_group() as group:
        group.start_soon(holder.visit, limiter)
        await settle_down()
        group.start_soon(waiter.visit, limiter)
        await settle_down()
        holder.scope.cancel()
        await settle_down()
        assert waiter.is_inside
        waiter.leave.set()
    assert limiter.in_flight == 0


async def test_a_cancelled_waiter_leaves_the_queue() -> None:
    limiter, log = build_limiter(1), list[int]()
    holder, quitter, waiter = (Visitor(name, log) for name in range(3))
    async with anyio.create_task_group() as group:
        for visitor in (holder, quitter, waiter):
            group.start_soon(visitor.visit, limiter)
            await settle_down(5)
        quitter.scope.cancel()
        await settle_down()
        assert limiter.waiting == 1
        holder.leave.set()
        await settle_down()
        assert waiter.is_inside
        waiter.leave.set()
    assert log == [0, 2]
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


@pytest.mark.parametrize("is_release_first", [True, False])
async def test_a_permit_granted_to_a_cancelled_waiter_goes_to_the_next_one(
    is_release_first: bool,
) -> None:
    limiter, log = build_limiter(1), list[int]()
    quitter, waiter = Visitor(0, log), Visitor(1, log)
    async with anyio.create_task_group() as group:
        async with limiter.permit():
            for visitor in (quitter, waiter):
                group.start_soon(visitor.visit, limiter)
                await settle_down(5)
            if not is_release_first:
                quitter.scope.cancel()
        # The event loop did not run since, so grant and cancellation come together.
        if is_release_first:
            quitter.scope.cancel()
        await settle_down()
        # The permit is not lost: one of the two tasks has it.
        assert limiter.in_flight == 1
        assert quitter.is_inside or waiter.is_inside
        for visitor in (quitter, waiter):
            visitor.leave.set()
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


async def test_a_task_that_is_already_cancelled_gets_no_permit() -> None:
    limiter = build_limiter(1)
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with limiter.permit():
            pytest.fail("it was cancelled before")
    assert limiter.in_flight == 0


STEPS = [
    *("come", "come", "leave", "leave", "cancel", "turn"),
    *("refuse", "succeed", "succeed", "cool", "later"),
]


class WatchedLimiter(Limiter):
    """A limiter that records whether it ever granted too many permits."""

    was_overfull = False

    def _take(self) -> None:
        self.was_overfull = self.was_overfull or self.in_flight >= self.allowed
        super()._take()


@max_examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 5),
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 7)), max_size=60),
)
async def test_no_order_of_events_loses_a_permit_or_forgets_a_waiter(
    limit: int, steps: list[tuple[str, int]]
) -> None:
    clock = HandClock()
    limiter, log = WatchedLimiter(limit, clock), list[int]()
    visitors: list[Visitor] = []
    async with anyio.create_task_group() as group:
        for step, pick in steps:
            visitor = visitors[pick % len(visitors)] if visitors else Visitor(0, log)
            match step:
                case "come":
                    visitors.append(Visitor(len(visitors), log, queue_key=pick % 3))
                    group.start_soon(visitors[-1].visit, limiter)
                case "leave":
                    visitor.leave.set()
                case "cancel":
                    visitor.scope.cancel()
                case "refuse" if visitor.permit is not None:
                    visitor.permit.report_overload(pick if pick % 2 else None)
                case "succeed" if visitor.permit is not None:
                    visitor.permit.report_success()
                case "cool":
                    limiter.pause(pick)
                case "later":
                    clock.advance(pick)
                case _:
                    await anyio.lowlevel.checkpoint()
            assert 1 <= limiter.allowed <= limit
            assert 0 <= limiter.in_flight <= limit
            assert not limiter.was_overfull
            assert sum(visitor.is_inside for visitor in visitors) <= limiter.in_flight
        clock.advance(100)  # whatever cooled is warm again
        await settle_down()
        inside = sum(visitor.is_inside for visitor in visitors)
        waiting = sum(not v.is_over and not v.is_inside for v in visitors)
        assert (limiter.in_flight, limiter.waiting) == (inside, waiting)
        # Nobody waits while a permit is free.
        assert inside >= limiter.allowed or waiting == 0
        for visitor in visitors:
            visitor.leave.set()
    assert (limiter.in_flight, limiter.waiting) == (0, 0)
    assert limiter.peak_in_flight <= limit


# The number of permits follows the server.


async def test_an_overload_halves_the_permits_once_for_all_attempts_in_flight() -> None:
    limiter = build_limiter(10)
    async with AsyncExitStack() as stack:
        permits = [await stack.enter_async_context(limiter.permit()) for _ in range(10)]
        for permit in permits:
            permit.report_overload()
        assert limiter.allowed == 5
    async with limiter.permit() as permit:
        permit.report_overload()
    assert limiter.allowed == 2


async def test_permits_never_go_below_one() -> None:
    limiter = build_limiter(3)
    for _ in range(5):
        async with limiter.permit() as permit:
            permit.report_overload()
    assert limiter.allowed == 1


async def test_a_round_of_successes_adds_one_permit() -> None:
    limiter = build_limiter(4)
    async with limiter.permit() as permit:
        permit.report_overload()
    steps: list[int] = []
    for _ in range(8):
        async with limiter.permit() as permit:
            permit.report_success()
        steps.append(limiter.allowed)
    # Two successes at two permits, three at three: one for each permit, not for each.
    assert steps == [2, 3, 3, 3, 4, 4, 4, 4]


async def test_a_success_from_before_the_overload_does_not_count() -> None:
    limiter = build_limiter(2)
    async with limiter.permit() as early, limiter.permit() as late:
        late.report_overload()
        early.report_success()
        assert limiter.allowed == 1


async def test_after_halving_no_permit_is_granted_until_enough_are_released() -> None:
    limiter, log = build_limiter(4), list[int]()
    visitors = [Visitor(name, log) for name in range(5)]
    async with anyio.create_task_group() as group:
        for visitor in visitors:
            group.start_soon(visitor.visit, limiter)
            await settle_down(5)
        assert visitors[0].permit is not None
        visitors[0].permit.report_overload()
        for visitor in visitors[:2]:
            visitor.leave.set()
        await settle_down()
        assert (limiter.allowed, limiter.in_flight, limiter.waiting) == (2, 2, 1)
        visitors[2].leave.set()
        await settle_down()
        assert visitors[4].is_inside
        for visitor in visitors:
            visitor.leave.set()


# A pause for all requests.


async def test_a_wait_that_the_server_asks_for_pauses_all_attempts() -> None:
    clock, log = HandClock(), list[int]()
    limiter = Limiter(2, clock)
    early, late = Visitor(0, log), Visitor(1, log)
    async with anyio.create_task_group() as group:
        async with limiter.permit() as permit, limiter.permit():
            group.start_soon(early.visit, limiter)
            await settle_down()
            permit.report_overload(30)
        group.start_soon(late.visit, limiter)
        await settle_down()
        assert (limiter.in_flight, limiter.waiting) == (0, 2)
        clock.advance(29)
        await settle_down()
        assert limiter.in_flight == 0
        early.leave.set()
        late.leave.set()
        clock.advance(2)
    assert log == [0, 1]


async def test_a_longer_wait_prolongs_a_shorter_one_and_not_the_other_way() -> None:
    clock = VirtualClock()
    limiter = Limiter(1, clock)
    limiter.pause(10)
    limiter.pause(3)
    assert limiter.pause_left == 10
    limiter.pause(20)
    waits: list[tuple[float, float]] = []
    async with limiter.permit(None, lambda *wait: waits.append(wait)):
        assert clock.sleeps == [20]
    assert waits == [(0, 20)]


async def test_a_wait_is_reported_also_when_it_is_cancelled() -> None:
    clock, waits = HandClock(), list[tuple[float, float]]()
    limiter = Limiter(1, clock)

    async def wait() -> None:
        async with limiter.permit(None, lambda *wait: waits.append(wait)):
            pytest.fail("there is no permit")

    async with limiter.permit(), anyio.create_task_group() as group:
        group.start_soon(wait)
        await settle_down()
        clock.advance(7)
        group.cancel_scope.cancel()
    assert waits == [(7, 0)]


async def test_a_waiter_that_watches_the_clock_may_be_cancelled_without_loss() -> None:
    clock, log = HandClock(), list[int]()
    limiter = Limiter(1, clock)
    visitors = [Visitor(name, log) for name in range(3)]
    async with anyio.create_task_group() as group:
        limiter.pause(5)
        for visitor in visitors:
            group.start_soon(visitor.visit, limiter)
            await settle_down(5)
            visitor.leave.set()
        visitors[0].scope.cancel()
        clock.advance(5)
    assert log == [1, 2]


async def test_a_pause_that_ends_before_its_waiters_run_loses_no_waiter() -> None:
    clock, log = HandClock(), list[int]()
    limiter = Limiter(1, clock)
    waiter = Visitor(0, log)
    async with anyio.create_task_group() as group:
        async with limiter.permit():
            group.start_soon(waiter.visit, limiter)
            await settle_down()
            limiter.pause(5)  # wakes the waiter, who did not run yet when
        clock.advance(5)  # the permit is back and the cooling is over
        await settle_down()
        assert waiter.is_inside
        waiter.leave.set()


class CountingClock(HandClock):
    """Counts the tasks that sleep."""

    sleepers = 0

    async def sleep(self, seconds: float) -> None:
        self.sleepers += 1
        await super().sleep(seconds)


async def test_the_work_of_a_pause_does_not_grow_with_the_waiters() -> None:
    clock, waits = CountingClock(), list[tuple[float, float]]()
    limiter = Limiter(1, clock)

    async def wait() -> None:
        async with limiter.permit(None, lambda *wait: waits.append(wait)):
            pass

    async with anyio.create_task_group() as group:
        async with limiter.permit() as permit:
            for _ in range(200):
                group.start_soon(wait)
            await settle_down()
            permit.report_overload(5)
            permit.report_overload(7)
        await settle_down()
        clock.advance(7)
    assert clock.sleepers == 1
    assert waits == [(0, 7)] * 200


# Queues take turns.


async def test_queues_take_turns_and_each_queue_is_first_in_first_out() -> None:
    limiter, log = build_limiter(1), list[int]()
    queue_keys = ["bulk", "bulk", "bulk", "other", "bulk", None]
    visitors = [
        Visitor(name, log, queue_key) for name, queue_key in enumerate(queue_keys)
    ]
    async with anyio.create_task_group() as group:
        async with limiter.permit():
            for visitor in visitors:
                group.start_soon(visitor.visit, limiter)
                await settle_down(5)
        for visitor in visitors:
            visitor.leave.set()
    assert log == [0, 3, 5, 1, 2, 4]


async def test_a_single_call_waits_for_few_attempts_of_three_bulk_pulls(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=60, b=60, c=60)
    server.turns = 3
    nectar = make_client(server.transport, max_concurrency=2)

    async def pull(name: str) -> None:
        async with nectar.repository.usage(companies=[name]) as records:
            async for _ in records:
                pass

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(pull, name)
        while len(server.asked) < 20:
            await anyio.lowlevel.checkpoint()
        before = len(server.asked)
        await nectar.companies.all()
        between = len(server.asked) - before
        group.cancel_scope.cancel()
    # Two were in flight, each of the three pulls had one turn before the call, and two
    # started while the call was in flight.
    assert between <= 2 + 3 + 2


async def test_fan_out_inside_fan_out_finishes_on_one_permit(
    make_client: MakeClient,
) -> None:
    server = ListServer.of_pages(a=3, b=2)
    nectar = make_client(server.transport, max_concurrency=1)
    seen: list[tuple[str, str]] = []
    with anyio.fail_after(10):
        async with nectar.repository.usage() as outer:
            async for record in outer:
                async with nectar.repository.usage(companies=["b"]) as inner:
                    seen += [
                        (record.id, inner_record.id) async for inner_record in inner
                    ]
    assert len(seen) == 10 * 4
    assert server.peak == 1
