"""A test whose requests are sent: to the API or a sandbox, and recorded if wanted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Self

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve, frozen

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send, Stage
from nectar_async._json.json import read_page_count
from nectar_async._types import Secret
from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.faults import VOCABULARY, FaultInjector, FaultLike
from nectar_async.faults.fault import at_page
from nectar_async.faults.lists import READS_OTHER_PAGES
from nectar_async.recording.exchange import RecordedAnswer, build_question
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.request_log import RequestLog
from nectar_async.settings import Settings
from nectar_async.testing.fixtures import NectarRecording
from nectar_async.testing.options import TestOptions
from nectar_async.testing.portal_transport import RemoteTransport
from nectar_async.testing.sandbox_fixture import NectarSandbox
from nectar_async.testing.session import (
    PluginSession,
    ReportRow,
    describe_overlays,
    list_exchange_names,
)
from nectar_async.testing.shared_recorder import SharedRecorder, write_recording
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._body import read_body
from nectar_async.transports._mode import Mode
from nectar_async.transports.recorder import Recorder

__all__ = [
    "LiveServer",
    "LiveStage",
    "LiveTest",
    "RealClock",
    "SandboxClock",
    "ShortWaitClock",
]

# Whoever waits for trouble that an overlay made waits for nobody, and soon for others.
_LONGEST_WAIT = 0.5


@frozen(kw_only=True)
class LiveServer:
    """Who answers a test."""

    key: Secret[str]
    settings: Settings
    clock: VirtualClock
    is_sandbox: bool = False

    @classmethod
    def api(cls, terms: TestOptions) -> Self:
        """The API, or what NECTAR_BASE_URL calls so.

        Raises:
            ConfigurationError: there is no key, or the environment makes no sense.
        """
        key = os.environ.get("NECTAR_API_KEY", "").strip()
        if not key:
            raise ConfigurationError(
                f"to {terms.mode} is to ask the API: set NECTAR_API_KEY, or add"
                " --nectar-sandbox to ask a sandbox"
            )
        return cls(
            key=Secret(key),
            settings=terms.settings or Settings.from_env(),
            clock=ShortWaitClock(_LONGEST_WAIT) if terms.overlays else RealClock(),
        )

    @classmethod
    def sandbox(cls, terms: TestOptions, sandbox: NectarSandbox) -> Self:
        """The sandbox of the test. Its time is the clients' time."""
        settings = terms.settings or Settings()
        return cls(
            key=Secret(sandbox.api_key),
            settings=evolve(settings, base_url=sandbox.url),
            clock=SandboxClock(sandbox.advance),
            is_sandbox=True,
        )


class LiveTest:
    """What a test has in every mode but replay.

    Raises:
        ConfigurationError: the marker makes no sense, or another process of
            pytest-xdist may write the same recording.
    """

    def __init__(
        self, item: pytest.Item, terms: TestOptions, server: LiveServer
    ) -> None:
        self._item = item
        self._terms = terms
        self._server = server
        self._suite = PluginSession.of(item.config)
        self._settings = server.settings
        self._transports: list[RemoteTransport] = []
        self._tape: SharedRecorder | None = None
        self._recorder: Recorder | None = None
        self._booth = LiveStage(self._inner(), terms.overlays, server.clock)
        self.recording: NectarRecording = NectarRecording(
            path=terms.path,
            mode=terms.mode,
            clock=server.clock,
            witness=self._booth.witness,
            settings=server.settings,
            make=self._client,
            unused=lambda: (),
        )

    def end(self, *, has_passed: bool) -> None:
        """Write what was recorded, if the test passed and no other is waited for.

        Raises:
            NectarError: it cannot be written, or a secret would be.
        """
        if has_passed and self._booth.unmet and self._terms.unused != "ignore":
            self._add("unmet", describe_overlays(self._booth.unmet))
        if self._recorder is None:
            return
        is_new = self._terms.mode is Mode.NEW
        if self._tape is None:
            is_due = has_passed
        else:
            is_due = self._tape.end(self._terms.test, has_passed=has_passed)
        if is_due:
            before = list_exchange_names(self._terms.path)
            has_changed = self._suite.portal.call(
                write_recording, self._recorder, self._server.key, self._settings
            )
            if not (self._terms.path / MANIFEST_NAME).exists():
                # What asks nothing, or meets an overlay each time, is replayed, too.
                has_changed = self._empty().save(self._terms.path, datetime.now(UTC))
            gone = {*before} - {*list_exchange_names(self._terms.path)}
            same = "complete" if is_new else "unchanged"
            self._add("written" if has_changed else same, sorted(gone))
        elif not has_passed:
            self._add("left" if is_new else "kept")

    def close(self) -> None:
        """Give back what clients hold that the test forgot to close."""
        for transport in self._transports:
            transport.close()

    def _inner(self) -> Stage:
        path, redaction = self._terms.path, self._terms.redaction or Redaction()
        if self._terms.mode is Mode.PASSTHROUGH:
            return _straight
        self._suite.check_alone(self._item, path)
        # The server may quote it.
        secrets = (*redaction.secrets, self._server.key)
        redaction = evolve(redaction, secrets=secrets)
        if self._terms.mode is Mode.NEW:
            self._recorder = Recorder(
                path, mode=Mode.NEW, redaction=redaction, **self._terms.flags
            )
            return self._recorder
        self._tape = self._suite.tape(self._item, self._terms, redaction)
        self._recorder = self._tape.recorder
        return self._tape.turn(self._terms.test, redaction)

    def _client(self, settings: Settings) -> NectarClient:
        if self._server.is_sandbox:
            settings = evolve(settings, base_url=self._server.settings.base_url)
        self._settings = settings
        transport = RemoteTransport(self._suite.portal)
        self._transports.append(transport)
        return NectarClient(
            self._server.key,
            transport=transport,
            settings=settings,
            recorder=self._booth,
            clock=self._server.clock,
        )

    def _empty(self) -> Recording:
        redaction = self._terms.redaction or Redaction()
        return Recording(redaction=redaction.manifest())

    def _add(self, what: Any, names: Iterable[str] = ()) -> None:
        path = self._terms.path
        self._suite.add(
            ReportRow(
                test=self._terms.test,
                path=self._suite.shown(path),
                what=what,
                names=tuple(names),
                count=len(list_exchange_names(path)),
            )
        )


