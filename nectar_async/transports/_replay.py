"""A recording at play: read once, off the event loop, and answering from then on."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

import anyio.lowlevel
import anyio.to_thread
from attrs import Attribute, evolve, field, frozen

from nectar_async._http.clock import Clock, SystemClock, current_clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import (
    ConfigurationError,
    StaleRecordingError,
    UnusedRecordingError,
)
from nectar_async.recording.exchange import Question
from nectar_async.recording.folder import Recording
from nectar_async.recording.overlays import Order, Overlays, Scene
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Player, Repeat
from nectar_async.recording.request_log import Witness

__all__ = ["OnStale", "Replay", "Replaying"]

OnStale = Literal["ignore", "warn", "error"]
"""What a recording that is older than `max_age` is."""


@frozen(kw_only=True)
class Replaying:
    """How a recording is replayed."""

    overlays: Iterable[Order] = ()
    repeat: Repeat = field(default="never")
    max_age: timedelta | None = field(default=None)
    on_stale: OnStale = field(default="warn")
    redaction: Redaction | None = None
    clock: Clock = field(factory=SystemClock)

    @max_age.validator
    def _check_age(self, _: Attribute[Any], value: timedelta | None) -> None:
        if value is not None and not isinstance(value, timedelta):
            raise ConfigurationError(
                f"max_age is a timedelta, as timedelta(days=90); not {value!r}"
            )

    @repeat.validator
    @on_stale.validator
    def _check_word(self, attribute: Attribute[Any], value: str) -> None:
        words = get_args(Repeat if attribute.name == "repeat" else OnStale)
        if value not in words:
            raise ConfigurationError(
                f"{attribute.name} is one of {', '.join(words)}; not {value!r}"
            )


class Replay:
    """The answers of the recording at a path, with trouble laid over them."""

    def __init__(self, path: str | os.PathLike[str], how: Replaying) -> None:
        self.path = Path(path)
        self.witness = Witness()
        self._how = how
        self._overlays = Overlays(how.overlays)
        self._loaded: tuple[Recording, Player] | None = None
        # The first requests come together, each with a thread that reads.
        self._lock = Lock()

    def load(self) -> tuple[Recording, Player]:
        """Read it from disk, unless that was done.

        Raises:
            RecordingError: there is none, or it cannot be read.
            StaleRecordingError: it is older than `max_age`, and that is an error.
        """
        loaded = self._loaded
        if loaded is None:
            with self._lock:
                loaded = self._again()
        return loaded

    async def answer(self, request: Request[Any], question: Question) -> Response:
        """The recorded answer to a request.

        Raises:
            UnmatchedRequestError: nothing like it is recorded, or it is used up.
            RecordingError: there is no recording, or it cannot be read.
        """
        with self.witness.watch(question):
            player = await self.ready()
            await anyio.lowlevel.checkpoint()
            player.meet(question)

            async def proceed() -> Response:
                return player.give(question).response()

            scene = Scene(
                request=request,
                question=question,
                play=player.give,
                peek=player.peek,
                clock=current_clock.get() or self._how.clock,
            )
            return await self._overlays.apply(scene, proceed)

    async def ready(self) -> Player:
        """The recording, read in a thread when that was not done yet."""
        loaded = self._loaded
        if loaded is None:
            loaded = await anyio.to_thread.run_sync(self.load)
        _, player = loaded
        return player

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of exchanges that nobody asked for."""
        _, player = self.load()
        return tuple(one.name for one in player.unused)

    @property
    def unmet(self) -> tuple[Order, ...]:
        """Overlays that hit no request."""
        return self._overlays.unmet

    def check_unused(self) -> None:
        """Hold that every exchange was asked for.

        Pages behind those that were read of a list do not count.

        Raises:
            UnusedRecordingError: some were not; names them.
        """
        if unused := self.unused:
            files = "".join(f"\n  {name}.json" for name in unused)
            raise UnusedRecordingError(
                f"{len(unused)} exchanges of {self.path} were not asked for; record it"
                f" anew, or delete these files:{files}",
                unused=unused,
            )

    def _again(self) -> tuple[Recording, Player]:
        """What another thread read meanwhile, or else what is read now."""
        if self._loaded is None:
            self._loaded = self._read()
        return self._loaded

    def _read(self) -> tuple[Recording, Player]:
        how = self._how
        recording = Recording.load(self.path)
        self._check_age(recording)
        # What a recording leaves out of its requests is its own affair; aliases are
        # those of whoever replays it.
        theirs = Redaction.of(recording.redaction)
        redaction = evolve(how.redaction or theirs, rules=theirs.rules)
        return recording, Player(recording, redaction, repeat=how.repeat)

    def _check_age(self, recording: Recording) -> None:
        how = self._how
        if how.max_age is None or how.on_stale == "ignore":
            return
        # Not by the client's clock: that may be a test's.
        age = datetime.now(UTC) - (recording.recorded_at or datetime.now(UTC))
        if age <= how.max_age:
            return
        words = (
            f"the recording {self.path} is {age.days} days old, and max_age is"
            f" {how.max_age.days}: record it anew, with touch=True (nectar record"
            " --touch, pytest --nectar-record=record,touch) if nothing changed"
        )
        if how.on_stale == "error":
            raise StaleRecordingError(words)
        warnings.warn(words, stacklevel=2)
