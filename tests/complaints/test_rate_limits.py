"""Complaints about concurrency and rate limits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from complaints.flawed_limiters import (
    EagerLimit,
    FixedLimit,
    HandOverLimiter,
    NestedCalls,
    PoolWithTimeout,
    ReplacedSemaphore,
    SlotDuringBackoff,
)
from complaints.scenario import GET, OK, BusyServer, SteppedClock, call_at_once
from doubles import ListServer, MakeClient, settle_down

from nectar_async import MemoryTransport, Request, Response, RetryPolicy
from nectar_async._http.limiter import Limiter

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

MANY_RETRIES = RetryPolicy(attempts=20, budget=500)

Ask = Callable[[Request[Any]], Coroutine[Any, Any, object]]


async def test_a_call_in_back_off_does_not_block_others(
    make_client: MakeClient,
) -> None:
    """A call in back-off keeps its slot, and all others wait.

    A permit is held for one attempt and released before the back-off.

    https://github.com/gardener/cc-utils/issues/1704
    https://github.com/matsonj/eval-connections/issues/14
    """

    async def measure_second(clock: SteppedClock, ask: Ask) -> float:
        """Measure when a call ends that starts after one that fails once."""
        ended_at = 0.0

        async def second() -> None:
            nonlocal ended_at
            await ask(GET)
            ended_at = clock.monotonic()

        async def both() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(ask, GET)
                await settle_down(2)
                group.start_soon(second)

        assert await clock.run(both)
        return ended_at

    def build_failing_transport() -> MemoryTransport:
        answers = [Response(500)]
        return MemoryTransport(lambda _: answers.pop() if answers else OK)

    clock = SteppedClock()
    flawed = SlotDuringBackoff(build_failing_transport().send, 1, clock)
    assert await measure_second(clock, flawed.ask) == 10

    clock = SteppedClock()
    slow_retry = RetryPolicy(wait_initial=10)
    nectar = make_client(
        build_failing_transport(), clock=clock, max_concurrency=1, retry=slow_retry
    )
    assert await measure_second(clock, nectar.send) == 0


async def test_one_429_pauses_all_calls(make_client: MakeClient) -> None:
    """Each call learns of a 429 by itself, so all others continue and get their own.

    A Retry-After pauses all calls of the client.

    https://github.com/angoyd/ha-lksystems/issues/83
    https://github.com/inyutin/aiohttp_retry/issues/59
    """

    class ClosedServer:
        """Answers 429 during the first ten seconds, with the time that remains."""

        def __init__(self, clock: SteppedClock) -> None:
            self.clock = clock
            self.refused = 0

        def __call__(self, _: Request[Any]) -> Response:
            if (remaining := 10 - self.clock.monotonic()) <= 0:
                return OK
            self.refused += 1
            return Response(429, {"Retry-After": f"{remaining:g}"})

    clock = SteppedClock()
    server = ClosedServer(clock)
    flawed = FixedLimit(MemoryTransport(server).send, 2, clock)
    assert await clock.run(lambda: call_at_once(lambda: flawed.ask(GET), 12))
    assert server.refused == 12

    clock = SteppedClock()
    server = ClosedServer(clock)
    nectar = make_client(server, clock=clock, max_concurrency=2)
    assert await clock.run(lambda: call_at_once(lambda: nectar.send(GET), 12))
    assert server.refused == 2
    assert nectar.statistics().attempts == 14


async def test_work_is_done_under_steady_429s(
    make_client: MakeClient,
) -> None:
    """Under steady 429s all calls retry in bursts, and none ever succeeds.

    Each round with a 429 halves the number of permits, and calls in back-off hold none.

    https://github.com/NVIDIA-NeMo/DataDesigner/issues/578
    https://github.com/NVIDIA-NeMo/DataDesigner/issues/575
    """
    policy = RetryPolicy(attempts=6)
    clock, server = SteppedClock(), BusyServer(4, is_fragile=True)
    flawed = FixedLimit(MemoryTransport(server).send, 10, clock, attempts=6)
    assert await clock.run(lambda: call_at_once(lambda: flawed.ask(GET), 20))
    assert (server.served, server.refused) == (0, 120)

    clock, server = SteppedClock(), BusyServer(4, is_fragile=True)
    nectar = make_client(server, clock=clock, retry=policy)
    assert await clock.run(lambda: call_at_once(lambda: nectar.send(GET), 20))
    assert server.served == 20


async def test_a_lower_limit_still_wakes_waiting_calls(make_client: MakeClient) -> None:
    """An adaptive limit hangs forever when it is lowered for the first time.

    There is one queue, whatever the limit is, and all calls in it are woken.

    https://github.com/atmire/dspace-python-client/issues/6
    """
    clock, server = SteppedClock(), BusyServer(2)
    flawed = ReplacedSemaphore(MemoryTransport(server).send, 6, clock)
    assert not await clock.run(lambda: call_at_once(lambda: flawed.ask(GET), 20))
    assert server.served < 20

    clock, server = SteppedClock(), BusyServer(2)
    nectar = make_client(server, clock=clock, max_concurrency=6, retry=MANY_RETRIES)
    assert await clock.run(lambda: call_at_once(lambda: nectar.send(GET), 20))
    assert server.served == 20
    assert nectar.statistics().limit < 6


@pytest.mark.filterwarnings("ignore:max_concurrency is above 10")
async def test_the_limit_grows_by_one_per_round_and_not_per_answer(
    make_client: MakeClient,
) -> None:
    """A limit that grows with each answer soon exceeds the old one.

    The limit grows by one permit after a whole round of successes.

    https://github.com/palantir/dialogue/pull/722
    """
    clock, server = SteppedClock(), BusyServer(4)
    flawed = EagerLimit(MemoryTransport(server).send, 20, clock)
    assert await clock.run(lambda: call_at_once(lambda: flawed.ask(GET), 240))
    flawed_refused = server.refused

    clock, server = SteppedClock(), BusyServer(4)
    nectar = make_client(server, clock=clock, max_concurrency=20, retry=MANY_RETRIES)
    assert await clock.run(lambda: call_at_once(lambda: nectar.send(GET), 240))
    assert server.served == 240
    assert server.refused < flawed_refused / 1.5


async def test_most_429s_are_avoided(
    make_client: MakeClient,
) -> None:
    """Retries after 429 are slow; a rate that avoids 429s is wanted.

    The limiter stays near the rate that the server accepts. It works within a process:
    if several hosts share a key, give each its share of `max_concurrency`.

    https://github.com/slackapi/python-slack-sdk/issues/1101
    """
    clock, server = SteppedClock(), BusyServer(3)
    flawed = FixedLimit(MemoryTransport(server).send, 10, clock, attempts=50)
    assert await clock.run(lambda: call_at_once(lambda: flawed.ask(GET), 100))
    assert server.refused > 100

    clock, server = SteppedClock(), BusyServer(3)
    nectar = make_client(server, clock=clock, retry=MANY_RETRIES)
    assert await clock.run(lambda: call_at_once(lambda: nectar.send(GET), 100))
    assert server.served == 100
    assert server.refused < 60


@pytest.mark.slow
async def test_a_thousand_calls_at_once_on_one_client_all_finish(
    make_client: MakeClient,
) -> None:
    """Under load, the calls of one shared client fail with pool timeouts.

    Any number of calls can share one client. They wait in a queue for a permit, which
    `attempt_timeout` does not include; only a `deadline` limits that wait.

    https://github.com/openai/openai-python/issues/874
    https://github.com/yanyongyu/githubkit/issues/290
    """

    def build_slow_transport(clock: SteppedClock) -> MemoryTransport:
        """Answer each request after one second."""

        async def answer(_: Request[Any]) -> Response:
            await clock.sleep(1)
            return OK

        return MemoryTransport(answer)

    succeeded: list[int] = []

    async def call_all(ask: Ask) -> None:
        succeeded.append(await call_at_once(lambda: ask(GET), 1_000))

    clock = SteppedClock()
    flawed = PoolWithTimeout(build_slow_transport(clock).send, 10, clock, timeout=5)
    assert await clock.run(lambda: call_all(flawed.ask))

    clock = SteppedClock()
    nectar = make_client(build_slow_transport(clock), clock=clock)
    assert await clock.run(lambda: call_all(nectar.send))
    assert succeeded == [60, 1_000]
    assert clock.monotonic() == 100
    assert nectar.statistics().peak_in_flight == 10


async def test_nested_lists_do_not_deadlock(make_client: MakeClient) -> None:
    """Nested calls that share a limiter deadlock.

    No call requests a permit while it holds one, so lists can be nested to any depth.

    https://github.com/banteg/multicall.py/issues/93
    https://github.com/python-trio/trio-asyncio/issues/143
    """
    names = ["a", "b", "c"]
    server = ListServer.of_pages(a=3, b=3, c=3)
    flawed = NestedCalls(server.transport.send, 2)
    lists = [Request.get("companies_list", "/company", list) for _ in names]

    async def run_flawed() -> None:
        async with anyio.create_task_group() as group:
            for request in lists:
                group.start_soon(flawed.fetch_company, request, lists)

    assert not await SteppedClock().run(run_flawed)

    nectar = make_client(server.transport, max_concurrency=2)
    ids: list[str] = []

    async def read_nested(name: str) -> None:
        async with nectar.repository.usage(companies=[name]) as records:
            async for _ in records:
                ids.extend([usage.id async for usage in nectar.usage.by_company(name)])

    async def read_all() -> None:
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(read_nested, name)

    assert await SteppedClock().run(read_all)
    assert len(ids) == 3 * 6 * 6
    assert server.peak == 2


@pytest.mark.parametrize("moment", ["early", "late"])
async def test_a_cancelled_waiter_loses_no_permit(moment: str) -> None:
    """A waiter that is cancelled at the wrong moment takes its slot with it.

    A permit for a cancelled waiter goes to the next one in the queue.

    https://github.com/agronholm/anyio/issues/947
    """

    async def is_free_afterwards(
        permit: Callable[[], AbstractAsyncContextManager[object]],
    ) -> bool:
        """Whether the permit is available after a waiter was cancelled."""
        release, scope = anyio.Event(), anyio.CancelScope()

        async def hold() -> None:
            async with permit():
                await release.wait()
                if moment == "late":
                    scope.cancel()

        async def wait() -> None:
            with scope:
                async with permit():
                    pass

        async def scenario() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(hold)
                await settle_down(3)
                group.start_soon(wait)
                await settle_down(3)
                if moment == "early":
                    scope.cancel()
                    await settle_down(3)
                release.set()
            async with permit():
                pass

        return await SteppedClock().run(scenario)

    assert not await is_free_afterwards(HandOverLimiter(1).permit)
    assert await is_free_afterwards(Limiter(1, SteppedClock()).permit)
