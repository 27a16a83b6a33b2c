"""The columns of the table of each noun, which do not depend on the data.

Secrets have no column. A column may hold a whole record or list (`struct`), the same as
JSON (`json`), or the fields of an inner record may be columns of their own (`flat`).
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from functools import cache
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

import attrs
from attrs import evolve, frozen

from nectar_async._json.fields import FieldSpec, describe_model
from nectar_async._types import TextFlag
from nectar_async.errors import InvalidArgumentError
from nectar_async.models._base import Model
from nectar_async.models.account import Account
from nectar_async.models.company import Company
from nectar_async.models.connection import Connection
from nectar_async.models.document import DemandMeter, Document, LineItem
from nectar_async.models.interval import Interval
from nectar_async.models.invitation import Invitation
from nectar_async.models.meter import Meter
from nectar_async.models.provider import UtilityProvider
from nectar_async.models.site import Site
from nectar_async.models.usage import UsageData

__all__ = [
    "NOUNS",
    "Column",
    "Nested",
    "describe_columns",
    "find_description",
    "find_model",
    "fit_decimal",
    "fit_integer",
    "get_values",
    "read_field_docs",
]

NOUNS: Final[Mapping[str, type[Model]]] = {
    "accounts": Account,
    "companies": Company,
    "connections": Connection,
    "demand_meters": DemandMeter,
    "documents": Document,
    "intervals": Interval,
    "invitations": Invitation,
    "line_items": LineItem,
    "meters": Meter,
    "providers": UtilityProvider,
    "sites": Site,
    "usage": UsageData,
}
"""The nouns that have a table, with the model of their rows."""

Nested: TypeAlias = Literal["struct", "json", "flat"]
"""How records and lists inside of a record are kept."""

Kind: TypeAlias = Literal[
    "text",
    "decimal",
    "date",
    "instant",
    "flag",
    "integer",
    "json",  # an inner record or a list of them
    "raw",  # JSON of any shape, as the API sent it
    "extra",
    "struct",
    "list",
]

_NESTED: Final = ("struct", "json", "flat")
_KINDS: Final[Mapping[Any, Kind]] = {
    bool: "flag",
    date: "date",
    datetime: "instant",
    Decimal: "decimal",
    int: "integer",
    TextFlag: "flag",
}


@frozen
class Column:
    """A column of a table, or a field of a struct in it."""

    name: str
    path: tuple[str, ...]
    """The attributes that lead from the record to the value."""
    kind: Kind
    """The kind of the value."""
    item: Column | None = None
    """The items of a list."""
    fields: tuple[Column, ...] = ()
    """The fields of a struct."""
    owner: type | None = None
    """The model of an `extra`, which knows the keys of its secrets."""


def find_model(noun: str | type[Model]) -> Any:
    """Find the model of a noun such as "usage"; a model is returned as it is.

    Raises:
        InvalidArgumentError: there is no table of that name.
    """
    if isinstance(noun, type) and issubclass(noun, Model):
        return noun
    if noun not in NOUNS:
        raise InvalidArgumentError(
            f"there is no table of {noun!r}; tables: {', '.join(NOUNS)}"
        )
    return NOUNS[noun]


@cache
def describe_columns(model: Any, nested: Nested) -> tuple[Column, ...]:
    """Describe the columns of a model: `id`, `company_id`, its fields, and `extra`.

    Raises:
        InvalidArgumentError: `nested` is another text.
    """
    if nested not in _NESTED:
        choices = ", ".join(map(repr, _NESTED))
        raise InvalidArgumentError(f"nested must be one of {choices}, not {nested!r}")
    columns = [*_describe_fields(model, nested)]
    own = {column.name for column in columns if len(column.path) == 1}
    columns = [
        # The company of a connection has an id, which is not its own `company_id`.
        evolve(column, name="__".join(column.path))
        if len(column.path) > 1 and column.name in own
        else column
        for column in columns
    ]
    first = [column for column in columns if column.name in {"id", "company_id"}]
    rest = [column for column in columns if column not in first]
    return (*sorted(first, key=lambda column: column.name, reverse=True), *rest)


def _describe_fields(model: Any, nested: Nested) -> Iterator[Column]:
    for spec in describe_model(model).fields:
        if spec.is_secret:
            continue
        if nested == "flat" and attrs.has(spec.kind) and not spec.is_sequence:
            for inner in _describe_fields(spec.kind, nested):
                name, path = f"{spec.name}_{inner.name}", (spec.name, *inner.path)
                yield evolve(inner, name=name, path=path)
        else:
            yield _describe_field(spec, nested)
    for attribute in attrs.fields(model):
        if not attribute.metadata.get("is_on_wire", True):
            yield Column(attribute.name, (attribute.name,), "text")
    yield Column("extra", ("extra",), "extra", owner=model)


def _describe_field(spec: FieldSpec, nested: Nested) -> Column:
    path = (spec.name,)
    is_model = attrs.has(spec.kind)
    if spec.kind in {Any, dict}:
        return Column(spec.name, path, "raw")
    if nested != "struct" and (is_model or spec.is_sequence):
        return Column(spec.name, path, "json")
    if spec.is_sequence:
        item = _describe_field(evolve(spec, is_sequence=False), nested)
        return Column(spec.name, path, "list", item=evolve(item, path=()))
    if is_model:
        fields = tuple(_describe_fields(spec.kind, nested))
        return Column(spec.name, path, "struct", fields=fields)
    return Column(spec.name, path, _KINDS.get(spec.kind, "text"))


def get_values(
    column: Column, records: Iterable[Any], *, has_none: bool = False
) -> list[Any]:
    """Get the value of a column from each record; None where a record is missing.

    Args:
        column: the column.
        records: the records.
        has_none: whether some of the records are None.
    """
    values = records
    for number, name in enumerate(column.path):
        get = attrgetter(name)
        if has_none or number:
            values = [None if value is None else get(value) for value in values]
        else:
            values = map(get, values)
    return list(values)


def find_description(model: Any, path: tuple[str, ...]) -> str:
    """Find the docstring of the field at the end of a path; empty without one.

    The first call for a model reads its source file.
    """
    *outer, name = path
    for field_name in outer:
        fields = {field.name: field for field in describe_model(model).fields}
        model = fields[field_name].kind
    return read_field_docs(model).get(name, "")


@cache
def read_field_docs(model: type) -> Mapping[str, str]:
    """Read the docstrings of a model's fields from its source; empty without one."""
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__[:-1]):
        try:
            (definition,) = ast.parse(inspect.getsource(kind)).body
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        body = getattr(definition, "body", [])
        for field, text in pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                texts[field.target.id] = " ".join(str(text.value.value).split())
    return texts


_SCALE: Final = Decimal("1E-10")
_EXACT: Final = Context(prec=28, traps=[Inexact, InvalidOperation])
_MAX_INTEGER: Final = 2**63


def fit_decimal(value: Decimal) -> Decimal | None:
    """Give a decimal ten places; None if it does not fit decimal(28, 10) exactly."""
    try:
        return _EXACT.quantize(value, _SCALE)
    except DecimalException:
        return None


def fit_integer(value: int) -> int | None:
    """Return an integer of 64 bits; None for a longer one."""
    return value if -_MAX_INTEGER <= value < _MAX_INTEGER else None
