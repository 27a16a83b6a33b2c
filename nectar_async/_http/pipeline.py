"""The stages around a transport, and their order: the only place that decides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nectar_async._http.auth import FetchKey, StampKey
from nectar_async._http.compression import Decompress
from nectar_async._http.file_response import CheckFile
from nectar_async._http.headers import StampHeaders
from nectar_async._http.limiter import Limit
from nectar_async._http.request import Request
from nectar_async._http.response import Response, check_response
from nectar_async._http.retry import Retry, RetryBudget
from nectar_async._http.session import Session
from nectar_async._http.status import CheckStatus
from nectar_async._http.telemetry import AttemptSpan, CallSpan, LogAttempt
from nectar_async._http.timeouts import AttemptTimeout, Deadline
from nectar_async._http.transport import Send, Stage
from nectar_async.settings import Settings

__all__ = ["build_api_pipeline", "build_file_pipeline", "compose"]


def build_api_pipeline(
    settings: Settings,
    session: Session,
    budget: RetryBudget,
    stages: Sequence[Stage] = (),
    recorder: Stage | None = None,
) -> Send:
    """Build the pipeline of API requests.

    Args:
        settings: the settings of the client.
        session: the session that its copies share.
        budget: the repeats that it has left.
        stages: the user's stages.
        recorder: the stage that records or replays.
    """
    clock, counters = session.clock, session.counters
    deadline = Deadline(settings.deadline, clock)
    # Outermost first. Retry is outside the limiter, so that no permit is held during a
    # wait. The key is stamped last, so that no other stage can leak it.
    order: list[Stage] = [
        CallSpan(),
        deadline,
        Retry(settings.retry, budget, clock, counters, deadline),
        Decompress(session.scheduler),
        FetchKey(session.key_store, clock, counters),
        Limit(session.limiter, settings.retry, clock, counters),
        AttemptSpan(),
        LogAttempt(clock),
        AttemptTimeout(settings.attempt_timeout, clock),
        CheckStatus(clock, counters),
        *(_check_result(stage) for stage in stages),
        *([] if recorder is None else [recorder]),
        StampHeaders(accept="application/json"),
        StampKey(session.key_store),
    ]
    return compose(order, session.send)


def build_file_pipeline(
    settings: Settings,
    session: Session,
    budget: RetryBudget,
    recorder: Stage | None = None,
) -> Send:
    """Build the pipeline of file downloads.

    Files come from other hosts by links that open without a key, so there is no key and
    none of the user's stages. Downloads have a limiter of their own.
    """
    clock, counters = session.clock, session.counters
    deadline = Deadline(settings.deadline, clock)
    order: list[Stage] = [
        CallSpan(),
        deadline,
        Retry(settings.retry, budget, clock, counters, deadline),
        Limit(session.download_limiter, settings.retry, clock, counters),
        AttemptSpan(),
        LogAttempt(clock),
        AttemptTimeout(settings.attempt_timeout, clock),
        CheckFile(clock, counters),
        *([] if recorder is None else [recorder]),
        StampHeaders(accept="*/*"),
    ]
    return compose(order, session.send)


def compose(stages: Sequence[Stage], send: Send) -> Send:
    """Wrap stages around an innermost `send`; the first stage is the outermost."""
    for stage in reversed(stages):
        send = _wrap(stage, send)
    return send


def _check_result(stage: Stage) -> Stage:
    """Wrap a stage of the user's, to check that it returns a response."""

    async def call_stage(request: Request[Any], send: Send) -> Response:
        return check_response(await stage(request, send), stage)

    return call_stage


def _wrap(stage: Stage, send: Send) -> Send:
    return lambda request: stage(request, send)
