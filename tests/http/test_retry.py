"""Which failed requests are sent again, and after which wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import NoneType
from typing import Any

import pytest
from attrs import evolve
from doubles import MakeClient
from hypothesis import given, strategies as st

from nectar_async import (
    ConnectionFailedError,
    MemoryTransport,
    NectarError,
    Request,
    Response,
    RetryPolicy,
    VirtualClock,
)
from nectar_async._http.retry import (
    RetryBudget,
    decide_wait,
    may_have_happened,
    recover_repeated_delete,
)
from nectar_async._http.status import raise_for_status
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyCorruptError,
    BodyTooLargeError,
    ClientClosedError,
    ConfigurationError,
    DeadlineExceededError,
    DecodeError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    StatusError,
)

POLICY = RetryPolicy(attempts=4, wait_initial=0.5, wait_max=30, retry_after_max=120)


def status(code: int, retry_after: str | None = None) -> NectarError:
    """The error of a status, as the client raises it."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    with pytest.raises(StatusError) as caught:
        raise_for_status(Response(code, headers), datetime(2026, 1, 1, tzinfo=UTC))
    return caught.value


VERBS: dict[str, Request[Any]] = {
    "GET": Request.get("o", "/", dict),
    "PUT": Request(
        operation="o", method="PUT", path="/", returns=dict, is_repeatable=True
    ),
    "DELETE": Request.delete("o", "/", NoneType),
    "POST": Request.post("o", "/", dict, json={}),
    "PATCH": Request.patch("o", "/", dict, json={}),
    "POST that may be repeated": Request.post(
        "o", "/", dict, json={}, is_repeatable=True
    ),
    "PATCH that may be repeated": Request.patch(
        "o", "/", dict, json={}, is_repeatable=True
    ),
    "GET that creates": evolve(
        Request.get("magic", "/", dict), is_repeatable=False
    ),
}  # fmt: skip
HARMLESS = {
    "GET",
    "PUT",
    "DELETE",
    "POST that may be repeated",
    "PATCH that may be repeated",
}

# Each failure, with the verbs that are sent again after it.
EVERY, NONE = set(VERBS), set[str]()
OUTCOMES: list[tuple[str, NectarError, set[str]]] = [
    ("refused", status(429), EVERY),
    ("never sent", ConnectionFailedError("", is_sent=False), EVERY),
    ("broke", ConnectionFailedError(""), HARMLESS),
    ("timed out", AttemptTimeoutError(""), HARMLESS),
    ("damaged", BodyCorruptError(""), HARMLESS),
    *(
        (str(code), status(code), HARMLESS)
        for code in (408, 500, 502, 503, 504, 520, 522, 524, 530)
    ),
    (
        "never sent, for good",
        ConnectionFailedError("", is_sent=False, is_permanent=True),
        NONE,
    ),
    ("too large", BodyTooLargeError(""), NONE),
    ("damaged, for good", BodyCorruptError("", is_permanent=True), NONE),
    *(
        (str(code), status(code), NONE)
        for code in (301, 307, 400, 401, 403, 404, 409, 418, 422, 501, 505, 531)
    ),
    ("closed", ClientClosedError(""), NONE),
    ("misconfigured", ConfigurationError(""), NONE),
    ("no such shape", DecodeError(""), NONE),
    ("deadline", DeadlineExceededError(""), NONE),
]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("error", "repeated"),
    [pytest.param(error, verbs, id=name) for name, error, verbs in OUTCOMES],
)
def test_the_failure_and_the_verb_decide_whether_a_request_is_repeated(
    error: NectarError, repeated: set[str], verb: str
) -> None:
    request = VERBS[verb]
    for attempt in (1, 2, 3):
        wait = decide_wait(request, error, attempt, POLICY, 0.0)
        assert (wait is not None) is (verb in repeated)
    for attempt in (4, 5, 100):
        assert decide_wait(request, error, attempt, POLICY, 0.0) is None


def chunks() -> AsyncIterator[bytes]:
    raise NotImplementedError


