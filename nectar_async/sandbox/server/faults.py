"""The faults of a sandbox: those of `nectar_async.faults`, and some that need a server.

A call is converted to a client's `Request` and the reply to a `Response`, so that the
effects of `nectar_async.faults` can be applied to them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from attrs import Attribute, evolve, field, frozen

from nectar_async._http.clock import SystemClock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async.errors import ConfigurationError
from nectar_async.faults import (
    VOCABULARY,
    Answer,
    Effect,
    Fault,
    FaultInjector,
    Proceed,
    Refuse,
    Vocabulary,
)
from nectar_async.faults.fault import check_whole
from nectar_async.models.page import Listing
from nectar_async.sandbox.server.api_call import Call, Handler
from nectar_async.sandbox.server.delivery import (
    DELIVERIES,
    CloseIdle,
    Endless,
    Reset,
    SandboxEffect,
    SocketResponse,
    WrongLength,
    close_instead,
)
from nectar_async.sandbox.server.files import FILES_PATH
from nectar_async.sandbox.server.messages import RefusalError, Reply
from nectar_async.sandbox.server.tls import TLS_HELP

__all__ = [
    "Change",
    "ChangeFile",
    "Crowd",
    "Faults",
    "IgnoreRange",
    "Redirect",
    "RotateKey",
    "fault_help",
    "read_fault",
]

_FOUND: Final = 302
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_HOP: Final = "hop"
_RANGE_HEADERS: Final = frozenset({"range", "if-range"})
# Only the response shows whether a request was for a list: the first list in it is
# taken for the records.
_LISTING: Final = Listing(items="")


@frozen(kw_only=True)
class Crowd(SandboxEffect):
    """Respond with 429 if more than `limit` requests are in flight.

    The request itself, file downloads and refused requests count too.
    """

    limit: int = field(validator=check_whole(0))
    retry_after: str | None = None
    """The `Retry-After` header, as in `Answer`."""

    async def serve(
        self, call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return the normal response, or 429."""
        if call.in_flight <= self.limit:
            return await proceed(request)
        refusal = Answer(_TOO_MANY, retry_after=self.retry_after)
        return await refusal.apply(request, proceed)


