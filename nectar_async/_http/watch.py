"""A body that is watched while a transport takes it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

from attrs import evolve

from nectar_async._http.request import Request

__all__ = ["Watch"]


class Watch:
    """Says when a streamed body moves, and keeps what broke it.

    A transport takes the body in a task of its own, and may wrap what the body raises
    in an error about the connection; what it was is in `failure`.

    Args:
        moved: called whenever a chunk is asked for, is given, or was the last.
    """

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self.failure: Exception | None = None
        """What the body raised."""
        self.taken = 0
        """Bytes that the transport took, in this attempt."""
        self.is_over = False
        """Whether it took the last one."""

    def over(self, request: Request[Any]) -> Request[Any]:
        """The request with its body watched; one without a stream is left as it is."""
        body = request.body
        if body is None or isinstance(body, bytes):
            return request
        if callable(body):
            return evolve(request, body=lambda: _Watched(body(), self))
        return evolve(request, body=_Watched(body, self))

    async def step(self, chunks: AsyncIterator[bytes]) -> bytes:
        """The next chunk of a body."""
        self._moved()
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            self.is_over = True
            raise
        except Exception as error:
            self.failure = error
            raise
        finally:
            self._moved()
        self.taken += len(chunk)
        return chunk


class _Watched:
    """The chunks of a body, one by one."""

    def __init__(self, body: AsyncIterable[bytes], watch: Watch) -> None:
        self._chunks = aiter(body)
        self._watch = watch

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await self._watch.step(self._chunks)
