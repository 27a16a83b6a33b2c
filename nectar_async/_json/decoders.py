"""The quick way from JSON to records: one, a list, or a list in its envelope.

All of the JSON is decoded at once, into structs (`_mirror`), and models are made of
them, some at a time if there are many.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import ceil
from types import GenericAlias
from typing import Any, Final

import msgspec

from nectar_async._json.cooperative import PIECE_SIZE, Steps
from nectar_async._json.structs import CopyFunction, StructBuilder

__all__ = ["Decoders"]

OneDecoder = Callable[[Any], Any]
ListDecoder = Callable[[Any], Steps[list[Any]]]
PageDecoder = Callable[[Any], Steps[tuple[list[Any], dict[str, Any]]]]

# To make the models of so many bytes of JSON takes as long as to decode twice as many.
_MADE_AT_ONCE: Final = PIECE_SIZE // 3


class Decoders:
    """The decoders of models, made when they are first asked for; what is odd raises.

    Args:
        mirrors: the structs, and what makes models of them.
    """

    def __init__(self, mirrors: StructBuilder) -> None:
        self._mirrors = mirrors
        self._ones: dict[type, OneDecoder] = {}
        self._lists: dict[type, ListDecoder] = {}
        self._pages: dict[object, PageDecoder] = {}

    def one(self, model: type) -> OneDecoder:
        """From the JSON of one record to an instance."""
        if model not in self._ones:
            decode = _decode(self._mirrors.struct(model))
            copy = self._mirrors.copy(model)
            self._ones[model] = lambda record: copy(decode(record), {})
        return self._ones[model]

    def many(self, model: type) -> ListDecoder:
        """From that of a list to the records: one that is odd spoils it for all."""
        if model not in self._lists:
            decode = _decode(GenericAlias(list, (self._mirrors.struct(model),)))
            copy = self._mirrors.copy(model)
            self._lists[model] = lambda text: _copying(
                copy, decode(text), len(memoryview(text))
            )
        return self._lists[model]

    def page(self, model: type, items: str, facts: tuple[str, ...]) -> PageDecoder:
        """From that of an envelope to the records, and to its other values.

        Args:
            model: what the records are.
            items: the key of the list.
            facts: the other keys; there may be no further one.
        """
        if (model, items, facts) not in self._pages:
            names = {f"fact_{number}": key for number, key in enumerate(facts)}
            fields: list[Any] = [
                ("items", GenericAlias(list, (self._mirrors.struct(model),))),
                *((name, Any, msgspec.UNSET) for name in names),
            ]
            envelopes = msgspec.defstruct(
                "Envelope",
                fields,
                rename={"items": items, **names},
                forbid_unknown_fields=True,
                gc=False,
            )
            decode = _decode(envelopes)
            copy = self._mirrors.copy(model)

            def read(body: Any) -> Steps[tuple[list[Any], dict[str, Any]]]:
                envelope = decode(body)
                found = {key: getattr(envelope, name) for name, key in names.items()}
                came = {k: one for k, one in found.items() if one is not msgspec.UNSET}
                made = yield from _copying(copy, envelope.items, len(body))
                return made, came

            self._pages[model, items, facts] = read
        return self._pages[model, items, facts]

    def learn(self, instance: Any) -> None:
        """Have the keys that an instance keeps in `extra`, and those of its parts."""
        if self._mirrors.learn(instance):
            for made in (self._ones, self._lists, self._pages):
                made.clear()


def _decode(kind: Any) -> Callable[[Any], Any]:
    return msgspec.json.Decoder(kind, float_hook=Decimal).decode


def _copying(copy: CopyFunction, records: list[Any], size: int) -> Steps[list[Any]]:
    """Models of the records of a list, which share what is equal; the list is emptied.

    Were all structs kept to the end, the garbage collector would come with every page.
    `size` is that of the JSON, in bytes.
    """
    parts: dict[Any, Any] = {}
    made: list[Any] = []
    records.reverse()
    take = records.pop
    count = ceil(len(records) * _MADE_AT_ONCE / size)
    while records:
        if size > _MADE_AT_ONCE:
            yield
        made += [copy(take(), parts) for _ in range(min(count, len(records)))]
    return made
