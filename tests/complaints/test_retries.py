"""Complaints about retries and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from complaints.naive_retry import (
    AnyVerb,
    AttemptsOnly,
    FullJitter,
    OneBudget,
    SameWait,
)
from complaints.scene import GET, OK
from doubles import MakeClient

from nectar_async import (
    AttemptTimeoutError,
    ConnectionFailedError,
    DeadlineExceededError,
    MemoryTransport,
    Request,
    Response,
    RetryPolicy,
    SystemClock,
    VirtualClock,
)

pytestmark = pytest.mark.anyio

Ask = Callable[[Request[Any]], Awaitable[object]]


class LuckyClock(VirtualClock):
    """Waits take no time; luck is that of the machine."""

    def jitter(self) -> float:
        return SystemClock().jitter()


async def test_one_bound_holds_for_the_whole_call(make_client: MakeClient) -> None:
    """`timeout=30` with two retries means 91 seconds.

    `attempt_timeout` bounds an attempt, `deadline` the whole call; the error says where
    the time went.

    https://github.com/openai/openai-python/issues/3828
    """

    def slow(clock: VirtualClock) -> MemoryTransport:
        """Each attempt takes its thirty seconds, and fails."""

        def answer(_: Request[Any]) -> object:
            clock.advance(30)
            return ConnectionFailedError("went silent")

        return MemoryTransport(answer)

    clock = VirtualClock()
    naive = AttemptsOnly(slow(clock).send, clock, timeout=30, max_retries=2)
    with pytest.raises(ConnectionFailedError):
        await naive.ask(GET)
    assert clock.monotonic() == 91.5

    clock = VirtualClock()
    nectar = make_client(slow(clock), clock=clock, attempt_timeout=30, deadline=30)
    with pytest.raises(DeadlineExceededError, match=r"30\.0 s in 1 attempt,"):
        await nectar.send(GET)
    assert clock.monotonic() == 30


async def test_a_slow_attempt_leaves_time_for_the_next(make_client: MakeClient) -> None:
    """One timeout for all attempts: a slow one starves its retries.

    An attempt ends at its own bound, and the next one has time.

    https://github.com/567-labs/instructor/issues/2633
    https://github.com/bcgov/bcdata_py/issues/243
    """

    def stuck_once() -> MemoryTransport:
        calls = 0

        async def answer(_: Request[Any]) -> Response:
            nonlocal calls
            calls += 1
            if calls == 1:
                await anyio.sleep_forever()
            return OK

        return MemoryTransport(answer)

    transport = stuck_once()
    naive = OneBudget(transport.send, timeout=0.1, max_retries=2)
    with pytest.raises(TimeoutError):
        await naive.ask(GET)
    assert len(transport.requests) == 1

    transport = stuck_once()
    nectar = make_client(transport, attempt_timeout=0.1, clock=VirtualClock())
    assert await nectar.send(GET) == {}
    assert len(transport.requests) == 2


async def test_workers_that_are_told_the_same_wait_come_back_apart(
    make_client: MakeClient,
) -> None:
    """Thirty workers honour the same Retry-After, and come back as a herd.

    Jitter on top of what the server asks for, and never below it.

    https://github.com/NousResearch/hermes-agent/issues/109234
    """

    def refusing_once() -> MemoryTransport:
        answers = [Response(429, {"Retry-After": "10"})]
        return MemoryTransport(lambda _: answers.pop() if answers else OK)

    async def waits(
        kind: Callable[[MemoryTransport, VirtualClock], Ask],
    ) -> list[float]:
        """Seconds from each of twenty workers' call to its end."""
        took: list[float] = []
        for _ in range(20):
            clock = LuckyClock()
            await kind(refusing_once(), clock)(GET)
            took.append(clock.monotonic())
        return took

    exact = await waits(lambda transport, clock: SameWait(transport.send, clock).ask)
    assert set(exact) == {10}
    early = await waits(lambda transport, clock: FullJitter(transport.send, clock).ask)
    assert min(early) < 10

    ours = await waits(
        lambda transport, clock: make_client(transport, clock=clock).send
    )
    assert len(set(ours)) == 20
    assert 10 <= min(ours) <= max(ours) <= 11


async def test_a_write_that_timed_out_is_not_done_twice(
    make_client: MakeClient,
) -> None:
    """A POST that timed out was sent again, and published twice.

    A write is sent again only if it provably was not done, or the API says that a
    repeat does no harm.

    https://github.com/zernio-dev/zernio-python/issues/42
    https://github.com/anthropics/anthropic-sdk-java/issues/370
    """

    class Registry:
        """Does what it is told, and is too slow to say so at first."""

        def __init__(self) -> None:
            self.done = 0

        async def __call__(self, _: Request[Any]) -> Response:
            self.done += 1
            if self.done == 1:
                await anyio.sleep_forever()
            return OK

    write = Request.post("thing_post", "/thing", dict, json={"name": "x"})
    registry = Registry()
    await AnyVerb(MemoryTransport(registry).send, timeout=0.1).ask(write)
    assert registry.done == 2

    registry = Registry()
    nectar = make_client(registry, attempt_timeout=0.1, retry=RetryPolicy(attempts=9))
    with pytest.raises(AttemptTimeoutError) as caught:
        await nectar.send(write)
    assert registry.done == caught.value.attempts == 1
