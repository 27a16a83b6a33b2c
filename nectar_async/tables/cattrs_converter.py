"""A cattrs converter for all models, on which users register hooks of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from nectar_async._json.converter import Converter
from nectar_async._json.fields import ModelSpec, describe_model, remove_secrets
from nectar_async._types import OpenEnum, Secret
from nectar_async.contract.sensitive import SENSITIVE
from nectar_async.models._base import Model
from nectar_async.tables.dicts import Names, add_extra, check_names
from nectar_async.tables.rows import restore_row

__all__ = ["make_converter"]


def make_converter(
    names: Names = "wire", *, strict: bool = False, with_secrets: bool = False
) -> cattrs.Converter:
    """Make a `cattrs.Converter` that structures and unstructures every model.

    It reads what the client reads: exact decimals, open enums, unknown keys in `extra`.
    Unstructured decimals, days and instants are text. Register hooks before the first
    use of a model.

    Args:
        names: `wire` (`startDate`) or `python` (`start_date`, with `company_id` and
            `extra`).
        strict: whether unknown keys and values that do not fit are errors.
        with_secrets: whether unstructured records have their secrets, as plain text.

    Raises:
        InvalidArgumentError: `names` is another text.
    """
    check_names(names)
    converter = Converter(is_strict=strict).cattrs
    for kind, hook in _HOOKS.items():
        converter.register_unstructure_hook(kind, hook)
    converter.register_unstructure_hook_func(_is_secret, lambda value: value.reveal())
    converter.register_unstructure_hook_factory(
        _is_model,
        lambda model: _build_unstructure(converter, model, names, with_secrets),
    )
    converter.names = names
    if names == "python":
        for model in Model.__subclasses__():
            _register_python_names(converter, model)
    return converter


_HOOKS: Mapping[type, Callable[[Any], Any]] = {
    OpenEnum: str,
    Decimal: str,
    date: date.isoformat,
    datetime: datetime.isoformat,
}


def _copy_json(value: Any) -> Any:
    """Copy JSON of any shape, whose decimals were numbers and stay numbers."""
    return list(value) if isinstance(value, tuple) else value


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)


def _is_secret(kind: Any) -> bool:
    return kind is Secret or get_origin(kind) is Secret


def _build_unstructure(
    converter: cattrs.Converter,
    model: Any,
    names: Names,
    with_secrets: bool,
) -> Callable[[Any], dict[str, Any]]:
    """Build the function that unstructures a model with the converter's hooks."""
    spec = describe_model(model)
    is_python = names == "python"
    overrides: dict[str, Any] = {"extra": override(omit=True)}
    for field in spec.fields:
        overrides[field.name] = override(
            omit=field.is_secret and not with_secrets,
            rename=None if is_python else field.wire,
            unstruct_hook=_copy_json if field.kind in {Any, dict} else None,
        )
    for attribute in attrs.fields(model):
        if attribute.name not in overrides:  # not a field of the API
            overrides[attribute.name] = override(omit=not is_python)
    unstructure_fields = make_dict_unstructure_fn(model, converter, **overrides)
    lists = {field.wire for field in spec.fields if field.is_sequence}

    def unstructure(record: Any) -> dict[str, Any]:
        fields = unstructure_fields(record)
        extra = record.extra
        if extra and not with_secrets:
            extra = remove_secrets(model, extra, SENSITIVE)
        if is_python:
            fields["extra"] = dict(extra)
        else:
            add_extra(fields, extra, lists)
        return fields

    return unstructure


def _register_python_names(converter: cattrs.Converter, model: Any) -> None:
    for derived in model.__subclasses__():
        _register_python_names(converter, derived)
    if not attrs.has(model):
        return
    structure_wire = converter.get_structure_hook(model)
    spec = describe_model(model)
    absent = [
        attribute.name
        for attribute in attrs.fields(model)
        if not attribute.metadata.get("is_on_wire", True)
    ]

    def structure(value: Any, kind: Any) -> Any:
        if not isinstance(value, Mapping):
            return structure_wire(value, kind)
        record = structure_wire(_to_wire(spec, value, absent), kind)
        own = {name: value[name] for name in absent if value.get(name) is not None}
        return attrs.evolve(record, **own) if own else record

    converter.register_structure_hook(model, structure)


def _to_wire(spec: ModelSpec, value: Mapping[str, Any], absent: list[str]) -> Any:
    """Rename the keys of one level to those of the API."""
    value = restore_row(spec, value)
    renamed = {field.name: field.wire for field in spec.fields}
    fields = {
        renamed.get(key, key): item
        for key, item in value.items()
        if key != "extra" and key not in absent
    }
    lists = {field.wire for field in spec.fields if field.is_sequence}
    add_extra(fields, value.get("extra") or {}, lists)
    return fields
