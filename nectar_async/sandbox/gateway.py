"""From a request on the wire to a handler and back: keys, faults, latency, witness."""

from __future__ import annotations

import asyncio
import hmac
import time
import zlib
from typing import TYPE_CHECKING

from aiohttp import web
from attrs import evolve, frozen

from nectar_async.sandbox.calls import Call, Handler, RefusalError, Reply
from nectar_async.sandbox.wire import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.faults import Faults
    from nectar_async.sandbox.portfolio import Portfolio
    from nectar_async.sandbox.routes import Router
    from nectar_async.sandbox.witness import Visit, Witness

__all__ = ["WITNESS_PATH", "Gateway"]

WITNESS_PATH = "/_sandbox/witness"
"""Where the witness can be read over HTTP; a POST to `/reset` below it resets it."""

_OWN_PATHS = "/_sandbox/"
_KEY_HEADER = "X-API-Key"
# Below this many bytes, packing saves nothing.
_PACK_ABOVE = 1_000
_FASTEST = 1
_GZIP_WINDOW = 31
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404


@frozen(kw_only=True)
class Gateway:
    """Everything that is the same for all operations."""

    portfolio: Portfolio
    witness: Witness
    faults: Faults
    router: Router
    latency: float
    api_keys: Sequence[str]
    restricted: set[str]

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith(_OWN_PATHS):
            return self._serve_witness(request)
        visit = self.witness.begin(
            method=request.method,
            path=request.path,
            page=request.query.get("page"),
            key=request.headers.get(_KEY_HEADER),
        )
        try:
            reply = _packed(request, await self._reply(request, visit))
            await self._wait(visit)
            response = await (reply.deliver or _deliver)(request, reply)
            visit.status = response.status if response.prepared else None
        finally:
            self.witness.finish(visit)
        return response

    async def _reply(self, request: web.BaseRequest, visit: Visit) -> Reply:
        try:
            call, handler = self._call(request, visit)
            return await self.faults.apply(call, handler)
        except RefusalError as refusal:
            return refusal.reply

    def _call(self, request: web.BaseRequest, visit: Visit) -> tuple[Call, Handler]:
        match = self.router.match(request.method, request.path)
        visit.operation = match.operation
        if not self._knows(request.headers.get(_KEY_HEADER, "")):
            raise RefusalError(_UNAUTHORIZED, "Invalid or missing API key.")
        owners = [self.portfolio.owner(value) for value in match.params.values()]
        company_id = owners[0].id if owners and owners[0] is not None else None
        visit.company = company_id
        if company_id in self.restricted:
            raise RefusalError(_FORBIDDEN, "No access to this resource.")
        query = {key: tuple(request.query.getall(key)) for key in request.query}
        call = Call(
            operation=match.operation,
            version=match.version,
            params=match.params,
            query=query,
            portfolio=self.portfolio,
            company_id=company_id,
        )
        return call, match.handler

    def _knows(self, text: str) -> bool:
        given = text.encode(errors="surrogateescape")
        # All are compared, in constant time each: how long it takes says nothing.
        matches = [hmac.compare_digest(given, key.encode()) for key in self.api_keys]
        return any(matches)

    async def _wait(self, visit: Visit) -> None:
        rest = visit.started + self.latency - time.monotonic()
        if rest > 0:
            await asyncio.sleep(rest)

    def _serve_witness(self, request: web.BaseRequest) -> web.Response:
        asked = (request.method, request.path)
        if asked == ("POST", f"{WITNESS_PATH}/reset"):
            self.witness.reset()
        elif asked != ("GET", WITNESS_PATH):
            return _response(RefusalError(_NOT_FOUND, "Not found.").reply)
        return _response(Reply(body=encode(self.witness.as_json())))


def _packed(request: web.BaseRequest, reply: Reply) -> Reply:
    """The reply as gzip, if the client takes that and it is worth it."""
    accepted = request.headers.get("Accept-Encoding", "").lower()
    codings = {coding.strip() for coding in accepted.split(",")}
    is_packed = "Content-Encoding" in reply.headers
    if "gzip" not in codings or is_packed or len(reply.body) <= _PACK_ABOVE:
        return reply
    packer = zlib.compressobj(_FASTEST, wbits=_GZIP_WINDOW)
    return evolve(
        reply,
        body=packer.compress(reply.body) + packer.flush(),
        headers={**reply.headers, "Content-Encoding": "gzip"},
    )


async def _deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = _response(reply)
    # Written here and not after the return, so that the witness sees the last byte go.
    await response.prepare(request)
    await response.write_eof()
    return response


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
