"""The fixture `nectar_sandbox`: a sandbox for one test, served by another thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Unpack

import pytest
from anyio.from_thread import BlockingPortal
from attrs import evolve

from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import Faults, Sandbox, Witness
from nectar_async.settings import Settings, SettingsChanges, change_settings
from nectar_async.testing.options import (
    TestOptions,
    fail_without_traceback,
)
from nectar_async.testing.plugin_session import PluginSession
from nectar_async.testing.portal_transport import PortalTransport

__all__ = ["NectarSandbox", "run_sandbox"]

# Enough for every list, and generated in a tenth of a second.
_COMPANIES = 3


class NectarSandbox:
    """A sandbox that serves one test: the value of the fixture `nectar_sandbox`.

    ```python
    async def test_a_busy_api(nectar_sandbox):
        nectar_sandbox.faults.add("answer status=429 retry-after=0 times=1")
        await months(nectar_sandbox.client())
        assert nectar_sandbox.witness.by_operation["usage_list_by_company"] == 2
    ```
    """

    def __init__(
        self, sandbox: Sandbox, portal: BlockingPortal, settings: Settings | None
    ) -> None:
        self._sandbox = sandbox
        self._portal = portal
        self._transports: list[PortalTransport] = []
        self.url: str = sandbox.url
        """The address without a version: `http://127.0.0.1:41234`."""
        self.api_key: str = sandbox.api_key
        """The API key that the sandbox accepts."""
        self.settings: Settings = evolve(settings or Settings(), base_url=self.url)
        """The settings of the marker, with the address of the sandbox."""

    @property
    def faults(self) -> Faults:
        """The faults that the sandbox injects; `faults.add` adds one at any time."""
        return self._sandbox.faults

    @property
    def witness(self) -> Witness:
        """The log of the requests that reached the sandbox."""
        return self._sandbox.witness

    def advance(self, seconds: float) -> None:
        """Advance the clock of the sandbox before it answers the next request."""
        self._portal.start_task_soon(self._sandbox.clock.advance, seconds)

    def client(
        self, settings: Settings | None = None, **changes: Unpack[SettingsChanges]
    ) -> NectarClient:
        """Build a client of the sandbox; its first request opens it.

        Its waits take real time.

        Args:
            settings: by default `self.settings`; the address is always the sandbox's.
            changes: single settings, such as `max_concurrency=2`.

        Raises:
            ConfigurationError: a setting is unknown or invalid.
        """
        chosen = evolve(settings or self.settings, base_url=self.url)
        transport = PortalTransport(self._portal)
        self._transports.append(transport)
        return NectarClient(
            self.api_key, transport=transport, settings=change_settings(chosen, changes)
        )

    def close(self) -> None:
        """Close the connections of clients that the test left open."""
        for transport in self._transports:
            transport.close()


@asynccontextmanager
async def _serve(arguments: Mapping[str, Any]) -> AsyncIterator[Sandbox]:
    try:
        sandbox = Sandbox(**arguments)
    except TypeError as error:
        raise ConfigurationError(f"sandbox={dict(arguments)!r}: {error}") from None
    async with sandbox:
        yield sandbox


def run_sandbox(
    request: pytest.FixtureRequest, defaults: Mapping[str, Any]
) -> Iterator[NectarSandbox]:
    """Serve a sandbox while a test runs."""
    portal = PluginSession.of(request.config).portal
    with ExitStack() as stack:
        with fail_without_traceback():
            options = TestOptions.of(request.node, defaults)
            server = _serve({"companies": _COMPANIES, **options.sandbox})
            sandbox = stack.enter_context(portal.wrap_async_context_manager(server))
        nectar_sandbox = NectarSandbox(sandbox, portal, options.settings)
        stack.callback(nectar_sandbox.close)
        yield nectar_sandbox
