"""A test that is answered from its recording, without a server or a key."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.client import NectarClient
from nectar_async.errors import (
    RecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.recording.folder import MANIFEST
from nectar_async.settings import Settings
from nectar_async.testing.options import Terms
from nectar_async.testing.places import near
from nectar_async.testing.recordings import NectarRecording
from nectar_async.testing.session import Row, Suite, in_words
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports.replay import RecordedTransport

__all__ = ["Replayed"]


class Replayed:
    """What a test has in replay.

    Raises:
        RecordingError: there is no recording, or it cannot be replayed.
        ConfigurationError: the marker makes no sense.
    """

    def __init__(self, terms: Terms, suite: Suite) -> None:
        self._terms = terms
        self._suite = suite
        clock = VirtualClock()
        self._transport = RecordedTransport(
            terms.path,
            overlays=terms.overlays,
            repeat=terms.repeat,
            max_age=terms.max_age,
            on_stale=terms.on_stale,
            redaction=terms.redaction,
            clock=clock,
        )
        if not (terms.path / MANIFEST).exists():
            like = ", ".join(near(terms.path, terms.home)) if terms.is_named else ""
            raise RecordingError(
                f"{terms.test} has no recording at {suite.shown(terms.path)}"
                f"{like and f' (there is {like})'}; make it with:"
                f" pytest {shlex.quote(terms.test)} --nectar-record=record"
                f"{' (=new, where it is to be added to)' if terms.is_named else ''}"
            )
        _ = self._transport.recording  # read here, where nothing is blocked by it
        self._noting = _Noting(self._transport)
        self.recording: NectarRecording = NectarRecording(
            path=terms.path,
            mode=terms.mode,
            clock=clock,
            witness=self._transport.witness,
            # Not of the environment: a replay is the same on every machine.
            settings=terms.settings or Settings(),
            make=lambda settings: NectarClient(
                transport=self._noting, settings=settings, clock=clock
            ),
            unused=lambda: self._transport.unused,
        )

    def end(self, *, has_passed: bool) -> None:
        """Note what was asked for in vain, and what was not asked for.

        Raises:
            UnusedRecordingError: something was not, and that is an error.
        """
        if self._noting.missed:
            self._note("missed", tuple(self._noting.missed))
        level = self._terms.unused
        names = self._transport.unused if has_passed else ()
        self._note("asked", names if level == "report" else ())
        unmet = in_words(self._transport.unmet) if has_passed else ()
        if unmet and level == "report":
            self._note("unmet", unmet)
        words = [*self._complaints(names, unmet)]
        if not words or level in {"report", "ignore"}:
            return
        if level == "error":
            raise UnusedRecordingError("\n".join(words), unused=names)
        for one in words:
            warnings.warn(pytest.PytestWarning(one), stacklevel=1)

    def _complaints(self, names: Sequence[str], unmet: Sequence[str]) -> Iterator[str]:
        if names:
            yield (
                f"{self._terms.test} did not ask for {len(names)} of the exchanges in"
                f" {self._suite.shown(self._terms.path)}: {', '.join(names)}; record it"
                " anew, or say unused='ignore'"
            )
        if unmet:
            yield (
                f"{self._terms.test} has overlays that no request met:"
                f" {', '.join(unmet)}; see their operation, page and skip"
            )

    def close(self) -> None:
        """Nothing is open."""

    def _note(self, what: Any, names: tuple[str, ...]) -> None:
        path = self._suite.shown(self._terms.path)
        self._suite.add(Row(test=self._terms.test, path=path, what=what, names=names))


class _Noting:
    """Replays, and keeps in mind what had no answer: a test may swallow the error."""

    needs_key = False

    def __init__(self, transport: RecordedTransport) -> None:
        self._transport = transport
        self.missed: list[str] = []

    async def send(self, request: Request[Any], /) -> Response:
        try:
            return await self._transport.send(request)
        except UnmatchedRequestError as error:
            self.missed.append(error.message.partition("\n")[0])
            raise

    async def aclose(self) -> None:
        await self._transport.aclose()
