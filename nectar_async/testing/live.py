"""Clients, clocks and stages of tests that send requests to the API or a sandbox."""

from __future__ import annotations

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
from nectar_async._json.json_text import read_page_count
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
from nectar_async.testing.options import TestOptions
from nectar_async.testing.plugin_session import (
    PluginSession,
    ReportRow,
    describe_overlays,
    list_exchange_names,
)
from nectar_async.testing.portal_transport import PortalTransport
from nectar_async.testing.shared_recorder import SharedRecorder, write_recording
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._mode import Mode
from nectar_async.transports._request_body import read_body
from nectar_async.transports.recorder import Recorder

__all__ = [
    "LiveServer",
    "LiveStage",
    "LiveTest",
    "RealClock",
    "SandboxClock",
    "ShortWaitClock",
]

# Waits that an overlay causes are pointless, so they are cut to this many seconds.
_MAX_OVERLAY_WAIT = 0.5


@frozen(kw_only=True)
class LiveServer:
    """The server that answers a test: its key, settings and clock."""

    key: Secret[str]
    settings: Settings
    clock: VirtualClock
    is_sandbox: bool = False

    @classmethod
    def for_api(cls, options: TestOptions, key: str) -> Self:
        """Describe the API as the server, with the URL of settings or NECTAR_BASE_URL.

        Args:
            options: the options of the test.
            key: the API key.

        Raises:
            ConfigurationError: the key is empty, or a variable is invalid.
        """
        if not key:
            raise ConfigurationError(
                f"mode {options.mode} sends requests to the API: set NECTAR_API_KEY, or"
                " add --nectar-sandbox to use a sandbox"
            )
        return cls(
            key=Secret(key),
            settings=options.settings or Settings.from_env(),
            clock=ShortWaitClock(_MAX_OVERLAY_WAIT)
            if options.overlays
            else RealClock(),
        )

    @classmethod
    def for_sandbox(
        cls,
        options: TestOptions,
        *,
        url: str,
        api_key: str,
        advance: Callable[[float], object],
    ) -> Self:
        """Describe the sandbox of a test as the server.

        Args:
            options: the options of the test.
            url: the base URL of the sandbox.
            api_key: a key that the sandbox accepts.
            advance: advances the clock of the sandbox by some seconds.
        """
        settings = options.settings or Settings()
        return cls(
            key=Secret(api_key),
            settings=evolve(settings, base_url=url),
            clock=SandboxClock(advance),
            is_sandbox=True,
        )


