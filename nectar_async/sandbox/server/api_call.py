"""An API call: an authorized request to an operation of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from nectar_async.sandbox.server.messages import FilePart, Reply

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.generator.server_clock import ServerClock
    from nectar_async.sandbox.server.api_keys import ApiKeys
    from nectar_async.sandbox.server.listener import Listener
    from nectar_async.sandbox.server.stores import ServerState

__all__ = ["Call", "Handler"]


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
    """The id of the company that the path's id belongs to, if it exists."""
    state: ServerState = field(repr=False)
    listener: Listener = field(repr=False)
    api_keys: ApiKeys = field(repr=False)
    target: str
    """The path with its version and the query, as the client sent them."""
    in_flight: int
    """How many requests were being served when this one arrived, itself included."""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """The request's headers; look-ups ignore case."""
    json: Mapping[str, Any] = field(factory=dict, repr=False)
    """The request's body, valid for the contract, or the text fields of a form."""
    files: Mapping[str, FilePart] = field(factory=dict, repr=False)
    """The files of a form, by the names of their parts."""

    @property
    def clock(self) -> ServerClock:
        """The sandbox's clock."""
        return self.portfolio.clock


Handler = Callable[[Call], Awaitable[Reply]]
