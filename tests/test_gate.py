"""The gate: never more than its limit, in order, and no permit is ever lost."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from doubles import ListServer, MakeClient, settle_down
from hypothesis import HealthCheck, given, settings, strategies as st

from nectar_async._gate import Gate

pytestmark = pytest.mark.anyio


class Visitor:
    """Somebody who goes through a gate when told to."""

    def __init__(self, name: int, log: list[int]) -> None:
        self.name = name
        self.log = log
        self.scope = anyio.CancelScope()
        self.leave = anyio.Event()
        self.is_inside = False
        self.is_over = False

    async def visit(self, gate: Gate) -> None:
        try:
            with self.scope:
                async with gate:
                    self.log.append(self.name)
                    self.is_inside = True
                    try:
                        await self.leave.wait()
                    finally:
                        self.is_inside = False
        finally:
            self.is_over = True


async def test_as_many_as_the_limit_are_inside_and_the_rest_wait() -> None:
    gate, log = Gate(3), list[int]()
    visitors = [Visitor(name, log) for name in range(8)]
    async with anyio.create_task_group() as group:
        for visitor in visitors:
            group.start_soon(visitor.visit, gate)
        await settle_down()
        assert (gate.in_flight, gate.waiting) == (3, 5)
        assert sum(visitor.is_inside for visitor in visitors) == 3
        for visitor in visitors:
            visitor.leave.set()
    assert (gate.in_flight, gate.waiting, gate.peak_in_flight) == (0, 0, 3)


async def test_who_comes_first_enters_first() -> None:
    gate, log = Gate(1), list[int]()
    visitors = [Visitor(name, log) for name in range(6)]
    async with anyio.create_task_group() as group:
        for visitor in visitors:
            group.start_soon(visitor.visit, gate)
            await settle_down(5)  # trio starts tasks in no particular order
        for visitor in visitors:
            visitor.leave.set()
            await settle_down(5)
    assert log == [0, 1, 2, 3, 4, 5]


async def test_nobody_slips_in_between_a_release_and_the_waiter_it_is_for() -> None:
    gate, log = Gate(1), list[int]()
    first, second, late = (Visitor(name, log) for name in range(3))
    async with anyio.create_task_group() as group:
        async with gate:
            group.start_soon(first.visit, gate)
            await settle_down()
        # The permit is given already, though its owner did not run yet.
        assert gate.in_flight == 1
        group.start_soon(second.visit, gate)
        group.start_soon(late.visit, gate)
        await settle_down()
        assert log == [0]
        for visitor in (first, second, late):
            visitor.leave.set()
    assert gate.peak_in_flight == 1


async def test_a_permit_comes_back_after_an_error() -> None:
    gate = Gate(1)
    with pytest.raises(ZeroDivisionError):
        async with gate:
            _ = 1 / 0
    assert gate.in_flight == 0


async def test_a_permit_comes_back_when_its_holder_is_cancelled() -> None:
    gate, log = Gate(1), list[int]()
    holder, waiter = Visitor(0, log), Visitor(1, log)
    async with anyio.create_task_group() as group:
        group.start_soon(holder.visit, gate)
        await settle_down()
        group.start_soon(waiter.visit, gate)
        await settle_down()
        holder.scope.cancel()
        await settle_down()
        assert waiter.is_inside
        waiter.leave.set()
    assert gate.in_flight == 0


async def test_who_is_cancelled_in_the_queue_leaves_it() -> None:
    gate, log = Gate(1), list[int]()
    holder, quitter, waiter = (Visitor(name, log) for name in range(3))
    async with anyio.create_task_group() as group:
        for visitor in (holder, quitter, waiter):
            group.start_soon(visitor.visit, gate)
            await settle_down(5)
        quitter.scope.cancel()
        await settle_down()
        assert gate.waiting == 1
        holder.leave.set()
        await settle_down()
        assert waiter.is_inside
        waiter.leave.set()
    assert log == [0, 2]
    assert (gate.in_flight, gate.waiting) == (0, 0)


@pytest.mark.parametrize("is_release_first", [True, False])
async def test_a_permit_granted_to_somebody_who_is_cancelled_goes_on_to_the_next(
    is_release_first: bool,
) -> None:
    gate, log = Gate(1), list[int]()
    quitter, waiter = Visitor(0, log), Visitor(1, log)
    async with anyio.create_task_group() as group:
        async with gate:
            for visitor in (quitter, waiter):
                group.start_soon(visitor.visit, gate)
                await settle_down(5)
            if not is_release_first:
                quitter.scope.cancel()
        # No turn of the loop passed since: the grant and the cancellation meet.
        if is_release_first:
            quitter.scope.cancel()
        await settle_down()
        # The permit is never lost: one of them has it.
        assert gate.in_flight == 1
        assert quitter.is_inside or waiter.is_inside
        for visitor in (quitter, waiter):
            visitor.leave.set()
    assert (gate.in_flight, gate.waiting) == (0, 0)


async def test_who_is_cancelled_already_does_not_enter() -> None:
    gate = Gate(1)
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with gate:
            pytest.fail("it was cancelled before")
    assert gate.in_flight == 0


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    limit=st.integers(1, 4),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["come", "leave", "cancel", "turn"]), st.integers(0, 7)
        ),
        max_size=40,
    ),
)
async def test_no_order_of_coming_leaving_and_cancelling_loses_a_permit(
    limit: int, steps: list[tuple[str, int]]
) -> None:
    gate, log = Gate(limit), list[int]()
    visitors: list[Visitor] = []
    async with anyio.create_task_group() as group:
        for step, pick in steps:
            match step:
                case "come":
                    visitors.append(Visitor(len(visitors), log))
                    group.start_soon(visitors[-1].visit, gate)
                case "leave" if visitors:
                    visitors[pick % len(visitors)].leave.set()
                case "cancel" if visitors:
                    visitors[pick % len(visitors)].scope.cancel()
                case _:
                    await anyio.lowlevel.checkpoint()
            assert 0 <= gate.in_flight <= limit
            assert sum(visitor.is_inside for visitor in visitors) <= gate.in_flight
        await settle_down()
        inside = sum(visitor.is_inside for visitor in visitors)
        waiting = sum(not v.is_over and not v.is_inside for v in visitors)
        assert (gate.in_flight, gate.waiting) == (inside, waiting)
        # Nobody waits while a permit is free.
        assert inside == limit or waiting == 0
        for visitor in visitors:
            visitor.leave.set()
    assert (gate.in_flight, gate.waiting) == (0, 0)
    assert gate.peak_in_flight <= limit


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
                    seen += [(record.id, other.id) async for other in inner]
    assert len(seen) == 10 * 4
    assert server.peak == 1
