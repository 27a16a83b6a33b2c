"""Make one call with one kind of answer, and collect everything that it shows."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from contextlib import redirect_stderr
from typing import Any

import anyio
from attrs import define, field
from canaries.calls import Case
from canaries.canaries import KEY
from canaries.search import Shown, Trail, find_leaks, list_shown_texts
from canaries.server import Server, Way
from sent_requests import SentRequest

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    Settings,
    VirtualClock,
)

__all__ = ["Outcome", "collect_outcome", "run_case"]

Send = Callable[[Request[Any]], Awaitable[Response]]


@define
class Outcome:
    """Everything that a call returns, raises, logs and sends."""

    texts: list[Shown] = field(factory=list)
    sent_requests: list[SentRequest] = field(factory=list)
    """The requests that the server received."""
    seen: list[Any] = field(factory=list)
    """The result or the error of the call."""
    recorded: list[str] = field(factory=list)
    """The requests that a recorder or a server over HTTP received."""
    logged: list[Any] = field(factory=list)
    """The log records."""
    error: BaseException | None = None

    @property
    def leaks(self) -> list[str]:
        """List the places that show a secret."""
        return find_leaks(self.texts)


async def run_case(case: Case, way: Way, key: Any = KEY) -> Outcome:
    """Make a call to a server in memory that answers in one way."""
    out = Outcome()
    scope = anyio.CancelScope()
    server = Server(way, case.fails_at, scope.cancel, is_late=case.is_late)
    out.sent_requests = server.sent_requests

    async def record(request: Request[Any], send: Send) -> Response:
        out.recorded.append(f"{request.url} {dict(request.headers)} {request.body!r}")
        response = await send(request)
        out.recorded.append(f"{dict(response.headers)} {response.body!r}")
        return response

    nectar = NectarClient(
        key,
        transport=MemoryTransport(server),
        settings=Settings(**way.settings),
        clock=VirtualClock(),
        recorder=record,
    )
    await collect_outcome(case, nectar, scope, out)
    await nectar.aclose()
    return out


async def collect_outcome(
    case: Case, nectar: NectarClient, scope: anyio.CancelScope, out: Outcome
) -> None:
    """Make a call within a cancel scope, and add what it shows to the outcome."""
    written = io.StringIO()
    with Trail() as trail, redirect_stderr(written):
        with scope:
            try:
                await case.call(nectar, out.seen)
            except Exception as error:  # noqa: BLE001 - every error is searched
                out.error = error
            except BaseException as error:
                out.error = error
                out.texts += list_shown_texts(
                    error
                )  # at once: its frames are gone afterwards
                raise
        if out.error is not None:
            out.texts += list_shown_texts(out.error)
    out.logged = trail.records
    out.texts += trail.texts()
    out.texts.append(("standard error", written.getvalue()))
    for value in (nectar, *out.seen):
        out.texts += list_shown_texts(value)
