"""What is wired to what inside of a client, and in which order."""

from __future__ import annotations

from nectar_async._http.auth import FetchKey, StampKey
from nectar_async._http.executor import Executor
from nectar_async._http.pipeline import Limit, Retry, Unpack, compose
from nectar_async._http.retry import RetryBudget
from nectar_async._http.session import Session
from nectar_async._http.spans import AttemptSpan, CallSpan
from nectar_async._http.status import CheckFile, CheckStatus
from nectar_async._http.telemetry import Log
from nectar_async._http.timeouts import AttemptTimeout, Deadline
from nectar_async._http.transport import Stage
from nectar_async.settings import Settings

__all__ = ["build_executor"]


def build_executor(
    settings: Settings, session: Session, recorder: Stage | None, budget: RetryBudget
) -> Executor:
    """What a client and its nouns ask through, with all its stages."""
    clock, counters = session.clock, session.counters
    # The order of the stages, outermost first. Retry is outside the limiter, so that
    # nobody holds a permit while waiting; the key is stamped last, so that nothing
    # above can leak it.
    deadline = Deadline(settings.deadline, clock)
    retry = Retry(settings.retry, budget, clock, counters, deadline)
    timeout = AttemptTimeout(settings.attempt_timeout, clock)
    recorders = [] if recorder is None else [recorder]
    observers: list[Stage] = [AttemptSpan(), Log(clock)]
    stages: list[Stage] = [
        CallSpan(),
        deadline,
        retry,
        Unpack(session.turns),
        FetchKey(session.key_store, clock, counters),
        Limit(session.limiter, settings.retry, clock, counters),
        *observers,
        timeout,
        CheckStatus(clock, counters),
        *recorders,
        StampKey(session.key_store),
    ]
    # Files come from other hosts by links that are signed: no key, and a bound of
    # their own.
    files: list[Stage] = [
        CallSpan(),
        deadline,
        retry,
        Limit(session.download_limiter, settings.retry, clock, counters),
        *observers,
        timeout,
        CheckFile(clock, counters),
        *recorders,
    ]
    return Executor(
        settings, session, compose(stages, session.send), compose(files, session.send)
    )