class LiveTest:
    """The state of a test in every mode except replay.

    Raises:
        ConfigurationError: the marker is invalid, or another process of pytest-xdist
            may write the same recording.
    """

    def __init__(
        self, item: pytest.Item, options: TestOptions, server: LiveServer
    ) -> None:
        self._item = item
        self._options = options
        self._server = server
        self._session = PluginSession.of(item.config)
        self._transports: list[PortalTransport] = []
        self._shared: SharedRecorder | None = None
        self._recorder: Recorder | None = None
        self._stage = LiveStage(
            self._build_inner_stage(), options.overlays, server.clock
        )
        self.clock: VirtualClock = server.clock
        self.settings: Settings = server.settings
        self._used_settings = server.settings
        self.unused: tuple[str, ...] = ()
        """Always empty: nothing is replayed."""

    @property
    def witness(self) -> RequestLog:
        """The log of the clients' requests."""
        return self._stage.witness

    def build_client(self, settings: Settings) -> NectarClient:
        """Build a client for the test's server; `close` closes its connections."""
        if self._server.is_sandbox:
            settings = evolve(settings, base_url=self._server.settings.base_url)
        self._used_settings = settings
        transport = PortalTransport(self._session.portal)
        self._transports.append(transport)
        return NectarClient(
            self._server.key,
            transport=transport,
            settings=settings,
            recorder=self._stage,
            clock=self._server.clock,
        )

    def end(self, *, has_passed: bool) -> None:
        """Write the recording if all tests that share it have ended and passed.

        Raises:
            NectarError: the recording cannot be written, or would contain a secret.
        """
        if has_passed and self._stage.unmet and self._options.unused != "ignore":
            self._report("unmet", describe_overlays(self._stage.unmet))
        if self._recorder is None:
            return
        is_new = self._options.mode is Mode.NEW
        if self._shared is None:
            can_write = has_passed
        else:
            can_write = self._shared.end(self._options.test, has_passed=has_passed)
        if can_write:
            self._write(self._recorder, is_new=is_new)
        elif not has_passed:
            self._report("not_added" if is_new else "not_written")

    def close(self) -> None:
        """Close the connections of clients that the test left open."""
        for transport in self._transports:
            transport.close()

    def _write(self, recorder: Recorder, *, is_new: bool) -> None:
        """Write the recording, and report whether it changed."""
        path = self._options.path
        before = list_exchange_names(path)
        has_changed = self._session.portal.call(
            write_recording, recorder, self._server.key, self._used_settings
        )
        if not (path / MANIFEST_NAME).exists():
            # A test that records nothing needs an empty recording to be replayed.
            redaction = self._options.redaction or Redaction()
            empty = Recording(redaction=redaction.manifest())
            has_changed = empty.save(path, datetime.now(UTC))
        removed = {*before} - {*list_exchange_names(path)}
        unchanged = "complete" if is_new else "unchanged"
        self._report("written" if has_changed else unchanged, sorted(removed))

    def _build_inner_stage(self) -> Stage:
        """Build the stage that records; in passthrough mode it only sends."""
        path, redaction = self._options.path, self._options.redaction or Redaction()
        if self._options.mode is Mode.PASSTHROUGH:
            return _send_unrecorded
        is_named = self._options.is_named
        if not self._session.can_write(self._item, path, is_named=is_named):
            return _send_unrecorded
        # The server may quote its key in an error.
        secrets = (*redaction.secrets, self._server.key)
        redaction = evolve(redaction, secrets=secrets)
        if self._options.mode is Mode.NEW:
            self._recorder = Recorder(
                path, mode=Mode.NEW, redaction=redaction, **self._options.flags
            )
            return self._recorder
        self._shared = self._session.share_recorder(
            self._item, self._options, redaction
        )
        self._recorder = self._shared.recorder
        return self._shared.start_test(self._options.test, redaction)

    def _report(self, event: Any, names: Iterable[str] = ()) -> None:
        """Add an event of this test to the summary; see `ReportRow`."""
        path = self._options.path
        self._session.add(
            ReportRow(
                test=self._options.test,
                path=self._session.format_path(path),
                event=event,
                names=tuple(names),
                count=len(list_exchange_names(path)),
            )
        )


async def _send_unrecorded(request: Request[Any], send: Send) -> Response:
    """Send a request; the stage of a test that writes no recording."""
    return await send(request)


