"""Read the body of a request for a recording, with or without sending it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from attrs import evolve

from nectar_async._http.request import Request

__all__ = ["BodyCopy", "read_body"]


async def read_body(request: Request[Any]) -> bytes | None:
    """Read the whole body of a request; a one-shot stream is consumed."""
    body = request.body
    if body is None or isinstance(body, bytes):
        return body
    chunks = body() if callable(body) else body
    return b"".join([chunk async for chunk in chunks])


class BodyCopy:
    """Copies the body of a request while a transport sends it.

    Attributes:
        request: the request to send in place of the original one; its body keeps the
            chunks that are read.
    """

    def __init__(self, request: Request[Any]) -> None:
        self._original = request
        self._chunks: _CopiedChunks | None = None
        body = request.body
        if body is None or isinstance(body, bytes):
            self.request: Request[Any] = request
        elif callable(body):
            self.request = evolve(request, body=lambda: self._copy(body()))
        else:
            self.request = evolve(request, body=self._copy(body))

    async def read(self) -> bytes | None:
        """Return the whole body; chunks that the transport left unread are read."""
        body = self._original.body
        if body is None or isinstance(body, bytes):
            return body
        copied = self._chunks
        if copied is None or (callable(body) and not copied.is_complete):
            return await read_body(self._original)
        async for _ in copied:
            pass
        return b"".join(copied.chunks)

    def _copy(self, body: AsyncIterable[bytes]) -> AsyncIterable[bytes]:
        """Wrap the chunks that a transport reads; the last wrapper counts."""
        self._chunks = copied = _CopiedChunks(body)
        return copied


class _CopiedChunks:
    """Iterates over chunks and keeps each of them.

    This is not an async generator, because trio warns of generators that are not read
    to their end.
    """

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self._source = aiter(body)
        self.chunks: list[bytes] = []
        self.is_complete = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._source)
        except StopAsyncIteration:
            self.is_complete = True
            raise
        self.chunks.append(chunk)
        return chunk
