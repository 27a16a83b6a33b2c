"""Clients of a test in replay mode, which get their answers from its recording."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._text import make_printable
from nectar_async.client import NectarClient
from nectar_async.errors import (
    RecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.recording.folder import MANIFEST_NAME
from nectar_async.recording.request_log import RequestLog
from nectar_async.settings import Settings
from nectar_async.testing.options import TestOptions, find_similar_names
from nectar_async.testing.plugin_session import (
    PluginSession,
    ReportRow,
    describe_overlays,
)
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports.replay import RecordedTransport

__all__ = ["ReplayTest"]


class ReplayTest:
    """The state of a test in replay mode.

    Raises:
        RecordingError: the recording is missing or cannot be replayed.
        ConfigurationError: the marker is invalid.
    """

    def __init__(self, options: TestOptions, session: PluginSession) -> None:
        self._options = options
        self._session = session
        self.clock: VirtualClock = VirtualClock()
        # Settings of the environment are ignored: a replay is the same on any machine.
        self.settings: Settings = options.settings or Settings()
        self._transport = RecordedTransport(
            options.path,
            overlays=options.overlays,
            repeat=options.repeat,
            max_age=options.max_age,
            on_stale=options.on_stale,
            redaction=options.redaction,
            clock=self.clock,
        )
        if not (options.path / MANIFEST_NAME).exists():
            raise RecordingError(self._describe_missing())
        _ = self._transport.recording  # read now, before an event loop runs
        self._client_transport = _UnmatchedCollector(self._transport)

    @property
    def witness(self) -> RequestLog:
        """The log of the clients' requests."""
        return self._transport.witness

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of exchanges that were not requested so far."""
        return self._transport.unused

    def build_client(self, settings: Settings) -> NectarClient:
        """Build a client whose requests are answered from the recording."""
        return NectarClient(
            transport=self._client_transport, settings=settings, clock=self.clock
        )

    def end(self, *, has_passed: bool) -> None:
        """Report requests without an answer, and exchanges that were not requested.

        Raises:
            UnusedRecordingError: exchanges or overlays were not used, and the test has
                `unused="error"`.
        """
        if self._client_transport.misses:
            self._report("unanswered", tuple(self._client_transport.misses))
        level = self._options.unused
        names = self._transport.unused if has_passed else ()
        self._report("unused", names if level == "report" else ())
        unmet = describe_overlays(self._transport.unmet) if has_passed else ()
        if unmet and level == "report":
            self._report("unmet", unmet)
        messages = [*self._list_messages(names, unmet)]
        if not messages or level in {"report", "ignore"}:
            return
        if level == "error":
            raise UnusedRecordingError("\n".join(messages), unused=names)
        for message in messages:
            warnings.warn(pytest.PytestWarning(make_printable(message)), stacklevel=1)

    def close(self) -> None:
        """Do nothing: a replay holds no connections."""

    def _describe_missing(self) -> str:
        options = self._options
        similar = ""
        if options.is_named:
            similar = ", ".join(find_similar_names(options.path, options.home))
        path = self._session.format_path(options.path)
        return (
            f"{options.test} has no recording at {path}"
            f"{similar and f' (there is {similar})'}; make it with:"
            f" pytest {shlex.quote(options.test)} --nectar-record=record"
            f"{' (=new to add to it)' if options.is_named else ''}"
        )

    def _list_messages(
        self, names: Sequence[str], unmet: Sequence[str]
    ) -> Iterator[str]:
        if names:
            yield (
                f"{self._options.test} did not request {len(names)} of the exchanges in"
                f" {self._session.format_path(self._options.path)}: {', '.join(names)};"
                " record it again, or set unused='ignore'"
            )
        if unmet:
            yield (
                f"{self._options.test} has overlays that match no request:"
                f" {', '.join(unmet)}; check their operation, page and skip"
            )

    def _report(self, event: Any, names: tuple[str, ...]) -> None:
        path = self._session.format_path(self._options.path)
        self._session.add(
            ReportRow(test=self._options.test, path=path, event=event, names=names)
        )


class _UnmatchedCollector:
    """A transport that replays, and collects the requests without an answer.

    They are reported even if the test catches the error.
    """

    needs_key = False

    def __init__(self, transport: RecordedTransport) -> None:
        self._transport = transport
        self.misses: list[str] = []

    async def send(self, request: Request[Any], /) -> Response:
        try:
            return await self._transport.send(request)
        except UnmatchedRequestError as error:
            self.misses.append(error.message.partition("\n")[0])
            raise

    async def aclose(self) -> None:
        await self._transport.aclose()
