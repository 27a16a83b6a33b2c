"""The models have every field of the contract, with its type."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from types import GenericAlias
from typing import Any, get_args, get_origin, get_type_hints

import attrs
import pytest
from filled import CANARY, FILLED, LINK, USAGE

from nectar_async import contract, models
from nectar_async._json.converter import Converter
from nectar_async._types import Flag, Secret
from nectar_async.contract.wire_names import to_python, to_wire
from nectar_async.models import Page, SecurityQuestion, Site
from nectar_async.models._base import NOT_ON_WIRE

SCHEMAS: dict[str, Any] = contract.load()["components"]["schemas"]
# `Page` and `Listing` describe the envelope of every list; the API sends no advice.
WITHOUT_SCHEMA = {"AccountAdvice", "Advice", "Listing", "Page"}
MODELS: dict[str, type[Any]] = {
    name: cls
    for name in models.__all__
    if attrs.has(cls := getattr(models, name)) and name not in WITHOUT_SCHEMA
}
# The fields that identify a record. All others are optional, whatever the contract
# requires, so that a missing key never loses a record.
REQUIRED = {
    "Account": {"id"},
    "Company": {"id"},
    "Connection": {"id"},
    "ConnectionCompany": {"id"},
    "Document": {"id"},
    "DocumentEmbedded": {"id"},
    "Interval": {"id"},
    "Invitation": {"id"},
    "InvitationDetail": {"id"},
    "Job": {"id"},
    "Meter": {"id"},
    "SecurityQuestion": {"key", "value"},
    "Site": {"id"},
    "Team": {"id"},
    "UsageData": {"id"},
    "UsageDataNested": {"id"},
}
SCALARS = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "object": Mapping[str, Any],
}
SECRETS = {str: Secret[str], Mapping[str, Any]: Secret[Mapping[str, Any]]}

each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def read_properties(name: str) -> dict[str, Any]:
    """Return the properties of a schema, or of the object among its alternatives."""
    schema = SCHEMAS[name]
    objects = (
        branch
        for branch in (schema, *schema.get("anyOf", ()))
        if "properties" in branch
    )
    members: dict[str, Any] = next(objects)["properties"]
    return members


def find_base(model: type[Any]) -> type[Any] | None:
    """Return the model that a model extends, or None."""
    return model.__base__ if model.__base__ in MODELS.values() else None


def list_wire_names(model: type[Any]) -> list[str]:
    """Return the wire names in the schema's order; names of the base come first."""
    base = find_base(model)
    first = list(read_properties(base.__name__)) if base else []
    others = [wire for wire in read_properties(model.__name__) if wire not in first]
    return [*first, *others]


EXAMPLES = [
    pytest.param(model, example, id=f"{name}-{number}")
    for name, model in MODELS.items()
    for number, example in enumerate(SCHEMAS[name].get("examples", ()))
]
SENSITIVE = [
    pytest.param(model, wire, id=f"{name}-{wire}")
    for name, model in MODELS.items()
    for wire, schema in read_properties(name).items()
    if schema.get("x-sensitive")
]

each_value = pytest.mark.parametrize("value", FILLED, ids=lambda v: type(v).__name__)


def read_python_type(schema: Mapping[str, Any]) -> Any:
    """Return the Python type of a schema's values, without None."""
    if schema.get("x-sensitive"):
        return SECRETS[read_plain_type(schema)]
    marks = {"x-string-or-bool": Flag, "x-decimal": Decimal}
    marked = (kind for mark, kind in marks.items() if schema.get(mark))
    return next(marked, None) or read_plain_type(schema)


