"""Tables of Arrow from records, and records from such tables.

A table has all columns of its noun, whatever the records have. Decimals are
decimal128(28, 10). A number that does not fit its column is null there and is kept as
text in `extra`, under its path. Nothing is rounded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from importlib import import_module
from itertools import accumulate
from typing import Any, Final, Literal, TypeAlias

import msgspec
from attrs import frozen

from nectar_async._json.fields import remove_secrets
from nectar_async.contract.sensitive import SENSITIVE
from nectar_async.errors import ConfigurationError, InvalidArgumentError
from nectar_async.models._base import Model
from nectar_async.tables.cattrs_converter import make_converter
from nectar_async.tables.columns import (
    Column,
    Nested,
    describe_columns,
    find_description,
    find_model,
    fit_decimal,
    fit_integer,
    get_values,
)
from nectar_async.tables.dicts import find_to_dict

__all__ = [
    "Decimals",
    "encode_values",
    "from_arrow",
    "import_extra",
    "schema",
    "to_arrow",
]

Decimals: TypeAlias = Literal["decimal", "string", "float"]
"""The type of the columns of decimals. Only `float` is not exact."""

_log = logging.getLogger("nectar_async")

_DECIMALS: Final = ("decimal", "string", "float")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")
# Values of any shape are kept as the API sent them, so that numbers stay numbers.
_RAW_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def schema(
    noun: str | type[Model],
    *,
    nested: Nested = "struct",
    decimals: Decimals = "decimal",
) -> Any:
    """Return the `pyarrow.Schema` of a noun's table; it is the same for all data.

    The metadata of each field has its `description`, if there is one.

    Args:
        noun: the name of the table, such as "usage", or a model.
        nested: how inner records and lists are kept; see `Records.to_arrow`.
        decimals: the type of decimals; see `Records.to_arrow`.

    Raises:
        InvalidArgumentError: there is no such table, or an argument is another text.
        ConfigurationError: the extra `frames` is not installed.
    """
    model = find_model(noun)
    plain = _build_schema(model, nested, decimals)
    fields = []
    for field, column in zip(plain, describe_columns(model, nested), strict=True):
        text = find_description(model, column.path)
        fields.append(field.with_metadata({"description": text} if text else None))
    return import_extra("pyarrow").schema(fields)


def to_arrow(
    records: Sequence[Any],
    model: Any,
    *,
    nested: Nested = "struct",
    decimals: Decimals = "decimal",
) -> Any:
    """Convert records of a model to a `pyarrow.Table`; see `Records.to_arrow`."""
    arrow = import_extra("pyarrow")
    table_schema = _build_schema(model, nested, decimals)
    builder = _TableBuilder(arrow, decimals)
    columns = describe_columns(model, nested)
    arrays = [builder.build(column, records) for column in columns[:-1]]
    misfits: dict[int, dict[str, str]] = {}
    for misfit in (misfit for array in arrays for misfit in array.misfits):
        misfits.setdefault(misfit.row, {})[misfit.path] = misfit.text
    extra = [
        _encode_extra(model, {**record.extra, **misfits.get(row, {})})
        for row, record in enumerate(records)
    ]
    count = sum(map(len, misfits.values()))
    if count:
        _log.warning(
            "%s numbers of %s records do not fit their columns; they are null there and"
            " kept as text in `extra`",
            f"{count:,}",
            f"{len(misfits):,}",
        )
        table_schema = table_schema.with_metadata({"misfits": str(count)})
    values = [*(array.values for array in arrays), arrow.array(extra, arrow.string())]
    return arrow.Table.from_arrays(values, schema=table_schema)


def from_arrow(
    table: Any, noun: str | type[Model], *, nested: Nested = "struct"
) -> list[Any]:
    """Read the records of a noun from a table that `Records.to_arrow` made.

    Secrets are missing, because the table has none. Numbers in an inner `extra` come
    back as text if `nested` is not "struct".

    Args:
        table: anything with `__arrow_c_stream__`, such as a `pyarrow.Table`.
        noun: the name of the table, such as "usage", or a model.
        nested: how inner records and lists are kept in it.

    Raises:
        InvalidArgumentError: there is no table of that name.
        ConfigurationError: the extra `frames` is not installed.
    """
    model = find_model(noun)
    rows = import_extra("pyarrow").table(table).to_pylist()
    if nested == "flat":
        columns = describe_columns(model, nested)
        rows = [_unflatten(columns, row) for row in rows]
    converter = make_converter("python")
    return [converter.structure(row, model) for row in rows]


def encode_values(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    """Encode the values of a column that has JSON; other values stay as they are."""
    if column.kind == "json":
        return [_encode(value) for value in values]
    if column.kind == "raw":
        return [_encode_raw(value) for value in values]
    if column.kind == "extra":
        return [_encode_extra(column.owner, value) for value in values]
    return values


def import_extra(module: str, extra: str = "frames") -> Any:
    """Import an optional library.

    Raises:
        ConfigurationError: it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
    install = f"'nectar-async[{extra}]'" if module == "pyarrow" else module
    raise ConfigurationError(f"this needs {module}: pip install {install}")


