"""The way out: models to JSON with the names and values of the wire.

For each model a `msgspec.Struct` is made that has its fields under their wire names,
and a function that fills one from an instance; C does the rest. An instance that
keeps keys in `extra` becomes a dict instead: a struct has no room for them.
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

# Typed decimals are text by then, as the API writes them. What is left are JSON numbers
# that nobody has typed (in `.extra`), and those stay numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_COMMA = ord(",")


class ModelEncoder:
    """Writes models; the functions for each are made when it is first met."""

    def __init__(self) -> None:
        self._made: dict[type, Callable[[Any, bool], Any]] = {}

    def write(self, value: object, *, with_secrets: bool) -> bytes:
        """JSON on one line; without secrets their keys are left out."""
        return _ENCODER.encode(self._wire(value, with_secrets))

    def write_lines(
        self, records: Iterable[Any], owners: Mapping[str, str], *, with_secrets: bool
    ) -> bytes:
        """A line for each record, with the ids of its owners in front.

        Their keys are none that the model knows. A record that has such a key all the
        same is written as it is.
        """
        # Spliced in as bytes: a copy of each object only to put a key first costs more
        # than all the rest here. Its comma takes the place of the object's bracket.
        head = _ENCODER.encode(owners)[:-1] + b","
        lines = bytearray()
        for record in records:
            wire = self._filler(type(record))(record, with_secrets)
            if not record.extra or owners.keys().isdisjoint(record.extra):
                lines += head
                bracket = len(lines) - 1
                _ENCODER.encode_into(wire, lines, bracket)
                lines[bracket] = _COMMA
                if lines.endswith(b",}"):  # there is nothing but owners
                    del lines[bracket]
            else:
                _ENCODER.encode_into(wire, lines, -1)
            lines += b"\n"
        return bytes(lines)

    def _wire(self, value: object, with_secrets: bool) -> Any:
        """What the encoder takes; days and instants stay themselves."""
        kind = type(value)
        if isinstance(value, Page):
            return self._page(value, with_secrets)
        if kind in self._made or attrs.has(kind):
            return self._filler(kind)(value, with_secrets)
        if isinstance(value, Mapping):
            return {key: self._wire(one, with_secrets) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._wire(one, with_secrets) for one in value]
        return value

    def _page(self, page: Page[Any], with_secrets: bool) -> dict[str, Any]:
        facts = {
            to_wire(field.name): getattr(page, field.name)
            for field in attrs.fields(Page)
            if field.name not in {"items", "extra"}
        }
        extra = page.extra
        if not with_secrets:
            extra = remove_secrets(None, extra, SENSITIVE)
        return {**facts, "items": self._wire(page.items, with_secrets), **extra}

    def _filler(self, model: type) -> Callable[[Any, bool], Any]:
        if model not in self._made:
            plan = describe_model(model)
            parts = {
                f"wire_{field.name}": self._filler(field.kind)
                for field in plan.fields
                if attrs.has(field.kind)
            }
            self._made[model] = _filler(plan, parts)
        return self._made[model]


def _filler(
    plan: ModelSpec, parts: Mapping[str, Callable[[Any, bool], Any]]
) -> Callable[[Any, bool], Any]:
    """The function of one model; `parts` are those of the models inside it."""
    values = {field.wire: _value(field) for field in plan.fields}
    secrets = [field.wire for field in plan.fields if field.is_secret]
    lines = [
        "def fill(m, secrets):",
        f"  if not m.extra: return struct({', '.join(values.values())})",
        f"  wire = {{{', '.join(f'{key!r}: {one}' for key, one in values.items())}}}",
        *(f"  if not secrets: del wire[{key!r}]" for key in secrets),
        "  return with_extra(wire, m.extra, secrets)",
    ]
    scope = {
        **parts,
        "struct": _struct(plan),
        "UNSET": msgspec.UNSET,
        "with_extra": lambda *given: _with_extra(plan, *given),
    }
    return compile_function(f"fill {plan.model.__name__}", lines, scope, "fill")


def _with_extra(
    plan: ModelSpec, wire: dict[str, Any], extra: Mapping[str, Any], secrets: object
) -> dict[str, Any]:
    """The object with what is in `extra`; items that did not fit follow those that did.

    Without secrets a key that is sensitive anywhere in the contract stays out, unless
    this model knows it as one that is not.
    """
    if not secrets:
        extra = remove_secrets(plan.model, extra, SENSITIVE)
    lists = {field.wire for field in plan.fields if field.is_sequence}
    for key, value in extra.items():
        is_rest = key in lists and isinstance(value, list)
        wire[key] = [*wire[key], *value] if is_rest else value
    return wire


def _struct(plan: ModelSpec) -> type:
    return msgspec.defstruct(
        plan.model.__name__,
        [(field.name, Any) for field in plan.fields],
        rename={field.name: field.wire for field in plan.fields},
        gc=False,
    )


def _value(field: FieldSpec) -> str:
    """The expression for one value; UNSET is left out by the encoder."""
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
