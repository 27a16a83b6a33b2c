"""The client: what it is made of, and how long it lives. Nothing else."""

from __future__ import annotations

import os
from functools import cached_property, partial
from importlib import import_module
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio.to_thread
from attrs import evolve

from nectar_async._http import wiring
from nectar_async._http.auth import HiddenSource, KeySource
from nectar_async._http.clock import Clock
from nectar_async._http.executor import Executor
from nectar_async._http.request import Request
from nectar_async._http.retry import RetryBudget
from nectar_async._http.session import Session
from nectar_async._http.statistics import Statistics
from nectar_async._http.transport import Stage, Transport
from nectar_async._types import Secret
from nectar_async.errors import ConfigurationError
from nectar_async.resources import _ping
from nectar_async.resources._group import Group
from nectar_async.resources.accounts import Accounts
from nectar_async.resources.companies import Companies
from nectar_async.resources.connections import Connections
from nectar_async.resources.documents import Documents
from nectar_async.resources.intervals import Intervals
from nectar_async.resources.invitations import Invitations
from nectar_async.resources.jobs import Jobs
from nectar_async.resources.magic_links import MagicLinks
from nectar_async.resources.meters import Meters
from nectar_async.resources.providers import Providers
from nectar_async.resources.repository import Repository
from nectar_async.resources.sites import Sites
from nectar_async.resources.team import TeamProfile
from nectar_async.resources.usage import Usage
from nectar_async.resources.webhook_portal import WebhookPortal
from nectar_async.settings import Settings
from nectar_async.transports.memory import MemoryTransport

__all__ = ["NectarClient"]

T = TypeVar("T")

# What a light copy shares with its original, and so cannot set for itself.
_SHARED_SETTINGS = ("base_url", "api_version", "max_concurrency", "max_downloads")


