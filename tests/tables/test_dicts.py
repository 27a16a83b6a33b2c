"""Records as dicts and JSON, and the converter that reads them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs
import cattrs
import pytest
from attrs import evolve
from cattrs.strategies import use_class_methods
from filled import FILLED
from hypothesis import given, strategies as st
from profiles import max_examples
from strategies import models

from nectar_async import (
    Connection,
    InvalidArgumentError,
    Records,
    Secret,
    Site,
    UsageData,
    make_converter,
    to_dict,
    to_json,
)
from nectar_async._json.converter import get_converter

MODELS: list[type[Any]] = sorted(
    {type(record) for record in FILLED}, key=lambda model: str(model.__name__)
)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
each_names = pytest.mark.parametrize("names", ["python", "wire"])
few = max_examples(20)
CONVERTERS = {
    "python": make_converter("python", with_secrets=True),
    "wire": make_converter("wire", with_secrets=True),
}
RECORD = UsageData(
    id="u",
    start_date=date(2025, 1, 1),
    created=datetime(2025, 2, 1, 12, tzinfo=UTC),
    usage=Decimal("1.50"),
    site=Site(id="s", path=("US", "IL")),
    company_id="c",
    extra={"newKey": Decimal("2.10")},
)


def test_a_dict_has_plain_values_under_python_names() -> None:
    fields = to_dict(RECORD)
    assert fields["start_date"] == date(2025, 1, 1)
    assert str(fields["usage"]) == "1.50"
    assert fields["site"]["path"] == ["US", "IL"]
    assert (fields["company_id"], fields["extra"]) == ("c", {"newKey": Decimal("2.10")})
    assert fields["tariff"] is None


def test_a_dict_with_names_of_the_api_is_what_the_api_sends() -> None:
    fields = to_dict(RECORD, names="wire")
    assert fields["startDate"] == date(2025, 1, 1)
    assert fields["newKey"] == Decimal("2.10")
    assert not {"companyId", "company_id", "extra"} & fields.keys()


def test_json_keeps_every_digit() -> None:
    record = evolve(RECORD, usage=Decimal("12345678901234567.1234567890"))
    fields = json.loads(to_json(record))
    assert fields["usage"] == "12345678901234567.1234567890"
    assert fields["extra"] == {"newKey": "2.10"}
    assert fields["created"] == "2025-02-01T12:00:00Z"
    assert json.loads(to_json(record, names="wire"))["startDate"] == "2025-01-01"


@each_names
def test_secrets_are_left_out_unless_they_are_asked_for(names: Any) -> None:
    record = Connection(
        id="x",
        connection_magic_link_secret=Secret("canary"),
        extra={"password": "canary"},
    )
    for text in (
        str(to_dict(record, names=names)),
        to_json(record, names=names),
        str(Records((record,)).to_dicts(names=names)),
        str(make_converter(names).unstructure(record)),
    ):
        assert "canary" not in text
    for text in (
        str(to_dict(record, names=names, with_secrets=True)),
        to_json(record, names=names, with_secrets=True),
        str(Records((record,)).to_dicts(names=names, with_secrets=True)),
        str(make_converter(names, with_secrets=True).unstructure(record)),
    ):
        assert text.count("canary") == 2


@pytest.mark.parametrize("value", [7, None, {"id": "1"}, [RECORD], "u"])
def test_other_values_are_refused(value: Any) -> None:
    for convert in (to_dict, to_json):
        with pytest.raises(InvalidArgumentError, match="to_dict needs a record"):
            convert(value)


def test_other_names_are_refused() -> None:
    for call in (
        lambda: to_dict(RECORD, names="snake"),  # type: ignore[arg-type]
        lambda: make_converter("snake"),  # type: ignore[arg-type]
        lambda: Records(()).to_dicts(names="snake"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidArgumentError, match="names must be"):
            call()


def list_values(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [part for item in value.values() for part in list_values(item)]
    if isinstance(value, list | tuple):
        return [part for item in value for part in list_values(item)]
    return [value]


@each_model
@each_names
@given(data=st.data())
@few
def test_what_a_converter_writes_it_reads_again(
    names: Any, model: type[Any], data: st.DataObject
) -> None:
    record = data.draw(models(model))
    converter = CONVERTERS[names]
    unstructured = converter.unstructure(record)
    assert converter.structure(unstructured, model) == record
    plain = to_dict(record, names=names, with_secrets=True)
    assert converter.structure(plain, model) == record
    assert plain.keys() == unstructured.keys()
    for value in list_values(plain):
        assert not isinstance(value, Enum | Secret)
        assert not attrs.has(type(value))


@each_model
@given(data=st.data())
@few
def test_json_under_names_of_the_api_is_read_as_the_client_reads_it(
    model: type[Any], data: st.DataObject
) -> None:
    record = data.draw(models(model))
    text = to_json(record, names="wire", with_secrets=True)
    read = get_converter(is_strict=False).decode(text.encode(), model)
    assert to_json(read, names="wire", with_secrets=True) == text


def test_a_strict_converter_refuses_unknown_keys() -> None:
    fields = {"id": "1", "newKey": 7}
    assert make_converter().structure(fields, Site).extra == {"newKey": 7}
    with pytest.raises(ValueError, match="unknown key"):
        make_converter(strict=True).structure(fields, Site)


def test_hooks_of_the_user_are_used_in_both_directions() -> None:
    converter = make_converter("python")
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value) * 2)
    converter.register_unstructure_hook(Decimal, float)
    record = converter.structure({"id": "1", "usage": "1.5"}, UsageData)
    assert record.usage == Decimal("3.0")
    assert converter.unstructure(record)["usage"] == 3.0


def test_models_fit_into_classes_and_strategies_of_the_user() -> None:
    @attrs.frozen
    class Portfolio:
        sites: list[Site]
        note: str

        @classmethod
        def _load(cls, value: Mapping[str, Any]) -> Portfolio:
            sites = converter.structure(value["sites"], list[Site])
            return cls(sites, value["note"].upper())

    converter: cattrs.Converter = make_converter("python")
    use_class_methods(converter, "_load")
    value = {"sites": [{"id": "s", "external_id": "7"}], "note": "n"}
    portfolio = converter.structure(value, Portfolio)
    assert portfolio == Portfolio([Site(id="s", external_id="7")], "N")
    assert converter.unstructure(portfolio)["sites"][0]["external_id"] == "7"
