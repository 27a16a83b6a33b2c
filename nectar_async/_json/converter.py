"""The one converter between the wire and the models.

JSON is decoded without floats: a number with a point becomes a `Decimal`. A record goes
the quick way (`_mirror`) if it can. With anything odd in it, it goes the careful way
(`_careful`), field by field, which knows the path of what is wrong.

    lenient  what does not fit goes to `.extra`, its field keeps the default
    strict   every unknown key, unknown enum value and misfit is a `DecodeError`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin

import attrs
import cattrs

from nectar_async._json.cooperative import PIECE_SIZE, Steps, run_at_once
from nectar_async._json.decoders import Decoders
from nectar_async._json.encoder import ModelEncoder
from nectar_async._json.envelope import EnvelopeReader
from nectar_async._json.field_by_field import FieldByFieldReader
from nectar_async._json.json import JSON, find_only_list, parse_json, rename_keys
from nectar_async._json.records import RecordReader, read_or_raise
from nectar_async._json.scalars import (
    LENIENT_HOOKS,
    STRICT_HOOKS,
    MisfitError,
    describe_json_type,
)
from nectar_async._json.structs import StructBuilder, TableHook
from nectar_async._types import OpenEnum
from nectar_async.contract.wire_names import to_wire
from nectar_async.errors import DecodeError, NectarError
from nectar_async.models.page import Listing, Page

__all__ = ["Converter", "get_converter", "mark_as_accepted"]

T = TypeVar("T")


class Converter:
    """Bytes to values and back, in one of two tempers.

    `cattrs` is the converter behind it; hooks that are registered on it before a class
    is first met are respected.
    """

    def __init__(self, *, is_strict: bool = False) -> None:
        self._is_strict = is_strict
        self.cattrs = cattrs.Converter(detailed_validation=False)
        leaves = STRICT_HOOKS if is_strict else LENIENT_HOOKS
        for kind, leaf in leaves.items():
            self.cattrs.register_structure_hook(kind, leaf)
        self.cattrs.register_structure_hook_factory(attrs.has, self._structurer)
        self._own: dict[type, Callable[..., Any]] = {}
        self._records = RecordReader(
            Decoders(StructBuilder(self._hook_of, self._is_own)),
            self._careful,
            self._has_quick_way,
        )
        self._writer = ModelEncoder()

    def decode(
        self, body: bytes, returns: type[T], keys: Mapping[str, str] | None = None
    ) -> T:
        """An answer as what it is said to be.

        Args:
            body: JSON, unpacked; empty for `NoneType`.
            returns: a model, `list[Model]`, or `dict`, `str`, `object` for plain JSON.
            keys: a user's corrections of the keys of a model.

        Raises:
            DecodeError: it is something else; the paths of the problems are in it.
        """
        return run_at_once(self.in_steps(body, returns, keys))

    def in_steps(
        self, body: bytes, returns: type[T], keys: Mapping[str, str] | None = None
    ) -> Steps[T]:
        """The same in pieces, where it is a long list."""
        if returns is NoneType:
            return cast("T", None)
        name = _name_of(returns)
        if get_origin(returns) is list:
            (kind,) = get_args(returns)
            text: JSON = body if self._is_strict else find_only_list(body)
            return cast(
                "T", list((yield from self._records.many(kind, text, "$", name)))
            )
        if attrs.has(returns):
            # A key that is only sent may have the name of a field that is read.
            fields = {to_wire(field.name) for field in attrs.fields(returns)}
            own = {ours: true for ours, true in (keys or {}).items() if ours in fields}
            if own:
                body = rename_keys(body, own)
            return cast("T", self._records.one(returns, body, name))
        value = read_or_raise(parse_json, body, name, "$")
        expected = get_origin(returns) or returns
        is_disguised = isinstance(value, bool) and expected is int
        if not isinstance(value, expected) or is_disguised:
            problem = (
                f"expected {_name_of(returns)}, got {describe_json_type(value)} @ $"
            )
            raise DecodeError.of(name, (problem,))
        return value

    def decode_page(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """A page of a list: an envelope, or a bare array as its only page.

        Args:
            body: JSON, unpacked.
            kind: what the records are.
            listing: how the envelope is spelled.
            number: the page that was asked for.
            keys: a user's corrections of the envelope's keys.

        Raises:
            DecodeError: it is neither, or a record in it cannot be told from others.
        """
        return run_at_once(self.page_in_steps(body, kind, listing, number, keys))

    def page_in_steps(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str] | None = None,
    ) -> Steps[Page[T]]:
        """The same in pieces, where it is a large one."""
        name = f"page of {kind.__name__}"
        if body.lstrip()[:1] == b"[":
            items = yield from self._records.many(kind, body, "$", name)
            return Page(items=items, number=number, current_page=number)
        return (yield from self._enveloped(body, kind, listing, number, keys or {}))

    def encode(self, value: object, *, with_secrets: bool = True) -> bytes:
        """JSON as the API would write it, on one line.

        `with_secrets=False` leaves the keys of secrets out.
        """
        return self._writer.write(value, with_secrets=with_secrets)

    def encode_lines(
        self, records: Iterable[Any], owners: Mapping[str, str], *, with_secrets: bool
    ) -> bytes:
        """JSON lines, each a record with the ids of its owners in front."""
        return self._writer.write_lines(records, owners, with_secrets=with_secrets)

    def _enveloped(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str],
    ) -> Steps[Page[T]]:
        envelope = EnvelopeReader(listing, keys, is_strict=self._is_strict)
        quick = yield from self._records.page(
            kind, body, envelope.items_key, envelope.facts
        )
        if quick is not None:
            return envelope.page_of(quick[0], number, quick[1])
        name = f"page of {kind.__name__}"
        read_or_raise(lambda _: envelope.split(body), body, name, "$")
        path = f"$.{envelope.items_key}"
        raw = read_or_raise(lambda _: envelope.take_items(), body, name, path)
        items = yield from self._records.many(
            kind, raw, path, name, is_odd=envelope.is_plain and len(body) <= PIECE_SIZE
        )
        page = read_or_raise(lambda _: envelope.page(items, number), body, name, "$")
        if envelope.problems:
            raise DecodeError.of(name, tuple(envelope.problems))
        return page

    def _has_quick_way(self, kind: type[Any]) -> bool:
        """Not when strict, nor to a user's hook."""
        return attrs.has(kind) and self._is_own(kind) and not self._is_strict

    def _careful(self) -> FieldByFieldReader:
        return FieldByFieldReader(
            self._hook_of, self._is_own, is_strict=self._is_strict
        )

    def _hook_of(self, kind: Any) -> Callable[[Any, Any], Any]:
        hook = self.cattrs.get_structure_hook(kind)
        if _is_open_enum(kind) and hook is self.cattrs.get_structure_hook(str):
            # cattrs dispatches on base classes first, and open enums are strings: one
            # that nobody registered a hook for gets its table when it is first met.
            hook = TableHook(kind, is_exact=self._is_strict)
            self.cattrs.register_structure_hook(kind, hook)
        return hook

    def _is_own(self, model: type) -> bool:
        """Whether a model is structured in our way, and not by a user's hook."""
        return self.cattrs.get_structure_hook(model) is self._own.get(model)

    def _structurer(self, model: type) -> Callable[[Any, Any], Any]:
        """The cattrs hook of a model, for objects that are decoded already."""

        def structure(value: Any, _: object = None) -> Any:
            careful = self._careful()
            made = careful.structure(model, value, "$")
            if careful.problems:
                raise MisfitError(careful.problems[0])
            return made

        self._own[model] = structure
        return structure


@cache
def get_converter(*, is_strict: bool) -> Converter:
    """The converter of the package, one for each temper; made when first asked for."""
    return Converter(is_strict=is_strict)


def mark_as_accepted(error: NectarError, status: int) -> None:
    """Say on the error of an answer that what was asked for was done all the same."""
    if isinstance(error, DecodeError):
        error.message = f"the server accepted it (status {status}), but {error.message}"
        error.args = (error.message,)


def _is_open_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


def _name_of(kind: Any) -> str:
    if get_origin(kind) is list:
        return f"list of {get_args(kind)[0].__name__}"
    return str({dict: "object", str: "text"}.get(kind, kind.__name__))
