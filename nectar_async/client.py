"""The client: what is wired to what, and how long it lives. Nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar, cast, get_args, get_origin
from uuid import uuid4

from attrs import evolve

from nectar_async._clock import Clock
from nectar_async._convert import converter
from nectar_async._json import announced_pages
from nectar_async._key import FreshKey, KeySource, StampKey
from nectar_async._link import Link
from nectar_async._pages import Source, describe
from nectar_async._pipeline import (
    AttemptTimeout,
    CheckStatus,
    Deadline,
    Limit,
    Retry,
    compose,
)
from nectar_async._request import Listing, Request, Trace
from nectar_async._response import Response
from nectar_async._retry import RetryBudget
from nectar_async._statistics import Statistics
from nectar_async._transport import Stage, Transport
from nectar_async.errors import (
    BodyCorruptError,
    ConfigurationError,
    DecodeError,
    NectarError,
    TransportError,
)
from nectar_async.models.page import Page
from nectar_async.resources.companies import Companies
from nectar_async.resources.repository import Repository
from nectar_async.resources.sites import Sites
from nectar_async.resources.usage import Usage
from nectar_async.settings import Operation, Settings

__all__ = ["NectarClient"]

T = TypeVar("T")

# What a light copy shares with its original, and so cannot set for itself.
_SHARED_SETTINGS = ("base_url", "api_version", "max_concurrency")

# How often an answer whose packing is damaged is asked for again.
_DAMAGED_AGAIN = 3


class NectarClient:
    """The Nectar API, asynchronously.

    ```python
    async with NectarClient() as nectar:  # the key is in NECTAR_API_KEY
        async for record in nectar.usage.by_company(company_id):
            print(record.start_date, record.usage, record.usage_units)
    ```

    Without `async with`, call `aclose()` at the end. A client binds to the event loop
    of its first use, may be opened and closed by different tasks, and is meant to be
    shared by everything in that loop: its gate bounds them together.

    Args:
        api_key: the key, or a function (plain or async) that gives it; a function is
            asked again, once, when a key is refused. By default `NECTAR_API_KEY`.
        transport: what carries requests; by default an `AiohttpTransport`. The client
            closes it.
        settings: by default `Settings.from_env()`.
        recorder: a stage that sees every attempt that is answered, whatever the status.
            It sits below the status check and above the key, so it never meets the key.
        clock: time, for tests.

    Raises:
        ConfigurationError: no key where the transport needs one, or one that cannot be.
    """

    def __init__(
        self,
        api_key: KeySource | None = None,
        *,
        transport: Transport | None = None,
        settings: Settings | None = None,
        recorder: Stage | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = Settings.from_env() if settings is None else settings
        self._wire(
            settings,
            Link(_key_source(api_key, transport), transport, settings, clock),
            recorder,
            RetryBudget(settings.retry.budget),
        )
        self._is_original = True

    def _wire(
        self,
        settings: Settings,
        link: Link,
        recorder: Stage | None,
        budget: RetryBudget,
    ) -> None:
        self.settings = settings
        self._link = link
        self._recorder = recorder
        self._budget = budget
        self._is_original = False
        clock, tally = link.clock, link.tally
        # The order of the stages, outermost first. Retry is outside the gate, so that
        # nobody holds a permit while waiting; the key is stamped last, so that nothing
        # above can leak it.
        deadline = Deadline(settings.deadline, clock)
        stages: list[Stage] = [
            deadline,
            Retry(settings.retry, budget, clock, tally, deadline),
            FreshKey(link.ring, clock),
            Limit(link.gate, clock, tally),
            AttemptTimeout(settings.attempt_timeout),
            CheckStatus(clock, tally),
            *([] if recorder is None else [recorder]),
            StampKey(link.ring),
        ]
        self._pipeline = compose(stages, link.send)
        self._converter = converter(is_strict=settings.strict)
        self.source: Source[Any] = Source(
            self._respond, self._read_page, self._announced, settings.max_concurrency
        )
        self.companies = Companies(self)
        self.sites = Sites(self)
        self.usage = Usage(self)
        self.repository = Repository(self)

    async def __aenter__(self) -> Self:
        await self._link.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give back connections; closing twice, or a light copy, does nothing."""
        if self._is_original:
            await self._link.aclose()

    def with_settings(self, **changes: Any) -> NectarClient:
        """A light copy with other settings that shares transport, key and gate.

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
                " and the gate; make another NectarClient"
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
        copy._wire(settings, self._link, self._recorder, budget)
        return copy

    async def send(self, request: Request[T]) -> T:
        """One request through the whole pipeline, and its answer decoded.

        For an operation that has no method here; see `Request`. A list comes as a
        `Page`.

        Raises:
            NectarError: any of the tree in `nectar_async.errors`.
        """
        if get_origin(request.returns) is Page:
            listing_of(request)
            page = await self._read_page(request, await self._respond(request))
            return cast("T", page)
        return await self._read(
            request,
            await self._respond(request),
            lambda body: self._converter.decode(body, request.returns),
        )

    async def ping(self) -> str:
        """Test the key; the API's own words, as `pong v2.2`. `ping_get`, GET /ping.

        Raises:
            DecodeError: something answered, but not this API.
        """
        request = Request.get("ping_get", "/ping", object)
        return await self._read(request, await self._respond(request), self._pong)

    def _pong(self, body: bytes) -> str:
        answer = self._converter.decode(body, object)
        words = answer.values() if isinstance(answer, dict) else [answer]
        for word in words:
            if isinstance(word, str) and "pong" in word.lower():
                return word
        raise DecodeError.of("ping", ("expected a text with 'pong' @ $",))

    def statistics(self) -> Statistics:
        """What this client and its copies did so far."""
        return self._link.tally.snapshot(self._link.gate)

    async def _respond(
        self, request: Request[Any], started: float | None = None
    ) -> Response:
        """The response to a request, still packed; `started` dates its deadline."""
        await self._link.open()
        clock = self._link.clock
        began = clock.monotonic() if started is None else started
        trace = Trace(request_id=uuid4().hex, started=began)
        stamped = evolve(
            request.addressed(self.settings.api_url, self._correction(request)),
            max_body_bytes=self.settings.max_body_bytes,
            trace=trace,
        )
        self._link.tally.requests += 1
        try:
            return evolve(await self._pipeline(stamped), trace=trace)
        except NectarError as error:
            self._describe(error, request, trace)
            raise

    def _describe(
        self, error: NectarError, request: Request[Any], trace: Trace | None
    ) -> None:
        if trace is not None and trace.started is not None:
            error.elapsed = self._link.clock.monotonic() - trace.started
        describe(error, request, trace)

    async def _read(
        self,
        request: Request[Any],
        response: Response,
        decode: Callable[[bytes], T],
    ) -> T:
        """What a response means; one whose packing is damaged is asked for again."""
        limit = self.settings.max_body_bytes
        started = None if response.trace is None else response.trace.started
        try:
            for _ in range(_DAMAGED_AGAIN if request.is_repeatable else 0):
                try:
                    return decode(response.inflated(limit))
                except BodyCorruptError as error:
                    if error.is_permanent:
                        raise
                response = await self._respond(request, started)
            return decode(response.inflated(limit))
        except NectarError as error:
            self._describe(error, request, response.trace)
            raise

    async def _read_page(self, request: Request[Any], response: Response) -> Page[Any]:
        (kind,) = get_args(request.returns)
        listing = listing_of(request)
        correction = self._correction(request)
        keys = None if correction is None else correction.keys
        return await self._read(
            request,
            response,
            lambda body: self._converter.decode_page(
                body, kind, listing, request.page or 1, keys
            ),
        )

    def _announced(
        self, request: Request[Any], response: Response
    ) -> tuple[int, Response]:
        try:
            body = response.inflated(self.settings.max_body_bytes)
        except TransportError:
            return 1, response  # reading it will say so, and ask again
        correction = self._correction(request)
        keys = {} if correction is None else correction.keys
        pages = announced_pages(body, keys.get("totalPages", "totalPages"))
        return pages, evolve(response, headers={}, body=body)

    def _correction(self, request: Request[Any]) -> Operation | None:
        return self.settings.operations.get(request.operation)


def listing_of(request: Request[Any]) -> Listing:
    """How the envelope of a list is spelled; a list that does not say is refused."""
    if request.listing is None:
        raise ConfigurationError(
            f"{request.operation} is a list; say how its envelope is spelled:"
            " Request.get(..., listing=Listing(items='usage_data'))"
        )
    return request.listing


def _key_source(key: KeySource | None, transport: Transport | None) -> KeySource | None:
    """The key that was given, or the environment's where one is needed."""
    if key is not None and not isinstance(key, str) and not callable(key):
        raise ConfigurationError(
            f"api_key is text or a function that gives it, not {type(key).__name__}"
        )
    if key is not None or not getattr(transport, "needs_key", True):
        return key
    found = os.environ.get("NECTAR_API_KEY", "").strip()
    if not found:
        raise ConfigurationError(
            "no API key: set NECTAR_API_KEY, or pass NectarClient(api_key=...)"
        )
    return found
