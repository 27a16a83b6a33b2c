"""What the fixture `nectar_recording` gives to a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import field, frozen

from nectar_async.client import NectarClient
from nectar_async.recording.request_log import Witness
from nectar_async.settings import Settings
from nectar_async.testing.options import changed
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._mode import Mode

__all__ = ["NectarRecording"]


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
    witness: Witness
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
        return self._make(changed(settings or self._settings, changes))