async def _straight(request: Request[Any], send: Send) -> Response:
    return await send(request)


class RealClock(VirtualClock):
    """A clock whose waits are waited for, and written down as a `VirtualClock` does.

    No spread is added to them, so that a test may say how long they are.
    """

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`, and those that were advanced."""
        return time.monotonic() + super().monotonic()

    def now(self) -> datetime:
        """The present instant in UTC, as far ahead."""
        return datetime.now(UTC) + timedelta(seconds=super().monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        self.sleeps.append(seconds)
        await anyio.sleep(seconds)


class ShortWaitClock(VirtualClock):
    """A clock of the waits alone, each of which is waited for a moment only.

    What the network takes does not pass on it: so a test finds the same waits here and
    in replay, to the last digit.

    Args:
        longest: what is waited for at most in truth, in seconds.
    """

    def __init__(self, longest: float) -> None:
        super().__init__(datetime.now(UTC))
        self._longest = longest

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, and wait for as many of them as this clock ever does."""
        await super().sleep(seconds)
        await anyio.sleep(min(seconds, self._longest))


class SandboxClock(VirtualClock):
    """A clock that takes a sandbox along: what is waited for happens there at once.

    Args:
        advance: moves the sandbox's own clock by seconds, before the next request.
    """

    def __init__(self, advance: Callable[[float], object]) -> None:
        super().__init__()
        self._advance = advance
        self._there = 0.0

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, there as well."""
        await super().sleep(seconds)
        # Waits overlap, so it is not moved by each of them.
        ahead = self.monotonic() - self._there
        if ahead > 0:
            self._there += ahead
            self._advance(ahead)


class LiveStage:
    """The stage of a test's clients that counts its requests and makes its trouble.

    An overlay that moves the rows of a list wants all of its pages, as a replay has
    them, so then a list is asked for whole when the first request for it comes.

    Args:
        inner: what records; it meets no trouble that an overlay makes.
        overlays: trouble.
        clock: time, for overlays that wait.
    """

    needs_key = True

    def __init__(
        self, inner: Stage, overlays: Sequence[FaultLike], clock: VirtualClock
    ) -> None:
        self.witness = RequestLog()
        self._inner = inner
        self._faults = FaultInjector(overlays, argument="overlays")
        effects = [VOCABULARY.to_fault(order).effect for order in overlays]
        self._wants_all = any(isinstance(one, READS_OTHER_PAGES) for one in effects)
        self._clock = clock
        self._known: dict[str, RecordedAnswer] = {}
        self._ahead: dict[str, RecordedAnswer] = {}
        """Answers that came before anybody asked."""
        self._lock = anyio.Lock()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Have a request sent, through every overlay that it meets."""
        if not self._faults:
            with self.witness.watch(build_question(request)):
                await anyio.lowlevel.checkpoint()  # as in replay
                return await self._inner(request, send)
        question = build_question(request, await read_body(request))

        async def answer(asked: Request[Any]) -> Response:
            if asked is not request:
                return (await self._look_up(asked, send)).response()
            known = self._ahead.pop(question.key, None)
            if known is None and self._faults.has_hit_list(request):
                # As in replay, where a list that a fault hit can be read again.
                known = self._find_success(question.key)
            return (known or await self._ask(request, send)).response()

        with self.witness.watch(question):
            # Faults come after requests that were made at the same time, as in replay.
            await anyio.lowlevel.checkpoint()
            if self._wants_all and request.listing is not None:
                await self._ask_for_all(request, send)
            return await self._faults.apply(request, answer, clock=self._clock)

    @property
    def unmet(self) -> tuple[FaultLike, ...]:
        """Overlays that hit no request (yet)."""
        return self._faults.unmet

    async def _ask(self, request: Request[Any], send: Send) -> RecordedAnswer:
        """An answer as a replay has it: unpacked, with the headers that matter."""
        response = await self._inner(request, send)
        answer = RecordedAnswer.of(
            response,
            self._clock.now(),
            request.max_body_bytes,
            is_file=not request.path,
        )
        question = build_question(request, await read_body(request))
        self._known[question.key] = answer
        return answer

    async def _ask_for_all(self, request: Request[Any], send: Send) -> None:
        """Request every page of a list, when the first of them is requested."""
        async with self._lock:
            pages, number = 1, 1
            while number <= pages:
                page = at_page(request, number)
                key = build_question(page).key
                known = self._find_success(key)
                if known is None:
                    known = self._ahead[key] = await self._ask(page, send)
                if known.status != HTTPStatus.OK:
                    return  # the client gets it when it asks, and may try again
                if number == 1:
                    pages = read_page_count(known.response().body)
                number += 1

    async def _look_up(self, request: Request[Any], send: Send) -> RecordedAnswer:
        """The answer to a request that an effect makes."""
        key = build_question(request).key
        known = self._known.get(key)
        if known is None:
            known = self._ahead[key] = await self._ask(request, send)
        return known

    def _find_success(self, key: str) -> RecordedAnswer | None:
        known = self._known.get(key)
        return known if known is not None and known.status == HTTPStatus.OK else None
