"""What is wired to what inside of a client, and in which order."""

from __future__ import annotations

from nectar_async._http.auth import FreshKey, StampKey
from nectar_async._http.executor import Core
from nectar_async._http.pipeline import Limit, Retry, Unpack, compose
from nectar_async._http.retry import RetryBudget
from nectar_async._http.session import Link
from nectar_async._http.spans import AttemptSpan, CallSpan
from nectar_async._http.status import CheckFile, CheckStatus
from nectar_async._http.telemetry import Log
from nectar_async._http.timeouts import AttemptTimeout, Deadline
from nectar_async._http.transport import Stage
from nectar_async.settings import Settings

__all__ = ["core_of"]


def core_of(
    settings: Settings, link: Link, recorder: Stage | None, budget: RetryBudget
) -> Core:
    """What a client and its nouns ask through, with all its stages."""
    clock, tally = link.clock, link.tally
    # The order of the stages, outermost first. Retry is outside the gate, so that
    # nobody holds a permit while waiting; the key is stamped last, so that nothing
    # above can leak it.
    deadline = Deadline(settings.deadline, clock)
    retry = Retry(settings.retry, budget, clock, tally, deadline)
    timeout = AttemptTimeout(settings.attempt_timeout, clock)
    recorders = [] if recorder is None else [recorder]
    observers: list[Stage] = [AttemptSpan(), Log(clock)]
    stages: list[Stage] = [
        CallSpan(),
        deadline,
        retry,
        Unpack(link.turns),
        FreshKey(link.ring, clock, tally),
        Limit(link.gate, settings.retry, clock, tally),
        *observers,
        timeout,
        CheckStatus(clock, tally),
        *recorders,
        StampKey(link.ring),
    ]
    # Files come from other hosts by links that are signed: no key, and a bound of
    # their own.
    files: list[Stage] = [
        CallSpan(),
        deadline,
        retry,
        Limit(link.files_gate, settings.retry, clock, tally),
        *observers,
        timeout,
        CheckFile(clock, tally),
        *recorders,
    ]
    return Core(settings, link, compose(stages, link.send), compose(files, link.send))
