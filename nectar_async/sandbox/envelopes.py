"""Reading and changing the envelope of a page that was written already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec
from attrs import evolve, frozen

from nectar_async.sandbox.server.messages import Reply
from nectar_async.sandbox.server.wire_format import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Envelope", "count_of"]

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


@frozen
class Envelope:
    """A page by its keys, each value still JSON text."""

    reply: Reply
    values: Mapping[str, msgspec.Raw]
    items_key: str
    total_key: str

    @classmethod
    def of(cls, reply: Reply) -> Self | None:
        """The envelope of a reply; None when it has none."""
        try:
            values = _OBJECT.decode(reply.body)
        except msgspec.DecodeError:
            return None
        totals = [key for key in values if key.startswith("total")]
        lists = [key for key, raw in values.items() if bytes(raw)[:1] == b"["]
        if "hasNext" not in values or "totalPages" not in totals or len(lists) != 1:
            return None
        totals.remove("totalPages")
        return cls(reply, values, lists[0], totals[0])

    def number(self, key: str) -> int:
        """A value that is a whole number."""
        return msgspec.json.decode(self.values[key], type=int)

    @property
    def total(self) -> int:
        """How many things the whole list has."""
        return self.number(self.total_key)

    @property
    def items(self) -> Sequence[msgspec.Raw]:
        """The things on the page."""
        return _LIST.decode(self.values[self.items_key])

    def changed(self, **values: Any) -> Reply:
        """The reply with some values of its envelope changed."""
        return evolve(self.reply, body=encode({**self.values, **values}))


def count_of(reply: Reply) -> int | None:
    """How many things a list has in all, paged or not; None for what is no list."""
    envelope = Envelope.of(reply)
    if envelope is not None:
        return envelope.total
    try:
        return len(_LIST.decode(reply.body))
    except msgspec.DecodeError:
        return None
