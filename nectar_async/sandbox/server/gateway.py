"""Serves requests: routing, API keys, faults, latency, compression, request log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web
from attrs import evolve, frozen

from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.sandbox.server.api_call import Call, Handler
from nectar_async.sandbox.server.compression import compress_reply
from nectar_async.sandbox.server.control_api import CONTROL_PATH, ControlApi
from nectar_async.sandbox.server.files import FILES_PATH, FilesRefusalError
from nectar_async.sandbox.server.messages import RefusalError, Reply
from nectar_async.sandbox.server.request_body import RequestBody, check_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.server.api_keys import ApiKeys
    from nectar_async.sandbox.server.faults import Faults
    from nectar_async.sandbox.server.listener import Listener
    from nectar_async.sandbox.server.request_log import PendingEntry, Witness
    from nectar_async.sandbox.server.router import Router
    from nectar_async.sandbox.server.stores import ServerState

__all__ = ["Gateway"]

_KEY_HEADER = "X-API-Key"
# Compression saves nothing below this many bytes.
_COMPRESS_ABOVE = 1_000
_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_ALLOWED = 405
_Resolve = Callable[[web.BaseRequest, "PendingEntry"], tuple[Call, Handler]]


@frozen(kw_only=True)
class Gateway:
    """Serves all requests, and calls the handlers of the operations."""

    portfolio: Portfolio
    state: ServerState
    request_log: Witness
    faults: Faults
    router: Router
    download: Handler
    """Serves the files of documents."""
    latency: float
    listener: Listener
    api_keys: ApiKeys
    restricted: set[str]
    control_api: ControlApi

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request."""
        self.portfolio.clock.catch_up()
        if request.path.startswith(CONTROL_PATH):
            return _build_response(await self.control_api.reply(request))
        with self.listener.serving(request.protocol):
            return await self._serve(request)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        entry = self.request_log.begin(
            method=request.method,
            path=request.path,
            page=request.query.get("page"),
            key=request.headers.get(_KEY_HEADER),
        )
        try:
            if request.path.startswith(FILES_PATH):
                reply = await self._reply(request, entry, self._resolve_download)
            else:
                reply = await self._reply(request, entry, self._resolve_operation)
                reply = _compress(request, self._insert_links(request, reply))
            await self._wait_for_latency(entry)
            response = await _send(request, reply)
            entry.status = response.status if response.prepared else None
        finally:
            self.request_log.finish(entry)
        return response

    async def _reply(
        self, request: web.BaseRequest, entry: PendingEntry, resolve: _Resolve
    ) -> Reply:
        try:
            call, handler = resolve(request, entry)
            body = await RequestBody.read(request) if request.can_read_body else None

            async def answer(call: Call) -> Reply:
                return await handler(check_call(call, body))

            return await self.faults.serve(call, answer)
        except RefusalError as refusal:
            return refusal.reply

    def _resolve_operation(
        self, request: web.BaseRequest, entry: PendingEntry
    ) -> tuple[Call, Handler]:
        """Find the operation that the request names, and check the API key."""
        match = self.router.match(request.method, request.path)
        entry.operation = match.operation
        if not self.api_keys.accepts(request.headers.get(_KEY_HEADER, "")):
            raise RefusalError(_UNAUTHORIZED, "Invalid or missing API key.")
        call = self._build_call(request, match.operation, match.version, match.params)
        entry.company = call.company_id
        if call.company_id in self.restricted:
            raise RefusalError(_FORBIDDEN, "No access to this resource.")
        return call, match.handler

    def _resolve_download(
        self, request: web.BaseRequest, entry: PendingEntry
    ) -> tuple[Call, Handler]:
        """Find the file that a link names; a request with an API key is refused."""
        entry.operation = DOWNLOAD
        if request.method not in {"GET", "HEAD"}:
            detail = "Use GET or HEAD."
            raise FilesRefusalError(_NOT_ALLOWED, "MethodNotAllowed", detail)
        if _KEY_HEADER in request.headers:
            detail = "An API key must not be sent to the file store."
            raise FilesRefusalError(_BAD_REQUEST, "InvalidArgument", detail)
        params = self.state.files.parse_path(request.path)
        call = self._build_call(request, DOWNLOAD, "", params)
        entry.company = call.company_id
        return call, self.download

    def _build_call(
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
            state=self.state,
            listener=self.listener,
            api_keys=self.api_keys,
            target=request.raw_path,
            in_flight=self.request_log.in_flight,
            headers=request.headers,
        )

    def _insert_links(self, request: web.BaseRequest, reply: Reply) -> Reply:
        body = self.state.files.insert_links(reply.body, _find_address(request))
        return evolve(reply, body=body)

    async def _wait_for_latency(self, entry: PendingEntry) -> None:
        seconds = entry.started + self.latency - time.monotonic()
        if seconds > 0:
            await asyncio.sleep(seconds)


def _find_address(request: web.BaseRequest) -> str:
    """Find the address at which a request arrived.

    The `Host` header is not used, because a client could forge it.
    """
    if request.transport is None:
        return ""
    host, port, *_ = request.transport.get_extra_info("sockname")
    return f"{request.scheme}://{host}:{port}"


def _compress(request: web.BaseRequest, reply: Reply) -> Reply:
    """Compress the reply if the client accepts gzip and the body is large enough."""
    accepted = request.headers.get("Accept-Encoding", "").lower()
    codings = {coding.strip() for coding in accepted.split(",")}
    should_compress = "gzip" in codings and len(reply.body) > _COMPRESS_ABOVE
    return compress_reply(reply) if should_compress else reply


async def _send(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    try:
        return await (reply.deliver or _deliver)(request, reply)
    except ConnectionResetError:
        return web.Response()  # the client has left, so this is never sent


async def _deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = _build_response(reply)
    # Sent here and not later by aiohttp, so that the request log has the time of the
    # last byte.
    await response.prepare(request)
    await response.write_eof()
    return response


def _build_response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
