"""A sandbox of a test's own, served from the session's thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from attrs import evolve

from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import Faults, Sandbox, Witness
from nectar_async.settings import Settings
from nectar_async.testing.options import (
    TestOptions,
    change_settings,
    fail_without_traceback,
)
from nectar_async.testing.portal_transport import RemoteTransport
from nectar_async.testing.session import PluginSession

__all__ = ["NectarSandbox", "run_sandbox"]

# Enough for every list, and made in a tenth of a second.
_COMPANIES = 3


class NectarSandbox:
    """A sandbox that serves one test, as the fixture `nectar_sandbox` gives it.

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
        self._transports: list[RemoteTransport] = []
        self.url: str = sandbox.url
        """Where it listens, without a version: `http://127.0.0.1:41234`."""
        self.api_key: str = sandbox.api_key
        """The key that opens it."""
        self.settings: Settings = evolve(settings or Settings(), base_url=self.url)
        """Settings that point a client at it; with what else the marker has."""

    @property
    def faults(self) -> Faults:
        """Trouble that it makes; `faults.add` takes more at any time."""
        return self._sandbox.faults

    @property
    def witness(self) -> Witness:
        """What reached it."""
        return self._sandbox.witness

    def advance(self, seconds: float) -> None:
        """Move its clock, before it answers whatever is asked after this."""
        self._portal.start_task_soon(self._sandbox.clock.advance, seconds)

    def client(self, settings: Settings | None = None, **changes: Any) -> NectarClient:
        """A client of the sandbox; it is opened by its first request, and waits really.

        Args:
            settings: by default `self.settings`; the address is the sandbox's anyway.
            changes: single settings, as `max_concurrency=2`.

        Raises:
            ConfigurationError: a setting makes no sense.
        """
        chosen = evolve(settings or self.settings, base_url=self.url)
        transport = RemoteTransport(self._portal)
        self._transports.append(transport)
        return NectarClient(
            self.api_key, transport=transport, settings=change_settings(chosen, changes)
        )

    def close(self) -> None:
        """Give back what clients hold that the test forgot to close."""
        for transport in self._transports:
            transport.close()


@asynccontextmanager
async def _serving(arguments: Mapping[str, Any]) -> AsyncIterator[Sandbox]:
    try:
        sandbox = Sandbox(**arguments)
    except TypeError as error:
        raise ConfigurationError(f"sandbox={dict(arguments)!r}: {error}") from None
    async with sandbox:
        yield sandbox


def run_sandbox(
    request: pytest.FixtureRequest, defaults: Mapping[str, Any]
) -> Iterator[NectarSandbox]:
    """Have a sandbox serve while a test runs."""
    portal = PluginSession.of(request.config).portal
    with ExitStack() as stack:
        with fail_without_traceback():
            terms = TestOptions.of(request.node, defaults)
            serving = _serving({"companies": _COMPANIES, **terms.sandbox})
            sandbox = stack.enter_context(portal.wrap_async_context_manager(serving))
        here = NectarSandbox(sandbox, portal, terms.settings)
        stack.callback(here.close)
        yield here
