"""The right answer in JSON that is hard to read, or none.

See `faults` for how trouble is ordered. What is no JSON passes as it is.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve, frozen

from nectar_async.sandbox.server.messages import Call, Proceed, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Garble", "Nest", "RepeatKeys", "SetValue"]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NO_UTF8 = b"\xff\xfe\xc3\x28"


@frozen
class Garble:
    """Bytes that are no UTF-8, in the first text of the body."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer with something wrong in it."""
        reply = await proceed(call)
        before, mark, after = reply.body.partition(b':"')
        if not mark:  # no object with a text, so the first text itself
            before, mark, after = reply.body.partition(b'"')
        if not mark:
            return reply
        return evolve(reply, body=b"".join((before, mark, _NO_UTF8, after)))


@frozen(kw_only=True)
class SetValue:
    """Every value of one key, at any depth, is another one: a number beyond all bounds.

    ```python
    Fault(SetValue(key="usage", json="1e999999999"))
    ```
    """

    key: str
    json: str
    """As it is to stand in the body, whether it is JSON or not."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer but for that value."""
        return _rewritten(await proceed(call), self._change)

    def _change(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._change(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        other = msgspec.Raw(self.json.encode())
        return {
            key: other if key == self.key else self._change(inner)
            for key, inner in value.items()
        }


@frozen(kw_only=True)
class Nest:
    """Lists within lists, so many deep, instead of the answer or of a key's values."""

    depth: int = 100_000
    key: str | None = None
    """None for the whole body."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """What overflows the stack of a reader that calls itself."""
        nest = "[" * self.depth + "]" * self.depth
        if self.key is None:
            return evolve(await proceed(call), body=nest.encode())
        return await SetValue(key=self.key, json=nest).apply(call, proceed)


@frozen
class RepeatKeys:
    """Every key of every object comes twice: null at first, and then as it should."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer for whoever lets the last one win, as most readers do."""
        return _rewritten(await proceed(call), lambda value: msgspec.Raw(_twice(value)))


def _rewritten(reply: Reply, change: Callable[[Any], Any]) -> Reply:
    try:
        value = _DECODER.decode(reply.body)
    except msgspec.DecodeError:
        return reply
    return evolve(reply, body=_ENCODER.encode(change(value)))


def _twice(value: Any) -> bytes:
    if isinstance(value, list):
        return b"[" + b",".join(map(_twice, value)) + b"]"
    if not isinstance(value, dict):
        return _ENCODER.encode(value)
    pairs = ((_ENCODER.encode(key), _twice(inner)) for key, inner in value.items())
    return b"{" + b",".join(b"%b:null,%b:%b" % (k, k, v) for k, v in pairs) + b"}"
