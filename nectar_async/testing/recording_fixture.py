"""The fixture `nectar_recording`: the recording of a test, with clients that use it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Unpack

import pytest
from attrs import field, frozen

from nectar_async.client import NectarClient
from nectar_async.recording.request_log import RequestLog
from nectar_async.settings import Settings, SettingsChanges, change_settings
from nectar_async.testing.live import LiveServer, LiveTest
from nectar_async.testing.options import (
    TestOptions,
    fail_without_traceback,
)
from nectar_async.testing.plugin_session import PluginSession, has_passed
from nectar_async.testing.replay import ReplayTest
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._mode import Mode

__all__ = ["NectarRecording", "run_recording"]


@frozen(kw_only=True)
class NectarRecording:
    """The recording of a test: the value of the fixture `nectar_recording`.

    ```python
    async def test_months_come_ten_at_a_time(nectar, nectar_recording):
        await months(nectar)
        assert nectar_recording.witness.peak_in_flight <= 10
    ```
    """

    path: Path
    """The folder of the recording."""
    mode: Mode
    """The mode of the test. It is `passthrough` with `--nectar-sandbox` alone."""
    _test: ReplayTest | LiveTest = field(repr=False)

    @property
    def clock(self) -> VirtualClock:
        """The clients' clock, whose `sleeps` lists their waits.

        In replay and on a sandbox, waits take no real time.
        """
        return self._test.clock

    @property
    def witness(self) -> RequestLog:
        """The log of the clients' requests."""
        return self._test.witness

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of recorded exchanges that were not requested (yet)."""
        return self._test.unused

    def client(
        self, settings: Settings | None = None, **changes: Unpack[SettingsChanges]
    ) -> NectarClient:
        """Build a client that uses the recording; its first request opens it.

        Args:
            settings: by default the settings of the marker. Without a marker, a replay
                uses the default settings, and other modes read the environment.
            changes: single settings, such as `max_concurrency=2`.

        Raises:
            ConfigurationError: a setting is unknown or invalid.
        """
        chosen = change_settings(settings or self._test.settings, changes)
        return self._test.build_client(chosen)


def run_recording(
    request: pytest.FixtureRequest, defaults: Mapping[str, Any]
) -> Iterator[NectarRecording]:
    """Set up the recording of a test, and evaluate it when the test has ended."""
    item: pytest.Item = request.node
    with fail_without_traceback():
        options = TestOptions.of(item, defaults)
        test = _set_up(request, options)
    try:
        yield NectarRecording(path=options.path, mode=options.mode, test=test)
        with fail_without_traceback():
            test.end(has_passed=has_passed(item))
    finally:
        test.close()


def _set_up(
    request: pytest.FixtureRequest, options: TestOptions
) -> ReplayTest | LiveTest:
    if options.mode is Mode.REPLAY:
        return ReplayTest(options, PluginSession.of(request.config))
    if options.is_on_sandbox:
        sandbox = request.getfixturevalue("nectar_sandbox")
        server = LiveServer.for_sandbox(
            options,
            url=sandbox.url,
            api_key=sandbox.api_key,
            advance=sandbox.advance,
        )
    else:
        server = LiveServer.for_api(
            options, os.environ.get("NECTAR_API_KEY", "").strip()
        )
    return LiveTest(request.node, options, server)
