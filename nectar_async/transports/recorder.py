"""The client's stage that records requests and responses, replays them, or both.

It runs between the status check and the key stage.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import anyio.lowlevel
from attrs import evolve

from nectar_async._http.cancellation import run_in_thread
from nectar_async._http.clock import Clock, SystemClock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._types import Secret
from nectar_async.errors import NectarError, RecordingError
from nectar_async.faults import FaultLike
from nectar_async.recording.collected_exchanges import RecordingLog
from nectar_async.recording.exchange import (
    Exchange,
    Question,
    RecordedAnswer,
    build_question,
)
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.redaction.patterns import LINK_PREFIX
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Repeat
from nectar_async.recording.request_log import RequestLog
from nectar_async.transports._mode import Mode, parse_mode, read_mode
from nectar_async.transports._request_body import BodyCopy, read_body
from nectar_async.transports.replay import OnStale, RecordedTransport

__all__ = ["Mode", "Recorder"]


class Recorder:
    """A stage of the client that records what it sends and receives.

    ```python
    recorder = Recorder("tests/recordings/usage", mode="record")
    async with NectarClient(recorder=recorder) as nectar:
        await nectar.companies.all()
    # written when the client is closed
    ```

    The recorder runs before the key stage, so it never sees the API key. Secrets and
    personal data are replaced before anything is written (see `Redaction`), lists that
    were read in part are read to their end, and a recording that would hold a secret is
    refused. When an exception leaves the client's block, the recording on disk stays as
    it was.

    Args:
        path: the folder of the recording.
        mode: "replay", "record", "new" or "passthrough"; see `Mode`.
        redaction: your own rules and aliases.
        keep_failures: record a 429 or 5xx also when the same request succeeded later.
        touch: set the date of the recording to today also when nothing changed.
        overlays, repeat, max_age, on_stale, clock: as in `RecordedTransport`.

    Raises:
        ConfigurationError: there is no such mode, or an argument has a wrong value.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mode: Mode | str = Mode.REPLAY,
        redaction: Redaction | None = None,
        keep_failures: bool = False,
        touch: bool = False,
        overlays: Iterable[FaultLike] = (),
        repeat: Repeat = "never",
        max_age: timedelta | None = None,
        on_stale: OnStale = "warn",
        clock: Clock | None = None,
    ) -> None:
        self.path: Path = Path(path)
        self.mode: Mode = parse_mode(mode)
        self._redaction = redaction or Redaction()
        self._keep_failures = keep_failures
        self._touch = touch
        self._clock = clock or SystemClock()
        self._replay = RecordedTransport(
            path,
            overlays=overlays,
            repeat=repeat,
            max_age=max_age,
            on_stale=on_stale,
            redaction=redaction,
            clock=self._clock,
        )
        self._log = RecordingLog()
        self._key_sources: list[Callable[[], Iterable[Secret[str]]]] = []
        self._version = ""
        self._has_recording: bool | None = None
        self._is_unsaved = False

    @classmethod
    def from_env(
        cls, path: str | os.PathLike[str] | None = None, **arguments: Any
    ) -> Self:
        """Build a recorder whose mode is read from `NECTAR_RECORD`.

        The variable holds a mode, or a mode and a path: `record:tests/recordings/api`.
        `,touch` and `,keep-failures` may follow the mode; they set the arguments of
        these names. A path or another argument that is passed here has precedence.
        Without the variable, a recorder with a path replays, and one without a path
        lets all requests pass and records nothing.

        Raises:
            ConfigurationError: there is no such mode or flag, or no path.
        """
        setting = read_mode(path)
        return cls(setting.path, mode=setting.mode, **{**setting.flags, **arguments})

    @property
    def needs_key(self) -> bool:
        """Whether requests may be sent, which takes an API key."""
        return self.mode is not Mode.REPLAY

    def guard(self, keys: Callable[[], Iterable[Secret[str]]]) -> None:
        """Refuse to save a recording that holds one of these keys.

        The client passes a function that lists its own API keys.
        """
        self._key_sources.append(keys)
        self._is_unsaved = True

    @property
    def witness(self) -> RequestLog:
        """The log of the requests that passed through the recorder."""
        return self._replay.witness

    @property
    def unmet(self) -> tuple[FaultLike, ...]:
        """The overlays that matched no request so far, as they were passed in."""
        return self._replay.unmet

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of the recording's exchanges that were not requested so far."""
        return self._replay.unused

    def check_unused(self) -> None:
        """Check that every exchange was requested; see `RecordedTransport`."""
        self._replay.check_unused()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Answer a request from the recording, or send it and record the response.

        Raises:
            UnmatchedRequestError: in replay, no such request is recorded.
            RecordingError: the recording cannot be read.
        """
        if self.mode is Mode.PASSTHROUGH:
            with self.witness.watch(build_question(request)):
                return await send(request)
        if self.mode is Mode.RECORD:
            return await self._record(request, send)
        if self.mode is Mode.REPLAY:
            return await self._replay.send(request)
        body = await read_body(request)
        question = build_question(request, body)
        if not request.can_resend:
            request = evolve(request, body=body)  # the stream has been consumed
        answer = await self._find_answer(question)
        if answer is None and question.url.startswith(LINK_PREFIX):
            # A link from a replayed answer is a placeholder; there is no such host.
            (await self._replay.load_replayer()).answer(question)
        if answer is None:
            return await self._record(request, send)
        with self.witness.watch(question):
            await anyio.lowlevel.checkpoint()  # yield to the event loop, like a send
            return answer.response()

    async def finish(self, send: Send | None) -> bool:
        """Read partly read lists to their end, and save the recording.

        The client does this when it is closed.

        Args:
            send: sends a request through the client. With None, when the client's event
                loop has ended, only the responses so far are saved.

        Returns:
            Whether the recording changed.

        Raises:
            RecordingError: a list cannot be read to its end, a secret would be written,
                or the folder cannot be written.
        """
        self._is_unsaved = False
        if send is not None:
            await self._complete(send)
        return await run_in_thread(self.save)

    def save(self) -> bool:
        """Save what was recorded so far. Blocks.

        Returns:
            Whether the recording changed.

        Raises:
            RecordingError: a secret would be written, or the folder cannot be written.
        """
        self._is_unsaved = False
        if self.mode not in {Mode.RECORD, Mode.NEW}:
            return False
        pairs = self._log.pairs(with_failures=self._keep_failures)
        if not pairs:
            return False  # a recording without exchanges is not written
        previous = self._load_previous()
        self._check_rules(previous)
        old = () if previous is None else previous.exchanges
        keys = [key for list_keys in self._key_sources for key in list_keys()]
        redaction = evolve(self._redaction, secrets=(*self._redaction.secrets, *keys))
        new = redaction.apply(pairs, previous=old)
        base: Sequence[Exchange] = old if self.mode is Mode.NEW else ()
        recording = Recording(
            api_version=self._version
            or ("" if previous is None else previous.api_version),
            redaction=self._redaction.manifest(),
        ).with_exchanges([*base, *new])
        return recording.save(self.path, datetime.now(UTC), touch=self._touch)

    def discard(self) -> None:
        """Drop the recorded exchanges that are not saved yet.

        The client does this when an exception leaves its block.
        """
        self._log = RecordingLog()

    def __del__(self) -> None:
        # Without a client it is the caller who calls `save`, so there is no warning.
        if getattr(self, "_is_unsaved", False) and self._log:
            warnings.warn(
                f"nothing was written to {self.path}: close the client that records"
                " (async with, or aclose()), or call discard() on its recorder",
                ResourceWarning,
                stacklevel=2,
            )

    async def _complete(self, send: Send) -> None:
        """Read partly read lists to their end."""
        for request in [*self._log.missing_pages()]:
            try:
                await send(request)
            except NectarError as error:
                raise RecordingError(
                    f"nothing was written to {self.path}: a recording holds whole"
                    " lists, and the rest of one cannot be read"
                    f" ({request.target}: {error})"
                ) from error

    async def _find_answer(self, question: Question) -> RecordedAnswer | None:
        """Find the answer in the recording on disk, if there is one."""
        if self._has_recording is None:
            self._has_recording = await run_in_thread(_is_recording, self.path)
        if not self._has_recording:
            return None
        exchange = (await self._replay.load_replayer()).take_next(question)
        return None if exchange is None else exchange.answer

    def _check_rules(self, previous: Recording | None) -> None:
        """Check, in mode `new`, that the redaction rules are those of the recording.

        Raises:
            RecordingError: the recording on disk has other rules.
        """
        if self.mode is not Mode.NEW or previous is None:
            return
        if previous.redaction != self._redaction.manifest():
            raise RecordingError(
                f"{self.path} was made with other redaction rules; to change them,"
                " record it anew with mode='record'"
            )

    def _load_previous(self) -> Recording | None:
        """Load the recording on disk; None if there is none or it is damaged.

        Raises:
            RecordingError: it is damaged, and the mode is `new`.
        """
        if not _is_recording(self.path):
            return None
        try:
            return Recording.load(self.path)
        except RecordingError:
            if self.mode is Mode.NEW:
                raise
            return None

    async def _record(self, request: Request[Any], send: Send) -> Response:
        """Send a request, and add it and its answer to the log."""
        copy = BodyCopy(request)
        number = self._log.reserve_number()
        with self.witness.watch(build_question(request)):
            response = await send(copy.request)
        question = build_question(request, await copy.read())
        now, limit = self._clock.now(), request.max_body_bytes
        answer = RecordedAnswer.of(response, now, limit, is_file=bool(question.url))
        self._log.add(number, question, answer, request)
        self._version = _read_version(request) or self._version
        return response


def _is_recording(path: Path) -> bool:
    """Whether a folder contains the manifest of a recording."""
    return (path / MANIFEST_NAME).exists()


def _read_version(request: Request[Any]) -> str:
    """Read the API version, as in `Settings`, from a URL; empty for a file's URL."""
    path = urlsplit(request.url).path
    if not request.relative or not path.endswith(request.relative):
        return ""
    segment = path.removesuffix(request.relative).rpartition("/")[2]
    return f"{segment}.0" if segment.isalnum() else segment
