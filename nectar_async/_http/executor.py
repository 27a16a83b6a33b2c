"""Execute requests: resolve them, send them through a pipeline, decode the answers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast, get_args, get_origin
from uuid import uuid4

import anyio
from attrs import frozen

from nectar_async._http.background import is_foreign_cancellation
from nectar_async._http.clock import Clock, current_clock, move_on_after
from nectar_async._http.pipeline import build_api_pipeline, build_file_pipeline
from nectar_async._http.redact import redact_error
from nectar_async._http.request import Request, Timing, copy_with
from nectar_async._http.response import Response, convert_to_utf8
from nectar_async._http.retry import RetryBudget
from nectar_async._http.session import Session, StartBackground
from nectar_async._http.transport import Send, Stage
from nectar_async._json.converter import (
    Converter,
    get_converter,
    mark_as_accepted,
    set_company_ids,
)
from nectar_async._json.cooperative import Steps
from nectar_async._json.json_text import read_page_count
from nectar_async._types import Secret
from nectar_async.errors import (
    ConfigurationError,
    DeadlineExceededError,
    NectarError,
    TransportError,
)
from nectar_async.models.page import Listing, Page
from nectar_async.settings import Settings

__all__ = ["Executor", "PageSource", "attach_request"]

T = TypeVar("T")


@frozen
class PageSource(Generic[T]):
    """The functions with which a list gets its pages."""

    send: Callable[[Request[Page[T]]], Awaitable[Response]]
    """Sends the request of a page through the whole pipeline."""
    read: Callable[[Request[Page[T]], Response], Awaitable[Page[T]]]
    """Decodes a page. At most one page is decoded in each turn of the event loop."""
    peek: Callable[[Request[Page[T]], Response], int]
    """Reads the number of pages from the first page without decoding its records."""
    start_background: StartBackground
    """Starts a background task that ends with the client."""
    open_call: Callable[[], AbstractContextManager[None]]
    """Opens a block that a closing client ends with a `ClientClosedError`."""
    permits: int = 10
    """How many requests may be in flight at once."""


class Executor:
    """Executes the requests of one client.

    Args:
        settings: the settings of the client.
        session: the session that it shares with its copies.
        budget: the client's retry budget.
        stages: the user's stages.
        recorder: the stage that records or replays.
        converter: decodes the answers; None for the shared one.
    """

    def __init__(
        self,
        settings: Settings,
        session: Session,
        budget: RetryBudget,
        *,
        stages: Sequence[Stage] = (),
        recorder: Stage | None = None,
        converter: Converter | None = None,
    ) -> None:
        self.settings = settings
        self._session = session
        self._api_url = settings.api_url
        self._send_api = build_api_pipeline(settings, session, budget, stages, recorder)
        self._send_file = build_file_pipeline(settings, session, budget, recorder)
        self._converter = converter or get_converter(is_strict=settings.strict)
        self.source: PageSource[Any] = PageSource(
            send=self._respond,
            read=self._read_page,
            peek=self._read_page_count,
            start_background=session.start_background,
            open_call=session.open_call,
            permits=settings.max_concurrency,
        )
        """The functions with which lists get their pages."""

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        return self._session.clock

    def open_call(self) -> AbstractContextManager[None]:
        """End the block with a `ClientClosedError` when the client is closed."""
        return self._session.open_call()

    def get_keys(self, operation: str) -> Mapping[str, str]:
        """Return the user's key corrections, by the package's spelling."""
        correction = self.settings.operations.get(operation)
        return {} if correction is None else correction.keys

    async def send(self, request: Request[T]) -> T:
        """Send a request and decode the answer to the type that the request names."""
        kind = get_origin(request.returns)
        if kind is Page:
            _get_listing(request)  # raises before anything is sent
            page = await self._read_page(request, await self._respond(request))
            return cast("T", page)
        if kind is list:
            response = await self._respond(request)
            keys = self.get_keys(request.operation)
            work = self._converter.decode_in_steps(response.body, request.returns, keys)
            records = await self._decode(request, response, work)
            set_company_ids(cast("list[Any]", records), _find_company(request))
            return records
        return await self.send_and_decode(request, self.build_decoder(request))

    async def send_and_decode(
        self, request: Request[Any], decode: Callable[[bytes], T]
    ) -> T:
        """Send a request and decode the body of its answer with `decode`."""
        response = await self._respond(request)
        try:
            return decode(response.body)
        except NectarError as error:
            raise self._describe_decode_error(error, request, response) from None

    def build_decoder(self, request: Request[T]) -> Callable[[bytes], T]:
        """Build the function that decodes a body to the type that the request names."""
        keys = self.get_keys(request.operation)

        def decode(body: bytes) -> T:
            record = self._converter.decode(body, request.returns, keys)
            set_company_ids((record,), _find_company(request))
            return record

        return decode

    async def run_within_deadline(self, work: Awaitable[T]) -> T:
        """Wait for work on a local file, for at most the seconds of the deadline.

        Raises:
            DeadlineExceededError: no thread was free in time, or the work took longer.
        """
        seconds = self.settings.deadline
        with (
            self.open_call(),
            move_on_after(self.clock, math.inf if seconds is None else seconds),
        ):
            return await work
        raise DeadlineExceededError(
            f"the file was not read or written within the deadline of {seconds:g} s;"
            " the disk or the sink is slow, or other files keep every thread busy"
        )

    async def fetch_file(self, request: Request[Any]) -> Response:
        """Send a request with an absolute `url` through the pipeline of downloads."""
        await self._session.open()
        return await self._send(self._send_file, request, request)

    async def _respond(self, request: Request[Any]) -> Response:
        """Send a request through the pipeline of the API."""
        await self._session.open()
        correction = self.settings.operations.get(request.operation)
        resolved = request.resolve(self._api_url, correction)
        return convert_to_utf8(await self._send(self._send_api, request, resolved))

    async def _send(
        self, pipeline: Send, request: Request[Any], resolved: Request[Any]
    ) -> Response:
        clock = self._session.clock
        started = clock.monotonic()
        timing = Timing(request_id=uuid4().hex, started=started)
        max_body_bytes = self.settings.max_body_bytes
        self._session.counters.requests += 1
        token = current_clock.set(clock)
        try:
            with self._session.open_call():
                response = await pipeline(
                    copy_with(resolved, max_body_bytes=max_body_bytes, timing=timing)
                )
        except NectarError as error:
            timing.elapsed = clock.monotonic() - started
            attach_request(error, request, timing)
            # Only the request for a file has a url before it is resolved. The url opens
            # the file without a key, so it is masked.
            link = {"documents": [Secret(request.url)]} if request.url else None
            redact_error(error, request.operation, request.json or link)
            raise
        except (Exception, anyio.get_cancelled_exc_class()) as error:
            failure = _convert_stop(error)
            if failure is None:
                raise
            attach_request(failure, request, timing)
            raise failure from failure.__cause__
        finally:
            current_clock.reset(token)
        timing.elapsed = clock.monotonic() - started
        return copy_with(response, timing=timing)

    async def _decode(
        self, request: Request[Any], response: Response, work: Steps[T]
    ) -> T:
        try:
            return await self._session.scheduler.run(work, len(response.body))
        except NectarError as error:
            raise self._describe_decode_error(error, request, response) from None

    def _describe_decode_error(
        self, error: NectarError, request: Request[Any], response: Response
    ) -> NectarError:
        """Describe and redact the error of an answer that could not be decoded."""
        if request.method != "GET" or not request.is_repeatable:
            mark_as_accepted(error, response.status)
        attach_request(error, request, response.timing)
        redact_error(error, request.operation, request.json)
        # The frames below hold the answer, and a traceback may show their locals.
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)

    async def _read_page(self, request: Request[Any], response: Response) -> Page[Any]:
        (kind,) = get_args(request.returns)
        work = self._converter.decode_page_in_steps(
            response.body,
            kind,
            _get_listing(request),
            request.page or 1,
            self.get_keys(request.operation),
        )
        page = await self._decode(request, response, work)
        set_company_ids(page.items, _find_company(request))
        return page

    def _read_page_count(self, request: Request[Any], response: Response) -> int:
        keys = self.get_keys(request.operation)
        return read_page_count(response.body, keys.get("totalPages", "totalPages"))


def _convert_stop(error: BaseException) -> TransportError | None:
    """Convert an exception that would end an iteration or a task without an error.

    A transport, a stage or a key source raised it, for example a mock that has no more
    answers. Returns None for every other exception, which is raised unchanged.
    """
    # Python itself wraps a StopIteration that leaves a coroutine.
    is_wrapped = isinstance(error, RuntimeError) and "raised Stop" in str(error)
    cause = error.__cause__ if is_wrapped else error
    if isinstance(cause, (StopIteration, StopAsyncIteration)):
        reason = f"{type(cause).__name__}, as an iterator at its end does"
    elif not isinstance(error, Exception) and is_foreign_cancellation():
        reason = "a cancellation that nobody asked of this task"
    else:
        return None
    failure = TransportError(
        f"the transport, a stage or the source of the key raised {reason}"
    )
    # Its frames hold the request with the key.
    failure.__cause__ = cause and cause.with_traceback(None)
    return failure


def _find_company(request: Request[Any]) -> str | None:
    """Find the company of a request; None if it is for something else."""
    return request.parts.get("company_id")


def _get_listing(request: Request[Any]) -> Listing:
    """The keys of a list's envelope.

    Raises:
        ConfigurationError: the request does not name them.
    """
    if request.listing is None:
        raise ConfigurationError(
            f"{request.operation} is a list; name the keys of its envelope:"
            " Request.get(..., listing=Listing(items='usage_data'))"
        )
    return request.listing


def attach_request(
    error: NectarError, request: Request[Any], timing: Timing | None = None
) -> None:
    """Set the attributes of an error that describe its request, unless they are set."""
    if error.operation is not None:
        return
    timing = request.timing if timing is None else timing
    error.operation = request.operation
    error.target = request.target or None
    error.request_id = timing.request_id or None
    error.attempts = timing.attempts
    error.elapsed = timing.elapsed
    error.page = request.page