class RealClock(VirtualClock):
    """A clock whose waits take real time and are logged as by a `VirtualClock`.

    It adds no jitter, so that a test can predict its waits.
    """

    def monotonic(self) -> float:
        """Return `time.monotonic` plus the seconds that were advanced."""
        return time.monotonic() + super().monotonic()

    def now(self) -> datetime:
        """Return the current time in UTC plus the seconds that were advanced."""
        return datetime.now(UTC) + timedelta(seconds=super().monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of real time."""
        self.sleeps.append(seconds)
        await anyio.sleep(seconds)


class ShortWaitClock(VirtualClock):
    """A virtual clock that also waits a short real time.

    The time that the network takes does not advance this clock, so a test logs
    exactly the waits that its replay logs.

    Args:
        max_wait: the longest real wait, in seconds.
    """

    def __init__(self, max_wait: float) -> None:
        super().__init__(datetime.now(UTC))
        self._max_wait = max_wait

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, and wait for at most `max_wait` of them."""
        await super().sleep(seconds)
        await anyio.sleep(min(seconds, self._max_wait))


class SandboxClock(VirtualClock):
    """A virtual clock that advances the clock of a sandbox along with itself.

    Args:
        advance: advances the sandbox's clock by some seconds, before its next request.
    """

    def __init__(self, advance: Callable[[float], object]) -> None:
        super().__init__()
        self._advance = advance
        self._advanced = 0.0

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, on the sandbox's clock as well."""
        await super().sleep(seconds)
        # Waits may overlap, so the sandbox is advanced to this time, not by the wait.
        ahead = self.monotonic() - self._advanced
        if ahead > 0:
            self._advanced += ahead
            self._advance(ahead)


class LiveStage:
    """The stage of a test's clients that logs requests and injects overlays.

    Some overlays change the rows of a list and need all of its pages, as in a replay.
    If there is one, the first request for a page requests the whole list.

    Args:
        inner: the stage that records; it does not see the effects of overlays.
        overlays: the faults to inject.
        clock: the clock for overlays that wait.
    """

    needs_key = True

    def __init__(
        self, inner: Stage, overlays: Sequence[FaultLike], clock: VirtualClock
    ) -> None:
        self.witness: RequestLog = RequestLog()
        self._inner = inner
        self._faults = FaultInjector(overlays, argument="overlays")
        effects = [VOCABULARY.to_fault(overlay).effect for overlay in overlays]
        self._needs_lists = any(
            isinstance(effect, READS_OTHER_PAGES) for effect in effects
        )
        self._clock = clock
        self._known: dict[str, RecordedAnswer] = {}
        self._ahead: dict[str, RecordedAnswer] = {}
        """Answers to requests that the client has not made yet."""
        self._lock = anyio.Lock()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send a request through all overlays that match it."""
        if not self._faults:
            with self.witness.watch(build_question(request)):
                await anyio.lowlevel.checkpoint()  # a turn of the loop, as in replay
                return await self._inner(request, send)
        question = build_question(request, await read_body(request))

        async def answer(sent: Request[Any]) -> Response:
            if sent is not request:  # an effect makes a request of its own
                return (await self._look_up(sent, send)).response()
            known = self._ahead.pop(question.key, None)
            if known is None and self._faults.has_hit_list(request):
                # If a fault hit the list, it can be read again, as in a replay.
                known = self._find_success(question.key)
            return (known or await self._fetch(request, send)).response()

        with self.witness.watch(question):
            # Faults come after requests that were made at the same time, as in replay.
            await anyio.lowlevel.checkpoint()
            if self._needs_lists and request.listing is not None:
                await self._fetch_list(request, send)
            return await self._faults.apply(request, answer, clock=self._clock)

    @property
    def unmet(self) -> tuple[FaultLike, ...]:
        """The overlays that have hit no request so far."""
        return self._faults.unmet

    async def _fetch(self, request: Request[Any], send: Send) -> RecordedAnswer:
        """Send a request, and convert its answer to the form that recordings store."""
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

    async def _fetch_list(self, request: Request[Any], send: Send) -> None:
        """Fetch every page of a list when the first of them is requested."""
        async with self._lock:
            pages, number = 1, 1
            while number <= pages:
                page = at_page(request, number)
                key = build_question(page).key
                known = self._find_success(key)
                if known is None:
                    known = self._ahead[key] = await self._fetch(page, send)
                if known.status != HTTPStatus.OK:
                    return  # the client gets this error when it asks
                if number == 1:
                    pages = read_page_count(known.response().body)
                number += 1

    async def _look_up(self, request: Request[Any], send: Send) -> RecordedAnswer:
        """Find or fetch the answer to a request that an effect makes."""
        key = build_question(request).key
        known = self._known.get(key)
        if known is None:
            known = self._ahead[key] = await self._fetch(request, send)
        return known

    def _find_success(self, key: str) -> RecordedAnswer | None:
        """Find the last answer to a question by its key; None unless it is a 200."""
        known = self._known.get(key)
        return known if known is not None and known.status == HTTPStatus.OK else None
