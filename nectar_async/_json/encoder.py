"""Encode models as JSON with the names and values of the wire.

Each model gets a `msgspec.Struct` with its fields under their wire names, and a
generated function that fills one from an instance; msgspec encodes it in C. An instance
with keys in `extra` becomes a dict instead, because a struct has no fields for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from nectar_async._json.fields import (
    FieldSpec,
    ModelSpec,
    compile_function,
    describe_model,
    remove_secrets,
)
from nectar_async.contract.sensitive import SENSITIVE
from nectar_async.contract.wire_names import to_wire
from nectar_async.models.page import Page

__all__ = ["ModelEncoder"]

# The decimals of fields are text at this point, as the API writes them. Other decimals
# (in `.extra`) came from JSON numbers and stay numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_COMMA = ord(",")


class ModelEncoder:
    """Encodes models; it generates the functions for each model on first use."""

    def __init__(self) -> None:
        self._fillers: dict[type, Callable[[Any, bool], Any]] = {}

    def encode(self, value: object, *, with_secrets: bool) -> bytes:
        """Encode a value as JSON on one line, with or without the keys of secrets."""
        return _ENCODER.encode(self._to_wire(value, with_secrets))

    def encode_lines(
        self, records: Iterable[Any], owners: Mapping[str, str], *, with_secrets: bool
    ) -> bytes:
        """Encode one line for each record, with the ids of its owners in front.

        The keys of the owners are no fields of the model. A record that has such a key
        in its `extra` is encoded without the owners.
        """
        # The ids are inserted as bytes, because a copy of each object with more keys
        # would cost more than everything else here. The comma at the end of the head
        # replaces the opening bracket of the record.
        head = _ENCODER.encode(owners)[:-1] + b","
        lines = bytearray()
        for record in records:
            wire = self._get_filler(type(record))(record, with_secrets)
            if not record.extra or owners.keys().isdisjoint(record.extra):
                lines += head
                bracket = len(lines) - 1
                _ENCODER.encode_into(wire, lines, bracket)
                lines[bracket] = _COMMA
                if lines.endswith(b",}"):  # the record itself is empty
                    del lines[bracket]
            else:
                _ENCODER.encode_into(wire, lines, -1)
            lines += b"\n"
        return bytes(lines)

    def _to_wire(self, value: object, with_secrets: bool) -> Any:
        """Convert a value for the encoder, which encodes dates and datetimes itself."""
        kind = type(value)
        if isinstance(value, Page):
            return self._page_to_wire(value, with_secrets)
        if kind in self._fillers or attrs.has(kind):
            return self._get_filler(kind)(value, with_secrets)
        if isinstance(value, Mapping):
            return {
                key: self._to_wire(item, with_secrets) for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._to_wire(item, with_secrets) for item in value]
        return value

    def _page_to_wire(self, page: Page[Any], with_secrets: bool) -> dict[str, Any]:
        facts = {
            to_wire(field.name): getattr(page, field.name)
            for field in attrs.fields(Page)
            if field.name not in {"items", "extra"}
        }
        extra = page.extra
        if not with_secrets:
            extra = remove_secrets(None, extra, SENSITIVE)
        return {**facts, "items": self._to_wire(page.items, with_secrets), **extra}

    def _get_filler(self, model: type) -> Callable[[Any, bool], Any]:
        if model not in self._fillers:
            spec = describe_model(model)
            parts = {
                f"wire_{field.name}": self._get_filler(field.kind)
                for field in spec.fields
                if attrs.has(field.kind)
            }
            self._fillers[model] = _build_filler(spec, parts)
        return self._fillers[model]


def _build_filler(
    spec: ModelSpec, parts: Mapping[str, Callable[[Any, bool], Any]]
) -> Callable[[Any, bool], Any]:
    """Generate the function that converts one model.

    Args:
        spec: the model.
        parts: the functions of the models inside it, by the names in the source.
    """
    values = {field.wire: _build_value(field) for field in spec.fields}
    items = [f"{key!r}: {value}" for key, value in values.items()]
    secrets = [field.wire for field in spec.fields if field.is_secret]
    lines = [
        "def fill(m, secrets):",
        f"  if not m.extra: return struct({', '.join(values.values())})",
        f"  wire = {{{', '.join(items)}}}",
        *(f"  if not secrets: del wire[{key!r}]" for key in secrets),
        "  return with_extra(wire, m.extra, secrets)",
    ]
    scope = {
        **parts,
        "struct": _build_struct(spec),
        "UNSET": msgspec.UNSET,
        "with_extra": lambda *arguments: _add_extra(spec, *arguments),
    }
    return compile_function(f"fill {spec.model.__name__}", lines, scope, "fill")


def _add_extra(
    spec: ModelSpec, wire: dict[str, Any], extra: Mapping[str, Any], secrets: object
) -> dict[str, Any]:
    """Add the keys of `extra`; the odd items of a list go behind its other items.

    Without secrets, keys are left out that the contract marks as sensitive anywhere,
    unless they are plain fields of this model.
    """
    if not secrets:
        extra = remove_secrets(spec.model, extra, SENSITIVE)
    lists = {field.wire for field in spec.fields if field.is_sequence}
    for key, value in extra.items():
        has_odd_items = key in lists and isinstance(value, list)
        wire[key] = [*wire[key], *value] if has_odd_items else value
    return wire


def _build_struct(spec: ModelSpec) -> type:
    return msgspec.defstruct(
        spec.model.__name__,
        [(field.name, Any) for field in spec.fields],
        rename={field.name: field.wire for field in spec.fields},
        gc=False,
    )


def _build_value(field: FieldSpec) -> str:
    """Return the expression for one value; the encoder leaves UNSET out."""
    value = f"m.{field.name}"
    if attrs.has(field.kind):
        if field.is_sequence:
            return f"[wire_{field.name}(x, secrets) for x in {value}]"
        return f"None if (v := {value}) is None else wire_{field.name}(v, secrets)"
    if field.is_secret:
        text = f"None if (v := {value}) is None else v.reveal()"
        return f"({text}) if secrets else UNSET"
    if field.kind is Decimal:
        if field.is_sequence:
            return f"[str(x) for x in {value}]"
        return f"None if (v := {value}) is None else str(v)"
    return value
