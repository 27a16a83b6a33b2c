"""The stage that records, replays, or does both: between status check and key."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import anyio.lowlevel
import anyio.to_thread
from attrs import evolve

from nectar_async._http.clock import Clock, SystemClock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._types import Secret
from nectar_async.errors import NectarError, RecordingError
from nectar_async.recording.exchange import Answer, Exchange, Question, question_of
from nectar_async.recording.folder import MANIFEST, Recording
from nectar_async.recording.log import Take
from nectar_async.recording.overlays import Order
from nectar_async.recording.redaction.placeholders import LINKS
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Repeat
from nectar_async.recording.request_log import Witness
from nectar_async.transports._body import Copy, read_body
from nectar_async.transports._mode import Mode, mode_of, wished
from nectar_async.transports._replay import OnStale, Replay, Replaying

__all__ = ["Mode", "Recorder"]


class Recorder:
    """A stage of the client that records what goes through it.

    ```python
    recorder = Recorder("tests/recordings/usage", mode="record")
    async with NectarClient(recorder=recorder) as nectar:
        await nectar.companies.all()
    # written when the client is closed
    ```

    It sits above the key, so the key never reaches it. Secrets and personal data are
    replaced before anything is written (see `Redaction`), lists that were begun are
    read to their end, and a recording that would hold a secret is refused. A client
    that is left by an exception leaves the recording on disk as it was.

    Args:
        path: the folder of the recording.
        mode: "replay", "record", "new" or "passthrough"; see `Mode`.
        redaction: rules and aliases of your own.
        keep_failures: record a 429 or 5xx also where the same request succeeded later.
        touch: have the recording say that it is of today also when nothing changed.
        overlays: as in `RecordedTransport`, with `repeat`, `max_age`, `on_stale` and
            `clock`.

    Raises:
        ConfigurationError: there is no such mode, or an argument makes no sense.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mode: Mode | str = Mode.REPLAY,
        redaction: Redaction | None = None,
        keep_failures: bool = False,
        touch: bool = False,
        overlays: Iterable[Order] = (),
        repeat: Repeat = "never",
        max_age: timedelta | None = None,
        on_stale: OnStale = "warn",
        clock: Clock | None = None,
    ) -> None:
        self.path: Path = Path(path)
        self.mode: Mode = mode_of(mode)
        self._redaction = redaction or Redaction()
        self._keep_failures = keep_failures
        self._touch = touch
        self._clock = clock or SystemClock()
        self._replay = Replay(
            path,
            Replaying(
                overlays=overlays,
                repeat=repeat,
                max_age=max_age,
                on_stale=on_stale,
                redaction=redaction,
                clock=self._clock,
            ),
        )
        self._take = Take()
        self._keys: list[Callable[[], Iterable[Secret[str]]]] = []
        self._version = ""
        self._is_there: bool | None = None
        self._is_owed = False

    @classmethod
    def from_env(cls, path: str | os.PathLike[str] | None = None, **how: Any) -> Self:
        """A recorder whose mode is `NECTAR_RECORD`; replay when that is not set.

        The variable is a mode, or a mode and a path: `record:tests/recordings/usage`.
        Behind the mode may stand `,touch` and `,keep-failures`, for the arguments of
        these names. A path, or another argument, that is given here wins. Without
        variable and path all requests pass: a program records when it is told to.

        Raises:
            ConfigurationError: there is no such mode, or no path.
        """
        wish = wished(path)
        return cls(wish.path, mode=wish.mode, **{**wish.flags, **how})

    @property
    def needs_key(self) -> bool:
        """Whether requests may leave, and so want a key."""
        return self.mode is not Mode.REPLAY

    def guard(self, keys: Callable[[], Iterable[Secret[str]]]) -> None:
        """Have nothing saved that holds one of these. The client gives its own keys."""
        self._keys.append(keys)
        self._is_owed = True

    @property
    def witness(self) -> Witness:
        """What went through it, and how much at once."""
        return self._replay.witness

    @property
    def unmet(self) -> tuple[Order, ...]:
        """Overlays that hit no request (yet), as they were given."""
        return self._replay.unmet

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of exchanges of the recording that nobody asked for (yet)."""
        return self._replay.unused

    def check_unused(self) -> None:
        """As `RecordedTransport.check_unused`."""
        self._replay.check_unused()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Answer a request, or send it and take it down.

        Raises:
            UnmatchedRequestError: in replay, nothing like it is recorded.
            RecordingError: the recording cannot be read.
        """
        if self.mode is Mode.PASSTHROUGH:
            with self.witness.watch(question_of(request)):
                return await send(request)
        if self.mode is Mode.RECORD:
            return await self._record(request, send)
        body = await read_body(request)
        question = question_of(request, body)
        if self.mode is Mode.REPLAY:
            return await self._replay.answer(request, question)
        if not request.can_resend:
            request = evolve(request, body=body)  # the stream is used up
        found = await self._known(question)
        if found is None and question.url.startswith(LINKS):
            # A stand-in that a replayed answer gave: there is no such host.
            (await self._replay.ready()).give(question)
        if found is None:
            return await self._record(request, send)
        with self.witness.watch(question):
            await anyio.lowlevel.checkpoint()  # as any answer takes a turn of the loop
            return found.response()

    async def finish(self, send: Send | None) -> bool:
        """Read lists that were begun to their end, and write what was recorded.

        The client does this when it is closed.

        Args:
            send: a request through the client; None where its loop is over, so that
                only what came already is written.

        Returns:
            Whether the recording changed.

        Raises:
            RecordingError: a list has no end, a secret would be written, or the folder
                cannot be.
        """
        self._is_owed = False
        if send is not None:
            await self._complete(send)
        return await anyio.to_thread.run_sync(self.save)

    def save(self) -> bool:
        """Write what was recorded so far; whether the recording changed. Blocks.

        Raises:
            RecordingError: a secret would be written, or it cannot be written.
        """
        self._is_owed = False
        if self.mode not in {Mode.RECORD, Mode.NEW}:
            return False
        taken = self._take.pairs(with_failures=self._keep_failures)
        if not taken:
            return False  # nobody asked for anything: that is no recording
        before = self._before()
        self._check_rules(before)
        old = () if before is None else before.exchanges
        keys = [key for keys in self._keys for key in keys()]
        redaction = evolve(self._redaction, secrets=(*self._redaction.secrets, *keys))
        new = redaction.apply(taken, previous=old)
        kept: Sequence[Exchange] = old if self.mode is Mode.NEW else ()
        recording = Recording(
            api_version=self._version or ("" if before is None else before.api_version),
            redaction=self._redaction.manifest(),
        ).with_exchanges([*kept, *new])
        return recording.save(self.path, datetime.now(UTC), touch=self._touch)

    def discard(self) -> None:
        """Forget what was recorded; the client does it when an exception leaves it."""
        self._take = Take()

    def __del__(self) -> None:
        # Who uses a recorder without a client decides what is written.
        if getattr(self, "_is_owed", False) and self._take:
            warnings.warn(
                f"nothing was written to {self.path}: close the client that records"
                " (async with, or aclose()), or call discard() on its recorder",
                ResourceWarning,
                stacklevel=2,
            )

    async def _complete(self, send: Send) -> None:
        """Read lists that were begun to their end."""
        for request in [*self._take.missing()]:
            try:
                await send(request)
            except NectarError as error:
                raise RecordingError(
                    f"nothing was written to {self.path}: a recording has whole lists,"
                    f" and the rest of one cannot be had ({request.target}: {error})"
                ) from error

    async def _known(self, question: Question) -> Answer | None:
        """The answer that is recorded already."""
        if self._is_there is None:
            self._is_there = await anyio.to_thread.run_sync(_is_recording, self.path)
        if not self._is_there:
            return None
        found = (await self._replay.ready()).find(question)
        return None if found is None else found.answer

    def _check_rules(self, before: Recording | None) -> None:
        if self.mode is not Mode.NEW or before is None:
            return
        if before.redaction != self._redaction.manifest():
            raise RecordingError(
                f"{self.path} was made with other rules of redaction; to change them,"
                " record it anew with mode='record'"
            )

    def _before(self) -> Recording | None:
        """The recording that is on disk. One that is damaged can be made anew."""
        if not _is_recording(self.path):
            return None
        try:
            return Recording.load(self.path)
        except RecordingError:
            if self.mode is Mode.NEW:
                raise
            return None

    async def _record(self, request: Request[Any], send: Send) -> Response:
        copy = Copy(request)
        number = self._take.reserve()
        with self.witness.watch(question_of(request)):
            response = await send(copy.request)
        question = question_of(request, await copy.whole())
        now, limit = self._clock.now(), request.max_body_bytes
        answer = Answer.of(response, now, limit, is_file=bool(question.url))
        self._take.put(number, question, answer, request)
        self._version = _version(request) or self._version
        return response


def _is_recording(path: Path) -> bool:
    return (path / MANIFEST).exists()


def _version(request: Request[Any]) -> str:
    """The version in the address of a request, as in `Settings`; empty for files."""
    path = urlsplit(request.url).path
    if not request.relative or not path.endswith(request.relative):
        return ""
    segment = path.removesuffix(request.relative).rpartition("/")[2]
    return f"{segment}.0" if segment.isalnum() else segment
