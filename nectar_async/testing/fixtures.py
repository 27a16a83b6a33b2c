"""A test that is answered from its recording, without a server or a key."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.client import NectarClient
from nectar_async.errors import (
    RecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.recording.folder import MANIFEST_NAME
from nectar_async.recording.request_log import RequestLog
from nectar_async.settings import Settings
from nectar_async.testing.options import (
    TestOptions,
    change_settings,
    fail_without_traceback,
    find_similar_names,
)
from nectar_async.testing.session import (
    PluginSession,
    ReportRow,
    describe_overlays,
    has_passed,
)
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._mode import Mode
from nectar_async.transports.replay import RecordedTransport

__all__ = ["NectarRecording", "ReplayTest", "run_recording"]


class ReplayTest:
    """What a test has in replay.

    Raises:
        RecordingError: there is no recording, or it cannot be replayed.
        ConfigurationError: the marker makes no sense.
    """

    def __init__(self, terms: TestOptions, suite: PluginSession) -> None:
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
        if not (terms.path / MANIFEST_NAME).exists():
            like = (
                ", ".join(find_similar_names(terms.path, terms.home))
                if terms.is_named
                else ""
            )
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
        unmet = describe_overlays(self._transport.unmet) if has_passed else ()
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
        self._suite.add(
            ReportRow(test=self._terms.test, path=path, what=what, names=names)
        )


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


@frozen(kw_only=True)
class NectarRecording:
    """The recording of a test, as the fixture `nectar_recording` gives it.

    ```python
    async def test_months_come_ten_at_a_time(nectar, nectar_recording):
        await months(nectar)
        assert nectar_recording.witness.peak_in_flight <= 10
    ```
    """

    path: Path
    """The folder of the recording."""
    mode: Mode
    """What is done with it; with `--nectar-sandbox` alone it is passed by."""
    clock: VirtualClock
    """The clients' time. In replay, and on a sandbox, waits take none; `.sleeps` has
    them in any mode."""
    witness: RequestLog
    """What the clients asked for, and how many requests at once."""
    _settings: Settings = field(repr=False)
    _make: Callable[[Settings], NectarClient] = field(repr=False)
    _unused: Callable[[], tuple[str, ...]] = field(repr=False)

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of recorded exchanges that nobody asked for (yet)."""
        return self._unused()

    def client(self, settings: Settings | None = None, **changes: Any) -> NectarClient:
        """A client on the recording; it is opened by its first request.

        Args:
            settings: by default those of the marker, or in replay the default ones.
            changes: single settings, as `max_concurrency=2`.

        Raises:
            ConfigurationError: a setting makes no sense.
        """
        return self._make(change_settings(settings or self._settings, changes))


if TYPE_CHECKING:
    from nectar_async.testing.live import LiveTest


def run_recording(
    request: pytest.FixtureRequest, defaults: Mapping[str, Any]
) -> Iterator[NectarRecording]:
    """Give a test its recording, and look afterwards at what came of it."""
    item: pytest.Item = request.node
    with fail_without_traceback():
        playing = _playing(request, TestOptions.of(item, defaults))
    try:
        yield playing.recording
        with fail_without_traceback():
            playing.end(has_passed=has_passed(item))
    finally:
        playing.close()


def _playing(
    request: pytest.FixtureRequest, terms: TestOptions
) -> ReplayTest | LiveTest:
    suite = PluginSession.of(request.config)
    if terms.mode is Mode.REPLAY:
        return ReplayTest(terms, suite)
    # By name, because a replay never loads aiohttp.
    live = import_module("nectar_async.testing.live")
    if terms.is_on_sandbox:
        server = live.LiveServer.sandbox(
            terms, request.getfixturevalue("nectar_sandbox")
        )
    else:
        server = live.LiveServer.api(terms)
    playing: LiveTest = live.LiveTest(request.node, terms, server)
    return playing
