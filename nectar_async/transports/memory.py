"""A transport that answers from memory, for tests without a server or a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from inspect import isawaitable
from typing import Any

import anyio.lowlevel

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._json.json_text import encode_json
from nectar_async.errors import ConfigurationError

__all__ = ["MemoryTransport"]

Handler = Callable[[Request[Any]], object | Awaitable[object]]


class MemoryTransport:
    """Answers each operation with a prepared answer, and keeps every request.

    ```python
    transport = MemoryTransport({"companies_list": [], "ping_get": "pong v2.2"})
    nectar = NectarClient(transport=transport)
    assert await nectar.companies.all() == []
    assert transport.requests[0].url.endswith("/v2.2/company")
    ```

    Args:
        answers: a mapping of operation ids to answers, or one function for all of
            them. An answer is JSON data (sent with status 200), a `Response`, an
            exception to raise, or a function (plain or async) that takes the request
            and returns one of these.
    """

    needs_key = False

    def __init__(self, answers: Mapping[str, object] | Handler) -> None:
        self._answers = answers
        self.requests: list[Request[Any]] = []
        """Every request that was sent, in order."""
        self.is_closed: bool = False

    async def send(self, request: Request[Any], /) -> Response:
        """Return the answer that was prepared for the request's operation.

        Raises:
            ConfigurationError: no answer was prepared for it.
        """
        self.requests.append(request)
        await anyio.lowlevel.checkpoint()
        answer = self._find_answer(request)
        if callable(answer):
            answer = answer(request)
        if isawaitable(answer):
            answer = await answer
        if isinstance(answer, BaseException):
            raise copy(answer)  # the client adds details of this request to it
        if isinstance(answer, Response):
            return answer
        headers = {"content-type": "application/json"}
        return Response(200, headers, encode_json(answer))

    async def aclose(self) -> None:
        """Set `is_closed`."""
        self.is_closed = True

    def _find_answer(self, request: Request[Any]) -> object:
        if not isinstance(self._answers, Mapping):
            return self._answers
        if request.operation not in self._answers:
            raise ConfigurationError(
                f"MemoryTransport has no answer for {request.operation!r};"
                f" it has {', '.join(sorted(self._answers)) or 'none at all'}"
            )
        return self._answers[request.operation]
