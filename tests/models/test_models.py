"""The models hold every field of the contract, typed as the contract says."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import GenericAlias
from typing import Any, get_type_hints

import attrs
import pytest

from nectar_async import contract, models
from nectar_async._names import to_python, to_wire
from nectar_async._secret import Secret
from nectar_async.models import (
    Company,
    DatasourceType,
    DocumentEmbedded,
    MeterIdentifier,
    Site,
    TimeOfUseBreakdownItem,
    UsageData,
    UsageUnits,
)

SCHEMAS: dict[str, Any] = contract.load()["components"]["schemas"]
# `Page` stands for the envelope of every list, so no one schema describes it.
MODELS: dict[str, type[Any]] = {
    name: cls
    for name in models.__all__
    if attrs.has(cls := getattr(models, name)) and name != "Page"
}
# What a record cannot be told apart without. Everything else may be missing, whatever
# the contract requires, so that a missing key never loses a record.
REQUIRED = {
    "Company": {"id", "name"},
    "DocumentEmbedded": {"id"},
    "Site": {"id", "name"},
    "UsageData": {"id"},
}
SCALARS = {"string": str, "boolean": bool, "object": Mapping[str, Any]}

each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

LINK = "https://files.example.com/bill-1.pdf?signature=canary"
SITE = Site(id="s-1", name="Harbor Street Office", path=("US", "IL"))
USAGE = UsageData(
    id="u-1",
    created=datetime(2024, 2, 20, 9, 15, 43, tzinfo=UTC),
    start_date=date(2024, 1, 15),
    end_date=date(2024, 2, 14),
    usage=Decimal("3100.00"),
    usage_units=UsageUnits.KWH,
    time_of_use_breakdown=(TimeOfUseBreakdownItem(usage=Decimal("1240.00")),),
    site=SITE,
    identifiers=(MeterIdentifier(value="MTR-A12345"),),
    datasource_type=DatasourceType("HYDROGEN"),
    additional_fields={"rate": [1, 2]},
    document=DocumentEmbedded(id="d-1", url=Secret(LINK)),
    extra={"newKey": {"deep": [1]}},
)
FILLED = [
    Company(id="c-1", name="Example", sites=(SITE,), users=("ops@example.com",)),
    SITE,
    USAGE,
    *USAGE.time_of_use_breakdown,
    *USAGE.identifiers,
    USAGE.document,
]

each_value = pytest.mark.parametrize("value", FILLED, ids=lambda v: type(v).__name__)


def python_type(schema: Mapping[str, Any]) -> Any:
    """The Python type that holds a value of the schema, None left aside."""
    if schema.get("x-sensitive"):
        return Secret
    if schema.get("x-decimal"):
        return Decimal
    if "$ref" in schema:
        return referred_type(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        (branch,) = (one for one in schema["anyOf"] if one != {"type": "null"})
        return python_type(branch)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (kind,) = (kind for kind in kinds if kind != "null")
    if kind == "array":
        return GenericAlias(tuple, (python_type(schema["items"]), ...))
    return date if schema.get("format") == "date" else SCALARS[kind]


def referred_type(name: str) -> Any:
    if name == "Timestamp":
        return datetime
    return getattr(models, name, None) or python_type(SCHEMAS[name])


def is_sequence(schema: Mapping[str, Any]) -> bool:
    return "array" in schema.get("type", ())


def test_every_model_is_named_as_its_schema() -> None:
    assert set(MODELS) <= set(SCHEMAS)
    assert set(MODELS) >= set(REQUIRED)


@each_model
def test_fields_are_the_properties_of_the_schema_in_its_order(model: type[Any]) -> None:
    names = [one.name for one in attrs.fields(model)]
    assert names == [
        *map(to_python, SCHEMAS[model.__name__]["properties"]),
        "extra",
    ]


@each_model
def test_wire_names_come_back_from_field_names(model: type[Any]) -> None:
    names = [one.name for one in attrs.fields(model) if one.name != "extra"]
    assert [to_wire(name) for name in names] == [*SCHEMAS[model.__name__]["properties"]]


@each_model
def test_types_are_those_of_the_schema(model: type[Any]) -> None:
    required = REQUIRED.get(model.__name__, set())
    expected = {"extra": Mapping[str, Any]}
    for wire, schema in SCHEMAS[model.__name__]["properties"].items():
        type_ = python_type(schema)
        is_plain = wire in required or is_sequence(schema)
        expected[to_python(wire)] = type_ if is_plain else type_ | None
    assert get_type_hints(model) == expected


@each_model
def test_only_what_identifies_a_record_is_required(model: type[Any]) -> None:
    required = {one.name for one in attrs.fields(model) if one.default is attrs.NOTHING}
    assert required == REQUIRED.get(model.__name__, set())
    assert required <= set(SCHEMAS[model.__name__].get("required", ()))


@each_model
def test_what_is_missing_is_none_or_an_empty_sequence(model: type[Any]) -> None:
    properties = SCHEMAS[model.__name__]["properties"]
    required = REQUIRED.get(model.__name__, set())
    value = model(**dict.fromkeys(required, "x"))
    for wire in properties.keys() - required:
        empty = () if is_sequence(properties[wire]) else None
        assert getattr(value, to_python(wire)) == empty
    assert value.extra == {}


def test_usage_inside_a_document_is_usage_without_its_document() -> None:
    nested = SCHEMAS["UsageDataNested"]["properties"]
    whole = SCHEMAS["UsageData"]["properties"]
    assert nested == {key: whole[key] for key in whole if key != "document"}


@each_model
def test_every_model_has_a_docstring(model: type[Any]) -> None:
    assert inspect.getdoc(model)


@each_model
def test_models_take_keywords_only_and_have_no_converters(model: type[Any]) -> None:
    for one in attrs.fields(model):
        assert one.kw_only
        assert one.converter is None
        assert one.validator is None


def test_there_is_a_filled_value_of_every_model() -> None:
    assert {type(value) for value in FILLED} == set(MODELS.values())


@each_value
def test_values_do_not_change(value: Any) -> None:
    name = attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, "other")


@each_value
def test_values_have_slots(value: Any) -> None:
    assert not hasattr(value, "__dict__")


@each_value
def test_equal_values_hash_alike(value: Any) -> None:
    again = attrs.evolve(value)
    assert again is not value
    assert again == value
    assert hash(again) == hash(value)
    assert len({again, value}) == 1


@each_value
def test_extra_counts_for_equality_and_not_for_the_hash(value: Any) -> None:
    other = attrs.evolve(value, extra={"otherKey": []})
    assert other != value
    assert hash(other) == hash(value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@each_value
def test_values_survive_pickle(value: Any, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301  our own bytes
    assert back == value
    assert hash(back) == hash(value)


def test_each_value_has_an_extra_of_its_own() -> None:
    one, other = Site(id="1", name="x"), Site(id="1", name="x")
    assert one.extra is not other.extra


@pytest.mark.parametrize("text", [repr, str, "{}".format, "{!r}".format])
def test_no_text_of_a_document_shows_its_link(text: Any) -> None:
    for value in (USAGE, USAGE.document):
        assert "canary" not in text(value)
        assert "Secret('***')" in text(value)


def test_the_link_of_a_document_is_there_for_who_asks() -> None:
    assert USAGE.document is not None
    assert USAGE.document.url is not None
    assert USAGE.document.url.reveal() == LINK
