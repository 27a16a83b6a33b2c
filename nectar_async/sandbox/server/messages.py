"""What goes through the sandbox: a call comes in, a reply goes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from nectar_async.sandbox.server.wire_format import encode

if TYPE_CHECKING:
    from aiohttp import web

    from nectar_async.sandbox.generator.clock import Clock
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.server.listener import Listener
    from nectar_async.sandbox.server.state import ServerState

__all__ = ["Call", "Deliver", "FilePart", "Handler", "Proceed", "RefusalError", "Reply"]


@frozen(kw_only=True)
class Reply:
    """An answer before it is on the wire."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=lambda: {"Content-Type": _JSON})
    deliver: Deliver | None = None
    """Writes the answer to the connection, where a fault changes that."""

    @classmethod
    def json(cls, value: Any, *, status: int = 200) -> Reply:
        """An answer with a JSON body."""
        return cls(status=status, body=encode(value))


class RefusalError(Exception):
    """The call is answered with an error status and a `detail`."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers: Mapping[str, str] = headers or {}

    @property
    def reply(self) -> Reply:
        """The refusal as an answer."""
        reply = Reply.json({"detail": self.detail}, status=self.status)
        return evolve(reply, headers={**reply.headers, **self.headers})


@frozen(kw_only=True)
class FilePart:
    """A file that came as a part of a form."""

    name: str
    """Its file name, without folders."""
    data: bytes = field(repr=False)


@frozen(kw_only=True)
class Call:
    """A request that names an operation of the contract and has a valid key."""

    operation: str
    version: str
    method: str
    params: Mapping[str, str]
    """The ids in the path, by their names in the contract."""
    query: Mapping[str, tuple[str, ...]]
    portfolio: Portfolio
    company_id: str | None
    """The company that the path's id belongs to, if there is one."""
    clock: Clock = field(repr=False)
    state: ServerState = field(repr=False)
    listener: Listener = field(repr=False)
    target: str
    """The path with its version and the query, as the client wrote them."""
    in_flight: int
    """How many requests were being served when this one came, with it."""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """The request's, found whatever the case of their names."""
    json: Mapping[str, Any] = field(factory=dict, repr=False)
    """The request's body, valid for the contract; a form's texts are here as well."""
    files: Mapping[str, FilePart] = field(factory=dict, repr=False)
    """The files of a form, by the name of their part."""


Handler = Callable[[Call], Awaitable[Reply]]
Proceed = Callable[[Call], Awaitable[Reply]]
Deliver = Callable[["web.BaseRequest", Reply], Awaitable["web.StreamResponse"]]

_JSON = "application/json"
