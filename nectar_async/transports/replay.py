"""A transport that answers from a recording, without a server, a key or a network."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from nectar_async._http.clock import Clock, SystemClock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.recording.exchange import question_of
from nectar_async.recording.folder import Recording
from nectar_async.recording.overlays import Order
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Repeat
from nectar_async.recording.request_log import Witness
from nectar_async.transports._body import read_body
from nectar_async.transports._replay import OnStale, Replay, Replaying

__all__ = ["RecordedTransport"]


class RecordedTransport:
    """Answers each request as it was answered when the recording was made.

    ```python
    transport = RecordedTransport("tests/recordings/usage")
    async with NectarClient(transport=transport) as nectar:
        records = [one async for one in nectar.usage.by_company(company_id)]
    transport.check_unused()
    ```

    It is strict: a request that was not recorded is an error that says what comes
    nearest, and equal requests are answered as often as they were recorded. Which of
    several requests comes first does not matter.

    Args:
        path: the folder of a recording.
        overlays: trouble laid over it: an `Overlay`, an effect for every request, or
            either as text, as "answer status=429 page=2 times=1".
        repeat: "last" gives the last answer to a question again and again, for what is
            polled; "never" makes one time too many an error.
        max_age: how old the recording may be.
        on_stale: what it is when it is older: "ignore", "warn" or "error".
        redaction: aliases for what is redacted in requests; the rules of the recording
            are its own.
        clock: time, for overlays that wait; a client's virtual clock comes before it.

    Raises:
        ConfigurationError: an argument makes no sense. The recording itself is read,
            in a thread, when the first request comes.
    """

    needs_key = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overlays: Iterable[Order] = (),
        repeat: Repeat = "never",
        max_age: timedelta | None = None,
        on_stale: OnStale = "warn",
        redaction: Redaction | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._replay = Replay(
            path,
            Replaying(
                overlays=overlays,
                repeat=repeat,
                max_age=max_age,
                on_stale=on_stale,
                redaction=redaction,
                clock=clock or SystemClock(),
            ),
        )

    @property
    def witness(self) -> Witness:
        """What was asked for, and how many requests at once."""
        return self._replay.witness

    @property
    def recording(self) -> Recording:
        """What is replayed. Read from disk now, if it was not yet: that blocks."""
        recording, _ = self._replay.load()
        return recording

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of exchanges that nobody asked for (yet)."""
        return self._replay.unused

    @property
    def unmet(self) -> tuple[Order, ...]:
        """Overlays that hit no request (yet), as they were given."""
        return self._replay.unmet

    def check_unused(self) -> None:
        """Hold that every exchange was asked for, at the end of a test.

        Pages behind those that were read of a list do not count: how far a client
        looks ahead is its own affair.

        Raises:
            UnusedRecordingError: some were not; names them.
        """
        self._replay.check_unused()

    async def send(self, request: Request[Any], /) -> Response:
        """The recorded answer.

        Raises:
            UnmatchedRequestError: nothing like it is recorded, or it is used up.
            RecordingError: there is no recording, or it cannot be read.
        """
        question = question_of(request, await read_body(request))
        return await self._replay.answer(request, question)

    async def aclose(self) -> None:
        """Nothing is open."""
