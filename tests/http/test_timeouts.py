"""The timeout of an attempt and the deadline of a request."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from doubles import MakeClient

from nectar_async import (
    MemoryTransport,
    Request,
    Response,
    RetryPolicy,
    VirtualClock,
)
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyCorruptError,
    DeadlineExceededError,
)

pytestmark = pytest.mark.anyio


KEY = "canary-8f14e45f"


GET = Request.get("thing_get", "/thing", dict)


ONCE = RetryPolicy(attempts=1)


class Hanging:
    """A transport that never answers."""

    needs_key = False

    def __init__(self) -> None:
        self.begun = anyio.Event()

    async def send(self, request: Request[Any], /) -> Response:
        self.begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None: ...


async def test_an_attempt_that_takes_too_long_is_an_error(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Hanging(), attempt_timeout=0.01, retry=ONCE)
    with pytest.raises(AttemptTimeoutError, match=r"0\.01 s") as caught:
        await nectar.send(GET)
    assert caught.value.attempts == 1
    assert caught.value.operation == "thing_get"


async def test_each_attempt_has_its_own_time(make_client: MakeClient) -> None:
    clock = VirtualClock()
    nectar = make_client(Hanging(), attempt_timeout=0.01, clock=clock)
    with pytest.raises(AttemptTimeoutError) as caught:
        await nectar.send(GET)
    assert (caught.value.attempts, clock.sleeps) == (4, [0.5, 1.0, 2.0])


async def test_a_deadline_bounds_a_transport_that_hangs(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Hanging(), attempt_timeout=None, deadline=0.1)
    with pytest.raises(DeadlineExceededError) as caught:
        await nectar.send(GET)
    assert caught.value.network_seconds > 0
    assert (caught.value.backoff_seconds, caught.value.attempts) == (0, 1)
    assert "in 1 attempt" in str(caught.value)


async def test_a_deadline_bounds_the_queue(make_client: MakeClient) -> None:
    transport = Hanging()
    nectar = make_client(transport, attempt_timeout=None, max_concurrency=1)
    async with anyio.create_task_group() as group:
        group.start_soon(nectar.send, GET)
        await transport.begun.wait()
        with pytest.raises(DeadlineExceededError) as caught:
            await nectar.with_settings(deadline=0.01).send(GET)
        assert caught.value.queue_seconds > 0
        assert (caught.value.network_seconds, caught.value.attempts) == (0, 0)
        group.cancel_scope.cancel()


async def test_a_deadline_bounds_back_off(make_client: MakeClient) -> None:
    transport = MemoryTransport(lambda _: Response(503))
    clock = VirtualClock()
    nectar = make_client(transport, deadline=1.2, clock=clock)
    with pytest.raises(DeadlineExceededError) as caught:
        await nectar.send(GET)
    # The second wait of 1 s would end behind the deadline, so it is not begun.
    assert clock.sleeps == [0.5]
    assert caught.value.backoff_seconds == 0.5
    assert caught.value.attempts == 2
    assert "MaintenanceError" in caught.value.__notes__[0]


async def test_a_deadline_counts_the_wait_for_the_key_as_queueing(
    make_client: MakeClient,
) -> None:
    async def source() -> str:
        clock.advance(3)
        await anyio.sleep_forever()
        raise AssertionError

    clock = VirtualClock()
    nectar = make_client({"thing_get": {}}, api_key=source, deadline=0.01, clock=clock)
    with pytest.raises(DeadlineExceededError) as caught:
        await nectar.send(GET)
    assert caught.value.queue_seconds == 3


async def test_a_deadline_bounds_the_retries_of_a_corrupt_answer(
    make_client: MakeClient,
) -> None:
    deadlines: list[float] = []

    def damaged(_: Request[Any]) -> Response:
        deadlines.append(anyio.current_effective_deadline())
        return Response(200, {"content-encoding": "gzip"}, b"xxxx")

    nectar = make_client(
        MemoryTransport(damaged),
        attempt_timeout=None,
        deadline=1000.0,
        retry=RetryPolicy(wait_initial=0.01),
    )
    with pytest.raises(BodyCorruptError):
        await nectar.send(GET)
    assert len(deadlines) > 1
    assert deadlines == pytest.approx([deadlines[0]] * len(deadlines), abs=0.5)


async def test_a_deadline_holds_on_the_clock_of_the_client(
    make_client: MakeClient,
) -> None:
    nectar = make_client(
        MemoryTransport(lambda _: Response(503)), deadline=1.0, clock=VirtualClock()
    )
    with pytest.raises(DeadlineExceededError):
        await nectar.send(GET)  # its waits are 0.5, 1 and 2 seconds


async def test_a_timeout_of_the_caller_is_raised_as_it_is(
    make_client: MakeClient,
) -> None:
    nectar = make_client(Hanging(), attempt_timeout=None, deadline=None)
    with pytest.raises(TimeoutError), anyio.fail_after(0.01):
        await nectar.send(GET)
