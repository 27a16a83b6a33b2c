"""Log lines and OpenTelemetry spans of a client.

The log `nectar_async` has:

    DEBUG   each attempt: operation, owner, page, status or error, bytes, seconds
    INFO    each repeat and its wait; each date range that is halved; each list that is
            read again
    WARNING a list of more than 200,000 records that is collected in memory

Nothing else is logged: no address, no header, no body, no text of the server, no
argument but the ids in a path. The same facts are on the record as `record.nectar`.

There is one span for each call, with a child for each attempt, if the application has
set up OpenTelemetry. This package never loads it, so without it a call costs one look
at the loaded modules.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._text import make_one_line
from nectar_async._version import __version__
from nectar_async.errors import NectarError, StatusError

__all__ = [
    "AttemptSpan",
    "CallSpan",
    "LogAttempt",
    "log_halving",
    "log_large_collection",
    "log_repeat",
    "log_rewalk",
]


# Log lines

_log = logging.getLogger("nectar_async")

_RECORD_BYTES: Final = 4_000
"""The memory of a usage record, as measured; a document takes twice as much."""


@frozen
class LogAttempt:
    """Log each attempt."""

    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request and log its outcome."""
        if not _log.isEnabledFor(logging.DEBUG):
            return await send(request)
        started = self.clock.monotonic()
        outcome: dict[str, object] = {"outcome": "cancelled"}
        try:
            response = await send(request)
            outcome = {"outcome": response.status, "bytes": len(response.body)}
        except NectarError as error:
            outcome = {"outcome": _name_error(error)}
            raise
        finally:
            seconds = round(self.clock.monotonic() - started, 3)
            _write(logging.DEBUG, request, **outcome, seconds=seconds)
        return response


def log_repeat(request: Request[Any], error: NectarError, wait: float) -> None:
    """Log that a request is sent again after a wait, in seconds."""
    _write(logging.INFO, request, outcome=_name_error(error), again_in=round(wait, 3))


def log_halving(request: Request[Any]) -> None:
    """Log that a list goes on in halves of its date range."""
    _write(logging.INFO, request, outcome="split in halves")


def log_rewalk(request: Request[Any]) -> None:
    """Log that a list changed while it was read, and is read again."""
    _write(logging.INFO, request, outcome="read again after a change")


def log_large_collection(total: int) -> None:
    """Log that many records are collected in memory."""
    _log.warning(
        "%s records are collected in memory, which takes about %s MB; `async for` reads"
        " them one by one",
        f"{total:,}",
        f"{total * _RECORD_BYTES // 10**6:,}",
    )


def _name_error(error: NectarError) -> str:
    name = type(error).__name__
    return f"{error.status} {name}" if isinstance(error, StatusError) else name


def _write(level: int, request: Request[Any], **facts: object) -> None:
    """Log one line, and the same facts as a mapping for structured logs."""
    if not _log.isEnabledFor(level):
        return
    timing = request.timing
    fields = {"attempt": timing.attempts, "request_id": timing.request_id} | facts
    text = ", ".join(f"{name} {value}" for name, value in fields.items())
    _log.log(
        level,
        "%s",
        make_one_line(f"{request.operation} {request.target}: {text}"),
        extra={"nectar": {"operation": request.operation, **request.parts, **fields}},
        stacklevel=3,
    )


# Spans

_TRACE: Final = "opentelemetry.trace"


@frozen
class CallSpan:
    """One span for a call with all its attempts, named after its operation."""

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request in a span; at its end, record where the time went."""
        if (trace := _find_tracing()) is None:
            return await send(request)
        with _start_span(trace, request.operation, request) as span:
            if request.page is not None:
                span.set_attribute("nectar.page", request.page)
            try:
                return await _send_in_span(trace, span, request, send)
            finally:
                timing = request.timing
                span.set_attribute("nectar.attempts", timing.attempts)
                span.set_attribute("nectar.queue_seconds", timing.queue_seconds)
                span.set_attribute("nectar.backoff_seconds", timing.backoff_seconds)
                span.set_attribute("nectar.network_seconds", timing.network_seconds)


@frozen
class AttemptSpan:
    """One span for an attempt, from its permit to the last byte."""

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request in a span; at its start, record how long it had to wait."""
        if (trace := _find_tracing()) is None:
            return await send(request)
        timing = request.timing
        with _start_span(trace, f"{request.operation} attempt", request) as span:
            span.set_attribute("nectar.attempt", timing.attempts)
            span.set_attribute("nectar.queue_seconds", timing.queue_seconds)
            span.set_attribute("nectar.backoff_seconds", timing.backoff_seconds)
            return await _send_in_span(trace, span, request, send)


def _find_tracing() -> Any:
    """The module `opentelemetry.trace` if the application has loaded it, else None."""
    # `sys.modules` may contain it half loaded; `import_module` waits for the rest.
    return import_module(_TRACE) if _TRACE in sys.modules else None


def _start_span(trace: Any, name: str, request: Request[Any]) -> Any:
    # No exception is recorded: its text may quote the server, and it has a traceback.
    return trace.get_tracer("nectar_async", __version__).start_as_current_span(
        name,
        kind=trace.SpanKind.CLIENT,
        record_exception=False,
        set_status_on_exception=False,
        attributes={
            "nectar.operation": request.operation,
            "nectar.request_id": request.timing.request_id,
            "http.request.method": request.method,
            "server.address": urlsplit(request.url).hostname or "",
        },
    )


async def _send_in_span(
    trace: Any, span: Any, request: Request[Any], send: Send
) -> Response:
    """Send the request; set its status, or the type of its error, on the span."""
    try:
        response = await send(request)
    except BaseException as error:
        kind = type(error).__name__
        span.set_attribute("error.type", kind)
        if isinstance(error, StatusError):
            span.set_attribute("http.response.status_code", error.status)
        if isinstance(error, NectarError):
            span.set_status(trace.Status(trace.StatusCode.ERROR, kind))
        raise
    span.set_attribute("http.response.status_code", response.status)
    return response
