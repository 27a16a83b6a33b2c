"""A test whose requests are sent: to the API or a sandbox, and recorded if wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Self

import pytest
from attrs import evolve, frozen

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send, Stage
from nectar_async._types import Secret
from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.recording.folder import MANIFEST, Recording
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.settings import Settings
from nectar_async.testing.booth import Booth, BriskClock, RealClock, SandboxClock
from nectar_async.testing.options import Terms
from nectar_async.testing.portal_transport import RemoteTransport
from nectar_async.testing.recordings import NectarRecording
from nectar_async.testing.sandbox_fixture import NectarSandbox
from nectar_async.testing.session import Row, Suite, exchanges, in_words
from nectar_async.testing.shared_recorder import Tape, written
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._mode import Mode
from nectar_async.transports.recorder import Recorder

__all__ = ["Live", "Server"]

# Whoever waits for trouble that an overlay made waits for nobody, and soon for others.
_LONGEST_WAIT = 0.5


@frozen(kw_only=True)
class Server:
    """Who answers a test."""

    key: Secret[str]
    settings: Settings
    clock: VirtualClock
    is_sandbox: bool = False

    @classmethod
    def api(cls, terms: Terms) -> Self:
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
            clock=BriskClock(_LONGEST_WAIT) if terms.overlays else RealClock(),
        )

    @classmethod
    def sandbox(cls, terms: Terms, sandbox: NectarSandbox) -> Self:
        """The sandbox of the test. Its time is the clients' time."""
        settings = terms.settings or Settings()
        return cls(
            key=Secret(sandbox.api_key),
            settings=evolve(settings, base_url=sandbox.url),
            clock=SandboxClock(sandbox.advance),
            is_sandbox=True,
        )


class Live:
    """What a test has in every mode but replay.

    Raises:
        ConfigurationError: the marker makes no sense, or another process of
            pytest-xdist may write the same recording.
    """

    def __init__(self, item: pytest.Item, terms: Terms, server: Server) -> None:
        self._item = item
        self._terms = terms
        self._server = server
        self._suite = Suite.of(item.config)
        self._settings = server.settings
        self._transports: list[RemoteTransport] = []
        self._tape: Tape | None = None
        self._recorder: Recorder | None = None
        self._booth = Booth(self._inner(), terms.overlays, server.clock)
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
            self._add("unmet", in_words(self._booth.unmet))
        if self._recorder is None:
            return
        is_new = self._terms.mode is Mode.NEW
        if self._tape is None:
            is_due = has_passed
        else:
            is_due = self._tape.end(self._terms.test, has_passed=has_passed)
        if is_due:
            before = exchanges(self._terms.path)
            has_changed = self._suite.portal.call(
                written, self._recorder, self._server.key, self._settings
            )
            if not (self._terms.path / MANIFEST).exists():
                # What asks nothing, or meets an overlay each time, is replayed, too.
                has_changed = self._empty().save(self._terms.path, datetime.now(UTC))
            gone = {*before} - {*exchanges(self._terms.path)}
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
            Row(
                test=self._terms.test,
                path=self._suite.shown(path),
                what=what,
                names=tuple(names),
                count=len(exchanges(path)),
            )
        )


async def _straight(request: Request[Any], send: Send) -> Response:
    return await send(request)
