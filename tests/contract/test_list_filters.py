"""The filters of a list are the same in its signature, its table and the contract."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest
from endpoints import ENDPOINTS, Endpoint

from nectar_async import resources
from nectar_async.contract.wire_names import to_python
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources.repository import Repository

MODULES: list[ModuleType] = [
    import_module(f"{resources.__name__}.{module.name}")
    for module in iter_modules(resources.__path__)
]
# A list has its filters in an `OwnedLists`, or in the `_FILTERS` of its module.
TABLES: Mapping[str, FieldTable] = {
    module.__name__.rpartition(".")[2]: module._FILTERS
    for module in MODULES
    if isinstance(getattr(module, "_FILTERS", None), FieldTable)
} | {
    lists.noun: lists.filters
    for module in MODULES
    for lists in vars(module).values()
    if isinstance(lists, OwnedLists)
}
LISTS = [endpoint for endpoint in ENDPOINTS if endpoint.is_list]
VIEWS = [name for name in vars(Repository) if not name.startswith("_")]

# The parameters of a list that are no filters.
OPTIONS = {"companies", "look_ahead", "on_error", "verify"}


def read_contract_filters(endpoint: Endpoint) -> set[str]:
    parameters = (
        parameter for parameter in endpoint.parameters if parameter["in"] == "query"
    )
    return {to_python(parameter["name"]) for parameter in parameters} - {"page"}


def find_table(noun: str) -> set[str]:
    """Return the names of the filters in a noun's table."""
    assert noun in TABLES, (
        f"resources/{noun}.py has no table of filters: "
        "it needs an `OwnedLists`, or a `FieldTable` named `_FILTERS`"
    )
    return set(TABLES[noun].checks)


def read_method_filters(method: object) -> set[str]:
    assert callable(method)
    parameters = inspect.signature(method).parameters.values()
    return {
        parameter.name
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty
        and parameter.name not in OPTIONS
    }


@pytest.mark.parametrize("endpoint", LISTS, ids=lambda endpoint: endpoint.operation)
def test_a_list_has_the_filters_of_the_contract(endpoint: Endpoint) -> None:
    expected = read_contract_filters(endpoint)
    assert endpoint.noun is not None
    table = find_table(endpoint.noun)
    signature = {
        parameter
        for parameter in endpoint.signature.parameters
        if parameter not in OPTIONS
    }
    signature -= {
        argument.name for argument in endpoint.arguments if argument.place == "path"
    }
    differences = {
        "missing in the table": expected - table,
        "missing in the signature": expected - signature,
        "unknown to the contract, in the table": table - expected,
        "unknown to the contract, in the signature": signature - expected,
    }
    assert not any(differences.values()), differences


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_across_companies_has_the_filters_of_its_list(view: str) -> None:
    noun = "connections" if view == "accounts" else view
    table = find_table(noun)
    signature = read_method_filters(getattr(Repository, view))
    assert signature == table
