"""An HTTP response as a value: status, headers and whole body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from nectar_async._http.request import Timing
from nectar_async.errors import TransportError

__all__ = ["Response", "check_response"]

_SUCCESS = range(200, 300)


def _fold_headers(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
) -> dict[str, str]:
    """Lower the names; join the values of a name that is repeated with commas."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    folded: dict[str, str] = {}
    for name, value in pairs:
        key = str(name).lower()
        folded[key] = f"{folded[key]}, {value}" if key in folded else str(value)
    return folded


@frozen
class Response:
    """The answer to one request, with its whole body."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = field(
        factory=dict, converter=_fold_headers, repr=False
    )
    """Any mapping, or pairs; names are kept in lower case."""
    body: bytes = field(default=b"", repr=False)
    """The body as received: compressed exactly when the headers have
    `content-encoding`."""
    timing: Timing | None = field(default=None, eq=False, repr=False)
    """When the request was sent, and how often; set by the client, not by a
    transport."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in _SUCCESS


def check_response(response: object, sender: object) -> Response:
    """Check that a transport or a stage of the user's returned a `Response`.

    Raises:
        TransportError: it returned anything else; it is named, and no repeat helps.
    """
    if isinstance(response, Response):
        return response
    name = getattr(sender, "__qualname__", None) or type(sender).__qualname__
    raise TransportError(
        f"{name} returned {type(response).__name__}, not a Response", is_permanent=True
    )