@cache
def _build_schema(model: Any, nested: Nested, decimals: Decimals) -> Any:
    if decimals not in _DECIMALS:
        choices = ", ".join(map(repr, _DECIMALS))
        raise InvalidArgumentError(
            f"decimals must be one of {choices}, not {decimals!r}"
        )
    arrow = import_extra("pyarrow")
    types = _build_types(arrow, decimals)
    columns = describe_columns(model, nested)
    return arrow.schema([_build_field(arrow, column, types) for column in columns])


def _build_types(arrow: Any, decimals: Decimals) -> Mapping[str, Any]:
    """Map the kinds of columns to types of Arrow."""
    decimal_types = {
        "decimal": arrow.decimal128(28, 10),
        "string": arrow.string(),
        "float": arrow.float64(),
    }
    return {
        "date": arrow.date32(),
        "decimal": decimal_types[decimals],
        "flag": arrow.bool_(),
        "instant": arrow.timestamp("us", tz="UTC"),
        "integer": arrow.int64(),
        "extra": arrow.string(),
        "json": arrow.string(),
        "raw": arrow.string(),
        "text": arrow.string(),
    }


def _build_field(arrow: Any, column: Column, types: Mapping[str, Any]) -> Any:
    """Build the field of a schema, or of a struct."""
    if column.kind == "struct":
        inner = [_build_field(arrow, each, types) for each in column.fields]
        kind = arrow.struct(inner)
    elif column.item is not None:
        kind = arrow.list_(_build_field(arrow, column.item, types).type)
    else:
        kind = types[column.kind]
    return arrow.field(column.name, kind)


@frozen
class _Misfit:
    """A number that does not fit its column."""

    row: int
    path: str
    text: str


@frozen
class _Array:
    """The values of a column."""

    values: Any
    """The array of Arrow."""
    misfits: Sequence[_Misfit] = ()


