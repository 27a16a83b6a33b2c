"""What a client writes to the log `nectar_async`, by a list of what may be in it.

    DEBUG   each attempt: operation, owner, page, status or error, bytes, seconds
    INFO    each repeat and its wait; each window that is halved; each walk begun again

Nothing else is written: no address, no header, no body, no words of the server, no
argument but the ids in a path. The same facts are on the record as `record.nectar`.
"""

from __future__ import annotations

import logging
from typing import Any

from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async.errors import NectarError, StatusError

__all__ = ["Log", "log_halving", "log_repeat", "log_rewalk"]

_log = logging.getLogger("nectar_async")


@frozen
class Log:
    """Writes down each attempt."""

    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it, and say what came of it."""
        if not _log.isEnabledFor(logging.DEBUG):
            return await send(request)
        started = self.clock.monotonic()
        outcome: dict[str, object] = {"outcome": "cancelled"}
        try:
            response = await send(request)
            outcome = {"outcome": response.status, "bytes": len(response.body)}
        except NectarError as error:
            outcome = {"outcome": _kind(error)}
            raise
        finally:
            seconds = round(self.clock.monotonic() - started, 3)
            _write(logging.DEBUG, request, **outcome, seconds=seconds)
        return response


def log_repeat(request: Request[Any], error: NectarError, wait: float) -> None:
    """A request is sent again after a wait, in seconds."""
    _write(logging.INFO, request, outcome=_kind(error), again_in=round(wait, 3))


def log_halving(request: Request[Any]) -> None:
    """A list goes on over halves of its window."""
    _write(logging.INFO, request, outcome="too much at once, goes on in halves")


def log_rewalk(request: Request[Any]) -> None:
    """A list moved while it was walked, and is walked again."""
    _write(logging.INFO, request, outcome="moved, walked again")


def _kind(error: NectarError) -> str:
    name = type(error).__name__
    return f"{error.status} {name}" if isinstance(error, StatusError) else name


def _write(level: int, request: Request[Any], **facts: object) -> None:
    """One line, and the same as a mapping for whoever logs structures."""
    if not _log.isEnabledFor(level):
        return
    timing = request.timing
    known = {"attempt": timing.attempts, "request_id": timing.request_id} | facts
    words = ", ".join(f"{name} {value}" for name, value in known.items())
    _log.log(
        level,
        "%s",
        f"{request.operation} {request.target}: {words}",
        extra={"nectar": {"operation": request.operation, **request.parts, **known}},
        stacklevel=3,
    )
