"""Effects that change the body or a header of the normal response.

A body that is not JSON is left unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from attrs import evolve, field, frozen

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._json.json_text import encode_json, parse_json
from nectar_async._json.scalars import MisfitError
from nectar_async.faults.fault import Proceed, check_whole

__all__ = ["Garble", "Nest", "RepeatKeys", "SetHeader", "SetValue"]

_INVALID_UTF8: Final = b"\xff\xfe\xc3\x28"


@frozen
class Garble:
    """Put bytes that are not valid UTF-8 into the first string of the body."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Change the normal response."""
        response = await proceed(request)
        before, quote, after = response.body.partition(b':"')
        if not quote:  # no object has a string, so take the first string of the body
            before, quote, after = response.body.partition(b'"')
        if not quote:
            return response
        return evolve(response, body=b"".join((before, quote, _INVALID_UTF8, after)))


@frozen(kw_only=True)
class SetValue:
    """Replace every value of a key, at any depth, with a JSON text.

    ```python
    Fault(SetValue(key="usage", json="1e999999999"))
    ```
    """

    key: str
    json: str
    """The text that is put into the body, whether it is valid JSON or not."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Change the normal response."""
        return _rewrite(await proceed(request), self._replace)

    def _replace(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._replace(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        replacement = msgspec.Raw(self.json.encode())
        return {
            key: replacement if key == self.key else self._replace(inner)
            for key, inner in value.items()
        }


@frozen(kw_only=True)
class Nest:
    """Replace the body, or every value of a key, with deeply nested lists."""

    depth: int = field(default=100_000, validator=check_whole(0))
    key: str | None = None
    """None for the whole body."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Change the normal response."""
        nest = "[" * self.depth + "]" * self.depth
        if self.key is None:
            return evolve(await proceed(request), body=nest.encode())
        return await SetValue(key=self.key, json=nest).apply(request, proceed)


@frozen
class RepeatKeys:
    """Write every key of every object twice: first with null, then with its value."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Change the normal response; most parsers take the last value of a key."""
        return _rewrite(
            await proceed(request), lambda value: msgspec.Raw(_repeat_keys(value))
        )


@frozen(kw_only=True)
class SetHeader:
    """Replace or remove a response header, for example to send a weak `ETag`."""

    name: str
    value: str = ""
    """Empty removes the header."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Change the normal response."""
        response = await proceed(request)
        headers = {**response.headers, self.name.lower(): self.value}
        if not self.value:
            del headers[self.name.lower()]
        return evolve(response, headers=headers)


def _rewrite(response: Response, change: Callable[[Any], Any]) -> Response:
    try:
        value = parse_json(response.body)
    except MisfitError:
        return response
    return evolve(response, body=encode_json(change(value)))


def _repeat_keys(value: Any) -> bytes:
    if isinstance(value, list):
        return b"[" + b",".join(map(_repeat_keys, value)) + b"]"
    if not isinstance(value, dict):
        return encode_json(value)
    pairs = ((encode_json(key), _repeat_keys(inner)) for key, inner in value.items())
    return b"{" + b",".join(b"%b:null,%b:%b" % (k, k, v) for k, v in pairs) + b"}"
