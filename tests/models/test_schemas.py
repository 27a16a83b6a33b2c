"""Every schema of the contract has a counterpart in the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from nectar_async import contract, models
from nectar_async._types import OpenEnum

SCHEMAS: dict[str, Any] = contract.load()["components"]["schemas"]

# The bodies of errors are read by `errors`, whatever their shape.
READ_ELSEWHERE = {"ErrorResponse"}


def find_counterpart(name: str, schema: Mapping[str, Any]) -> str | None:
    """Return the kind of a schema's counterpart in the package, or None."""
    model = getattr(models, name, None)
    open_twin = getattr(models, name.removesuffix("Strict"), None)
    shapes = [schema, *schema.get("anyOf", ())]
    kinds = {shape.get("type") for shape in shapes} - {None}
    is_text_or_number = kinds <= {"string", "number"}
    places = {
        "read elsewhere": name in READ_ELSEWHERE,
        "body": "x-body-complete" in schema,
        "envelope": "x-envelope" in schema,
        "model": isinstance(model, type) and attrs.has(model),
        "enum": isinstance(open_twin, type) and issubclass(open_twin, OpenEnum),
        "list": "array" in kinds,
        "scalar": is_text_or_number or schema.get("x-primary-shape") == "string",
    }
    return next((place for place, applies in places.items() if applies), None)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_has_a_counterpart_in_the_package(name: str) -> None:
    assert find_counterpart(name, SCHEMAS[name])


def test_a_new_object_or_alternative_has_no_counterpart() -> None:
    new = {"type": "object", "properties": {"id": {"type": "string"}}}
    assert find_counterpart("Novelty", new) is None
    assert find_counterpart("Novelty", {"anyOf": [{"type": "string"}, new]}) is None


def test_lists_and_envelopes_hold_models() -> None:
    items_by_name = {}
    for name, schema in SCHEMAS.items():
        place = find_counterpart(name, schema)
        if place == "envelope":
            items_by_name[name] = schema["properties"][schema["x-envelope"]["items"]][
                "items"
            ]
        if place == "list":
            shapes = [schema, *schema.get("anyOf", ())]
            items_by_name[name] = next(
                shape["items"] for shape in shapes if "items" in shape
            )
    assert items_by_name
    for name, items in items_by_name.items():
        model = items["$ref"].rpartition("/")[2]
        assert find_counterpart(model, SCHEMAS[model]) == "model", name


def test_no_body_of_a_request_is_a_model() -> None:
    bodies = {name for name in SCHEMAS if "x-body-complete" in SCHEMAS[name]}
    assert "CompanyCreate" in bodies
    assert not bodies & set(models.__all__)


def test_only_the_expected_schemas_are_scalars() -> None:
    scalars = {
        name for name in SCHEMAS if find_counterpart(name, SCHEMAS[name]) == "scalar"
    }
    assert scalars == {
        "CountryCode",
        "Decimal",
        "DecimalString",
        "PingResponse",
        "Timestamp",
    }
