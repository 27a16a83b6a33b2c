"""Complaints about retries and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from complaints.flawed_retries import (
    AttemptTimeoutOnly,
    ExactWait,
    FullJitter,
    RetryAnyMethod,
    SharedTimeout,
)
from complaints.scenario import GET, OK
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

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

Ask = Callable[[Request[Any]], Awaitable[object]]


class JitterClock(VirtualClock):
    """A virtual clock with real random jitter."""

    def jitter(self) -> float:
        return SystemClock().jitter()


async def test_a_deadline_limits_the_whole_call(make_client: MakeClient) -> None:
    """`timeout=30` with two retries takes up to 91 seconds.

    `attempt_timeout` limits an attempt and `deadline` the whole call. The error says
    how the time was spent.

    https://github.com/openai/openai-python/issues/3828
    """

    def build_slow_transport(clock: VirtualClock) -> MemoryTransport:
        """Let each attempt fail after 30 seconds."""

        def answer(_: Request[Any]) -> object:
            clock.advance(30)
            return ConnectionFailedError("no answer")

        return MemoryTransport(answer)

    clock = VirtualClock()
    flawed = AttemptTimeoutOnly(
        build_slow_transport(clock).send, clock, timeout=30, max_retries=2
    )
    with pytest.raises(ConnectionFailedError):
        await flawed.ask(GET)
    assert clock.monotonic() == 91.5

    clock = VirtualClock()
    nectar = make_client(
        build_slow_transport(clock), clock=clock, attempt_timeout=30, deadline=30
    )
    with pytest.raises(DeadlineExceededError, match=r"30\.0 s in 1 attempt,"):
        await nectar.send(GET)
    assert clock.monotonic() == 30


async def test_a_slow_attempt_leaves_time_for_the_next(make_client: MakeClient) -> None:
    """One timeout covers all attempts, so a slow attempt leaves no time for retries.

    Each attempt has its own time limit, so that there is time for the next one.

    https://github.com/567-labs/instructor/issues/2633
    https://github.com/bcgov/bcdata_py/issues/243
    """

    def build_stuck_transport() -> MemoryTransport:
        calls = 0

        async def answer(_: Request[Any]) -> Response:
            nonlocal calls
            calls += 1
            if calls == 1:
                await anyio.sleep_forever()
            return OK

        return MemoryTransport(answer)

    transport = build_stuck_transport()
    flawed = SharedTimeout(transport.send, timeout=0.1, max_retries=2)
    with pytest.raises(TimeoutError):
        await flawed.ask(GET)
    assert len(transport.requests) == 1

    transport = build_stuck_transport()
    nectar = make_client(transport, attempt_timeout=0.1, clock=VirtualClock())
    assert await nectar.send(GET) == {}
    assert len(transport.requests) == 2


async def test_clients_with_the_same_retry_after_do_not_retry_at_once(
    make_client: MakeClient,
) -> None:
    """Many workers with the same Retry-After retry at the same moment.

    Jitter is added to Retry-After, and the wait is never shorter than that.

    https://github.com/NousResearch/hermes-agent/issues/109234
    """

    def build_refusing_transport() -> MemoryTransport:
        answers = [Response(429, {"Retry-After": "10"})]
        return MemoryTransport(lambda _: answers.pop() if answers else OK)

    async def measure_waits(
        build: Callable[[MemoryTransport, VirtualClock], Ask],
    ) -> list[float]:
        """Measure the seconds that each of twenty calls takes."""
        seconds: list[float] = []
        for _ in range(20):
            clock = JitterClock()
            await build(build_refusing_transport(), clock)(GET)
            seconds.append(clock.monotonic())
        return seconds

    exact = await measure_waits(
        lambda transport, clock: ExactWait(transport.send, clock).ask
    )
    assert set(exact) == {10}
    early = await measure_waits(
        lambda transport, clock: FullJitter(transport.send, clock).ask
    )
    assert min(early) < 10

    ours = await measure_waits(
        lambda transport, clock: make_client(transport, clock=clock).send
    )
    assert len(set(ours)) == 20
    assert 10 <= min(ours) <= max(ours) <= 11


async def test_a_write_that_timed_out_is_not_repeated(
    make_client: MakeClient,
) -> None:
    """A POST that timed out was sent again and published twice.

    A write is sent again only if the server certainly did not execute it, or if the
    contract says that a repetition is harmless.

    https://github.com/zernio-dev/zernio-python/issues/42
    https://github.com/anthropics/anthropic-sdk-java/issues/370
    """

    class SlowServer:
        """Executes every request, and never answers the first."""

        def __init__(self) -> None:
            self.executed = 0

        async def __call__(self, _: Request[Any]) -> Response:
            self.executed += 1
            if self.executed == 1:
                await anyio.sleep_forever()
            return OK

    write = Request.post("thing_post", "/thing", dict, json={"name": "x"})
    server = SlowServer()
    await RetryAnyMethod(MemoryTransport(server).send, timeout=0.1).ask(write)
    assert server.executed == 2

    server = SlowServer()
    nectar = make_client(server, attempt_timeout=0.1, retry=RetryPolicy(attempts=9))
    with pytest.raises(AttemptTimeoutError) as caught:
        await nectar.send(write)
    assert server.executed == caught.value.attempts == 1
