"""Records as dicts and as JSON, with the names of Python or of the API.

Names of Python have `company_id` and a key `extra`; names of the API have neither: the
keys of `extra` are beside the others, as the API sent them. The functions that build
the dicts are generated for each model, because a call for each field would cost more
than the values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import attrs
import msgspec

from nectar_async._json.fields import (
    FieldSpec,
    compile_function,
    describe_model,
    remove_secrets,
)
from nectar_async._types import OpenEnum
from nectar_async.contract.sensitive import SENSITIVE
from nectar_async.errors import InvalidArgumentError
from nectar_async.models._base import Model

__all__ = [
    "Names",
    "add_extra",
    "check_names",
    "find_to_dict",
    "to_dict",
    "to_json",
]

Names: TypeAlias = Literal["python", "wire"]
"""`python`: `start_date`, with `company_id` and `extra`. `wire`: `startDate`."""

ToDict: TypeAlias = Callable[[Any], dict[str, Any]]

_NAMES: Final = ("python", "wire")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")


def to_dict(
    record: Model, *, names: Names = "python", with_secrets: bool = False
) -> dict[str, Any]:
    """Convert a record to a dict of text, numbers, `Decimal`, `date`, dicts and lists.

    Args:
        record: a record of any kind.
        names: `python` (`start_date`) or `wire` (`startDate`).
        with_secrets: whether secrets are in it, as plain values.

    Raises:
        InvalidArgumentError: `record` is no record, or `names` is another text.
    """
    return find_to_dict(type(record), names, with_secrets=with_secrets)(record)


def to_json(
    record: Model, *, names: Names = "python", with_secrets: bool = False
) -> str:
    """Convert a record to JSON; decimals are text, so that no digit is lost.

    Args:
        record: a record of any kind.
        names: `python` (`start_date`) or `wire` (`startDate`).
        with_secrets: whether secrets are in it, as plain values.

    Raises:
        InvalidArgumentError: `record` is no record, or `names` is another text.
    """
    fields = to_dict(record, names=names, with_secrets=with_secrets)
    return _ENCODER.encode(fields).decode()


def find_to_dict(model: type, names: Names, *, with_secrets: bool) -> ToDict:
    """Return the function that converts the records of a model.

    Raises:
        InvalidArgumentError: it is no model, or `names` is another text.
    """
    check_names(names)
    if not issubclass(model, Model):
        raise InvalidArgumentError(
            f"to_dict needs a record such as UsageData, not {model.__name__}; for"
            " several, use Records.to_dicts()"
        )
    kind: Any = model
    return _build_converter(kind, names, with_secrets)


@cache
def _build_converter(model: Any, names: Names, with_secrets: bool) -> ToDict:
    spec = describe_model(model)
    scope: dict[str, Any] = {}
    items: list[str] = []
    for field in spec.fields:
        if field.is_secret and not with_secrets:
            continue
        if attrs.has(field.kind):
            scope[f"convert_{field.name}"] = _build_converter(
                field.kind, names, with_secrets
            )
        key = field.wire if names == "wire" else field.name
        items.append(f"{key!r}: {_build_value(field)}")
    own = [
        attribute.name
        for attribute in attrs.fields(model)
        if not attribute.metadata.get("is_on_wire", True)
    ]
    if names == "python":
        items += [f"{name!r}: m.{name}" for name in own]
        lines = [
            f"  fields = {{{', '.join(items)}}}",
            "  fields['extra'] = get_extra(m.extra) if m.extra else {}",
        ]
    else:
        lists = {field.wire for field in spec.fields if field.is_sequence}
        scope["lists"] = lists
        lines = [
            f"  fields = {{{', '.join(items)}}}",
            "  if m.extra: add_extra(fields, get_extra(m.extra), lists)",
        ]
    scope["get_extra"] = (
        dict if with_secrets else lambda extra: remove_secrets(model, extra, SENSITIVE)
    )
    scope["add_extra"] = add_extra
    lines = ["def convert(m):", *lines, "  return fields"]
    return compile_function(f"convert {model.__name__}", lines, scope, "convert")


def check_names(names: object) -> None:
    """Check the kind of names.

    Raises:
        InvalidArgumentError: it is another text.
    """
    if names not in _NAMES:
        raise InvalidArgumentError(f"names must be 'python' or 'wire', not {names!r}")


def add_extra(
    fields: dict[str, Any], extra: Mapping[str, Any], lists: set[str]
) -> None:
    """Add the keys of `extra`; the odd items of a list go behind its other items."""
    for key, value in extra.items():
        has_odd_items = key in lists and isinstance(value, list)
        fields[key] = [*fields[key], *value] if has_odd_items else value


def _build_value(field: FieldSpec) -> str:
    """Return the expression for the value of a field of the record `m`."""
    value = f"m.{field.name}"
    item = "{0}"
    if attrs.has(field.kind):
        item = f"convert_{field.name}({{0}})"
    elif field.is_secret:
        item = "{0}.reveal()"
    elif isinstance(field.kind, type) and issubclass(field.kind, OpenEnum):
        item = "str({0})"
    if field.is_sequence:
        return f"[{item.format('x')} for x in {value}]"
    if item == "{0}":
        return value
    return f"None if (v := {value}) is None else {item.format('v')}"
