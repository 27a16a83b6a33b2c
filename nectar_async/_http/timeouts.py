"""The two timeouts: one for an attempt, and one for a request with all its attempts."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

from attrs import evolve, frozen

from nectar_async._http.clock import Clock, move_on_after
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async.errors import AttemptTimeoutError, DeadlineExceededError

__all__ = ["AttemptTimeout", "Deadline"]


@frozen
class Deadline:
    """Limit the time of one request, with its queueing, attempts and waits."""

    seconds: float | None
    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request, or raise `DeadlineExceededError`."""
        if self.seconds is None:
            return await send(request)
        with move_on_after(self.clock, self.count_seconds_left(request)):
            return await send(request)
        raise self.build_error(request)

    def count_seconds_left(self, request: Request[Any]) -> float:
        """How many seconds the request has left; infinite without a deadline."""
        if self.seconds is None:
            return math.inf
        started = request.timing.started
        now = self.clock.monotonic()
        return self.seconds - (0.0 if started is None else now - started)

    def build_error(self, request: Request[Any]) -> DeadlineExceededError:
        """Build the error that says where the time went."""
        timing = request.timing
        attempts = f"{timing.attempts} attempt{'s' * (timing.attempts != 1)}"
        error = DeadlineExceededError(
            f"not done within its deadline of {self.seconds:g} s:"
            f" {timing.queue_seconds:.1f} s in the queue,"
            f" {timing.network_seconds:.1f} s in {attempts},"
            f" {timing.backoff_seconds:.1f} s of back-off"
        )
        error.queue_seconds = timing.queue_seconds
        error.network_seconds = timing.network_seconds
        error.backoff_seconds = timing.backoff_seconds
        return error


@frozen
class AttemptTimeout:
    """Limit the time of one attempt, for any transport.

    While the transport reads a streamed body, each chunk restarts the time. After the
    last chunk, the answer has the whole time.
    """

    seconds: float | None
    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request, or raise `AttemptTimeoutError`.

        An exception that a streamed body raises is raised unchanged, even if the
        transport wraps it in another one.
        """
        seconds = math.inf if self.seconds is None else self.seconds
        if request.body is not None and not isinstance(request.body, bytes):
            return await self._send_stream(request, send, seconds)
        with move_on_after(self.clock, seconds, waits_for_io=True):
            return await send(request)
        _check_connected(request, seconds)
        # The same range would time out again; a smaller one may arrive in time.
        is_range = request.can_halve and request.listing is None
        raise AttemptTimeoutError(
            f"no answer within {seconds:g} s", is_permanent=is_range
        )

    async def _send_stream(
        self, request: Request[Any], send: Send, seconds: float
    ) -> Response:
        with move_on_after(self.clock, seconds, waits_for_io=True) as bound:
            monitor = _BodyMonitor(bound.renew)
            try:
                return await send(monitor.watch(request))
            except Exception:
                if monitor.failure is None:
                    raise
        # Raised outside of the handler, so that the transport's error, which may
        # contain secrets, is not its context.
        if monitor.failure is not None:
            raise monitor.failure
        _check_connected(request, seconds)
        if monitor.is_finished:
            raise AttemptTimeoutError(f"no answer within {seconds:g} s")
        raise AttemptTimeoutError(
            f"no chunk of the body was sent for {seconds:g} s, after"
            f" {monitor.sent:,} bytes"
        )


def _check_connected(request: Request[Any], seconds: float) -> None:
    """Raise the error of a timed-out attempt that had no connection."""
    if request.timing.is_connecting:
        raise AttemptTimeoutError(
            f"no connection to the server within {seconds:g} s", is_sent=False
        )


class _BodyMonitor:
    """Watches a streamed body while a transport reads it, and keeps its exception.

    A transport reads the body in a task of its own, and may wrap what the body raises
    in an error about the connection.

    Args:
        on_progress: called before and after each chunk.
    """

    def __init__(self, on_progress: Callable[[], None]) -> None:
        self._on_progress = on_progress
        self.failure: Exception | None = None
        """The exception that the body raised."""
        self.sent = 0
        """Bytes that the transport has read in this attempt."""
        self.is_finished = False
        """Whether the transport has read the last chunk."""

    def watch(self, request: Request[Any]) -> Request[Any]:
        """Copy a request with its streamed body replaced by the watched one."""
        body = request.body
        if body is None or isinstance(body, bytes):
            return request
        if callable(body):
            return evolve(request, body=lambda: _WatchedBody(body(), self))
        return evolve(request, body=_WatchedBody(body, self))

    async def read_chunk(self, chunks: AsyncIterator[bytes]) -> bytes:
        """Read the next chunk of a body."""
        self._on_progress()
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            self.is_finished = True
            raise
        except Exception as error:
            self.failure = error
            raise
        finally:
            self._on_progress()
        self.sent += len(chunk)
        return chunk


class _WatchedBody:
    """The chunks of a body, read through its monitor."""

    def __init__(self, body: AsyncIterable[bytes], monitor: _BodyMonitor) -> None:
        self._chunks = aiter(body)
        self._monitor = monitor

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await self._monitor.read_chunk(self._chunks)
