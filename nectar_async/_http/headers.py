"""Stamp the headers that every request has: User-Agent, X-Request-Id and Accept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from nectar_async._http.request import Request, copy_with
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async._version import __version__
from nectar_async.errors import InvalidArgumentError

__all__ = ["StampHeaders", "check_headers"]

_USER_AGENT: Final = f"nectar-async/{__version__}"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# RFC 9110: the name of a field is a token.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@frozen
class StampHeaders:
    """Add the client's headers to a request; headers that it already has stay.

    Args:
        accept: the value of `Accept`.
    """

    accept: str

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send a copy of the request with all of its headers."""
        check_headers(request.headers)
        headers = {
            "Accept": self.accept,
            "User-Agent": _USER_AGENT,
            "X-Request-Id": request.timing.request_id,
            **request.headers,
        }
        return await send(copy_with(request, headers=headers))


def check_headers(headers: Mapping[Any, Any]) -> None:
    """Check that each name and value is valid, so that none can add another header.

    Raises:
        InvalidArgumentError: a name or a value is not valid. The value is not in the
            message, because it may be a token.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or _TOKEN.fullmatch(name) is None:
            raise InvalidArgumentError(f"{name!r} is not a valid name of a header")
        if not isinstance(value, str):
            raise InvalidArgumentError(
                f"the header {name} must be text, not {type(value).__name__}"
            )
        if _CONTROL.search(value) is not None:
            raise InvalidArgumentError(f"the header {name} has control characters")