def read_plain_type(schema: Mapping[str, Any]) -> Any:
    if not schema:
        return Any
    if "$ref" in schema:
        return read_referred_type(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        (branch,) = (branch for branch in schema["anyOf"] if branch != {"type": "null"})
        return read_python_type(branch)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (kind,) = (kind for kind in kinds if kind != "null")
    if kind == "array":
        return GenericAlias(tuple, (read_python_type(schema["items"]), ...))
    return date if schema.get("format") == "date" else SCALARS[kind]


def encode(value: Any) -> bytes:
    return Converter().encode(value)


def decode(body: bytes, model: type[Any]) -> Any:
    return Converter().decode(body, model)


def read_referred_type(name: str) -> Any:
    if name == "Timestamp":
        return datetime
    return getattr(models, name, None) or read_python_type(SCHEMAS[name])


WITH_COMPANY = {"Account", "Connection", "Document", "Meter", "UsageData"}
"""The models with a `company_id`, which the API does not have."""


def is_sequence(schema: Mapping[str, Any]) -> bool:
    return "array" in schema.get("type", ())


def test_every_model_is_named_as_its_schema() -> None:
    assert set(MODELS) <= set(SCHEMAS)
    assert set(MODELS) >= set(REQUIRED)


@each_model
def test_fields_are_the_properties_of_the_schema_in_its_order(model: type[Any]) -> None:
    names = [attribute.name for attribute in attrs.fields(model)]
    own = ["company_id"] if model.__name__ in WITH_COMPANY else []
    assert names == [*map(to_python, list_wire_names(model)), *own, "extra"]


@each_model
def test_wire_names_come_back_from_field_names(model: type[Any]) -> None:
    names = [
        attribute.name
        for attribute in attrs.fields(model)
        if attribute.name != "extra" and attribute.metadata != NOT_ON_WIRE
    ]
    assert [to_wire(name) for name in names] == list_wire_names(model)


@each_model
def test_types_are_those_of_the_schema(model: type[Any]) -> None:
    required = REQUIRED.get(model.__name__, set())
    expected: dict[str, Any] = {"extra": Mapping[str, Any]}
    if model.__name__ in WITH_COMPANY:
        expected["company_id"] = str | None
    for wire, schema in read_properties(model.__name__).items():
        type_ = read_python_type(schema)
        is_plain = wire in required or is_sequence(schema)
        expected[to_python(wire)] = type_ if is_plain else type_ | None
    assert get_type_hints(model, include_extras=True) == expected


@each_model
def test_only_the_fields_that_identify_a_record_are_required(model: type[Any]) -> None:
    required = {
        attribute.name
        for attribute in attrs.fields(model)
        if attribute.default is attrs.NOTHING
    }
    assert required == REQUIRED.get(model.__name__, set())
    assert required <= set(SCHEMAS[model.__name__].get("required", ()))


@each_model
def test_missing_fields_are_none_or_an_empty_sequence(model: type[Any]) -> None:
    schemas = read_properties(model.__name__)
    required = REQUIRED.get(model.__name__, set())
    value = model(**dict.fromkeys(required, "x"))
    for wire in schemas.keys() - required:
        empty = () if is_sequence(schemas[wire]) else None
        assert getattr(value, to_python(wire)) == empty
    assert value.extra == {}


def test_a_model_that_extends_another_adds_fields_to_it() -> None:
    extended = {
        model.__name__: base.__name__
        for model in MODELS.values()
        if (base := find_base(model))
    }
    assert extended == {
        "Document": "DocumentEmbedded",
        "InvitationDetail": "Invitation",
        "UsageData": "UsageDataNested",
    }
    for whole, part in extended.items():
        assert read_properties(part).items() <= read_properties(whole).items()


@each_model
def test_every_model_has_a_docstring(model: type[Any]) -> None:
    assert inspect.getdoc(model)


@each_model
def test_models_take_keywords_only_and_convert_security_questions_only(
    model: type[Any],
) -> None:
    for attribute in attrs.fields(model):
        assert attribute.kw_only
        is_answer = model is SecurityQuestion and attribute.name != "extra"
        assert (attribute.converter is not None) == is_answer
        assert attribute.validator is None


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
def test_extra_is_compared_but_not_hashed(value: Any) -> None:
    changed = attrs.evolve(value, extra={"otherKey": []})
    assert changed != value
    assert hash(changed) == hash(value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@each_value
def test_values_survive_pickle(value: Any, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301  our own bytes
    assert back == value
    assert hash(back) == hash(value)


def test_each_value_has_an_extra_of_its_own() -> None:
    first, second = Site(id="1", name="x"), Site(id="1", name="x")
    assert first.extra is not second.extra


each_text = pytest.mark.parametrize("text", [repr, str, "{}".format, "{!r}".format])


@each_text
@each_value
def test_the_repr_shows_only_the_keys_of_extra(value: Any, text: Any) -> None:
    extra = {"newKey": CANARY, "password": {"deep": [CANARY]}}
    shown = text(attrs.evolve(value, extra=extra))
    assert CANARY not in shown
    assert "extra={'newKey': ..., 'password': ...}" in shown


def test_the_repr_of_a_page_shows_only_the_keys_of_extra() -> None:
    page = Page(
        items=(Site(id="s", name="n", extra={"a": CANARY}),), extra={"b": CANARY}
    )
    assert CANARY not in repr(page)
    assert "items=<1 Site>" in repr(page)
    assert "extra={'b': ...}" in repr(page)
    assert page.extra["b"] == CANARY


def test_the_filled_values_have_every_sensitive_field() -> None:
    assert SENSITIVE
    hidden = {
        (type(value), to_wire(attribute.name))
        for value in FILLED
        for attribute in attrs.fields(type(value))
        if isinstance(getattr(value, attribute.name), Secret)
    }
    assert {param.values for param in SENSITIVE} <= hidden


@pytest.mark.parametrize(("model", "wire"), SENSITIVE)
def test_sensitive_fields_of_the_contract_are_secrets(
    model: type[Any], wire: str
) -> None:
    hint = get_type_hints(model)[to_python(wire)]
    kinds = get_args(hint) if get_origin(hint) is not Secret else (hint,)
    assert get_origin(kinds[0]) is Secret


@each_text
@each_value
def test_no_text_of_a_value_shows_a_secret(value: Any, text: Any) -> None:
    assert CANARY not in text(value)
    own = [getattr(value, field.name) for field in attrs.fields(type(value))]
    if any(isinstance(part, Secret) for part in own):
        assert "Secret('***')" in text(value)


@each_text
@pytest.mark.parametrize(("model", "wire"), SENSITIVE)
def test_no_text_of_a_decoded_value_shows_a_secret(
    model: type[Any], wire: str, text: Any
) -> None:
    required = REQUIRED.get(model.__name__, set())
    kind = read_properties(model.__name__)[wire]["type"]
    plain = {"card": CANARY} if kind == "object" else CANARY
    body = {**dict.fromkeys(required, "x"), wire: plain}
    value = decode(json.dumps(body).encode(), model)
    secret = getattr(value, to_python(wire))
    assert isinstance(secret, Secret)
    assert secret.reveal() == plain
    assert CANARY not in text(value)


def test_the_link_of_a_document_can_be_revealed() -> None:
    assert USAGE.document is not None
    assert USAGE.document.url is not None
    assert USAGE.document.url.reveal() == LINK


def test_security_questions_take_plain_text_and_mask_it() -> None:
    plain = SecurityQuestion(key="First pet?", value="Rex")
    masked = SecurityQuestion(key=Secret("First pet?"), value=Secret("Rex"))
    assert plain == masked
    assert plain.value.reveal() == masked.value.reveal() == "Rex"


@each_value
def test_what_is_encoded_decodes_to_the_same(value: Any) -> None:
    assert decode(encode(value), type(value)) == value


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_every_example_of_the_contract_fits_its_model(
    model: type[Any], example: Any
) -> None:
    body = json.dumps(example).encode()
    value = Converter(is_strict=True).decode(body, model)
    assert value == decode(body, model)
    assert value.extra == {}
    assert decode(encode(value), model) == value
    for wire, item in example.items():
        is_empty = getattr(value, to_python(wire)) in (None, ())
        assert is_empty == (item in (None, []))