@frozen(kw_only=True)
class RotateKey(SandboxEffect):
    """Replace the API keys of the sandbox with another one, from this request on."""

    key: str

    async def serve(
        self, call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return the normal response, or 401 for a request without the new key."""
        call.api_keys.rotate(self.key)
        if not call.api_keys.accepts(request.headers.get("X-API-Key", "")):
            raise RefusalError(_UNAUTHORIZED, "Invalid or missing API key.")
        return await proceed(request)


@frozen(kw_only=True)
class Change(SandboxEffect):
    """Delete usage records and insert new ones just before the response."""

    insert: int = 0
    delete: int = 0
    at: int | str = field(default="front")
    """The place: `front`, `end`, or the number of a row, from 1. Rows are deleted from
    there on (at the `end`, the last rows), and new rows take their place."""

    @at.validator
    def _check_at(self, _: Attribute[Any], value: object) -> None:
        is_row = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        if not is_row and value not in {"front", "end"}:
            raise ConfigurationError(
                f"at must be front, end, or the number of a row from 1, not {value!r}"
            )

    async def serve(
        self, call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return the normal response after the change."""
        company = call.portfolio.find_company(call.company_id or "")
        if company is not None:
            call.portfolio.change_usage(
                company.index,
                insert=self.insert,
                delete=self.delete,
                at=self.at,
                site_id=call.params.get("site_id"),
            )
        return await proceed(request)


@frozen
class IgnoreRange(SandboxEffect):
    """Send the whole file with status 200, whatever range was requested."""

    async def serve(
        self, _call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return the response to the request without its range."""
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _RANGE_HEADERS
        }
        return await proceed(evolve(request, headers=headers))


@frozen(kw_only=True)
class Redirect(SandboxEffect):
    """Redirect the download of a file some times before the file is sent."""

    hops: int = 1
    origin: str = ""
    """The server to redirect to, as `http://host:port`; empty for the same server."""

    async def serve(
        self, call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return 302 to the next hop, or the normal response after the last hop."""
        query = {**call.query}
        hop = int(query.get(_HOP, ("0",))[-1])
        if hop >= self.hops:
            return await proceed(request)
        query[_HOP] = (str(hop + 1),)
        path = f"{FILES_PATH}/{call.params['document_id']}.pdf"
        location = f"{self.origin}{path}?{urlencode(query, doseq=True)}"
        return Response(_FOUND, {"location": location})


@frozen(kw_only=True)
class ChangeFile(SandboxEffect):
    """Replace a file: other bytes, and another `ETag`.

    With `skip`, the file changes between two ranges of a download. With `SetHeader`,
    the answer has a weak `ETag` or none.
    """

    revision: int = 1

    async def serve(
        self, _call: Call, request: Request[Any], proceed: Proceed
    ) -> Response:
        """Return the normal response with the changed file."""
        parts = {**request.parts, "revision": str(self.revision)}
        return await proceed(evolve(request, parts=parts))


class Faults(FaultInjector):
    """The active faults of a sandbox."""

    vocabulary: Vocabulary = VOCABULARY.extend(
        (
            *(Crowd, RotateKey, Change, Reset, WrongLength, Endless, CloseIdle),
            *(IgnoreRange, Redirect, ChangeFile),
        )
    )

    async def serve(self, call: Call, handler: Handler) -> Reply:
        """Respond to a call, with the effects of all faults that hit it.

        Args:
            call: a request to the sandbox.
            handler: builds the reply without faults.
        """
        if not self:
            return await handler(call)

        async def send(request: Request[Any]) -> Response:
            return _to_response(await handler(_to_call(request, call)))

        return _to_reply(
            await self.apply(
                _to_request(call),
                send,
                clock=SystemClock(),
                company=call.company_id,
                interpret=partial(_apply, call),
            )
        )


async def _apply(
    call: Call, effect: Effect, request: Request[Any], proceed: Proceed
) -> Response:
    """Apply an effect to a request, with access to the server's sockets."""
    if isinstance(effect, SandboxEffect):
        return await effect.serve(call, request, proceed)
    if isinstance(effect, Refuse):
        call.listener.refuse(effect.seconds)
        return SocketResponse(200, deliver=close_instead)
    write = DELIVERIES.get(type(effect))
    if write is None:
        return await effect.apply(request, proceed)
    return SocketResponse.build(await proceed(request), partial(write, effect))


def _to_request(call: Call) -> Request[Any]:
    return Request(
        operation=call.operation,
        method=call.method,
        path=call.target.partition("?")[0],
        returns=object,
        parts=call.params,
        query=tuple((key, text) for key, texts in call.query.items() for text in texts),
        headers=call.headers,
        listing=_LISTING,
        url=call.target,
    )


def _to_call(request: Request[Any], call: Call) -> Call:
    """Convert a request that an effect may have changed back to a call."""
    query: dict[str, tuple[str, ...]] = {}
    for key, text in request.query:
        query[key] = (*query.get(key, ()), text)
    return evolve(call, params=request.parts, query=query, headers=request.headers)


def _to_response(reply: Reply) -> Response:
    return SocketResponse(reply.status, reply.headers, reply.body, None, reply.deliver)


def _to_reply(response: Response) -> Reply:
    return Reply(
        status=response.status,
        # Title case, as in `Content-Type`, because look-ups in replies use it.
        headers={name.title(): text for name, text in response.headers.items()},
        body=response.body,
        deliver=response.deliver if isinstance(response, SocketResponse) else None,
    )


def read_fault(text: str) -> Fault:
    """Parse the text of a fault: `answer status=429 page=2 times=1`.

    Raises:
        ConfigurationError: the text is not a fault; the message says what is allowed.
    """
    return Faults.vocabulary.parse(text)


def fault_help() -> str:
    """Describe every effect by its name, its fields and its first sentence."""
    return "\n".join([*Faults.vocabulary.help(), TLS_HELP])