class _TableBuilder:
    """Builds the arrays of a table, column by column.

    Args:
        arrow: the module `pyarrow`.
        decimals: the type of decimals.
    """

    def __init__(self, arrow: Any, decimals: Decimals) -> None:
        self._arrow = arrow
        self._types = _build_types(arrow, decimals)
        self._convert_decimal = _CONVERTERS[decimals]
        self._is_exact = decimals == "decimal"

    def build(
        self, column: Column, records: Sequence[Any], *, has_none: bool = False
    ) -> _Array:
        """Build the array of a column.

        Args:
            column: the column.
            records: the records.
            has_none: whether some of the records are None.
        """
        values = get_values(column, records, has_none=has_none)
        if values == [None] * len(values):
            kind = _build_field(self._arrow, column, self._types).type
            return _Array(self._arrow.nulls(len(values), kind))
        if column.kind == "struct":
            return self._build_struct(column, values)
        if column.item is not None:
            return self._build_list(column, column.item, values)
        if column.kind in {"decimal", "integer"}:
            return self._build_numbers(column, values)
        return self._build_leaf(column, encode_values(column, values))

    def _build_leaf(self, column: Column, values: Sequence[Any]) -> _Array:
        return _Array(self._arrow.array(values, self._types[column.kind]))

    def _build_numbers(self, column: Column, values: Sequence[Any]) -> _Array:
        """Build an array of numbers; those that do not fit are null and misfits."""
        if column.kind == "integer" or self._is_exact:
            # In almost all tables every number fits.
            with suppress(self._arrow.ArrowInvalid, OverflowError):
                return self._build_leaf(column, values)
        convert = fit_integer if column.kind == "integer" else self._convert_decimal
        fitting = [None if value is None else convert(value) for value in values]
        misfits = [
            _Misfit(row, column.name, str(value))
            for row, (value, fits) in enumerate(zip(values, fitting, strict=True))
            if value is not None and fits is None
        ]
        return _Array(self._build_leaf(column, fitting).values, misfits)

    def _build_struct(self, column: Column, values: Sequence[Any]) -> _Array:
        """Build an array of structs. Records that are one object are built once."""
        places: dict[int, int] = {}
        indices = [places.setdefault(id(value), len(places)) for value in values]
        is_shared = len(places) <= len(values) // 2
        unique = values
        if is_shared:
            unique = list({id(value): value for value in values}.values())
        are_none = [value is None for value in unique]
        arrays = [
            self.build(inner, unique, has_none=True in are_none)
            for inner in column.fields
        ]
        array = self._arrow.StructArray.from_arrays(
            [inner.values for inner in arrays],
            fields=[
                _build_field(self._arrow, inner, self._types) for inner in column.fields
            ],
            mask=self._arrow.array(are_none),
        )
        misfits = _prefix((inner.misfits for inner in arrays), f"{column.name}.")
        if is_shared:
            array = array.take(self._arrow.array(indices))
            misfits = [
                _Misfit(row, misfit.path, misfit.text)
                for misfit in misfits
                for row, index in enumerate(indices)
                if index == misfit.row
            ]
        return _Array(array, misfits)

    def _build_list(
        self, column: Column, item: Column, values: Sequence[Any]
    ) -> _Array:
        lists = [value or () for value in values]
        offsets = [0, *accumulate(map(len, lists))]
        items = [each for value in lists for each in value]
        array = self.build(item, items)
        misfits: list[_Misfit] = []
        if array.misfits:
            places = [
                (row, index)
                for row, value in enumerate(lists)
                for index in range(len(value))
            ]
            for misfit in array.misfits:
                row, index = places[misfit.row]
                inner = misfit.path.removeprefix(item.name)
                path = f"{column.name}[{index}]{inner}"
                misfits.append(_Misfit(row, path, misfit.text))
        kind = _build_field(self._arrow, column, self._types).type
        values = self._arrow.ListArray.from_arrays(
            self._arrow.array(offsets, self._arrow.int32()), array.values, type=kind
        )
        return _Array(values, misfits)


def _prefix(misfits: Iterable[Sequence[_Misfit]], prefix: str) -> list[_Misfit]:
    return [
        _Misfit(misfit.row, prefix + misfit.path, misfit.text)
        for each in misfits
        for misfit in each
    ]


def _fit_float(value: Decimal) -> float | None:
    number = float(value)
    return None if number in {float("inf"), float("-inf")} else number


_CONVERTERS: Final[Mapping[Decimals, Callable[[Any], Any]]] = {
    "decimal": fit_decimal,
    "float": _fit_float,
    "string": str,
}


def _encode(value: Any) -> str | None:
    """Encode an inner record, or a list."""
    if value is None:
        return None
    return _ENCODER.encode(_to_plain(value)).decode()


def _encode_raw(value: Any) -> str | None:
    return None if value is None else _RAW_ENCODER.encode(value).decode()


def _to_plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    if isinstance(value, Model):
        return find_to_dict(type(value), "python", with_secrets=False)(value)
    return value


def _encode_extra(model: Any, extra: Mapping[str, Any]) -> str | None:
    if not extra:
        return None
    public = remove_secrets(model, extra, SENSITIVE)
    return _encode_raw(public) if public else None


def _unflatten(columns: Sequence[Column], row: Mapping[str, Any]) -> dict[str, Any]:
    """Put the columns of inner records into dicts; an inner record of nulls is null."""
    fields: dict[str, Any] = {}
    for column in columns:
        value = row[column.name]
        *outer, name = column.path
        target: Any = fields
        for key in outer:
            if value is not None and target.get(key) is None:
                target[key] = {}
            target = target.setdefault(key, None) if value is None else target[key]
            if target is None:
                break
        if target is not None:
            target[name] = value
    return fields