class NectarClient:
    """The Nectar API, asynchronously.

    ```python
    async with NectarClient() as nectar:  # the key is in NECTAR_API_KEY
        async for record in nectar.usage.by_company(company_id):
            print(record.start_date, record.usage, record.usage_units)
    ```

    Without `async with`, call `aclose()` at the end. A client binds to the event loop
    of its first use, may be opened and closed by different tasks, and is meant to be
    shared by everything in that loop: its limiter bounds them together.

    Args:
        api_key: the key, or a function (plain or async) that gives it; a function is
            asked again, once, when a key is refused. By default `NECTAR_API_KEY`.
        transport: what carries requests; by default an `AiohttpTransport`. The client
            closes it.
        settings: by default `Settings.from_env()`.
        recorder: a `Recorder`, or a stage of your own, that sees every attempt, and
            every answer whatever the status. It sits below the status check and above
            the key, so it never meets the key.
        clock: time, for tests.

    Raises:
        ConfigurationError: no key where the transport needs one, or one that cannot be.
    """

    accounts = Group(Accounts)
    companies = Group(Companies)
    connections = Group(Connections)
    documents = Group(Documents)
    intervals = Group(Intervals)
    invitations = Group(Invitations)
    jobs = Group(Jobs)
    magic_links = Group(MagicLinks)
    meters = Group(Meters)
    providers = Group(Providers)
    repository = Group(Repository)
    sites = Group(Sites)
    team = Group(TeamProfile)
    usage = Group(Usage)
    webhook_portal = Group(WebhookPortal)

    def __init__(
        self,
        api_key: KeySource | None = None,
        *,
        transport: Transport | None = None,
        settings: Settings | None = None,
        recorder: Stage | None = None,
        clock: Clock | None = None,
    ) -> None:
        api_key = _masked(api_key)  # a traceback may show the locals of a frame
        settings = Settings.from_env() if settings is None else settings
        if not isinstance(settings, Settings):
            raise ConfigurationError(
                f"settings must be Settings(...), not {type(settings).__name__}"
            )
        if transport is None and not getattr(recorder, "needs_key", True):
            # Nothing gets past a recorder that replays, so nothing is loaded for it.
            transport = MemoryTransport({})
        self._wire(
            settings,
            Session(
                _key_source(api_key, transport, recorder),
                transport,
                settings,
                clock,
                default_transport=_default_transport,
            ),
            recorder,
            RetryBudget(settings.retry.budget),
        )
        self._is_original = True
        if (guard := getattr(recorder, "guard", None)) is not None:
            guard(self._session.key_store.keys)

    def _wire(
        self,
        settings: Settings,
        session: Session,
        recorder: Stage | None,
        budget: RetryBudget,
    ) -> None:
        self.settings = settings
        self._session = session
        self._recorder = recorder
        self._budget = budget
        self._is_original = False

    @cached_property
    def _executor(self) -> Executor:
        return wiring.build_executor(
            self.settings, self._session, self._recorder, self._budget
        )

    async def __aenter__(self) -> Self:
        await self._session.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                await self._finish_recording()
            elif (discard := getattr(self._recorder, "discard", None)) is not None:
                discard()
        finally:
            await self._close()

    async def aclose(self) -> None:
        """Give back connections, and have the recorder write what it has.

        Closing twice, or a light copy, does nothing. A client that is left by an
        exception, as `async with` is, records nothing.
        """
        try:
            await self._finish_recording()
        finally:
            await self._close()

    async def _finish_recording(self) -> None:
        finish = getattr(self._recorder, "finish", None)
        if finish is not None and self._is_original and self._session.is_used:
            await finish(self._executor.source.send if self._session.is_here else None)

    async def _close(self) -> None:
        if self._is_original:
            await self._session.aclose()

    def with_settings(self, **changes: Any) -> NectarClient:
        """A light copy with other settings that shares transport, key and limiter.

        ```python
        patient = nectar.with_settings(attempt_timeout=120, deadline=300)
        ```

        Raises:
            ConfigurationError: a setting that the copies share, or that makes no sense.
        """
        shared = [name for name in _SHARED_SETTINGS if name in changes]
        if shared:
            raise ConfigurationError(
                f"{', '.join(shared)} cannot change in a copy: it shares the transport"
                " and the limiter; make another NectarClient"
            )
        try:
            settings = evolve(self.settings, **changes)
        except TypeError:
            unknown = sorted(set(changes) - {*Settings.__annotations__})
            raise ConfigurationError(
                f"there is no setting {', '.join(unknown)}"
            ) from None
        copy = object.__new__(type(self))
        is_same = settings.retry == self.settings.retry
        budget = self._budget if is_same else RetryBudget(settings.retry.budget)
        copy._wire(settings, self._session, self._recorder, budget)
        return copy

    async def send(self, request: Request[T]) -> T:
        """One request through the whole pipeline, and its answer decoded.

        For an operation that has no method here; see `Request`. A list comes as a
        `Page`.

        Raises:
            NectarError: any of the tree in `nectar_async.errors`.
        """
        return await self._executor.send(request)

    async def ping(self) -> str:
        """Test the key; the API's own words, as `pong v2.2`. `ping_get`, GET /ping.

        Raises:
            DecodeError: something answered, but not this API.
        """
        request = Request.get("ping_get", "/ping", object)
        return await self._executor.ask(request, _ping.pong)

    def statistics(self) -> Statistics:
        """What this client and its copies did so far."""
        return self._session.counters.snapshot(self._session.limiter)


async def _default_transport() -> Transport:
    """Make an `AiohttpTransport`.

    Importing aiohttp takes a while and reads the system's certificates, so that happens
    in a thread.
    """
    name = "nectar_async.transports.aiohttp"
    module = await anyio.to_thread.run_sync(partial(import_module, name))
    transport: Transport = module.AiohttpTransport()
    return transport


def _masked(key: KeySource | None) -> HiddenSource | None:
    """The key as nobody sees it; what is none either, which the ring refuses."""
    if key is None or isinstance(key, Secret) or callable(key):
        return key
    return Secret(key)


def _key_source(
    key: HiddenSource | None, transport: Transport | None, recorder: Stage | None
) -> HiddenSource | None:
    """The key that was given, or the environment's where one is needed."""
    is_needed = all(getattr(one, "needs_key", True) for one in (transport, recorder))
    if key is not None or not is_needed:
        return key
    found = Secret(os.environ.get("NECTAR_API_KEY", "").strip())
    if not found.reveal():
        raise ConfigurationError(
            "no API key: set NECTAR_API_KEY, or pass NectarClient(api_key=...)"
        )
    return found
