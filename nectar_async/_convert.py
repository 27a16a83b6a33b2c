"""The one converter between the wire and the models.

JSON is decoded without floats: a number with a point becomes a `Decimal`. Objects are
structured by cattrs, through one generated function per class (`_codegen`). When that
function meets anything odd it hands the object to the careful path (`_careful`), which
goes field by field and knows the path of what is wrong.

    lenient  what does not fit goes to `.extra`, its field keeps the default
    strict   every unknown key, unknown enum value and misfit is a `DecodeError`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin

import attrs
import cattrs
import msgspec

from nectar_async._careful import Careful
from nectar_async._codegen import dumper, plan_of, structurer, table_hook
from nectar_async._enums import OpenEnum
from nectar_async._leaves import LEAVES, Misfit, json_name
from nectar_async._names import to_wire
from nectar_async._request import Listing
from nectar_async.errors import DecodeError
from nectar_async.models.page import Page

__all__ = ["Converter", "converter"]

T = TypeVar("T")

_PARSER = msgspec.json.Decoder(float_hook=Decimal)

# Typed decimals are text by then, as the API writes them. What is left are JSON numbers
# that nobody has typed (in `.extra`), and those stay numbers.
_WRITER = msgspec.json.Encoder(decimal_format="number")

_ENVELOPE = ("per_page", "total_pages", "current_page", "has_next", "has_previous")


class _Announced(msgspec.Struct, rename="camel"):
    """The one key of an envelope that plans a walk; the records are skipped over."""

    total_pages: int = 1


_ANNOUNCED = msgspec.json.Decoder(_Announced, strict=False)


class Converter:
    """Bytes to values and back, in one of two tempers.

    `cattrs` is the converter behind it; hooks that are registered on it before a class
    is first met are respected.
    """

    def __init__(self, *, is_strict: bool = False) -> None:
        self._is_strict = is_strict
        self.cattrs = cattrs.Converter(detailed_validation=False)
        for kind, leaf in LEAVES.items():
            self.cattrs.register_structure_hook(kind, leaf)
        self.cattrs.register_structure_hook_factory(attrs.has, self._structurer)
        self._dumpers: dict[type, Callable[..., Any]] = {}

    def decode(self, body: bytes, returns: type[T]) -> T:
        """An answer as what it is said to be.

        Args:
            body: JSON, unpacked; empty for `NoneType`.
            returns: a model, `list[Model]`, or `dict`, `str`, `object` for plain JSON.

        Raises:
            DecodeError: it is something else; the paths of the problems are in it.
        """
        if returns is NoneType:
            return cast("T", None)
        name = _name_of(returns)
        value = _parse(body, name)
        if get_origin(returns) is list:
            (kind,) = get_args(returns)
            return cast("T", list(self._items(kind, value, "$", name)))
        if attrs.has(returns):
            return cast("T", self._item(returns, value, "$", name))
        if not isinstance(value, returns):
            problem = f"expected {_name_of(returns)}, got {json_name(value)} @ $"
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
        name = f"page of {kind.__name__}"
        value = _parse(body, name)
        if value.__class__ is list:
            items = self._items(kind, value, "$", name)
            return Page(items=items, number=number, current_page=number)
        if value.__class__ is not dict:
            problem = f"expected an object or a list, got {json_name(value)} @ $"
            raise DecodeError.of(name, (problem,))
        return self._enveloped(value, kind, listing, number, keys or {})

    def announced(self, body: bytes) -> int:
        """How many pages an answer announces; 1 when it is no envelope.

        What is wrong with it shows when it is decoded.
        """
        try:
            return max(1, _ANNOUNCED.decode(body).total_pages)
        except (msgspec.DecodeError, RecursionError):
            return 1

    def encode(self, value: object, *, with_secrets: bool = True) -> bytes:
        """JSON as the API would write it, on one line.

        `with_secrets=False` leaves the keys of secrets out.
        """
        return _WRITER.encode(self.dump(value, with_secrets=with_secrets))

    def dump(self, value: object, *, with_secrets: bool = True) -> Any:
        """A model as an object with wire names; days and instants stay themselves."""
        if attrs.has(type(value)):
            return self._dumper(type(value))(value, with_secrets)
        if isinstance(value, list | tuple):
            return [self.dump(item, with_secrets=with_secrets) for item in value]
        return value

    def _enveloped(
        self,
        value: dict[str, Any],
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str],
    ) -> Page[T]:
        name = f"page of {kind.__name__}"
        items_key, total_key = (
            keys.get(wire, wire)
            for wire in map(to_wire, (listing.items, listing.total))
        )
        rest = dict(value)
        if items_key not in rest and not self._is_strict:
            items_key = _only_list(rest) or items_key
        raw = rest.pop(items_key, None)
        if raw.__class__ is not list:
            came = json_name(raw) if items_key in value else "nothing"
            problem = f"expected a list, got {came} @ $.{items_key}"
            raise DecodeError.of(name, (problem,))
        facts: dict[str, Any] = {"total": _number(rest.pop(total_key, None))}
        for fact in _ENVELOPE:
            facts[fact] = rest.pop(to_wire(fact), None)
        return Page(
            items=self._items(kind, raw, f"$.{items_key}", name),
            number=number,
            total=facts["total"],
            per_page=_number(facts["per_page"]),
            total_pages=_number(facts["total_pages"]) or 1,
            current_page=number
            if (current := _number(facts["current_page"])) is None
            else current,
            has_next=bool(facts["has_next"]),
            has_previous=bool(facts["has_previous"]),
            extra=rest,
        )

    def _items(self, kind: type[T], value: Any, path: str, name: str) -> tuple[T, ...]:
        if value.__class__ is not list:
            problem = f"expected a list, got {json_name(value)} @ {path}"
            raise DecodeError.of(name, (problem,))
        hook = self.cattrs.get_structure_hook(kind)
        try:
            return tuple([hook(item, kind) for item in value])
        except Misfit:
            pass
        # Something cannot be given: go again, slowly, to name every such place.
        problems: list[str] = []
        for number, item in enumerate(value):
            problems += self._problems(kind, item, f"{path}[{number}]")
        raise DecodeError.of(name, tuple(problems))

    def _item(self, kind: type[T], value: Any, path: str, name: str) -> T:
        try:
            return cast("T", self.cattrs.get_structure_hook(kind)(value, kind))
        except Misfit:
            problems = self._problems(kind, value, path)
        raise DecodeError.of(name, tuple(problems))

    def _problems(self, kind: type, value: Any, path: str) -> list[str]:
        careful = self._careful()
        with suppress(Misfit):
            careful.structure(kind, value, path)
        return careful.problems

    def _careful(self) -> Careful:
        return Careful(self._hook_of, is_strict=self._is_strict)

    def _hook_of(self, kind: Any) -> Callable[[Any, Any], Any]:
        hook = self.cattrs.get_structure_hook(kind)
        if hook is LEAVES[str] and _is_open_enum(kind):
            # cattrs dispatches on base classes first, and open enums are strings: one
            # that nobody registered a hook for gets its table when it is first met.
            hook = table_hook(kind)
            self.cattrs.register_structure_hook(kind, hook)
        return hook

    def _structurer(self, model: type) -> Callable[[Any, Any], Any]:
        """The hook of a model: generated and quick, or careful when strict."""

        def carefully(value: Any, _: object = None) -> Any:
            careful = self._careful()
            made = careful.structure(model, value, "$")
            if careful.problems:
                raise Misfit(careful.problems[0])
            return made

        if self._is_strict:
            return carefully
        plan = plan_of(model)
        hooks = {field.name: self._hook_of(field.kind) for field in plan.fields}
        return structurer(plan, hooks, carefully)

    def _dumper(self, model: type) -> Callable[..., Any]:
        if model not in self._dumpers:
            plan = plan_of(model)
            nested = {
                field.name: self._dumper(field.kind)
                for field in plan.fields
                if attrs.has(field.kind)
            }
            self._dumpers[model] = dumper(plan, nested)
        return self._dumpers[model]


@cache
def converter(*, is_strict: bool) -> Converter:
    """The converter of the package, one for each temper; made when first asked for."""
    return Converter(is_strict=is_strict)


def _parse(body: bytes, name: str) -> Any:
    try:
        return _PARSER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = f"{_json_problem(body, error)} @ $"
    raise DecodeError.of(name, (problem,))


def _json_problem(body: bytes, error: Exception) -> str:
    """What keeps a body from being JSON, without showing any of it."""
    if not body.strip():
        return "expected JSON, got an empty body"
    if body.lstrip()[:1] == b"<":
        return "expected JSON, got HTML or XML (a proxy or a login page?)"
    if isinstance(error, RecursionError):
        return "expected JSON, got lists or objects nested too deeply"
    return f"expected JSON: {str(error).partition(':')[0].strip()}"


def _is_open_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


def _name_of(kind: Any) -> str:
    if get_origin(kind) is list:
        return f"list of {get_args(kind)[0].__name__}"
    return str({dict: "object", str: "text"}.get(kind, kind.__name__))


def _number(value: Any) -> int | None:
    return value if value.__class__ is int else None


def _only_list(value: Mapping[str, Any]) -> str | None:
    """The key of the one list in an envelope whose key is not the expected one."""
    keys = [key for key in value if value[key].__class__ is list]
    return keys[0] if len(keys) == 1 else None
