"""The body of a request, read for a recording."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from attrs import evolve

from nectar_async._http.request import Request

__all__ = ["Copy", "read_body"]


async def read_body(request: Request[Any]) -> bytes | None:
    """All of it; a stream is taken to its end."""
    body = request.body
    if body is None or isinstance(body, bytes):
        return body
    chunks = body() if callable(body) else body
    return b"".join([chunk async for chunk in chunks])


class Copy:
    """What a transport takes of the body of a request while it sends it."""

    def __init__(self, request: Request[Any]) -> None:
        self._original = request
        self._copied: _Copied | None = None
        body = request.body
        if body is None or isinstance(body, bytes):
            self.request: Request[Any] = request
        elif callable(body):
            self.request = evolve(request, body=lambda: self._over(body()))
        else:
            self.request = evolve(request, body=self._over(body))

    async def whole(self) -> bytes | None:
        """The body. A server may answer before it took all of it."""
        body = self._original.body
        if body is None or isinstance(body, bytes):
            return body
        copied = self._copied
        if copied is None or (callable(body) and not copied.is_over):
            return await read_body(self._original)
        async for _ in copied:
            pass
        return b"".join(copied.chunks)

    def _over(self, body: AsyncIterable[bytes]) -> AsyncIterable[bytes]:
        self._copied = copied = _Copied(body)
        return copied


class _Copied:
    """The chunks of a body. No generator: trio warns of one that is left early."""

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self._rest = aiter(body)
        self.chunks: list[bytes] = []
        self.is_over = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._rest)
        except StopAsyncIteration:
            self.is_over = True
            raise
        self.chunks.append(chunk)
        return chunk
