"""From a request on the wire to a handler and back: keys, faults, latency, witness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web
from attrs import evolve, frozen

from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.sandbox.server.compression import gzipped
from nectar_async.sandbox.server.control_api import OWN_PATHS, ControlApi
from nectar_async.sandbox.server.files import FilesRefusalError
from nectar_async.sandbox.server.links import FILES_PATH
from nectar_async.sandbox.server.messages import Call, Proceed, RefusalError, Reply
from nectar_async.sandbox.server.request_body import RequestBody, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.clock import Clock
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.handlers.routes import Router
    from nectar_async.sandbox.server.faults import Faults
    from nectar_async.sandbox.server.listener import Listener
    from nectar_async.sandbox.server.request_log import PendingEntry, Witness
    from nectar_async.sandbox.server.state import ServerState

__all__ = ["Gateway"]

_KEY_HEADER = "X-API-Key"
# Below this many bytes, packing saves nothing.
_PACK_ABOVE = 1_000
_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_ALLOWED = 405
_Find = Callable[[web.BaseRequest, "PendingEntry"], tuple[Call, Proceed]]


@frozen(kw_only=True)
class Gateway:
    """Everything that is the same for all operations."""

    portfolio: Portfolio
    clock: Clock
    state: ServerState
    witness: Witness
    faults: Faults
    router: Router
    latency: float
    listener: Listener
    restricted: set[str]
    control_api: ControlApi

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.clock.catch_up()
        if request.path.startswith(OWN_PATHS):
            return _response(await self.control_api.reply(request))
        with self.listener.serving(request.protocol):
            return await self._serve(request)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        visit = self.witness.begin(
            method=request.method,
            path=request.path,
            page=request.query.get("page"),
            key=request.headers.get(_KEY_HEADER),
        )
        try:
            if request.path.startswith(FILES_PATH):
                reply = await self._reply(request, visit, self._download)
            else:
                reply = await self._reply(request, visit, self._call)
                reply = _packed(request, self._linked(request, reply))
            await self._wait(visit)
            response = await _delivered(request, reply)
            visit.status = response.status if response.prepared else None
        finally:
            self.witness.finish(visit)
        return response

    async def _reply(
        self, request: web.BaseRequest, visit: PendingEntry, find: _Find
    ) -> Reply:
        try:
            call, handler = find(request, visit)
            body = await RequestBody.read(request) if request.can_read_body else None

            async def proceed(call: Call) -> Reply:
                return await handler(checked(call, body))

            return await self.faults.serve(call, proceed)
        except RefusalError as refusal:
            return refusal.reply

    def _call(
        self, request: web.BaseRequest, visit: PendingEntry
    ) -> tuple[Call, Proceed]:
        """The operation that the request asks for, if its key may."""
        match = self.router.match(request.method, request.path)
        visit.operation = match.operation
        if not self.listener.knows(request.headers.get(_KEY_HEADER, "")):
            raise RefusalError(_UNAUTHORIZED, "Invalid or missing API key.")
        call = self._described(request, match.operation, match.version, match.params)
        visit.company = call.company_id
        if call.company_id in self.restricted:
            raise RefusalError(_FORBIDDEN, "No access to this resource.")
        return call, match.handler

    def _download(
        self, request: web.BaseRequest, visit: PendingEntry
    ) -> tuple[Call, Proceed]:
        """The file that a link leads to; a key has no business here."""
        visit.operation = DOWNLOAD
        if request.method not in {"GET", "HEAD"}:
            raise FilesRefusalError(_NOT_ALLOWED, "MethodNotAllowed", "Only read.")
        if _KEY_HEADER in request.headers:
            detail = "A key was sent to where it does not belong."
            raise FilesRefusalError(_BAD_REQUEST, "InvalidArgument", detail)
        params = self.state.files.params(request.path)
        call = self._described(request, DOWNLOAD, "", params)
        visit.company = call.company_id
        return call, self.state.files.serve

    def _described(
        self,
        request: web.BaseRequest,
        operation: str,
        version: str,
        params: Mapping[str, str],
    ) -> Call:
        owners = [self.portfolio.owner(value) for value in params.values()]
        return Call(
            operation=operation,
            version=version,
            method=request.method,
            params=params,
            query={key: tuple(request.query.getall(key)) for key in request.query},
            portfolio=self.portfolio,
            company_id=owners[0].id if owners and owners[0] is not None else None,
            clock=self.clock,
            state=self.state,
            listener=self.listener,
            target=request.raw_path,
            in_flight=self.witness.in_flight,
            headers=request.headers,
        )

    def _linked(self, request: web.BaseRequest, reply: Reply) -> Reply:
        """The reply with links to this server's files instead of marks."""
        body = self.state.files.with_links(reply.body, _address(request))
        return evolve(reply, body=body)

    async def _wait(self, visit: PendingEntry) -> None:
        rest = visit.started + self.latency - time.monotonic()
        if rest > 0:
            await asyncio.sleep(rest)


def _address(request: web.BaseRequest) -> str:
    """Where the request arrived; unlike its `Host`, nobody can make that up."""
    if request.transport is None:
        return ""
    host, port, *_ = request.transport.get_extra_info("sockname")
    return f"{request.scheme}://{host}:{port}"


def _packed(request: web.BaseRequest, reply: Reply) -> Reply:
    """The reply as gzip, if the client takes that and it is worth it."""
    accepted = request.headers.get("Accept-Encoding", "").lower()
    codings = {coding.strip() for coding in accepted.split(",")}
    is_worth_it = "gzip" in codings and len(reply.body) > _PACK_ABOVE
    return gzipped(reply) if is_worth_it else reply


async def _delivered(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    try:
        return await (reply.deliver or _deliver)(request, reply)
    except ConnectionResetError:
        return web.Response()  # nobody is there any more to whom it could go


async def _deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = _response(reply)
    # Written here and not after the return, so that the witness sees the last byte go.
    await response.prepare(request)
    await response.write_eof()
    return response


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
