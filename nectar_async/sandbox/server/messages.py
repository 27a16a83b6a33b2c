"""Replies of the sandbox before they are sent, and uploaded files of requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve, field, frozen

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Deliver", "FilePart", "RefusalError", "Reply", "encode_json"]

_JSON = "application/json"

encode_json: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""Encode a value as compact JSON."""


@frozen(kw_only=True)
class Reply:
    """The reply to a request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=lambda: {"Content-Type": _JSON})
    deliver: Deliver | None = None
    """Writes the reply to the connection in place of the server. Only faults set it."""

    @classmethod
    def json(cls, value: Any, *, status: int = 200) -> Reply:
        """Build a reply with a JSON body."""
        return cls(status=status, body=encode_json(value))


Deliver = Callable[["web.BaseRequest", Reply], Awaitable["web.StreamResponse"]]


class RefusalError(Exception):
    """The request is answered with an error status and a `detail`."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers: Mapping[str, str] = headers or {}

    @property
    def reply(self) -> Reply:
        """The reply with this status and detail."""
        reply = Reply.json({"detail": self.detail}, status=self.status)
        return evolve(reply, headers={**reply.headers, **self.headers})


@frozen(kw_only=True)
class FilePart:
    """A file in a multipart form."""

    name: str
    """The file name, without folders."""
    data: bytes = field(repr=False)
