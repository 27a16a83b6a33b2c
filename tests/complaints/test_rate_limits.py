"""Complaints about concurrency and rate limits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from complaints.naive_gate import (
    EagerLimit,
    FixedWidth,
    HandOverGate,
    NestedWalk,
    PoolWithTimeout,
    ReplacedSemaphore,
    SlotWhileAsleep,
)
from complaints.scene import GET, OK, Busy, PatientClock, crowd
from doubles import ListServer, MakeClient, settle_down

from nectar_async import MemoryTransport, Request, Response, RetryPolicy
from nectar_async._http.limiter import Limiter

pytestmark = pytest.mark.anyio

PATIENT = RetryPolicy(attempts=20, budget=500)

Ask = Callable[[Request[Any]], Coroutine[Any, Any, object]]


async def test_a_call_that_waits_for_its_retry_holds_up_nobody(
    make_client: MakeClient,
) -> None:
    """A call that waits for its retry sits on a slot, and all wait with it.

    A permit is for one attempt: it is free again before the sleep.

    https://github.com/gardener/cc-utils/issues/1704
    https://github.com/matsonj/eval-connections/issues/14
    """

    async def second_is_done(clock: PatientClock, ask: Ask) -> float:
        """When a call is done that came behind one that fails at first."""
        done = 0.0

        async def second() -> None:
            nonlocal done
            await ask(GET)
            done = clock.monotonic()

        async def both() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(ask, GET)
                await settle_down(2)
                group.start_soon(second)

        assert await clock.ends(both)
        return done

    def failing_once() -> MemoryTransport:
        answers = [Response(500)]
        return MemoryTransport(lambda _: answers.pop() if answers else OK)

    clock = PatientClock()
    naive = SlotWhileAsleep(failing_once().send, 1, clock)
    assert await second_is_done(clock, naive.ask) == 10

    clock = PatientClock()
    patient = RetryPolicy(wait_initial=10)
    nectar = make_client(failing_once(), clock=clock, max_concurrency=1, retry=patient)
    assert await second_is_done(clock, nectar.send) == 0


async def test_one_refusal_cools_everybody_down(make_client: MakeClient) -> None:
    """A 429 is known to the call that met it; all others go on and meet their own.

    One wait that the server asks for is everybody's wait.

    https://github.com/angoyd/ha-lksystems/issues/83
    https://github.com/inyutin/aiohttp_retry/issues/59
    """

    class Closed:
        """Refuses all in the first ten seconds, and says so each time."""

        def __init__(self, clock: PatientClock) -> None:
            self.clock = clock
            self.refused = 0

        def __call__(self, _: Request[Any]) -> Response:
            if (left := 10 - self.clock.monotonic()) <= 0:
                return OK
            self.refused += 1
            return Response(429, {"Retry-After": f"{left:g}"})

    clock = PatientClock()
    server = Closed(clock)
    naive = FixedWidth(MemoryTransport(server).send, 2, clock)
    assert await clock.ends(lambda: crowd(lambda: naive.ask(GET), 12))
    assert server.refused == 12

    clock = PatientClock()
    server = Closed(clock)
    nectar = make_client(server, clock=clock, max_concurrency=2)
    assert await clock.ends(lambda: crowd(lambda: nectar.send(GET), 12))
    assert server.refused == 2
    assert nectar.statistics().attempts == 14


async def test_under_steady_refusals_the_work_gets_done(
    make_client: MakeClient,
) -> None:
    """Under steady 429s all come back in bursts, and nothing ever gets done.

    Permits are halved with each refused round, and whoever waits for the next attempt
    holds none.

    https://github.com/NVIDIA-NeMo/DataDesigner/issues/578
    https://github.com/NVIDIA-NeMo/DataDesigner/issues/575
    """
    policy = RetryPolicy(attempts=6)
    clock, server = PatientClock(), Busy(4, is_fragile=True)
    naive = FixedWidth(MemoryTransport(server).send, 10, clock, attempts=6)
    assert await clock.ends(lambda: crowd(lambda: naive.ask(GET), 20))
    assert (server.served, server.refused) == (0, 120)

    clock, server = PatientClock(), Busy(4, is_fragile=True)
    nectar = make_client(server, clock=clock, retry=policy)
    assert await clock.ends(lambda: crowd(lambda: nectar.send(GET), 20))
    assert server.served == 20


async def test_a_bound_that_shrinks_wakes_who_waits(make_client: MakeClient) -> None:
    """An adaptive limit hangs for ever when it goes down for the first time.

    There is one line, whatever the bound; who stands in it is woken.

    https://github.com/atmire/dspace-python-client/issues/6
    """
    clock, server = PatientClock(), Busy(2)
    naive = ReplacedSemaphore(MemoryTransport(server).send, 6, clock)
    assert not await clock.ends(lambda: crowd(lambda: naive.ask(GET), 20))
    assert server.served < 20

    clock, server = PatientClock(), Busy(2)
    nectar = make_client(server, clock=clock, max_concurrency=6, retry=PATIENT)
    assert await clock.ends(lambda: crowd(lambda: nectar.send(GET), 20))
    assert server.served == 20
    assert nectar.statistics().limit < 6


async def test_the_bound_grows_by_one_a_round_and_not_a_reply(
    make_client: MakeClient,
) -> None:
    """A limit that grows with each reply is soon at the old one, and over it.

    One permit more for a whole round of successes.

    https://github.com/palantir/dialogue/pull/722
    """
    clock, server = PatientClock(), Busy(4)
    naive = EagerLimit(MemoryTransport(server).send, 20, clock)
    assert await clock.ends(lambda: crowd(lambda: naive.ask(GET), 240))
    too_many = server.refused

    clock, server = PatientClock(), Busy(4)
    nectar = make_client(server, clock=clock, max_concurrency=20, retry=PATIENT)
    assert await clock.ends(lambda: crowd(lambda: nectar.send(GET), 240))
    assert server.served == 240
    assert server.refused < too_many / 1.5


async def test_most_refusals_are_avoided_and_not_repeated(
    make_client: MakeClient,
) -> None:
    """Sending again what was refused is slow; a pace that avoids 429s is wanted.

    The gate stays near what the server takes. (Within a process: hosts that share a key
    are told apart by nobody; give each its share of `max_concurrency`.)

    https://github.com/slackapi/python-slack-sdk/issues/1101
    """
    clock, server = PatientClock(), Busy(3)
    naive = FixedWidth(MemoryTransport(server).send, 10, clock, attempts=50)
    assert await clock.ends(lambda: crowd(lambda: naive.ask(GET), 100))
    assert server.refused > 100

    clock, server = PatientClock(), Busy(3)
    nectar = make_client(server, clock=clock, retry=PATIENT)
    assert await clock.ends(lambda: crowd(lambda: nectar.send(GET), 100))
    assert server.served == 100
    assert server.refused < 60


async def test_a_thousand_calls_at_once_on_one_client_all_finish(
    make_client: MakeClient,
) -> None:
    """One client for all, as one is told to: under load its calls hit pool timeouts.

    Share one client, and ask as much at once as you like: calls wait in line for a
    permit, which is no part of `attempt_timeout`; only a `deadline` bounds it.

    https://github.com/openai/openai-python/issues/874
    https://github.com/yanyongyu/githubkit/issues/290
    """

    def slow(clock: PatientClock) -> MemoryTransport:
        """Ten at once, a second each: the last of a thousand waits for 99 seconds."""

        async def answer(_: Request[Any]) -> Response:
            await clock.sleep(1)
            return OK

        return MemoryTransport(answer)

    happy: list[int] = []

    async def all_of_them(ask: Ask) -> None:
        happy.append(await crowd(lambda: ask(GET), 1_000))

    clock = PatientClock()
    naive = PoolWithTimeout(slow(clock).send, 10, clock, timeout=5)
    assert await clock.ends(lambda: all_of_them(naive.ask))

    clock = PatientClock()
    nectar = make_client(slow(clock), clock=clock)
    assert await clock.ends(lambda: all_of_them(nectar.send))
    assert happy == [60, 1_000]
    assert clock.monotonic() == 100
    assert nectar.statistics().peak_in_flight == 10


async def test_a_walk_inside_a_walk_cannot_freeze(make_client: MakeClient) -> None:
    """A parent and its children take slots of the same limiter, and freeze.

    Nobody asks for a permit while holding one, so walks nest to any depth.

    https://github.com/banteg/multicall.py/issues/93
    https://github.com/python-trio/trio-asyncio/issues/143
    """
    names = ["a", "b", "c"]
    server = ListServer.of_pages(a=3, b=3, c=3)
    naive = NestedWalk(server.transport.send, 2)
    lists = [Request.get("companies_list", "/company", list) for _ in names]

    async def naively() -> None:
        async with anyio.create_task_group() as group:
            for one in lists:
                group.start_soon(naive.company, one, lists)

    assert not await PatientClock().ends(naively)

    nectar = make_client(server.transport, max_concurrency=2)
    inner: list[str] = []

    async def walk(name: str) -> None:
        async with nectar.repository.usage(companies=[name]) as records:
            async for _ in records:
                inner.extend([one.id async for one in nectar.usage.by_company(name)])

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(walk, name)

    assert await PatientClock().ends(all_of_them)
    assert len(inner) == 3 * 6 * 6
    assert server.peak == 2


@pytest.mark.parametrize("moment", ["early", "late"])
async def test_a_waiter_that_is_cancelled_takes_no_permit_along(moment: str) -> None:
    """A waiter that is cancelled at the wrong moment takes a slot with it.

    A permit that came too late goes to the next in line; who left is not in it.

    https://github.com/agronholm/anyio/issues/947
    """

    async def works_afterwards(
        permit: Callable[[], AbstractAsyncContextManager[object]],
    ) -> bool:
        """Whether the one permit is to be had after a waiter was cancelled."""
        leave, scope = anyio.Event(), anyio.CancelScope()

        async def hold() -> None:
            async with permit():
                await leave.wait()
                if moment == "late":
                    scope.cancel()

        async def wait() -> None:
            with scope:
                async with permit():
                    pass

        async def story() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(hold)
                await settle_down(3)
                group.start_soon(wait)
                await settle_down(3)
                if moment == "early":
                    scope.cancel()
                    await settle_down(3)
                leave.set()
            async with permit():
                pass

        return await PatientClock().ends(story)

    assert not await works_afterwards(HandOverGate(1).permit)
    assert await works_afterwards(Limiter(1, PatientClock()).permit)
