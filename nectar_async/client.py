"""`NectarClient`: its groups of operations, its settings, and its lifetime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import ClassVar, Self, TypeVar, Unpack
from urllib.parse import urlsplit

import cattrs

from nectar_async._hints import HintedKeywords
from nectar_async._http.auth import KeySource, mask_key, read_key_from_environment
from nectar_async._http.cancellation import run_in_abandoned_thread
from nectar_async._http.clock import Clock
from nectar_async._http.executor import Executor
from nectar_async._http.request import Request
from nectar_async._http.retry import RetryBudget
from nectar_async._http.session import Session
from nectar_async._http.statistics import Statistics
from nectar_async._http.transport import Stage, Transport
from nectar_async._json.converter import Converter, find_converter
from nectar_async.errors import ConfigurationError
from nectar_async.resources._group import Group
from nectar_async.resources._pong import read_pong
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
from nectar_async.settings import (
    GUESSES,
    CopyChanges,
    Settings,
    SettingsChanges,
    change_settings,
)
from nectar_async.transports.memory import MemoryTransport

__all__ = ["NectarClient"]

T = TypeVar("T")

# The settings of the transport and the limiters, which copies of a client share.
_SHARED_SETTINGS = SettingsChanges.__optional_keys__ - CopyChanges.__optional_keys__

_KEY_HINT = "write NectarClient(api_key), or set NECTAR_API_KEY"
_ENTER_HINT = "a client is async: write `async with NectarClient() as nectar:`"


class NectarClient(HintedKeywords):
    """An async client of the Nectar API.

    ```python
    async with NectarClient() as nectar:  # the key is in NECTAR_API_KEY
        async for record in nectar.usage.by_company(company_id):
            print(record.start_date, record.usage, record.usage_units)
    ```

    Without `async with`, call `aclose()` at the end. A client belongs to the event loop
    of its first use, and different tasks may open and close it. Share one client in the
    whole loop: its limiter then bounds all requests together.

    A stage sees every attempt of every API request, and may change it:

    ```python
    async def stamp_team(request: Request[Any], send: Send) -> Response:
        headers = {**request.headers, "X-Team": "energy"}
        return await send(attrs.evolve(request, headers=headers))


    NectarClient(stages=[stamp_team])
    ```

    Args:
        api_key: the key, or a function (plain or async) that returns it. A function is
            called again, once, when a key is refused. Defaults to `NECTAR_API_KEY`.
        transport: sends the requests; the client closes it. Defaults to an
            `AiohttpTransport`.
        settings: defaults to `Settings.from_env()`.
        stages: functions that wrap each attempt, the first one outermost. A stage is
            called once per attempt, while a permit is held and the attempt timeout
            runs; it never sees the key. It gets every answer, whatever its status. It
            is not called for downloads of files. Copies of the client share the stages.
        recorder: a `Recorder`, or another stage that sees every attempt and every
            answer, downloads of files included. It is inside the other stages, so it
            records what they send; it never sees the key.
        clock: the source of time; tests pass a `VirtualClock`.
        converter: decodes the answers with the hooks that you registered on it; see
            `make_converter`. Models without hooks are decoded as fast as by default.

    Raises:
        ConfigurationError: the key is missing or not valid, or an argument has the
            wrong type.
    """

    _HINTS: ClassVar[Mapping[str, str]] = {
        **{
            name: f"write NectarClient(settings=Settings({code}))"
            for name, code in GUESSES.items()
        },
        **dict.fromkeys(("apikey", "key", "token"), _KEY_HINT),
        **dict.fromkeys(("__enter__", "__exit__"), _ENTER_HINT),
        **dict.fromkeys(("bills", "invoices"), "write `nectar.documents`"),
        "close": "write `await nectar.aclose()`",
        "session": "write NectarClient(transport=AiohttpTransport(session=...))",
    }

    accounts: Group[Accounts] = Group(Accounts)
    companies: Group[Companies] = Group(Companies)
    connections: Group[Connections] = Group(Connections)
    documents: Group[Documents] = Group(Documents)
    intervals: Group[Intervals] = Group(Intervals)
    invitations: Group[Invitations] = Group(Invitations)
    jobs: Group[Jobs] = Group(Jobs)
    magic_links: Group[MagicLinks] = Group(MagicLinks)
    meters: Group[Meters] = Group(Meters)
    providers: Group[Providers] = Group(Providers)
    repository: Group[Repository] = Group(Repository)
    sites: Group[Sites] = Group(Sites)
    team: Group[TeamProfile] = Group(TeamProfile)
    usage: Group[Usage] = Group(Usage)
    webhook_portal: Group[WebhookPortal] = Group(WebhookPortal)

    def __init__(
        self,
        api_key: KeySource | None = None,
        *,
        transport: Transport | None = None,
        settings: Settings | None = None,
        stages: Sequence[Stage] = (),
        recorder: Stage | None = None,
        clock: Clock | None = None,
        converter: cattrs.Converter | None = None,
    ) -> None:
        api_key = mask_key(api_key)  # a traceback may show the locals of a frame
        settings = Settings.from_env() if settings is None else settings
        if not isinstance(settings, Settings):
            raise ConfigurationError(
                f"settings must be Settings(...), not {type(settings).__name__}"
            )
        if not all(map(callable, stages)):
            raise ConfigurationError("each stage must be a function(request, send)")
        needs_key = _needs_key(transport) and _needs_key(recorder)
        if api_key is None and needs_key:
            api_key = read_key_from_environment()
        if transport is None and not _needs_key(recorder):
            # A recorder that replays sends nothing, so aiohttp is not loaded.
            transport = MemoryTransport({})
        self._session = session = Session(
            api_key, transport, settings, clock, default_transport=_make_transport
        )
        self._stages = tuple(stages)
        self._recorder = recorder
        self._converter: Converter | None = None
        if converter is not None:
            self._converter = find_converter(converter, is_strict=settings.strict)
        self._build(settings, RetryBudget(settings.retry.budget))
        self._is_original = True
        if (guard := getattr(recorder, "guard", None)) is not None:
            guard(session.key_store.keys)

    def _build(self, settings: Settings, budget: RetryBudget) -> None:
        """Build the parts that copies of the client do not share."""
        self.settings = settings
        self._budget = budget
        self._executor = Executor(
            settings,
            self._session,
            budget,
            stages=self._stages,
            recorder=self._recorder,
            converter=self._converter,
        )

    def __repr__(self) -> str:
        if "_executor" not in vars(self):
            return "<NectarClient not built>"  # in the traceback of a refused argument
        settings, session = self.settings, self._session
        host = urlsplit(settings.base_url).netloc
        permits = f"{session.limiter.allowed} of {session.limiter.limit} permits"
        return (
            f"<NectarClient {host} {settings.api_version}, {permits}, {session.state}>"
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
        if kind is None:
            await self.aclose()
            return
        if (discard := getattr(self._recorder, "discard", None)) is not None:
            discard()
        await self._close(_do_nothing)

    async def aclose(self) -> None:
        """Close the connections, and have the recorder write its recording.

        Open calls and walks end at once with a `ClientClosedError`. To close a client
        twice, or to close a copy, does nothing. An `async with` block that ends with an
        exception writes no recording.
        """
        await self._close(self._finish_recording)

    async def _finish_recording(self) -> None:
        finish = getattr(self._recorder, "finish", None)
        if finish is not None and self._session.is_used:
            await finish(
                self._executor.source.send if self._session.is_in_running_loop else None
            )

    async def _close(self, before: Callable[[], Awaitable[None]]) -> None:
        if self._is_original:
            await self._session.aclose(before)

    def with_settings(self, **changes: Unpack[CopyChanges]) -> NectarClient:
        """Copy the client with other settings.

        The copy shares transport, key, limiter and stages.

        ```python
        patient = nectar.with_settings(attempt_timeout=120, deadline=300)
        ```

        Raises:
            ConfigurationError: a setting does not exist, is not valid, or is one that
                copies share.
        """
        shared = sorted(_SHARED_SETTINGS & changes.keys())
        if shared:
            raise ConfigurationError(
                f"{', '.join(shared)} cannot change in a copy, which shares the"
                " transport and the limiter; make another NectarClient"
            )
        settings = change_settings(self.settings, changes)
        if self._converter is not None:
            find_converter(self._converter.cattrs, is_strict=settings.strict)
        copy = object.__new__(type(self))
        copy._session, copy._stages = self._session, self._stages
        copy._recorder, copy._converter = self._recorder, self._converter
        copy._is_original = False
        is_same = settings.retry == self.settings.retry
        budget = self._budget if is_same else RetryBudget(settings.retry.budget)
        copy._build(settings, budget)
        return copy

    async def send(self, request: Request[T]) -> T:
        """Send one request through the whole pipeline and decode its answer.

        For an operation that has no method; see `Request`. The answer of a list is a
        `Page`.

        Raises:
            NectarError: any class of `nectar_async.errors`.
        """
        return await self._executor.send(request)

    async def ping(self) -> str:
        """Test the key; returns the API's text, as `pong v2.2`. `ping_get`, GET /ping.

        Raises:
            DecodeError: the answer does not come from this API.
        """
        request = Request.get("ping_get", "/ping", object)
        return await self._executor.send_and_decode(request, read_pong)

    def statistics(self) -> Statistics:
        """Take a snapshot of the counters of this client and its copies."""
        return self._session.statistics()


async def _do_nothing() -> None:
    pass


async def _make_transport() -> Transport:
    """Make an `AiohttpTransport`.

    The import of aiohttp takes a while and reads the system's certificates, so it runs
    in a thread.
    """
    name = "nectar_async.transports.aiohttp"
    module = await run_in_abandoned_thread(import_module, name)
    transport: Transport = module.AiohttpTransport()
    return transport


def _needs_key(part: Transport | Stage | None) -> bool:
    """Whether a transport or a recorder needs a key; by default it does."""
    return bool(getattr(part, "needs_key", True))
