"""The naming rule converts names in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st
from profiles import max_examples

from nectar_async import contract
from nectar_async.contract.wire_names import to_python, to_wire


def iterate_property_names(part: Any) -> Iterator[str]:
    """Yield the name of every property in the contract."""
    if isinstance(part, list):
        for inner in part:
            yield from iterate_property_names(inner)
    if not isinstance(part, dict):
        return
    if isinstance(properties := part.get("properties"), dict):
        yield from properties
    for inner in part.values():
        yield from iterate_property_names(inner)


PROPERTIES = sorted(set(iterate_property_names(contract.load())))
PARAMETERS = sorted(
    {
        parameter["name"]
        for parameter in contract.load()["components"]["parameters"].values()
        if parameter["in"] == "query"
    }
)


def test_the_contract_has_many_names() -> None:
    assert len(PROPERTIES) > 150
    assert PARAMETERS


@pytest.mark.parametrize("wire", [*PROPERTIES, *PARAMETERS])
def test_every_name_of_the_contract_comes_back(wire: str) -> None:
    name = to_python(wire)
    assert name == name.lower()
    assert name.isidentifier()
    assert to_wire(name) == wire


def test_no_two_names_of_the_contract_become_one() -> None:
    assert len({to_python(wire) for wire in PROPERTIES}) == len(PROPERTIES)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("id", "id"),
        ("external_id", "externalId"),
        ("net_metering_grid_import_kwh", "netMeteringGridImportKwh"),
        ("multiplier2", "multiplier2"),
        ("multiplier2_description", "multiplier2Description"),
        ("total_usage_data", "totalUsageData"),
    ],
)
def test_an_underscore_is_a_capital(name: str, wire: str) -> None:
    assert to_wire(name) == wire
    assert to_python(wire) == name


part = st.from_regex(r"[a-z][a-z0-9]*", fullmatch=True)


@given(st.lists(part, min_size=1, max_size=5).map("_".join))
@max_examples(50)
def test_every_python_name_comes_back(name: str) -> None:
    assert to_python(to_wire(name)) == name


@given(st.from_regex(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)*", fullmatch=True))
def test_every_wire_name_comes_back(wire: str) -> None:
    assert to_wire(to_python(wire)) == wire