class Once:
    """A stream of chunks that can be read once."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("body", "is_repeated"),
    [(None, True), (b"", True), (b"x", True), (chunks, True), (Once(), False)],
)
@pytest.mark.parametrize("error", [status(429), ConnectionFailedError("")])
def test_a_body_that_can_be_read_once_is_sent_once(
    error: NectarError, body: Any, is_repeated: bool
) -> None:
    request = evolve(VERBS["PUT"], body=body)
    assert (decide_wait(request, error, 1, POLICY, 0.0) is not None) is is_repeated


def test_waits_double_up_to_the_longest() -> None:
    policy = RetryPolicy(attempts=100, wait_initial=0.5, wait_max=30)
    error = status(500)
    waits = [decide_wait(VERBS["GET"], error, n, policy, 0.0) for n in range(1, 10)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_jitter_adds_up_to_half_and_never_subtracts() -> None:
    error = status(503)
    assert decide_wait(VERBS["GET"], error, 2, POLICY, 0.999) == 1.0 + 0.999 * 0.5


def test_many_attempts_do_not_overflow() -> None:
    policy = RetryPolicy(attempts=10**6, wait_max=30)
    assert decide_wait(VERBS["GET"], status(500), 999_999, policy, 0.0) == 30


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 00:00:40 GMT", 40.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("120", 120.0),
    ],
)
def test_the_wait_is_the_one_that_the_server_asks_for(
    code: int, retry_after: str, seconds: float
) -> None:
    error = status(code, retry_after)
    assert decide_wait(VERBS["GET"], error, 1, POLICY, 0.0) == seconds
    spread = max(0.5, seconds / 10)
    assert (
        decide_wait(VERBS["GET"], error, 1, POLICY, 0.999) == seconds + 0.999 * spread
    )


@pytest.mark.parametrize("retry_after", [None, "", "soon", "nan"])
def test_without_a_retry_after_the_policy_decides_the_wait(
    retry_after: str | None,
) -> None:
    assert decide_wait(VERBS["GET"], status(429, retry_after), 2, POLICY, 0.0) == 1.0


@pytest.mark.parametrize(
    "retry_after", ["120.1", "3600", "inf", "Thu, 01 Jan 2026 01:00:00 GMT"]
)
def test_a_wait_over_the_limit_is_final(retry_after: str) -> None:
    assert decide_wait(VERBS["GET"], status(429, retry_after), 1, POLICY, 0.0) is None


@given(
    attempt=st.integers(1, 50),
    jitter=st.floats(0, 1, exclude_max=True),
    initial=st.floats(0, 100),
    longest=st.floats(0, 100),
)
def test_a_wait_is_never_negative_and_never_over_one_and_a_half_times_the_longest(
    attempt: int, jitter: float, initial: float, longest: float
) -> None:
    policy = RetryPolicy(attempts=99, wait_initial=initial, wait_max=longest)
    wait = decide_wait(VERBS["GET"], status(500), attempt, policy, jitter)
    assert wait is not None
    assert 0 <= wait <= longest * 1.5


@pytest.mark.parametrize("error", [NotFoundError("", status=404), status(403)])
def test_a_repeated_delete_that_finds_nothing_is_a_success(error: NectarError) -> None:
    done = recover_repeated_delete(VERBS["DELETE"], error)
    assert done is not None
    assert done.status == 204


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        ("DELETE", status(409)),
        ("DELETE", ConnectionFailedError()),
        ("GET", status(404)),
        ("PUT", status(404)),
        ("POST", status(404)),
    ],
)
def test_any_other_failure_of_a_repeat_stays_a_failure(
    verb: str, error: NectarError
) -> None:
    assert recover_repeated_delete(VERBS[verb], error) is None


@pytest.mark.parametrize(
    ("error", "may_have"),
    [
        (status(500), True),
        (status(502), True),
        (status(408), True),
        (status(520), True),
        (status(531), False),
        (AttemptTimeoutError(), True),
        (ConnectionFailedError(), True),
        (ConnectionFailedError(is_sent=False), False),
        (status(429), False),
        (status(404), False),
        (DecodeError(), False),
    ],
)
def test_a_request_that_was_sent_may_have_happened(
    error: NectarError, *, may_have: bool
) -> None:
    assert may_have_happened(error) is may_have


def test_the_budget_is_used_up_and_earned_back() -> None:
    budget = RetryBudget(2)
    assert [budget.spend() for _ in range(4)] == [True, True, False, False]
    for _ in range(5):
        budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]


def test_the_budget_never_grows_over_its_size() -> None:
    budget = RetryBudget(1)
    for _ in range(100):
        budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]


def test_an_empty_budget_allows_no_repeat() -> None:
    budget = RetryBudget(0)
    budget.earn()
    assert not budget.spend()


# The retry stage.


def answers(*values: object) -> MemoryTransport:
    """A transport that returns one of these answers for each request."""
    replies = iter(values)
    return MemoryTransport(lambda _: next(replies))


GET = Request.get("thing_get", "/thing", dict)


@pytest.mark.anyio
async def test_the_stage_sleeps_exactly_as_decided(
    make_client: MakeClient,
) -> None:
    clock = VirtualClock()
    transport = answers(
        Response(500), Response(429, {"retry-after": "7"}), Response(502), {}
    )
    nectar = make_client(transport, clock=clock)
    assert await nectar.send(GET) == {}
    assert clock.sleeps == [0.5, 7.0, 2.0]
    statistics = nectar.statistics()
    assert (statistics.requests, statistics.attempts, statistics.retries) == (1, 4, 3)
    assert (statistics.rate_limited, statistics.backoff_seconds) == (1, 9.5)


@pytest.mark.anyio
async def test_the_stage_adds_jitter(make_client: MakeClient) -> None:
    clock = VirtualClock(jitter=0.999)
    nectar = make_client(answers(Response(500), {}), clock=clock)
    await nectar.send(GET)
    assert clock.sleeps == [0.5 + 0.999 * 0.25]


@pytest.mark.anyio
async def test_the_last_error_is_raised_with_the_number_of_attempts(
    make_client: MakeClient,
) -> None:
    nectar = make_client(answers(*[Response(500)] * 4), clock=VirtualClock())
    with pytest.raises(ServerError, match=r"after 4 attempts in 3\.5 s") as caught:
        await nectar.send(GET)
    assert (caught.value.attempts, caught.value.elapsed) == (4, 3.5)


@pytest.mark.anyio
async def test_an_error_with_a_wait_over_the_limit_is_raised_at_once(
    make_client: MakeClient,
) -> None:
    clock = VirtualClock()
    nectar = make_client(answers(Response(429, {"retry-after": "500"})), clock=clock)
    with pytest.raises(RateLimitedError) as caught:
        await nectar.send(GET)
    assert caught.value.retry_after == 500
    assert (clock.sleeps, caught.value.attempts) == ([], 1)


@pytest.mark.anyio
async def test_a_client_without_budget_fails_at_the_first_attempt(
    make_client: MakeClient,
) -> None:
    clock = VirtualClock()
    transport = MemoryTransport(lambda _: Response(503))
    nectar = make_client(transport, clock=clock, retry=RetryPolicy(budget=3))
    for _ in range(5):
        with pytest.raises(ServerError):
            await nectar.send(GET)
    assert len(clock.sleeps) == 3
    assert len(transport.requests) == 5 + 3


@pytest.mark.anyio
async def test_an_error_notes_that_the_budget_is_empty(make_client: MakeClient) -> None:
    nectar = make_client(
        MemoryTransport(lambda _: Response(503)), retry=RetryPolicy(budget=0)
    )
    with pytest.raises(ServerError) as caught:
        await nectar.send(GET)
    (note,) = caught.value.__notes__
    assert "RetryPolicy.budget" in note


@pytest.mark.anyio
async def test_repeats_after_a_429_do_not_use_the_budget(
    make_client: MakeClient,
) -> None:
    answers = iter([Response(429, {"Retry-After": "1"}), Response(200, {}, b"{}")] * 50)
    clock = VirtualClock()
    nectar = make_client(
        MemoryTransport(lambda _: next(answers)),
        clock=clock,
        retry=RetryPolicy(budget=0),
    )
    for _ in range(50):
        assert await nectar.send(GET) == {}
    assert clock.sleeps == [1.0] * 50


@pytest.mark.anyio
async def test_an_error_notes_a_wait_over_the_limit_and_the_setting(
    make_client: MakeClient,
) -> None:
    answer = Response(429, {"Retry-After": "600"})
    with pytest.raises(RateLimitedError) as caught:
        await make_client(MemoryTransport(lambda _: answer)).send(GET)
    (note,) = caught.value.__notes__
    assert "600 s" in note
    assert "retry_after_max is 120 s" in note


async def _no_chunks() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.anyio
@pytest.mark.parametrize(("body", "sent"), [(_no_chunks, 2), (_no_chunks(), 1)])
async def test_a_factory_of_chunks_is_sent_again_and_a_stream_is_not(
    make_client: MakeClient,
    body: Callable[[], AsyncIterator[bytes]] | AsyncIterator[bytes],
    sent: int,
) -> None:
    transport = MemoryTransport(lambda _: Response(429))
    nectar = make_client(transport, clock=VirtualClock(), retry=RetryPolicy(attempts=2))
    with pytest.raises(RateLimitedError):
        await nectar.send(evolve(Request.post("o", "/", dict), body=body))
    assert len(transport.requests) == sent


DELETE = Request.delete("site_delete", "/site/{site_id}", NoneType, site_id="s")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "first", [Response(500), Response(502), ConnectionFailedError("reset")]
)
@pytest.mark.parametrize("second", [403, 404])
async def test_a_delete_that_finds_nothing_the_second_time_is_a_success(
    make_client: MakeClient, first: object, second: int
) -> None:
    transport = answers(first, Response(second))
    nectar = make_client(transport, clock=VirtualClock())
    await nectar.send(DELETE)
    assert len(transport.requests) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(lambda: Response(429), id="refused"),
        pytest.param(lambda: ConnectionFailedError("", is_sent=False), id="never sent"),
    ],
)
async def test_a_delete_that_never_happened_and_is_then_forbidden_is_an_error(
    make_client: MakeClient, first: Callable[[], object]
) -> None:
    nectar = make_client(answers(first(), Response(403)), clock=VirtualClock())
    with pytest.raises(PermissionDeniedError):
        await nectar.send(DELETE)


@pytest.mark.anyio
async def test_a_get_that_creates_is_repeated_only_when_it_was_refused(
    make_client: MakeClient,
) -> None:
    request = evolve(GET, is_repeatable=False)
    nectar = make_client(answers(Response(429), {}), clock=VirtualClock())
    await nectar.send(request)
    transport = answers(Response(500), {})
    with pytest.raises(ServerError):
        await make_client(transport, clock=VirtualClock()).send(request)
    assert len(transport.requests) == 1
