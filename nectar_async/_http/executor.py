"""A request on its way through a client: sent, and its answer given a meaning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar, cast, get_args, get_origin
from uuid import uuid4

from attrs import field, frozen

from nectar_async._http.clock import Clock, current_clock
from nectar_async._http.redact import conceal
from nectar_async._http.request import Request, changed
from nectar_async._http.response import Response
from nectar_async._http.session import Session
from nectar_async._http.trace import Timing
from nectar_async._http.transport import Send
from nectar_async._json.converter import after_write, converter
from nectar_async._json.cooperative import Steps
from nectar_async._json.json import announced_pages
from nectar_async._types import Secret
from nectar_async.errors import (
    ConfigurationError,
    NectarError,
)
from nectar_async.models.page import Listing, Page
from nectar_async.settings import Settings

__all__ = ["Executor", "Source", "describe"]

T = TypeVar("T")


@frozen
class Source(Generic[T]):
    """What a walk needs of a client."""

    send: Callable[[Request[Page[T]]], Awaitable[Response]]
    """One request through the whole pipeline."""
    read: Callable[[Request[Page[T]], Response], Awaitable[Page[T]]]
    """What an answer means; one is read in each turn of the event loop."""
    peek: Callable[[Request[Page[T]], Response], int]
    """How many pages a first page announces, without reading its records."""
    permits: int = field(default=10)
    """How many requests may be in flight at once."""


class Executor:
    """What a client and its nouns ask through.

    Args:
        settings: where to, and how what comes back is read.
        session: what is shared with the client's copies.
        pipeline: the stages around the transport.
        files: the stages of downloads, which know no key.
    """

    def __init__(
        self, settings: Settings, session: Session, pipeline: Send, files: Send
    ) -> None:
        self._settings = settings
        self._session = session
        self._pipeline = pipeline
        self._files = files
        self._converter = converter(is_strict=settings.strict)
        self.source: Source[Any] = Source(
            send=self._respond,
            read=self._read_page,
            peek=self._announced,
            permits=settings.max_concurrency,
        )
        """What a walk over a list needs."""

    @property
    def settings(self) -> Settings:
        """How the client was set."""
        return self._settings

    @property
    def clock(self) -> Clock:
        """The time that waits go by."""
        return self._session.clock

    async def send(self, request: Request[T]) -> T:
        """The answer, decoded to what the request says."""
        if get_origin(request.returns) is Page:
            _listing_of(request)  # refused before anything is sent
            page = await self._read_page(request, await self._respond(request))
            return cast("T", page)
        if get_origin(request.returns) is not list:
            return await self.ask(request, self.reader(request))
        response = await self._respond(request)
        keys = self.keys(request.operation)
        work = self._converter.in_steps(response.body, request.returns, keys)
        return await self._read(request, response, work)

    def keys(self, operation: str) -> Mapping[str, str]:
        """The keys that the user corrected: the package's spelling to the true one."""
        correction = self._settings.operations.get(operation)
        return {} if correction is None else correction.keys

    def reader(self, request: Request[T]) -> Callable[[bytes], T]:
        """What makes of a body what the request says that it is."""
        keys = self.keys(request.operation)
        return lambda body: self._converter.decode(body, request.returns, keys)

    async def ask(self, request: Request[Any], decode: Callable[[bytes], T]) -> T:
        """The answer, decoded by a function of one's own."""
        response = await self._respond(request)
        try:
            return decode(response.body)
        except NectarError as error:
            raise self._told(error, request, response) from None

    async def fetch(self, request: Request[Any]) -> Response:
        """What a file host answers to a request that has its `url`: sent as it is."""
        await self._session.open()
        timing = Timing(started=self._session.clock.monotonic())
        stamped = changed(
            request, max_body_bytes=self._settings.max_body_bytes, timing=timing
        )
        return await self._through(self._files, request, stamped)

    async def _respond(self, request: Request[Any]) -> Response:
        """The response to a request, unpacked."""
        await self._session.open()
        started = self._session.clock.monotonic()
        timing = Timing(request_id=uuid4().hex, started=started)
        stamped = changed(
            request.addressed(
                self._settings.api_url, self._settings.operations.get(request.operation)
            ),
            max_body_bytes=self._settings.max_body_bytes,
            timing=timing,
        )
        return await self._through(self._pipeline, request, stamped)

    async def _through(
        self, stages: Send, request: Request[Any], stamped: Request[Any]
    ) -> Response:
        clock, timing = self._session.clock, stamped.timing
        started = clock.monotonic() if timing.started is None else timing.started
        self._session.counters.requests += 1
        token = current_clock.set(clock)
        try:
            response = await stages(stamped)
        except NectarError as error:
            timing.elapsed = clock.monotonic() - started
            describe(error, request, timing)
            # One that has its address from the start asks for a file: that opens it.
            links = {"documents": [Secret(request.url)]} if request.url else None
            conceal(error, request.operation, request.json or links)
            raise
        finally:
            current_clock.reset(token)
        timing.elapsed = clock.monotonic() - started
        return changed(response, timing=timing)

    async def _read(
        self, request: Request[Any], response: Response, work: Steps[T]
    ) -> T:
        """What a response means, by the work of decoding it."""
        try:
            return await self._session.turns.take(work, len(response.body))
        except NectarError as error:
            raise self._told(error, request, response) from None

    def _told(
        self, error: NectarError, request: Request[Any], response: Response
    ) -> NectarError:
        """An error of decoding, with what it is about, and nothing of the answer."""
        if request.method != "GET" or not request.is_repeatable:
            after_write(error, response.status)
        describe(error, request, response.timing)
        conceal(error, request.operation, request.json)
        # The frames below hold the answer, and a traceback may show their locals.
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)

    async def _read_page(self, request: Request[Any], response: Response) -> Page[Any]:
        (kind,) = get_args(request.returns)
        listing = _listing_of(request)
        keys = self.keys(request.operation)
        work = self._converter.page_in_steps(
            response.body, kind, listing, request.page or 1, keys
        )
        return await self._read(request, response, work)

    def _announced(self, request: Request[Any], response: Response) -> int:
        keys = self.keys(request.operation)
        return announced_pages(response.body, keys.get("totalPages", "totalPages"))


def _listing_of(request: Request[Any]) -> Listing:
    """How the envelope of a list is spelled; a list that does not say is refused."""
    if request.listing is None:
        raise ConfigurationError(
            f"{request.operation} is a list; say how its envelope is spelled:"
            " Request.get(..., listing=Listing(items='usage_data'))"
        )
    return request.listing


def describe(
    error: NectarError, request: Request[Any], timing: Timing | None = None
) -> None:
    """Write on an error which request it was; what is written already stays."""
    if error.operation is not None:
        return
    timing = request.timing if timing is None else timing
    error.operation = request.operation
    error.target = request.target or None
    error.request_id = timing.request_id or None
    error.attempts = timing.attempts
    error.elapsed = timing.elapsed
    error.page = request.page
