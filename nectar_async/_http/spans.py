"""Spans of OpenTelemetry: one for each call, with a child for each attempt.

They appear where the application has OpenTelemetry at work. This package never imports
it: whoever set it up has done so, and where nobody has, a call costs one look into a
dictionary.
"""

from __future__ import annotations

import sys
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._version import __version__
from nectar_async.errors import NectarError, StatusError

__all__ = ["AttemptSpan", "CallSpan"]

_TRACE: Final = "opentelemetry.trace"


@frozen
class CallSpan:
    """One span for a call with all its attempts, named by its operation."""

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it inside a span that ends with where the time went."""
        trace = sys.modules.get(_TRACE)
        if trace is None:
            return await send(request)
        with _span(trace, request.operation, request) as span:
            if request.page is not None:
                span.set_attribute("nectar.page", request.page)
            try:
                return await _told(trace, span, request, send)
            finally:
                went = request.timing
                span.set_attribute("nectar.attempts", went.attempts)
                span.set_attribute("nectar.queue_seconds", went.queue_seconds)
                span.set_attribute("nectar.backoff_seconds", went.backoff_seconds)
                span.set_attribute("nectar.network_seconds", went.network_seconds)


@frozen
class AttemptSpan:
    """One span for an attempt, from its permit to the last byte."""

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it inside a span that says how long it had to wait before."""
        trace = sys.modules.get(_TRACE)
        if trace is None:
            return await send(request)
        went = request.timing
        with _span(trace, f"{request.operation} attempt", request) as span:
            span.set_attribute("nectar.attempt", went.attempts)
            span.set_attribute("nectar.queue_seconds", went.queue_seconds)
            span.set_attribute("nectar.backoff_seconds", went.backoff_seconds)
            return await _told(trace, span, request, send)


def _span(trace: Any, name: str, request: Request[Any]) -> Any:
    # No exception is recorded: its text may hold words of the server, and a traceback.
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


async def _told(trace: Any, span: Any, request: Request[Any], send: Send) -> Response:
    """Send it, and write its status or the kind of its error on the span."""
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
