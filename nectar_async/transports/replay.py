"""A transport that answers from a recording, without a server, a key or a network."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

import anyio.lowlevel
from attrs import evolve

from nectar_async._http.cancellation import run_in_thread
from nectar_async._http.clock import Clock, SystemClock, current_clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import (
    ConfigurationError,
    RecordingError,
    StaleRecordingError,
    UnusedRecordingError,
)
from nectar_async.faults import FaultInjector, FaultLike
from nectar_async.faults.delivery import IncompleteResponse
from nectar_async.faults.fault import find_page
from nectar_async.recording.exchange import Exchange, Question, build_question
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Repeat, Replayer
from nectar_async.recording.request_log import RequestLog
from nectar_async.transports._request_body import read_body

__all__ = ["OnStale", "RecordedTransport"]

OnStale = Literal["ignore", "warn", "error"]
"""The reaction to a recording that is older than `max_age`."""


class RecordedTransport:
    """Answers each request as it was answered when the recording was made.

    ```python
    transport = RecordedTransport("tests/recordings/usage")
    async with NectarClient(transport=transport) as nectar:
        records = [record async for record in nectar.usage.by_company(company_id)]
    transport.check_unused()
    ```

    Matching is strict: a request that was not recorded raises an error that names the
    nearest exchanges, and equal requests are answered as often as they were recorded.
    The order of different requests does not matter.

    Args:
        path: the folder of a recording.
        overlays: faults to inject. Each is a `Fault` (or `Overlay`, its alias), an
            effect for every request, or either as text, such as "answer status=429
            page=2 times=1".
        repeat: "last" repeats the last answer to a request for ever, for polling;
            "never" raises an error when the recorded answers are used up.
        max_age: how old the recording may be.
        on_stale: what to do with an older recording: "ignore", "warn" or "error".
        redaction: aliases for values that are redacted in requests; the rules always
            come from the recording.
        clock: the clock of overlays that wait; a client's virtual clock has precedence.

    Raises:
        ConfigurationError: an argument has a wrong type or value. The recording itself
            is read in a thread when the first request is sent.
    """

    needs_key = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overlays: Iterable[FaultLike] = (),
        repeat: Repeat = "never",
        max_age: timedelta | None = None,
        on_stale: OnStale = "warn",
        redaction: Redaction | None = None,
        clock: Clock | None = None,
    ) -> None:
        _check_word("repeat", repeat, get_args(Repeat))
        _check_word("on_stale", on_stale, get_args(OnStale))
        if max_age is not None and not isinstance(max_age, timedelta):
            raise ConfigurationError(
                f"max_age is a timedelta such as timedelta(days=90), not {max_age!r}"
            )
        self.path: Path = Path(path)
        self.witness: RequestLog = RequestLog()
        """The requests that were made, and how many of them at once."""
        self._faults = FaultInjector(overlays, argument="overlays")
        self._has_faults = bool(self._faults)
        self._repeat = repeat
        self._max_age = max_age
        self._on_stale = on_stale
        self._redaction = redaction
        self._clock = clock or SystemClock()
        self._loaded: tuple[Recording, Replayer] | None = None
        # The first requests arrive together, and each of them reads in a thread.
        self._lock = Lock()

    @property
    def recording(self) -> Recording:
        """The recording; the first access reads it from disk, which blocks."""
        recording, _ = self._load()
        return recording

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of the exchanges that were not requested so far."""
        _, replayer = self._load()
        return tuple(exchange.name for exchange in replayer.unused)

    @property
    def unmet(self) -> tuple[FaultLike, ...]:
        """The overlays that matched no request so far, as they were passed in."""
        return self._faults.unmet

    def check_unused(self) -> None:
        """Check at the end of a test that every exchange was requested.

        The unread pages of a list of which some page was read do not count: how far
        ahead a client fetches may change.

        Raises:
            UnusedRecordingError: some exchanges were not requested; names them.
        """
        if unused := self.unused:
            files = "".join(f"\n  {name}.json" for name in unused)
            raise UnusedRecordingError(
                f"{len(unused)} exchanges of {self.path} were not requested; record it"
                f" anew, or delete these files:{files}",
                unused=unused,
            )

    async def send(self, request: Request[Any], /) -> Response:
        """Answer a request from the recording.

        Raises:
            UnmatchedRequestError: no such request is recorded, or its answers are used
                up.
            RecordingError: the recording does not exist or cannot be read.
        """
        body = await read_body(request)
        question = build_question(request, body)
        with self.witness.watch(question):
            replayer = await self.load_replayer()
            await anyio.lowlevel.checkpoint()
            replayer.mark_asked(question)
            if not self._has_faults:
                return replayer.answer(question).response()
            return await self._send_through_faults(request, question, body, replayer)

    async def _send_through_faults(
        self,
        request: Request[Any],
        question: Question,
        body: bytes | None,
        replayer: Replayer,
    ) -> Response:
        """Answer a request; an answer that a fault withholds is put back."""
        taken: list[Exchange] = []

        async def send(sent: Request[Any]) -> Response:
            sent_question = build_question(sent, body)
            if sent_question.key != question.key:
                return _look_up(replayer, sent, sent_question)
            # A client may read a list again that a fault has changed.
            can_repeat = self._faults.has_hit_list(request)
            taken.append(replayer.take(question, can_repeat=can_repeat))
            return taken[-1].answer.response()

        response: Response | None = None
        try:
            clock = current_clock.get() or self._clock
            response = await self._faults.apply(request, send, clock=clock)
        finally:
            for exchange in taken:
                if not _is_delivered(exchange, response):
                    replayer.put_back(exchange)
        return response

    async def load_replayer(self) -> Replayer:
        """Get the replayer of the recording, which a thread reads on the first call.

        Raises:
            RecordingError: the recording does not exist or cannot be read.
            StaleRecordingError: it is older than `max_age`, and `on_stale` is "error".
        """
        if self._loaded is None:
            _, replayer = await run_in_thread(self._load)
        else:
            _, replayer = self._loaded
        return replayer

    async def aclose(self) -> None:
        """Do nothing: no file or connection is open."""

    def _load(self) -> tuple[Recording, Replayer]:
        """Read the recording from disk on the first call."""
        loaded = self._loaded
        if loaded is None:
            with self._lock:
                # Another thread may have read it meanwhile.
                loaded = self._loaded = self._loaded or self._read()
        return loaded

    def _read(self) -> tuple[Recording, Replayer]:
        recording = Recording.load(self.path)
        self._check_age(recording)
        # The recording decides what is left out of its requests; only the aliases are
        # the caller's.
        recorded = Redaction.of(recording.redaction)
        redaction = evolve(self._redaction or recorded, rules=recorded.rules)
        return recording, Replayer(recording, redaction, repeat=self._repeat)

    def _check_age(self, recording: Recording) -> None:
        if self._max_age is None or self._on_stale == "ignore":
            return
        # Real time: the client's clock may be a test's virtual one.
        age = datetime.now(UTC) - (recording.recorded_at or datetime.now(UTC))
        if age <= self._max_age:
            return
        message = (
            f"the recording {self.path} is {age.days} days old, and max_age is"
            f" {self._max_age.days}: record it anew, with touch=True (nectar record"
            " --touch, pytest --nectar-record=record,touch) if nothing changed"
        )
        if self._on_stale == "error":
            raise StaleRecordingError(message)
        warnings.warn(message, stacklevel=2)


def _look_up(replayer: Replayer, request: Request[Any], question: Question) -> Response:
    """Read another page of a list for an effect, without taking its answer.

    Raises:
        RecordingError: it is not recorded.
    """
    answer = replayer.peek(question)
    if answer is None and find_page(request) == 1:
        # Recorded from a request without a page number.
        pairs = (pair for pair in question.query if pair[0] != request.page_key)
        answer = replayer.peek(evolve(question, query=tuple(pairs)))
    if answer is None:
        raise RecordingError(
            f"an overlay reads other pages of {request.operation} than the requested"
            f" one, and page {find_page(request)} is not recorded"
        )
    return answer.response()


def _is_delivered(exchange: Exchange, response: Response | None) -> bool:
    """Whether the client received a complete answer with the recorded status."""
    if response is None or isinstance(response, IncompleteResponse):
        return False
    return response.status == exchange.answer.status


def _check_word(name: str, value: str, words: tuple[str, ...]) -> None:
    """Check that an argument is one of several words.

    Raises:
        ConfigurationError: it is none of them.
    """
    if value not in words:
        raise ConfigurationError(f"{name} is one of {', '.join(words)}, not {value!r}")
